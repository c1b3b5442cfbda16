"""Buttons and list actions. They ask first, then run in one transaction; refusals become messages."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.admin import action as list_action
from django.contrib.admin.utils import unquote
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.decorators import action as unfold_action

from core.errors import DomainError

if TYPE_CHECKING:
    from core.admin.base import BaseAdmin

_CONFIRMED = "confirmed"
_OTHER_WAY = "other_way"
_REASON = "reason"
_ABOUT = "about"
MAX_REASON = 500


@dataclass(frozen=True, slots=True)
class OtherWay:
    """A more dangerous way to do what a question asks, with a button of its own."""

    consequence: str
    button: str


@dataclass(frozen=True, slots=True)
class Question:
    """The confirmation that is asked for before an action runs."""

    title: str
    consequence: str
    button: str
    is_dangerous: bool = False
    other_way: OtherWay | None = None
    # Whether it also asks why. `given_reason` gives the answer.
    asks_reason: bool = False
    # What it is about, when that may change before the answer. `asked_about` gives what the user was asked.
    about: str = ""


def detail_action(
    *,
    description: str,
    icon: str,
    question: Question | Callable[[Any], Question],
    done: str = "",
    permission: str = "change",
    in_transaction: bool = True,
) -> Callable[[Callable[..., HttpResponse | None]], Any]:
    """A button on a row's page. It asks first; then the method runs with the row. `question` may depend on the row. Set
    `in_transaction=False` when the method waits for another system.

    A refusal becomes a message. The method returns a page of its own, or None to go back to the row with the
    message `done`.
    """

    def decorate(method: Callable[..., HttpResponse | None]) -> Any:
        @wraps(method)
        def view(self: "BaseAdmin", request: HttpRequest, object_id: str) -> HttpResponse:
            row = self.get_object(request, unquote(object_id))
            if row is None:
                return self.gone(request)
            asked = question(row) if callable(question) else question
            if not _is_confirmed(request):
                return self.ask(request, asked, [row])
            if asked.asks_reason and not given_reason(request):
                self.message_user(request, "Say why, in 1 to 500 characters.", messages.ERROR)
                return self.ask(request, asked, [row])
            try:
                with transaction.atomic() if in_transaction else nullcontext():
                    answer = method(self, request, row)
            except DomainError as refusal:
                self.tell_refusal(request, refusal)
                return HttpResponseRedirect(self.url_of(row))
            if answer is not None:
                return answer
            self.message_user(request, f"{done}: {self.name_of(row)}.", messages.SUCCESS)
            return HttpResponseRedirect(self.url_of(row))

        return unfold_action(view, permissions=[permission], description=description, icon=icon)

    return decorate


def bulk_action(
    *, description: str, question: Question, done: str, permission: str = "change"
) -> Callable[[Callable[..., None]], Any]:
    """An action on the ticked rows. It asks first; the method then gets each row, all in one transaction."""

    def decorate(method: Callable[..., None]) -> Any:
        @wraps(method)
        def run(self: "BaseAdmin", request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
            rows = list(queryset.order_by("pk"))
            if not _is_confirmed(request):
                self.prepare(rows)
                return self.ask(request, question, rows, action=method.__name__)
            with transaction.atomic():
                for row in rows:
                    method(self, request, row)
            self.message_user(request, f"{done}: {len(rows)}.", messages.SUCCESS)
            return None

        return list_action(run, permissions=[permission], description=description)

    return decorate


def takes_other_way(request: HttpRequest) -> bool:
    """Whether the user chose the question's other way."""
    return request.POST.get(_OTHER_WAY) == "yes"


def given_reason(request: HttpRequest) -> str:
    """What the user wrote as the reason; empty when that is nothing, or too much."""
    reason = request.POST.get(_REASON, "").strip()
    return reason if len(reason) <= MAX_REASON else ""


def asked_about(request: HttpRequest) -> str:
    """What the question was about that the user has answered."""
    return request.POST.get(_ABOUT, "")


def _is_confirmed(request: HttpRequest) -> bool:
    return request.method == "POST" and request.POST.get(_CONFIRMED) == "yes"

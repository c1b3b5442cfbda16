"""Buttons on rows' pages. They ask first, then run in one transaction; refusals become messages."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from copy import copy
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, cast

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.decorators import action as unfold_action

from core.admin.planning import PLAN, PLAN_REASON, ShownPlan, make_confirmed, plan_of
from core.errors import DomainError
from core.validators import MAX_REASON

if TYPE_CHECKING:
    from core.admin.base import BaseAdmin

_CONFIRMED = "confirmed"
_OTHER_WAY = "other_way"
_REASON = "reason"
_ABOUT = "about"
_CHOICE = "choice"
SAY_WHY = f"Say why, in 1 to {MAX_REASON} characters."
LOOK_FIRST = "Nothing is changed: look first at what it changes."


@dataclass(frozen=True, slots=True)
class OtherWay:
    """A more dangerous way to do what a question asks, with a button of its own."""

    consequence: str
    button: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What else a question lets the user choose: `options` are values and their words, `first` is chosen already."""

    label: str
    options: Sequence[tuple[str, str]]
    first: str
    help_text: str


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
    # `given_choice` gives the answer.
    choice: Choice | None = None


def detail_action(
    *,
    description: str,
    icon: str,
    question: Question | Callable[[Any], Question],
    done: str = "",
    permission: str = "change",
    in_transaction: bool = True,
    has_plan: bool = False,
) -> Callable[[Callable[..., HttpResponse | None]], Any]:
    """A button on a row's page. It asks first; then the method runs with the row. `question` may depend on the row. Set
    `in_transaction=False` when the method waits for another system. `has_plan` is for what changes what is wanted: the
    question then shows the plan, and the method runs only if it still does what was shown.

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

            def plan() -> ShownPlan | None:
                if not has_plan:
                    return None
                tried = _tried(request, asked)
                return plan_of([row], lambda: method(self, tried, row), phrase=self.name_of(row))

            objection = objection_to(request, asked, plan) if is_confirmed(request) else ""
            if objection:
                self.message_user(request, objection, messages.ERROR)
            if objection or not is_confirmed(request):
                return self.ask(request, asked, [row], plan=plan())
            try:
                with transaction.atomic() if in_transaction else nullcontext():
                    answer = make_confirmed(
                        request,
                        [row] if has_plan else [],
                        lambda: method(self, request, row),
                        phrase=self.name_of(row),
                        actor=self.user_as_actor(request),
                    )
            except DomainError as refusal:
                self.tell_refusal(request, refusal)
                return HttpResponseRedirect(self.url_of(row))
            if answer is not None:
                return cast(HttpResponse, answer)
            self.message_user(request, f"{done}: {self.name_of(row)}.", messages.SUCCESS)
            return HttpResponseRedirect(self.url_of(row))

        return unfold_action(view, permissions=[permission], description=description, icon=icon)

    return decorate


class _NoMessages:
    """Takes the messages of a change that is only tried."""

    def add(self, *args: object, **kwargs: object) -> None:
        pass


def _tried(request: HttpRequest, question: Question) -> HttpRequest:
    """The request as the change would get it, for trying the change out: with some reason, and without messages."""
    tried: Any = copy(request)
    tried.POST = request.POST.copy()
    tried.POST.update({_REASON: "tried out", _ABOUT: question.about})
    tried._messages = _NoMessages()
    return cast(HttpRequest, tried)


def takes_other_way(request: HttpRequest) -> bool:
    """Whether the user chose the question's other way."""
    return request.POST.get(_OTHER_WAY) == "yes"


def given_reason(request: HttpRequest) -> str:
    """What the user wrote as the reason, of the plan or of the change; empty when that is nothing, or too much."""
    reason = (request.POST.get(PLAN_REASON) or request.POST.get(_REASON, "")).strip()
    return reason if len(reason) <= MAX_REASON else ""


def given_choice(request: HttpRequest) -> str:
    """The value that the user chose; empty when the request has none."""
    return request.POST.get(_CHOICE, "")


def asked_about(request: HttpRequest) -> str:
    """What the question was about that the user has answered."""
    return request.POST.get(_ABOUT, "")


def objection_to(request: HttpRequest, question: Question, plan: Callable[[], ShownPlan | None]) -> str:
    """Why a question that was answered with yes is asked again; empty if nothing is missing.

    The page had no plan if the change did nothing when it was asked for; since then it may do something.
    """
    if question.asks_reason and not given_reason(request):
        return SAY_WHY
    return LOOK_FIRST if PLAN not in request.POST and plan() is not None else ""


def is_confirmed(request: HttpRequest) -> bool:
    return request.method == "POST" and request.POST.get(_CONFIRMED) == "yes"

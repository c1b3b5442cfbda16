"""Actions of lists. On the ticked rows they run in one transaction; on all rows that match they become a job.

The app that performs such jobs registers itself here. It calls the actions by their names, without a request.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Protocol, cast

from django.apps import apps
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from core.admin.actions import Question, is_confirmed, objection_to
from core.admin.planning import ShownPlan, make_confirmed, plan_of
from core.errors import DomainError
from core.events import Actor

if TYPE_CHECKING:
    from core.admin.base import BaseAdmin

# As many rows as a list counts.
MAX_ROWS = 10_000
WORD = "word"


@dataclass(frozen=True, slots=True)
class Word:
    """A word that an action asks for first. `read` makes of what was typed what the action gets, and takes its own
    result as well; it raises a DomainError.
    """

    label: str
    help: str
    read: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Instruction:
    """Who does an action, and the word that it asked for."""

    actor: Actor
    word: str = ""


# Gets the page's object, a row and the instruction; returns whether there was anything to change.
_Method = Callable[[Any, Any, Instruction], bool]


@dataclass(frozen=True, slots=True)
class ListAction:
    """What a list can do with its rows: `question` asks about several, `of_one` about a single one. `has_plan` is for
    what changes what is wanted.
    """

    name: str
    question: Question
    of_one: Question | Callable[[Any], Question]
    done: str
    apply: _Method
    has_plan: bool
    word: Word | None

    def question_about(self, rows: Sequence[Any]) -> Question:
        """The question as these rows are asked about."""
        if len(rows) != 1:
            return self.question
        return self.of_one(rows[0]) if callable(self.of_one) else self.of_one


class JobStarter(Protocol):
    def __call__(
        self,
        request: HttpRequest,
        model_admin: "BaseAdmin",
        action: ListAction,
        *,
        ids: Sequence[Any],
        word: str,
    ) -> HttpResponse:
        """Make a job of the action on the rows with these ids, and answer with the way to its page."""


_starters: list[JobStarter] = []


def register_job_starter(starter: JobStarter) -> None:
    """Say who performs actions on all rows that match. Called in `<app>/admin`."""
    _starters.append(starter)


def list_action_of(model_label: str, name: str) -> tuple["BaseAdmin", ListAction]:
    """An action by the label of its model, such as `paks.pak`, and its name, with the pages that have it.

    Raises LookupError if there is none any more.
    """
    model_admin = admin.site._registry[apps.get_model(model_label)]
    action = getattr(getattr(model_admin, name, None), "list_action", None)
    if action is None:
        raise LookupError(name)
    return cast("BaseAdmin", model_admin), action


def bulk_action(
    *,
    description: str,
    question: Question,
    of_one: Question | Callable[[Any], Question] | None = None,
    done: str,
    permission: str = "change",
    has_plan: bool = False,
    word: Word | None = None,
) -> Callable[[_Method], Any]:
    """An action of a list. It asks first; the method then gets each row, and no request, because a job calls it too.

    `of_one` asks about a single row where `question` speaks of several; it may depend on the row.
    """

    def decorate(method: _Method) -> Any:
        action = ListAction(method.__name__, question, of_one or question, done, method, has_plan, word)

        @wraps(method)
        def run(self: "BaseAdmin", request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
            given = ""
            if word is not None:
                typed = request.POST.get(WORD)
                if typed is None:
                    return self.ask_word(request, action)
                try:
                    given = word.read(typed)
                except DomainError as refusal:
                    return self.ask_word(request, action, typed=typed, error=refusal.text)
            if request.POST.get("select_across") == "1":
                return _begin_job(self, request, action, queryset, given)
            return _run_on_ticked(self, request, action, queryset, given)

        run.list_action = action  # type: ignore[attr-defined]  # read by `list_action_of`
        return admin.action(run, permissions=[permission], description=description)

    return decorate


def _begin_job(
    self: "BaseAdmin", request: HttpRequest, action: ListAction, queryset: QuerySet[Any], word: str
) -> HttpResponse | None:
    ids = list(queryset.order_by("pk").values_list("pk", flat=True)[: MAX_ROWS + 1])
    if len(ids) > MAX_ROWS:
        text = f"More than {MAX_ROWS:,} match. Filter further, and nothing is done to any of them until then."
        self.message_user(request, text, messages.ERROR)
        return None
    if not ids:
        self.message_user(request, "Nothing matches any more.", messages.WARNING)
        return None
    return _starters[0](request, self, action, ids=ids, word=word)


def _run_on_ticked(
    self: "BaseAdmin", request: HttpRequest, action: ListAction, queryset: QuerySet[Any], word: str
) -> HttpResponse | None:
    rows = list(queryset.order_by("pk"))
    phrase = self.name_of(rows[0]) if len(rows) == 1 else f"{len(rows)} {self.opts.verbose_name_plural}"
    instruction = Instruction(self.user_as_actor(request), word)

    def change() -> None:
        for row in rows:
            action.apply(self, row, instruction)

    def plan() -> ShownPlan | None:
        return plan_of(rows, change, phrase=phrase) if action.has_plan else None

    question = action.question_about(rows)
    objection = objection_to(request, question, plan) if is_confirmed(request) else ""
    if objection:
        self.message_user(request, objection, messages.ERROR)
    if objection or not is_confirmed(request):
        self.prepare(rows)
        return self.ask(request, question, rows, action=action.name, plan=plan(), word=word)
    with transaction.atomic():
        make_confirmed(
            request, rows if action.has_plan else [], change, phrase=phrase, actor=instruction.actor
        )
    self.message_user(request, f"{action.done}: {len(rows)}.", messages.SUCCESS)
    return None

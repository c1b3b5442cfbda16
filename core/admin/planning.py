"""The plan of a change on the pages that confirm it. The app that makes plans registers itself here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.db.models import Model
from django.http import HttpRequest
from django.utils.safestring import SafeString

from core.events import Actor

Change = Callable[[], Any]

PLAN, TYPED, PLAN_REASON = "plan", "typed", "plan_reason"
# In place of the digest of a plan that could not be made. What is not known may be wide, so it is confirmed like that.
UNPLANNED = "none"


@dataclass(frozen=True, slots=True)
class ShownPlan:
    """What a change would do, as a part of a page. `digest` names it. A wide one is confirmed by typing `phrase` and by
    a reason. If the plan could not be made, the digest is UNPLANNED and `panel` says why.
    """

    digest: str
    panel: SafeString
    is_wide: bool
    phrase: str


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What somebody has confirmed: the plan with this digest, and what was typed. The actor's reason says why."""

    digest: str
    typed: str
    actor: Actor


class Planner(Protocol):
    def show(self, rows: Sequence[Model], change: Change, *, phrase: str) -> ShownPlan | None:
        """The plan of a change of these rows, which is not made.

        None if it changes nothing for anybody, and if it would be refused: it says so itself when it is made.
        """

    def make(self, rows: Sequence[Model], change: Change, *, phrase: str, confirmation: Confirmation) -> Any:
        """Make the change if its plan is the one that was confirmed, and return what it returns.

        Raises a DomainError if the plan is another one, or is wide and was not confirmed as such.
        """


class Unconfirmed(Exception):
    """The change has a plan that nobody has confirmed. Nothing was changed."""

    def __init__(self, plan: ShownPlan) -> None:
        super().__init__(plan.digest)
        self.plan = plan


_planners: list[Planner] = []


def register_planner(planner: Planner) -> None:
    """Show plans. Called in `<app>/admin`."""
    _planners.append(planner)


def plan_of(rows: Sequence[Model], change: Change, *, phrase: str) -> ShownPlan | None:
    """The plan of a change of these rows; None without a planner too."""
    return _planners[0].show(rows, change, phrase=phrase) if _planners and rows else None


def make_confirmed(
    request: HttpRequest, rows: Sequence[Model], change: Change, *, phrase: str, actor: Actor
) -> Any:
    """Make the change. If the request confirms a plan, make it only if it does what the plan says."""
    digest = request.POST.get(PLAN, "")
    if not _planners or not digest or not rows:
        return change()
    confirmation = Confirmation(digest, request.POST.get(TYPED, "").strip(), actor)
    return _planners[0].make(rows, change, phrase=phrase, confirmation=confirmation)


def carry_out(
    request: HttpRequest, rows: Sequence[Model], change: Change, *, phrase: str, actor: Actor
) -> Any:
    """Make the change if the request confirms its plan, or if there is none. Else raises Unconfirmed."""
    if not request.POST.get(PLAN):
        plan = plan_of(rows, change, phrase=phrase)
        if plan is not None:
            raise Unconfirmed(plan)
    return make_confirmed(request, rows, change, phrase=phrase, actor=actor)

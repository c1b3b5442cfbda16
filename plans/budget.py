"""How much of the fleet one write may take a stack from."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from agents.models import Agent
from plans.changes import Changes
from plans.errors import DeletionBudgetExceeded

# At this many percent there is no budget, and nothing is computed for it.
OFF = 100


@dataclass(frozen=True, slots=True)
class Loss:
    """How many agents lose at least one stack, and their share of the live agents or of the active ones that are heard,
    whichever is larger.
    """

    agents: int
    percent: float


def loss_of(changes: Changes, *, now: datetime) -> Loss:
    """What the changes take away, in the end. Two queries if that is anything."""
    losers = changes.losers
    if not losers:
        return Loss(0, 0.0)
    live = Agent.objects.active()
    heard = set(live.working().heard(now).values_list("pk", flat=True))
    shares = [100 * len(losers) / max(live.count(), len(losers))]
    if heard:
        shares.append(100 * len(losers & heard) / len(heard))
    return Loss(len(losers), round(max(shares), 1))


def is_on() -> bool:
    return bool(settings.DELETION_BUDGET_PERCENT < OFF)


def excess_of(loss: Loss) -> DeletionBudgetExceeded | None:
    """The refusal if the loss is over the budget. One agent may always lose a stack."""
    if not is_on() or loss.agents <= 1 or loss.percent <= settings.DELETION_BUDGET_PERCENT:
        return None
    return DeletionBudgetExceeded(
        agents=loss.agents, percent=loss.percent, budget_percent=settings.DELETION_BUDGET_PERCENT
    )

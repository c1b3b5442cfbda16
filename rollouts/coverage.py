"""Which freeze covers which stack. A freeze holds until it is lifted."""

from agents.wanted.ties import serving_agents
from rollouts.models import Freeze
from stacks.models import Stack


def holding_freezes() -> list[Freeze]:
    """All freezes that hold, the oldest first. One query."""
    return list(Freeze.objects.holding().select_related("generator").order_by("created_at", "id"))


def freeze_of_stack(stack: Stack) -> Freeze | None:
    """The oldest freeze that covers the stack. Only one query if no freeze holds."""
    return covering(stack, holding_freezes())


def covering(stack: Stack, freezes: list[Freeze]) -> Freeze | None:
    """The first of the freezes that covers the stack."""
    return next((freeze for freeze in freezes if covers(freeze, stack)), None)


def covers(freeze: Freeze, stack: Stack) -> bool:
    """Whether the freeze covers the stack. It then covers it for all agents that serve it."""
    match freeze.scope:
        case Freeze.Scope.FLEET:
            return True
        case Freeze.Scope.GENERATOR:
            return stack.generator_id == freeze.generator_id
        case _:
            return serving_agents(stack).filter(labels__label=freeze.label).exists()

"""Creating, changing and deleting strategies, and giving them to stacks."""

from uuid import UUID

from django.db import transaction

from core import clock
from core.events import Actor, Event, changed_fields, emit, fields_of, with_via
from core.integrity import unique_or_conflict
from core.refusals import refuse
from core.validators import is_name
from paks.actors import ActorType
from rollouts.errors import (
    BypassDenied,
    InvalidStrategy,
    ReasonRequired,
    RolloutStrategyNotFound,
    StackHasNoStrategy,
    StrategyInUse,
)
from rollouts.event_kinds import RolloutEventKind
from rollouts.models import RolloutStrategy, StackRolloutStrategy
from rollouts.strategies import DEFAULTS, Strategy, mistakes_in, strategy_to_json
from stacks.models import Stack
from stacks.services import PublishOptions

_AUDITED = ("name", "definition")
# A request to publish names this instead of a strategy if all agents should get the version at once.
NONE = "none"


def lock_strategy(strategy_id: UUID) -> RolloutStrategy:
    """The live strategy, locked until the transaction ends. Raises RolloutStrategyNotFound."""
    row = RolloutStrategy.objects.active().select_for_update(no_key=True).filter(pk=strategy_id).first()
    if row is None:
        raise RolloutStrategyNotFound(id=strategy_id)
    return row


def find_strategy(name_or_id: str) -> RolloutStrategy:
    """The live strategy with that name or id. Raises RolloutStrategyNotFound."""
    rows = RolloutStrategy.objects.active()
    row = rows.called(name_or_id).first()
    if row is None and (strategy_id := _as_uuid(name_or_id)) is not None:
        row = rows.filter(pk=strategy_id).first()
    if row is None:
        raise RolloutStrategyNotFound(strategy=name_or_id)
    return row


@transaction.atomic
def create_strategy(*, strategy: Strategy, actor: Actor, via: str | None = None) -> RolloutStrategy:
    """Create a strategy. Raises InvalidStrategy, UniqueViolation."""
    _check(strategy)
    with unique_or_conflict("unique_rollout_strategy_name"):
        row = RolloutStrategy.objects.create(name=strategy.name, definition=strategy_to_json(strategy))
    _tell(RolloutEventKind.ROLLOUT_STRATEGY_CREATED, row, actor, via, after=fields_of(row, _AUDITED))
    return row


@transaction.atomic
def update_strategy(*, row: RolloutStrategy, strategy: Strategy, actor: Actor) -> RolloutStrategy:
    """Change a locked strategy. Unfinished rollouts keep their copies.

    Raises InvalidStrategy, UniqueViolation.
    """
    _check(strategy)
    changes = {"name": strategy.name, "definition": strategy_to_json(strategy)}
    before, after = changed_fields(row, changes)
    row.name, row.definition = strategy.name, strategy_to_json(strategy)
    row.revision += 1
    row.updated_at = clock.now()
    with unique_or_conflict("unique_rollout_strategy_name"):
        row.save(update_fields=["name", "definition", "revision", "updated_at"])
    _tell(RolloutEventKind.ROLLOUT_STRATEGY_UPDATED, row, actor, before=before, after=after)
    return row


@transaction.atomic
def delete_strategy(*, row: RolloutStrategy, actor: Actor) -> None:
    """Delete a locked strategy. Unfinished rollouts keep their copies. Raises StrategyInUse."""
    users = row.stacks.filter(stack__deleted_at__isnull=True).count()
    if users:
        raise StrategyInUse(stacks=users)
    row.stacks.all().delete()
    row.deleted_at = row.updated_at = clock.now()
    row.save(update_fields=["deleted_at", "updated_at"])
    _tell(RolloutEventKind.ROLLOUT_STRATEGY_DELETED, row, actor, before=fields_of(row, _AUDITED))


@transaction.atomic
def ensure_default_strategies(*, actor: Actor, via: str | None = None) -> int:
    """Make the default strategies; the number made. Each is made only once, so that an admin can delete it."""
    known = set(RolloutStrategy.objects.values_list("name", flat=True))
    missing = [strategy for strategy in DEFAULTS if strategy.name not in known]
    for strategy in missing:
        create_strategy(strategy=strategy, actor=actor, via=via)
    return len(missing)


@transaction.atomic
def set_stack_strategy(*, stack: Stack, name_or_id: str, reason: str, actor: Actor) -> StackRolloutStrategy:
    """Use the strategy for new versions of a locked stack. To replace a strategy, the right and a reason are needed.

    Raises RolloutStrategyNotFound, BypassDenied, ReasonRequired.
    """
    # The strategy is locked, so that it is not deleted before the stack has it.
    strategy = lock_strategy(find_strategy(name_or_id).pk)
    before = StackRolloutStrategy.objects.select_related("strategy").filter(stack=stack).first()
    if before is not None and before.strategy_id == strategy.pk:
        return before
    if before is not None:
        require_bypass(actor=actor, reason=reason)
    row, _ = StackRolloutStrategy.objects.update_or_create(stack=stack, defaults={"strategy": strategy})
    _tell_of_stack(
        RolloutEventKind.STACK_STRATEGY_SET,
        stack,
        actor,
        {"strategy": strategy.name, "reason": reason},
        before={"strategy": before.strategy.name} if before is not None else None,
        after={"strategy": strategy.name},
        reason=reason,
    )
    return row


@transaction.atomic
def remove_stack_strategy(*, stack: Stack, reason: str, actor: Actor) -> None:
    """Let all agents get new versions of a locked stack at once.

    Raises StackHasNoStrategy, BypassDenied, ReasonRequired.
    """
    before = StackRolloutStrategy.objects.select_related("strategy").filter(stack=stack).first()
    if before is None:
        raise StackHasNoStrategy(id=stack.pk)
    require_bypass(actor=actor, reason=reason)
    before.delete()
    _tell_of_stack(
        RolloutEventKind.STACK_STRATEGY_REMOVED,
        stack,
        actor,
        {"strategy": before.strategy.name, "reason": reason},
        before={"strategy": before.strategy.name},
        reason=reason,
    )


def strategy_of_stack(stack: Stack) -> Strategy | None:
    """The strategy for new versions of the stack; None if all agents get them at once."""
    row = StackRolloutStrategy.objects.select_related("strategy").filter(stack=stack).first()
    return row.strategy.strategy if row is not None else None


def strategy_for(*, stack: Stack, options: PublishOptions, actor: Actor) -> Strategy | None:
    """The strategy for a version that is published with these options. The stack is locked.

    Raises RolloutStrategyNotFound, BypassDenied, ReasonRequired.
    """
    own = StackRolloutStrategy.objects.select_related("strategy").filter(stack=stack).first()
    if options.strategy is None:
        return own.strategy.strategy if own is not None else None
    named = None if options.strategy == NONE else find_strategy(options.strategy)
    if own is not None and (named is None or named.pk != own.strategy_id):
        require_bypass(actor=actor, reason=options.reason)
    return named.strategy if named is not None else None


def require_bypass(*, actor: Actor, reason: str) -> None:
    """Raises BypassDenied, ReasonRequired. The admin site checks the right of its users itself."""
    if actor.type not in {ActorType.ADMIN, ActorType.SYSTEM}:
        refuse(BypassDenied())
    if not reason.strip():
        raise ReasonRequired


def _check(strategy: Strategy) -> None:
    mistakes = mistakes_in(strategy)
    if not is_name(strategy.name) or strategy.name == NONE:
        mistakes.append(f"A strategy needs a name of 1 to 255 characters, and not {NONE!r}.")
    if mistakes:
        raise InvalidStrategy(" ".join(mistakes))


def _as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _tell(
    kind: RolloutEventKind,
    row: RolloutStrategy,
    actor: Actor,
    via: str | None = None,
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    details = with_via({"name": row.name, "revision": row.revision}, via)
    emit(
        Event(
            kind=kind,
            resource_type=RolloutStrategy.NOUN,
            resource_id=row.pk,
            actor=actor,
            details=details,
            before=before,
            after=after,
        )
    )


def _tell_of_stack(
    kind: RolloutEventKind,
    stack: Stack,
    actor: Actor,
    details: dict[str, object],
    *,
    reason: str,
    before: dict[str, object] | None,
    after: dict[str, object] | None = None,
) -> None:
    emit(
        Event(
            kind=kind,
            resource_type=Stack.NOUN,
            resource_id=stack.pk,
            actor=actor,
            details=details,
            before=before,
            after=after,
            reason=reason,
        )
    )

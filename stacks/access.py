"""Who may read and change which stack. Deny by default; apps above register what callers of their role may read.

A key with limits reaches only some stacks of its generator; all others are to it like those of other generators.
"""

from collections.abc import Callable, Iterable
from uuid import UUID

from django.db.models import Q, QuerySet

from core.prepared import uuid_parameter
from core.prepared_rows import LIVE_BY_ID, select
from paks.limits import Limits
from paks.models import Role
from paks.principals import Principal
from stacks.errors import (
    AgentNotAssociated,
    DeploymentObjectNotFound,
    GeneratorNotAssociated,
    StackNotAccessible,
    StackNotFound,
    StackNotOwned,
)
from stacks.models import DeploymentObject, Stack, StackLabel
from stacks.querysets import StackQuerySet

# Returns whether the caller may read the stack's labels, annotations and versions.
Scope = Callable[[Principal, Stack], bool]
_scopes: dict[Role, Scope] = {}


def register_scope(role: Role, scope: Scope) -> None:
    """Let callers of `role` read the stacks for which `scope` returns true."""
    _scopes[role] = scope


def reached_stacks(principal: Principal) -> StackQuerySet:
    """The stacks, live or deleted, that the caller may list.

    All for an admin, its own that its key reaches for a generator, else none.
    """
    if principal.is_admin:
        return Stack.objects.all()
    if principal.generator_id is None:
        return Stack.objects.none()
    own, limits = Stack.objects.owned_by(principal.generator_id), principal.limits
    if limits is None:
        return own
    return own.filter(Q(pk__in=limits.stack_ids) | Q(pk__in=_labelled(limits).values("stack")))


def seen_among(stack_ids: Iterable[UUID], reader: Principal | None) -> set[UUID]:
    """Those of the stacks that the reader may list; all of them for an operator, who is None."""
    ids = set(stack_ids)
    if reader is None or reader.is_admin or not ids:
        return ids
    return set(reached_stacks(reader).filter(pk__in=ids).values_list("pk", flat=True))


def owns(principal: Principal, stack: Stack) -> bool:
    """Whether the caller is an admin, or the generator of the stack with a key that reaches it."""
    if principal.is_admin:
        return True
    return principal.is_generator(stack.generator_id) and _reaches(principal.limits, stack)


def _reaches(limits: Limits | None, stack: Stack) -> bool:
    if limits is None or stack.pk in limits.stack_ids:
        return True
    return _labelled(limits).filter(stack=stack).exists()


def _labelled(limits: Limits) -> QuerySet[StackLabel]:
    return StackLabel.objects.filter(label__in=limits.labels)


def require_owner(principal: Principal, stack: Stack) -> None:
    """Raises StackNotOwned."""
    if not owns(principal, stack):
        raise StackNotOwned


def _in_scope(principal: Principal, stack: Stack) -> bool:
    scope = _scopes.get(principal.role)
    return scope is not None and scope(principal, stack)


def require_reader(principal: Principal, stack: Stack) -> None:
    """Check that the caller may read the stack's labels and annotations. Raises StackNotAccessible."""
    if not owns(principal, stack) and not _in_scope(principal, stack):
        raise StackNotAccessible


def require_object_reader(principal: Principal, obj: DeploymentObject) -> None:
    """Check that the caller may read the stack's versions.

    Raises GeneratorNotAssociated, AgentNotAssociated, and StackNotFound for a generator whose stack is deleted.
    """
    if principal.is_admin:
        return
    if principal.generator_id is not None:
        if not owns(principal, obj.stack):
            raise GeneratorNotAssociated
        if obj.stack.deleted_at is not None:
            raise StackNotFound
    elif obj.recipient_id is not None:
        if obj.recipient_id != principal.agent_id:
            raise AgentNotAssociated
    elif not _in_scope(principal, obj.stack):
        raise AgentNotAssociated


def find_stack(stack_id: UUID) -> Stack:
    """The live stack. Raises StackNotFound."""
    found = select(Stack, LIVE_BY_ID, {"id": uuid_parameter(stack_id)})
    if not found:
        raise StackNotFound(id=stack_id)
    return found[0]


def find_object(object_id: UUID) -> DeploymentObject:
    """The live version with its stack, live or deleted. Raises DeploymentObjectNotFound."""
    obj = DeploymentObject.objects.active().select_related("stack").filter(id=object_id).first()
    if obj is None:
        raise DeploymentObjectNotFound(id=object_id)
    return obj

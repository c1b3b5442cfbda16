"""Who may read and change which stack. Deny by default; apps above register what callers of their role may read."""

from collections.abc import Callable
from uuid import UUID

from django.db.models import Q

from core.prepared import uuid_parameter
from core.prepared_rows import LIVE_BY_ID, select
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
from stacks.models import DeploymentObject, Stack

# Returns whether the caller may read the stack's labels, annotations and versions.
Scope = Callable[[Principal, Stack], bool]
_scopes: dict[Role, Scope] = {}


def register_scope(role: Role, scope: Scope) -> None:
    """Let callers of `role` read the stacks for which `scope` returns true."""
    _scopes[role] = scope


def listable_stacks(principal: Principal) -> Q:
    """The condition for stacks in lists: all for an admin, its own for a generator, none for others."""
    if principal.is_admin:
        return Q()
    if principal.generator_id is not None:
        return Q(generator_id=principal.generator_id)
    return Q(pk__in=[])


def owns(principal: Principal, stack: Stack) -> bool:
    return principal.is_admin or principal.is_generator(stack.generator_id)


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
        if not principal.is_generator(obj.stack.generator_id):
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

from paks.api.permissions import HasRole
from paks.models import Role
from stacks.errors import StackCreateDenied, StacksListDenied


class MayListStacks(HasRole):
    roles = frozenset({Role.ADMIN, Role.GENERATOR})
    refusal = StacksListDenied


class MayCreateStacks(HasRole):
    roles = frozenset({Role.ADMIN, Role.GENERATOR})
    refusal = StackCreateDenied
    # No limits could name a stack that is not there yet.
    takes_limits = False

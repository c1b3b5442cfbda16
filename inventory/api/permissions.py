from paks.api.permissions import HasRole
from paks.models import Role


class MaySeeInventory(HasRole):
    """Admins and generators, who see what is in their own stacks."""

    roles = frozenset({Role.ADMIN, Role.GENERATOR})

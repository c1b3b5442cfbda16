from paks.api.permissions import HasRole
from paks.models import Role


class MaySeeRollouts(HasRole):
    """Admins and generators, who see and drive those of their own stacks. Agents only see which version they get."""

    roles = frozenset({Role.ADMIN, Role.GENERATOR})

from paks.api.permissions import HasRole
from paks.models import Role
from templates_app.errors import TemplatesNotAccessible


class MayHaveTemplates(HasRole):
    roles = frozenset({Role.ADMIN, Role.GENERATOR})
    refusal = TemplatesNotAccessible


class MayCreateTemplates(MayHaveTemplates):
    takes_limits = False

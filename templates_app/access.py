"""Who may read and change which template. Agents may read none.

A generator's templates belong to no stack of it. So a key with limits, which reaches some stacks only, reads those of
the system and changes none.
"""

from uuid import UUID

from django.db.models import Q

from paks.principals import Principal
from templates_app.errors import TemplateNotAccessible, TemplateNotFound, TemplateNotOwned
from templates_app.models import StackTemplate


def listable_templates(principal: Principal) -> Q:
    """The condition for templates in lists: all for an admin, the system's and its own for a generator."""
    if principal.is_admin:
        return Q()
    if principal.generator_id is None:
        return Q(pk__in=[])
    own = Q(generator_id=principal.generator_id) if principal.limits is None else Q()
    return Q(generator__isnull=True) | own


def require_reader(principal: Principal, template: StackTemplate) -> None:
    """Raises TemplateNotAccessible."""
    is_tenant = principal.generator_id is not None
    if not _owns(principal, template) and not (is_tenant and template.generator_id is None):
        raise TemplateNotAccessible


def require_owner(principal: Principal, template: StackTemplate) -> None:
    """Raises TemplateNotOwned. System templates belong to the admins."""
    if not _owns(principal, template):
        raise TemplateNotOwned


def _owns(principal: Principal, template: StackTemplate) -> bool:
    is_owner = principal.is_generator(template.generator_id) and principal.limits is None
    return principal.is_admin or is_owner


def find_template(template_id: UUID) -> StackTemplate:
    """The live version. Raises TemplateNotFound."""
    template = StackTemplate.objects.active().filter(id=template_id).first()
    if template is None:
        raise TemplateNotFound(id=template_id)
    return template

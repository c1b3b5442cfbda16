"""Who may read and change which template. Agents may read none."""

from uuid import UUID

from django.db.models import Q

from paks.principals import Principal
from templates_app.errors import TemplateNotAccessible, TemplateNotFound, TemplateNotOwned
from templates_app.models import StackTemplate


def listable_templates(principal: Principal) -> Q:
    """The condition for templates in lists: all for an admin, the system's and its own for a generator."""
    if principal.is_admin:
        return Q()
    if principal.generator_id is not None:
        return Q(generator__isnull=True) | Q(generator_id=principal.generator_id)
    return Q(pk__in=[])


def require_reader(principal: Principal, template: StackTemplate) -> None:
    """Raises TemplateNotAccessible."""
    is_tenant = principal.generator_id is not None
    if principal.is_admin or (is_tenant and template.generator_id in {None, principal.generator_id}):
        return
    raise TemplateNotAccessible


def require_owner(principal: Principal, template: StackTemplate) -> None:
    """Raises TemplateNotOwned. System templates belong to the admins."""
    if not principal.is_admin and not principal.is_generator(template.generator_id):
        raise TemplateNotOwned


def find_template(template_id: UUID) -> StackTemplate:
    """The live version. Raises TemplateNotFound."""
    template = StackTemplate.objects.active().filter(id=template_id).first()
    if template is None:
        raise TemplateNotFound(id=template_id)
    return template

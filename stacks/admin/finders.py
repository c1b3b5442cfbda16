"""How the search of the admin finds stacks and versions."""

from collections.abc import Sequence

from django.db.models import Q
from django.urls import reverse

from core.admin.finders import Hit, is_id, register_finder, version_number
from stacks.models import DeploymentObject, Stack


def _stacks(text: str, limit: int) -> Sequence[Hit]:
    by = Q(name__icontains=text) | Q(pk__in=Stack.objects.filter(labels__label__icontains=text).values("pk"))
    rows = (
        Stack.objects.active().filter(is_id(text) or by).select_related("generator").order_by("name")[:limit]
    )
    return [
        Hit(row.name, f"of {row.generator.name}", reverse("admin:stacks_stack_change", args=[row.pk]))
        for row in rows
    ]


def _versions(text: str, limit: int) -> Sequence[Hit]:
    number = version_number(text)
    by = is_id(text) if number is None else Q(sequence_id=number)
    if by is None:
        return []
    rows = (
        DeploymentObject.objects.versions().filter(by).select_related("stack").defer("yaml_content")[:limit]
    )
    return [
        Hit(
            f"#{row.pk}",
            f"of {row.stack.name}",
            reverse("admin:stacks_deploymentobject_change", args=[row.pk]),
        )
        for row in rows
    ]


register_finder("Stacks", _stacks, "stacks.view_stack")
register_finder("Versions", _versions, "stacks.view_deploymentobject")

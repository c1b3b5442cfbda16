"""How the search of the admin finds templates: the newest version of each."""

from collections.abc import Sequence

from django.db.models import Q
from django.urls import reverse

from core.admin.finders import Hit, is_id, register_finder
from templates_app.models import StackTemplate


def _templates(text: str, limit: int) -> Sequence[Hit]:
    templates = StackTemplate.objects.active()
    labelled = StackTemplate.objects.filter(labels__label__icontains=text).values("pk")
    by_words = Q(name__icontains=text) | Q(pk__in=labelled)
    by_id = is_id(text)
    found = templates.filter(by_id) if by_id else templates.with_newer().filter(by_words & Q(has_newer=False))
    rows = (
        found.select_related("generator")
        .defer("template_content", "parameters_schema")
        .order_by("name", "id")
    )
    return [
        Hit(
            str(row),
            f"of {row.generator.name}" if row.generator else "of the system",
            reverse("admin:templates_app_stacktemplate_change", args=[row.pk]),
        )
        for row in rows[:limit]
    ]


register_finder("Templates", _templates, "templates_app.view_stacktemplate")

"""The versions of a template's name, and the differences between any two."""

from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse

from core.admin import BaseAdmin, ago, badge, link, whole_number
from core.admin.diff import Side, diff_table
from stacks.masking import Hide, as_mask, comparable, mask_template
from templates_app.models import StackTemplate
from templates_app.schema_masking import mask_schema

# How many versions the page offers. The address can name any two.
SHOWN = 50


def versions(request: HttpRequest, model_admin: BaseAdmin, template: StackTemplate) -> HttpResponse:
    """The live versions, newest first, and the two chosen ones side by side."""
    rows = StackTemplate.objects.active().versions_of(template.name, template.generator_id)
    listed = rows.order_by("-version").defer("template_content", "parameters_schema")
    found = list(listed.annotate(uses=Count("rendered_objects"))[: SHOWN + 1])
    old, new = _chosen(request, rows, template)
    for row in found:
        row.link = link("templates_app_stacktemplate_change", f"v{row.version}", row.pk)  # type: ignore[attr-defined]
        row.created_ago = ago(row.created_at)  # type: ignore[attr-defined]
    context = {
        "versions": found[:SHOWN],
        "more": len(found) > SHOWN,
        "old": old,
        "new": new,
        "this": badge("this one"),
        "diffs": _diffs(request, old, new) if old and new else [],
    }
    return model_admin.render_page(request, template, "templates_app/admin/versions.html", context)


def _chosen(
    request: HttpRequest, rows: QuerySet[StackTemplate], template: StackTemplate
) -> tuple[StackTemplate | None, StackTemplate | None]:
    """The versions to compare: the chosen ones, or this one and the one before it."""
    wanted = [request.GET.get(end, "") for end in ("from", "to")]
    if all(text.isascii() and text.isdecimal() and len(text) < 10 for text in wanted):
        by_number = {row.version: row for row in rows.filter(version__in=wanted)}
        old, new = (by_number.get(int(text)) for text in wanted)
        return old, new
    return rows.filter(version__lt=template.version).order_by("-version").first(), template


def _diffs(request: HttpRequest, old: StackTemplate, new: StackTemplate) -> list[tuple[str, str, Any]]:
    """The title of each comparison, the name of its page in the query, and the comparison."""
    sides = [
        ("Template", "template", _source(old), _source(new)),
        ("Parameters schema", "schema", _schema(old), _schema(new)),
    ]
    if (old.description or "") != (new.description or ""):
        before, after = (Side.of(each.description or "") for each in (old, new))
        sides.append(("Description", "description", before, after))
    return [
        (
            title,
            name,
            diff_table(
                before,
                after,
                old_title=f"v{old.version}",
                new_title=f"v{new.version}",
                page=whole_number(request.GET.get(name)) or 1,
                pages_at=f"?{urlencode({'from': old.version, 'to': new.version, name: ''})}",
                anchor=name,
            ),
        )
        for title, name, before, after in sides
    ]


def _source(template: StackTemplate) -> Side:
    text = template.template_content
    return Side.of(mask_template(text), comparable(mask_template, text))


def _schema(template: StackTemplate) -> Side:
    def masked(schema: str, hide: Hide = as_mask) -> str:
        return mask_schema(schema, template.template_content, hide)

    text = template.parameters_schema
    return Side.of(masked(text), comparable(masked, text))

"""Tabs of a stack and of a version: the resources and images in it, and the stack's conflicts. A tab of an agent: its
conflicts."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from agents.models import Agent
from agents.wanted.versions import newest_unheld
from core.admin import BaseAdmin, badge, link, register_page
from inventory.conflicts import conflicts_of_agent, conflicts_of_stack
from inventory.models import Entry, UnreadVersion
from inventory.search import is_complete
from inventory.told_conflicts import ToldConflict, told_conflicts
from stacks.models import DeploymentObject, Stack

PERMISSION = "inventory.view_entry"
_TEMPLATE = "inventory/admin/contents.html"
# More resources of one version, and more agents of one conflict, are not shown.
_MAX_RESOURCES = 1_000
_MAX_AGENTS = 5


def contents_of_stack(request: HttpRequest, model_admin: BaseAdmin, stack: Stack) -> HttpResponse:
    """The conflicts of the stack, and what is in the version that all of its agents may have."""
    is_live = stack.deleted_at is None
    version = newest_unheld(stack.pk) if is_live else None
    if version is None:
        rows = stack.deployment_objects.filter(recipient_id__isnull=True, is_deletion_marker=False)
        version = rows.newest_first().defer("yaml_content").first()
    found = told_conflicts(conflicts_of_stack(stack), stack.pk, reader=None) if is_live else []
    context = {
        "conflicts": conflict_rows(found),
        "asks_conflicts": is_live,
        **(_contents(version) if version else {}),
    }
    return model_admin.render_page(request, stack, _TEMPLATE, context)


def contents_of_version(
    request: HttpRequest, model_admin: BaseAdmin, version: DeploymentObject
) -> HttpResponse:
    return model_admin.render_page(request, version, _TEMPLATE, _contents(version))


def conflicts_page(request: HttpRequest, model_admin: BaseAdmin, agent: Agent) -> HttpResponse:
    """All objects that the agent should have from several stacks."""
    found = conflicts_of_agent(agent.pk) if agent.deleted_at is None else []
    rows = [
        [
            conflict.what,
            badge("written alike", "quiet") if conflict.is_identical else badge("conflict", "bad"),
            _list(link("stacks_stack_change", stack.name, stack.stack_id) for stack in conflict.stacks),
        ]
        for conflict in found
    ]
    context = {"table": {"headers": ["Resource", "", "Stacks"], "rows": rows}}
    return model_admin.render_page(request, agent, "inventory/admin/agent_conflicts.html", context)


def conflict_rows(
    told: Sequence[ToldConflict], *, known: Mapping[UUID, Agent] | None = None
) -> list[dict[str, object]]:
    """The conflicts as a table shows them. One query for agents, unless all of them are `known`."""
    shown = {
        each.conflict.object_key: sorted(each.conflict.agent_ids, key=str)[:_MAX_AGENTS] for each in told
    }
    wanted: set[UUID] = {agent_id for ids in shown.values() for agent_id in ids}
    agents = known if known is not None else Agent.objects.in_bulk(wanted)
    return [
        {
            "what": each.conflict.what,
            "badge": badge("written alike", "quiet") if each.is_note else badge("conflict", "bad"),
            "stacks": _list(link("stacks_stack_change", stack.name, stack.stack_id) for stack in each.others),
            "agents": _list(
                link("agents_agent_change", agents[agent_id], agent_id)
                for agent_id in shown[each.conflict.object_key]
            ),
            "more_agents": max(0, len(each.conflict.agent_ids) - _MAX_AGENTS),
        }
        for each in told
    ]


def _list(links: Any) -> SafeString:
    return format_html_join(", ", "{}", ((each,) for each in links))


def _contents(version: DeploymentObject) -> dict[str, Any]:
    """What is in a version: each resource with its images, by kind, namespace and name."""
    resources = Entry.objects.filter(version=version.pk).of_resources().select_related("resource")
    ordered = list(
        resources.order_by("resource__kind", "resource__namespace", "resource__name", "id")[
            : _MAX_RESOURCES + 1
        ]
    )
    images: dict[UUID, list[Entry]] = {}
    for entry in Entry.objects.filter(version=version.pk).of_images().select_related("image").order_by("id"):
        images.setdefault(entry.resource_id, []).append(entry)
    return {
        "version": version,
        "version_link": link("stacks_deploymentobject_change", version, version.pk),
        "resources": [
            {
                "row": entry.resource,
                "api": "/".join(filter(None, (entry.resource.api_group, entry.resource.api_version))),
                "images": images.get(entry.resource_id, []),
            }
            for entry in ordered[:_MAX_RESOURCES]
        ],
        "is_capped": len(ordered) > _MAX_RESOURCES,
        "limit": _MAX_RESOURCES,
        "problem": UnreadVersion.objects.filter(pk=version.pk).values_list("problem", flat=True).first(),
        "is_complete": is_complete(),
    }


register_page(Agent, "conflicts", "Conflicts", conflicts_page, PERMISSION)
register_page(Stack, "contents", "Resources", contents_of_stack, PERMISSION)
register_page(DeploymentObject, "contents", "Resources", contents_of_version, PERMISSION)

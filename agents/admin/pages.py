"""Further pages of an agent: the stacks that it serves and why, and its reports."""

from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html

from agents.admin.standing import reason_words, stack_link, standing_badge, standing_words, version_link
from agents.deployments import Deployment, for_people, of_agent
from agents.models import Agent, AgentEvent, MarkerDelivery
from agents.models.event import EventStatus
from agents.reasons import Reasons, reasons_for_stacks
from agents.wanted.standing import Standing
from agents.wanted.ties import served_stacks, tied_stacks
from core import clock
from core.admin import BaseAdmin, ago, badge, link, moment, page_of, register_page, shortened
from core.admin.chips import chip
from paks.admin.owned import keys_of_owner
from paks.models import Role
from stacks.secret_values import without_secrets

# The worst state first; stacks in the same state by name.
_ORDER = [
    Standing.FAILING,
    Standing.PENDING,
    Standing.SILENT,
    Standing.HELD,
    Standing.EMPTY,
    Standing.APPLIED,
    Standing.REMOVING,
]
# Enough for one cluster. Sorting by state needs all rows in memory.
STACKS_SHOWN = 1_000
REMOVALS_SHOWN = 50
EVENTS_SHOWN = 50


def stacks_page(request: HttpRequest, admin: BaseAdmin, agent: Agent) -> HttpResponse:
    """What the agent should have deployed, why, and how each deployment stands."""
    tied = list(tied_stacks(agent.pk).select_related("generator").order_by("name")[: STACKS_SHOWN + 1])
    served = set(
        served_stacks(agent.pk).filter(pk__in=[stack.pk for stack in tied]).values_list("pk", flat=True)
    )
    shown = tied[:STACKS_SHOWN]
    deployments = of_agent(agent, [stack for stack in shown if stack.pk in served])
    if not Agent.objects.working().heard(clock.now()).filter(pk=agent.pk).exists():
        deployments = [_of_silent(each) for each in deployments]
    deployments.sort(key=lambda each: _ORDER.index(each.standing))
    held_back = [stack for stack in shown if stack.pk not in served]
    state = request.GET.get("state", "")
    chips = []
    if state in _ORDER:
        deployments, held_back = [each for each in deployments if each.standing == state], []
        chips = [chip(request.GET, "state", standing_words(Standing(state)), ["state"])]
    page = page_of(request, [*deployments, *held_back])
    stacks = [row.stack if isinstance(row, Deployment) else row for row in page]
    shown_of = {
        each.stack.pk: each for each in for_people(row for row in page if isinstance(row, Deployment))
    }
    reasons = reasons_for_stacks(agent.pk, stacks)
    removals = list(
        MarkerDelivery.objects.filter(agent=agent)
        .select_related("marker__stack")
        .defer("marker__yaml_content")
        .order_by("-created_at", "-id")[: REMOVALS_SHOWN + 1]
    )
    return admin.render_page(
        request,
        agent,
        "agents/admin/stacks.html",
        {
            "agent": agent,
            "is_capped": len(tied) > STACKS_SHOWN,
            "count": len(shown),
            "chips": chips,
            "page": page,
            "table": {
                "headers": ["Stack", "Generator", "Why", "State", "Since", "Version", "Last message"],
                "rows": [_stack_row(shown_of.get(stack.pk, stack), reasons) for stack in stacks],
            },
            "removals": removals[:REMOVALS_SHOWN],
            "more_removals": len(removals) > REMOVALS_SHOWN,
            "removals_table": {
                "headers": ["Stack", "Deleted", "Marker"],
                "rows": [
                    [
                        stack_link(row.marker.stack),
                        ago(row.created_at),
                        link("stacks_deploymentobject_change", f"#{row.marker_id}", row.marker_id),
                    ]
                    for row in removals[:REMOVALS_SHOWN]
                ],
            },
        },
    )


def _of_silent(deployment: Deployment) -> Deployment:
    """The deployment of an agent that is not active or was not heard in time, as all lists call it."""
    is_pending = deployment.standing == Standing.PENDING
    return replace(deployment, standing=Standing.SILENT) if is_pending else deployment


def _stack_row(row: Any, reasons: Reasons) -> list[Any]:
    stack = row.stack if isinstance(row, Deployment) else row
    named = [
        stack_link(stack),
        link("generators_generator_change", stack.generator.name, stack.generator_id),
        reason_words(reasons.get(stack.pk, [])),
    ]
    if not isinstance(row, Deployment):
        return [*named, badge("held back"), "-", "-", "-"]
    return [
        *named,
        standing_badge(row.standing),
        moment(row.since) or "-",
        version_link(row) or "-",
        shortened(row.message) or "-",
    ]


def events_page(request: HttpRequest, admin: BaseAdmin, agent: Agent) -> HttpResponse:
    events = (
        AgentEvent.objects.active()
        .filter(agent=agent)
        .select_related("deployment_object__stack")
        .defer("deployment_object__yaml_content")
        .order_by("-updated_at", "-id")[:EVENTS_SHOWN]
    )
    messages = without_secrets((event.deployment_object.pk, event.message) for event in events)
    rows = [
        [
            moment(event.created_at),
            stack_link(event.deployment_object.stack),
            link(
                "stacks_deploymentobject_change",
                f"#{event.deployment_object.pk}",
                event.deployment_object.pk,
            ),
            event.event_type,
            badge(event.status.lower(), "good" if event.status == EventStatus.SUCCESS else "bad"),
            shortened(message) or "-",
            _times(event),
        ]
        for event, message in zip(events, messages, strict=True)
    ]
    return admin.render_page(
        request,
        agent,
        "agents/admin/events.html",
        {
            "agent": agent,
            "table": {
                "headers": ["Reported", "Stack", "Version", "Type", "Outcome", "Message", "Times"],
                "rows": rows,
            },
            "is_capped": len(rows) == EVENTS_SHOWN,
            "all_url": f"{reverse('admin:agents_agentevent_changelist')}?agent__id__exact={agent.pk}",
        },
    )


def keys_page(request: HttpRequest, admin: BaseAdmin, agent: Agent) -> HttpResponse:
    return admin.render_page(request, agent, "agents/admin/keys.html", keys_of_owner(Role.AGENT, agent.pk))


def _times(event: AgentEvent) -> Any:
    if event.count == 1:
        return 1
    return format_html(
        '<span>{}, <span class="text-subtle">last {}</span></span>', event.count, ago(event.updated_at)
    )


register_page(Agent, "stacks", "Stacks", stacks_page, "stacks.view_stack")
register_page(Agent, "events", "Events", events_page, "agents.view_agentevent")
register_page(Agent, "keys", "Keys", keys_page, "paks.view_pak")

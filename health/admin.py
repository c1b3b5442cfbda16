"""The operator's page of health statuses."""

from typing import Any

import orjson
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import smart_split
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from agents.models import Agent
from core import clock
from core.admin import (
    BaseAdmin,
    CappedPaginator,
    ReadOnlyAdmin,
    TimeRangeFilter,
    ago,
    badge,
    badges,
    link,
    register_page,
    shortened,
)
from health.models import DeploymentHealth, HealthStatus
from health.querysets import DeploymentHealthQuerySet
from health.rollup import effective_status
from stacks.models import Stack
from stacks.secret_values import without_secrets

_TONES = {
    HealthStatus.HEALTHY: "good",
    HealthStatus.DEGRADED: "bad",
    HealthStatus.FAILING: "bad",
    HealthStatus.UNKNOWN: "quiet",
}


# Of each version an agent tells at most 100 resources, those that are not ready first.
_RESOURCES_SHOWN = 500
_VERSIONS_LOOKED_AT = 200


class CountsFilter(admin.SimpleListFilter):
    title = "whether it counts"
    parameter_name = "counts"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Still counts"), ("no", "Too old")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        rows: DeploymentHealthQuerySet = queryset  # type: ignore[assignment]  # the table's own queryset
        if self.value() == "yes":
            return rows.fresh(clock.now())
        return rows.stale(clock.now()) if self.value() == "no" else rows


@admin.register(DeploymentHealth)
class DeploymentHealthAdmin(ReadOnlyAdmin):
    empty_hint = "Agents report here how healthy is what they have deployed, for as long as they watch it."
    list_display = ("state", "object_link", "stack", "agent_name", "heard", "checked")
    list_filter = (
        "status",
        CountsFilter,
        ("agent", AutocompleteSelectFilter),
        ("updated_at", TimeRangeFilter),
    )
    search_fields = ("^agent__name", "^deployment_object__stack__name")
    search_help_text = "Beginning of the agent's or the stack's name"
    # Not by time: the times change with every report and have no index.
    ordering = ("-id",)
    paginator = CappedPaginator
    fields = (
        "object_link",
        "stack",
        "agent_name",
        "state",
        "heard",
        "checked",
        "first_heard",
        "pods",
        "conditions",
        "resources",
    )
    readonly_fields = fields
    secret_fields = frozenset({"yaml_content", "summary"})
    is_audited = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeploymentHealth]:
        rows: QuerySet[DeploymentHealth] = super().get_queryset(request)
        return rows.select_related("agent", "deployment_object__stack").defer(
            "deployment_object__yaml_content"
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """As `search_fields` say, but names that nobody has are not asked for.

        With agents and stacks in one condition, PostgreSQL reads all statuses. Those of agents alone have an index.
        """
        for word in smart_split(search_term):
            begins = word.strip("\"'")
            found = Q(pk__in=[])
            if Agent.objects.filter(name__istartswith=begins).exists():
                found |= Q(agent__name__istartswith=begins)
            if Stack.objects.filter(name__istartswith=begins).exists():
                found |= Q(deployment_object__stack__name__istartswith=begins)
            queryset = queryset.filter(found)
        return queryset, False

    @admin.display(description="version")
    def object_link(self, health: DeploymentHealth) -> str:
        obj = health.deployment_object
        return link("stacks_deploymentobject_change", f"#{obj.sequence_id}", obj.pk)

    @admin.display(description="stack")
    def stack(self, health: DeploymentHealth) -> str:
        stack = health.deployment_object.stack
        return link("stacks_stack_change", stack.name, stack.pk)

    @admin.display(description="agent", ordering="agent__name")
    def agent_name(self, health: DeploymentHealth) -> str:
        return link("agents_agent_change", health.agent.name, health.agent_id)

    @admin.display(description="status", ordering="status")
    def state(self, health: DeploymentHealth) -> SafeString:
        status = effective_status(health, clock.now())
        shown = badge(status, _TONES[status])
        return shown if status == health.status else format_html("{}, was {}", shown, health.status)

    @admin.display(description="heard", ordering="updated_at")
    def heard(self, health: DeploymentHealth) -> SafeString | None:
        return ago(health.updated_at)

    @admin.display(description="checked, by the agent's clock", ordering="checked_at")
    def checked(self, health: DeploymentHealth) -> SafeString | None:
        return ago(health.checked_at)

    @admin.display(description="first heard")
    def first_heard(self, health: DeploymentHealth) -> SafeString | None:
        return ago(health.created_at)

    @admin.display(description="pods")
    def pods(self, health: DeploymentHealth) -> str | None:
        said = _summary(health)
        return f"{said['pods_ready']} of {said['pods_total']} ready" if "pods_total" in said else None

    @admin.display(description="conditions")
    def conditions(self, health: DeploymentHealth) -> SafeString | None:
        found = _summary(health).get("conditions", [])
        return badges(without_secrets((health.deployment_object.pk, each) for each in found))

    @admin.display(description="resources")
    def resources(self, health: DeploymentHealth) -> SafeString | None:
        found = _summary(health).get("resources") or []
        ready = sum(each["ready"] for each in found)
        words = f"{ready} of {len(found)} ready"
        return link("agents_agent_resources", words, health.agent_id) if found else None


def _summary(health: DeploymentHealth) -> dict[str, Any]:
    """What the agent told beside the status; empty if nothing."""
    said: dict[str, Any] = orjson.loads(health.summary or "{}")
    return said


def resources_page(request: HttpRequest, admin: BaseAdmin, agent: Agent) -> HttpResponse:
    """What the agent tells of each Kubernetes resource, those that are not ready first."""
    told = list(
        DeploymentHealth.objects.fresh(clock.now())
        .filter(agent=agent, summary__isnull=False)
        .select_related("deployment_object__stack")
        .defer("deployment_object__yaml_content")
        .order_by("-updated_at", "-id")[: _VERSIONS_LOOKED_AT + 1]
    )
    found = [
        (health, resource)
        for health in told[:_VERSIONS_LOOKED_AT]
        for resource in orjson.loads(health.summary or "{}").get("resources") or []
    ]
    found.sort(key=lambda pair: pair[1]["ready"])
    shown = found[:_RESOURCES_SHOWN]
    messages = without_secrets(
        (health.deployment_object.pk, resource["message"]) for health, resource in shown
    )
    rows = [
        [
            resource["kind"],
            resource["namespace"] or "-",
            resource["name"],
            badge("ready", "good") if resource["ready"] else badge("not ready", "bad"),
            shortened(message) or "-",
            link(
                "stacks_stack_change",
                health.deployment_object.stack.name,
                health.deployment_object.stack_id,
            ),
            ago(health.updated_at),
        ]
        for (health, resource), message in zip(shown, messages, strict=True)
    ]
    return admin.render_page(
        request,
        agent,
        "health/admin/resources.html",
        {
            "table": {
                "headers": ["Kind", "Namespace", "Name", "State", "Message", "Stack", "Heard"],
                "rows": rows,
            },
            "is_capped": len(found) > _RESOURCES_SHOWN,
            "shown": _RESOURCES_SHOWN,
            "leaves_versions_out": len(told) > _VERSIONS_LOOKED_AT,
            "versions": _VERSIONS_LOOKED_AT,
        },
    )


register_page(Agent, "resources", "Resources", resources_page, "health.view_deploymenthealth")

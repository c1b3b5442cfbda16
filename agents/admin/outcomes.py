"""What became of a stack on each agent."""

from typing import Any
from uuid import UUID

from django.db.models import Case, Count, F, FilteredRelation, IntegerField, Q, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse

from agents.admin.reach import described
from agents.models import Agent, MarkerDelivery, StackReport
from agents.models.event import EventStatus
from agents.targeting import Offer, serving_agents
from core.admin import BaseAdmin, ago, badge, link
from core.admin.paging import page_of, query_without
from stacks.models import DeploymentObject, Stack

# In the order in which they need somebody.
FAILED, WAITING, BEHIND, DONE = range(4)
_STATES = {
    FAILED: ("failed", "Failed", "bad"),
    WAITING: ("waiting", "No report yet", "quiet"),
    BEHIND: ("behind", "On an older version", "quiet"),
    DONE: ("done", "Deployed", "good"),
}
_NAMES = {name: state for state, (name, _, _) in _STATES.items()}


def outcomes(request: HttpRequest, model_admin: BaseAdmin, stack: Stack) -> HttpResponse:
    """One page of the agents that serve the stack or have reported on it, those in trouble first."""
    wanted = _wanted(stack)
    rows = _rows(stack, wanted, request.GET.get("q", "").strip())
    counts = {
        row["state"]: row["agents"] for row in rows.values("state").annotate(agents=Count("pk")).order_by()
    }
    chosen = _NAMES.get(request.GET.get("state", ""))
    count = sum(counts.values()) if chosen is None else counts.get(chosen, 0)
    if chosen is not None:
        rows = rows.filter(state=chosen)
    page = page_of(
        request, rows.with_heartbeat().order_by("state", "name", "cluster_name", "id"), count=count
    )
    agents = list(described(list(page.object_list), Offer.of(stack)))
    serving = set(_serving(stack).filter(pk__in=[agent.pk for agent in agents]).values_list("pk", flat=True))
    for agent in agents:
        _describe(agent, stack, is_serving=agent.pk in serving)
    context: dict[str, Any] = {
        "wanted": wanted,
        "wanted_link": link("stacks_deploymentobject_change", wanted, wanted.pk) if wanted else None,
        "agents": agents,
        "states": [(name, title, counts.get(state, 0)) for state, (name, title, _) in _STATES.items()],
        "all_count": sum(counts.values()),
        "chosen": request.GET.get("state", "") if chosen is not None else "",
        "q": request.GET.get("q", "").strip(),
        "page": page,
        "page_query": query_without(request, "page"),
    }
    return model_admin.render_page(request, stack, "agents/admin/outcomes.html", context)


def _wanted(stack: Stack) -> DeploymentObject | None:
    """The newest version or, of a deleted stack, its marker."""
    return stack.deployment_objects.active().newest_first().defer("yaml_content").first()


def _serving(stack: Stack) -> QuerySet[Agent]:
    if stack.deleted_at is None:
        return serving_agents(stack)
    owed = MarkerDelivery.objects.filter(marker__stack=stack).values("agent_id")
    return Agent.objects.active().filter(pk__in=owed)


def _rows(stack: Stack, wanted: DeploymentObject | None, text: str) -> Any:
    reported = StackReport.objects.filter(stack=stack).values("agent_id")
    rows = Agent.objects.active().filter(Q(pk__in=_serving(stack).values("pk")) | Q(pk__in=reported))
    if text:
        rows = rows.filter(Q(name__icontains=text) | Q(cluster_name__icontains=text))
    rows = rows.annotate(
        report=FilteredRelation("stack_reports", condition=Q(stack_reports__stack=stack)),
        report_sequence=F("report__sequence_id"),
        report_status=F("report__status"),
        report_message=F("report__message"),
        report_since=F("report__since"),
    )
    newest = wanted.pk if wanted else 0
    return rows.annotate(
        state=Case(
            When(report_status=EventStatus.FAILURE, report_sequence__gte=newest, then=Value(FAILED)),
            When(report_sequence__isnull=True, then=Value(WAITING)),
            When(report_sequence__lt=newest, then=Value(BEHIND)),
            default=Value(DONE),
            output_field=IntegerField(),
        )
    )


def _describe(agent: Any, stack: Stack, *, is_serving: bool) -> None:
    _, words, tone = _STATES[agent.state]
    agent.outcome = badge(words, tone)
    agent.object_link = (
        link("stacks_deploymentobject_change", f"#{agent.report_sequence}", agent.report_sequence)
        if agent.report_sequence
        else None
    )
    agent.since = ago(agent.report_since)
    if not is_serving:
        words = "is not owed it" if stack.deleted_at is not None else "no longer gets it"
        agent.reasons = [*agent.reasons, badge(words)]
    agent.explain_url = _explain_url(stack.pk, agent.pk)


def _explain_url(stack_id: UUID, agent_id: UUID) -> str | None:
    """The page of an app above, when it is there."""
    try:
        return f"{reverse('admin:stacks_stack_explain', args=[stack_id])}?agent={agent_id}"
    except NoReverseMatch:
        return None

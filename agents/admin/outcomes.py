"""The page that shows how a stack stands on each agent."""

from typing import Any
from uuid import UUID

from django.db.models import Case, Count, F, FilteredRelation, IntegerField, Q, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch
from django.utils.html import format_html
from django.utils.safestring import SafeString

from agents.admin.standing import agent_link, reason_words, standing_badge, version_link
from agents.deployments import Deployment, of_stack
from agents.failures import key_of
from agents.models import Agent, MarkerDelivery, StackReport
from agents.models.event import EventStatus
from agents.querysets import ACTIVE, grace_before
from agents.reasons import Reasons, reasons_for_agents
from agents.wanted.standing import Standing, is_failing, is_pending
from agents.wanted.ties import Offer, serving_agents
from agents.wanted.versions import held_stacks, newest_unheld, with_wanted
from core import clock
from core.admin import BaseAdmin, ago, badge, link, moment, page_of, register_page, shortened
from core.admin.chips import chip
from stacks.models import Stack
from stacks.secret_values import without_secrets

# Agents that have reported on the stack but do not serve it. Where the stack is deleted: agents that have reported
# on it and have nothing left to remove.
GONE = "gone"
# The most urgent first.
_STATES: tuple[str, ...] = (
    Standing.FAILING,
    Standing.PENDING,
    Standing.SILENT,
    Standing.HELD,
    Standing.EMPTY,
    Standing.REMOVING,
    Standing.APPLIED,
    GONE,
)
_TITLES = {
    Standing.FAILING: "Failing",
    Standing.PENDING: "Pending",
    Standing.SILENT: "Silent",
    Standing.HELD: "Held back",
    Standing.EMPTY: "Nothing published",
    Standing.REMOVING: "Removing",
    Standing.APPLIED: "Applied",
    GONE: "Do not get it any more",
}
_HEADERS = ["Agent", "State", "Since", "Version", "Last message", "Gets it by", "Last heartbeat"]


def outcomes(request: HttpRequest, model_admin: BaseAdmin, stack: Stack) -> HttpResponse:
    """One page of the agents that serve the stack, have reported on it or must remove it; failures come first."""
    newest = newest_unheld(stack.pk)
    text = request.GET.get("q", "").strip()
    rows = _rows(stack, text)
    query = request.GET
    chips = [chip(query, "search", text, ["q"])] if text else []
    if failure := query.get("failure", ""):
        alike, message = _failing_alike(stack, failure)
        rows = rows.filter(pk__in=alike)
        chips.append(chip(query, "failure", message, ["failure"]))
    found = rows.values("state").annotate(agents=Count("pk")).order_by()
    counts = {_STATES[row["state"]]: row["agents"] for row in found}
    chosen = query.get("state", "")
    if chosen in _STATES:
        rows = rows.filter(state=_STATES.index(chosen))
    page = page_of(request, rows.with_heartbeat().order_by("state", "name", "cluster_name", "id"))
    said = without_secrets((agent.report_sequence or 0, agent.report_message) for agent in page)
    for agent, message in zip(page, said, strict=True):
        agent.report_message = message
    serving = [agent for agent in page if _STATES[agent.state] not in {GONE, Standing.REMOVING}]
    standings = {each.agent.pk: each for each in of_stack(stack, serving)} if stack.deleted_at is None else {}
    reasons = reasons_for_agents(Offer.of(stack), serving)
    context: dict[str, Any] = {
        "newest": newest,
        "newest_link": _object_link(newest.pk) if newest else None,
        "states": [(name, _TITLES[name], counts[name]) for name in _STATES if name in counts],
        "all_count": sum(counts.values()),
        "chosen": chosen if chosen in _STATES else "",
        "q": text,
        "kept": {"state": chosen if chosen in _STATES else "", "failure": failure},
        "chips": chips,
        "no_chips": f"?state={chosen}" if chosen in _STATES else "?",
        "page": page,
        "table": {
            "headers": _HEADERS,
            "rows": [_row(agent, stack, standings.get(agent.pk), reasons) for agent in page],
        },
    }
    return model_admin.render_page(request, stack, "agents/admin/outcomes.html", context)


def _failing_alike(stack: Stack, key: str) -> tuple[list[UUID], str]:
    """The agents whose failures are of the group with this key, and what one of them says."""
    failures = StackReport.objects.filter(stack=stack, status=EventStatus.FAILURE).order_by("-since", "-id")
    alike = [
        each
        for each in failures.values_list("agent_id", "sequence_id", "message")
        if key_of(*each[1:]) == key
    ]
    message = next(iter(without_secrets(each[1:] for each in alike[:1])), "")
    return [agent_id for agent_id, *_ in alike], message or "none"


def _removing(stack: Stack) -> QuerySet[MarkerDelivery, UUID]:
    """The ids of the agents that must still remove it."""
    return MarkerDelivery.objects.filter(marker__stack=stack).values_list("agent_id", flat=True)


def _serving(stack: Stack) -> QuerySet[Agent]:
    """The agents that serve the stack; if it is deleted, the agents that must still remove it."""
    if stack.deleted_at is None:
        return serving_agents(stack)
    return Agent.objects.active().filter(pk__in=_removing(stack))


def _rows(stack: Stack, text: str) -> Any:
    """The agents with their reports; `state` is the position in `_STATES`."""
    is_serving = Q(pk__in=_serving(stack).values("pk"))
    reported = StackReport.objects.filter(stack=stack).values("agent_id")
    rows = Agent.objects.active().filter(is_serving | Q(pk__in=reported) | Q(pk__in=_removing(stack)))
    if text:
        rows = rows.filter(Q(name__icontains=text) | Q(cluster_name__icontains=text))
    rows = rows.annotate(
        report=FilteredRelation("stack_reports", condition=Q(stack_reports__stack=stack)),
        report_sequence=F("report__sequence_id"),
        report_status=F("report__status"),
        report_message=F("report__message"),
        report_since=F("report__since"),
    )
    return with_wanted(rows, stack).annotate(state=_state(stack, is_serving))


def _state(stack: Stack, is_serving: Q) -> Case:
    whens = [
        When(~is_serving & Q(pk__in=_removing(stack)), then=_number(Standing.REMOVING)),
        When(~is_serving, then=_number(GONE)),
    ]
    if stack.deleted_at is not None:
        return Case(*whens, default=_number(Standing.REMOVING), output_field=IntegerField())
    nothing = Standing.HELD if held_stacks([stack.pk]) else Standing.EMPTY
    waits = is_pending(F("wanted"), reported="report_sequence")
    is_heard = Q(status=ACTIVE, heartbeat__last_heartbeat__gte=grace_before(clock.now()))
    return Case(
        *whens,
        When(wanted__isnull=True, then=_number(nothing)),
        When(waits & is_heard, then=_number(Standing.PENDING)),
        When(waits, then=_number(Standing.SILENT)),
        When(
            is_failing(F("wanted"), reported="report_sequence", status="report_status"),
            then=_number(Standing.FAILING),
        ),
        default=_number(Standing.APPLIED),
        output_field=IntegerField(),
    )


def _number(state: str) -> Value:
    return Value(_STATES.index(state))


def _row(agent: Any, stack: Stack, deployment: Deployment | None, reasons: Reasons) -> list[Any]:
    state = _STATES[agent.state]
    if deployment is not None:
        # The deployment does not tell whether the agent is silent.
        word: str = standing_badge(Standing(state))
        others = [moment(deployment.since) or "-", version_link(deployment) or "-"]
    else:
        word = badge("not any more") if state == GONE else standing_badge(Standing.REMOVING)
        version = _object_link(agent.report_sequence) if agent.report_sequence else "-"
        # To be removed since the stack was deleted, whenever the agent reported on it before.
        since = (stack.deleted_at if state == Standing.REMOVING else None) or agent.report_since
        others = [moment(since) or "-", version]
    return [
        agent_link(agent),
        format_html("<span>{} {}</span>", word, _explain_link(stack.pk, agent.pk)),
        *others,
        shortened(agent.report_message, 160) or "-",
        reason_words(reasons[agent.pk]) if reasons.get(agent.pk) else "-",
        ago(agent.heartbeat.last_heartbeat) or "never seen",
    ]


def _object_link(sequence_id: int) -> SafeString:
    return link("stacks_deploymentobject_change", f"#{sequence_id}", sequence_id)


def _explain_link(stack_id: UUID, agent_id: UUID) -> SafeString | str:
    """A link to a page of an app above this one, if that app is installed."""
    try:
        return link("stacks_stack_explain", "Why?", stack_id, query={"agent": agent_id})
    except NoReverseMatch:
        return ""


register_page(Stack, "outcomes", "Outcomes", outcomes, "agents.view_agent")

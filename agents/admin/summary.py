"""The top of an agent's page: what fails now, and whether the agent is alive."""

from typing import Any

from django.urls import reverse
from django.utils.safestring import SafeString

from agents.admin.standing import stack_link, version_link
from agents.deployments import failing_of, for_people
from agents.models import Agent
from agents.querysets import ACTIVE
from agents.silence import is_silent
from agents.wanted.ties import served_stacks
from core import clock
from core.admin import ago, badge

FAILURES_SHOWN = 3
STACKS_COUNTED = 1_000


def status_badge(agent: Agent) -> SafeString:
    if agent.status == ACTIVE:
        return badge("active", "good")
    return badge("paused" if agent.status == "INACTIVE" else agent.status, "wait")


def liveness_badge(agent: Agent) -> SafeString:
    """Whether the agent sent a heartbeat in time. Only an active agent is expected to."""
    at = agent.heartbeat.last_heartbeat
    if at is None:
        return badge("never seen", "wait" if agent.status == ACTIVE else "quiet")
    if is_silent(agent, clock.now()):
        return badge("silent", "bad" if agent.status == ACTIVE else "quiet")
    return badge("alive", "good")


def cluster_badge(agent: Agent) -> SafeString | str:
    beat = agent.heartbeat
    if beat.k8s_reachable is None:
        return "not reported"
    if not beat.k8s_reachable:
        return badge("unreachable", "bad")
    words = "reachable" if beat.k8s_api_latency_ms is None else f"{beat.k8s_api_latency_ms} ms"
    # What a silent agent last said may no longer be true.
    return badge(words, "quiet" if is_silent(agent, clock.now()) else "good")


def summary_of(agent: Agent) -> dict[str, Any]:
    """The summary of one agent, with at most four queries."""
    failures = for_people(failing_of(agent, limit=FAILURES_SHOWN + 1))
    served = served_stacks(agent.pk).order_by().values("pk")[: STACKS_COUNTED + 1].count()
    beat = agent.heartbeat
    cards = [
        {"title": "Status", "value": status_badge(agent), "note": ""},
        {
            "title": "Heartbeat",
            "value": liveness_badge(agent),
            "note": ago(beat.last_heartbeat) or "It has not called yet.",
        },
        {
            "title": "Cluster API",
            "value": cluster_badge(agent),
            "note": ago(beat.k8s_reported_at)
            if beat.agent_version is None
            else f"agent {beat.agent_version}",
        },
        {
            "title": "Stacks",
            "value": f"more than {STACKS_COUNTED}" if served > STACKS_COUNTED else served,
            "note": "",
        },
    ]
    return {
        "cards": cards,
        "failures": [
            {
                "stack": stack_link(each.stack),
                "version": version_link(each),
                "since": ago(each.since),
                "message": each.message,
            }
            for each in failures[:FAILURES_SHOWN]
        ],
        "more_failures": len(failures) > FAILURES_SHOWN,
        "stacks_url": reverse("admin:agents_agent_stacks", args=[agent.pk]),
    }

"""The types of notices, and the patterns by which subscriptions choose them (contract, section 7.1). Pure."""

from agents.event_kinds import AgentEventKind
from core.events import EventKind

# In the order of the published list. An event with data is delivered if and only if its type is here.
EVENT_TYPES = (
    "agent.registered",
    "agent.deregistered",
    "stack.created",
    "stack.deleted",
    "deployment.created",
    "deployment.applied",
    "deployment.failed",
    "deployment.deleted",
    "workorder.created",
    "workorder.claimed",
    "workorder.completed",
    "workorder.failed",
    # Additions to the contract.
    "agent.silent",
    "agent.recovered",
    "rollout.started",
    "rollout.wave_released",
    "rollout.wave_proven",
    "rollout.approval_requested",
    "rollout.paused",
    "rollout.resumed",
    "rollout.succeeded",
    "rollout.aborted",
    "rollout.rolled_back",
    "rollout.superseded",
    "freeze.started",
    "freeze.lifted",
    "audit.sealed",
    "pak.end_announced",
)
# The kinds of events whose type has another name. The audit log calls the registration with a generator
# `agent.registered`.
_PUBLISHED_NAMES: dict[EventKind, str] = {
    AgentEventKind.AGENT_CREATED: "agent.registered",
    AgentEventKind.AGENT_DELETED: "agent.deregistered",
}
# Only the test of a subscription sends it.
TEST_EVENT = "webhook.test"
# Nobody asks for it: a subscription with a limit gets it for the notices that were too many.
SUMMARY_EVENT = "webhook.summary"
MAX_EVENT_TYPE = 100


def published_name(kind: EventKind) -> str:
    """The event type of the notice about events of this kind, if they have a notice."""
    return _PUBLISHED_NAMES.get(kind) or str(kind)


def patterns_for(event_type: str) -> list[str]:
    """The patterns that match this type: `*`, the type itself, and `<prefix>.*` for each of its prefixes."""
    parts = event_type.split(".")
    return ["*", event_type, *(f"{'.'.join(parts[:length])}.*" for length in range(1, len(parts)))]

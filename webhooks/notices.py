"""What each event type says to people, with names in place of ids. Pure but for the admin's addresses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from string import Formatter
from typing import Final
from uuid import UUID

from django.conf import settings
from django.urls import NoReverseMatch, reverse

from webhooks.event_types import SUMMARY_EVENT, TEST_EVENT
from webhooks.formats import Fact, Notice, harmless, moment_words

# Each word in braces is a name, or a field of the event's data.
SENTENCES: Final = {
    "agent.registered": "Agent {agent} was created",
    "agent.deregistered": "Agent {agent} was deleted",
    "stack.created": "Stack {stack} was created",
    "stack.deleted": "Stack {stack} was deleted",
    "deployment.created": "Version #{sequence_id} of stack {stack} was published",
    "deployment.applied": "Agent {agent} has applied stack {stack}",
    "deployment.failed": "Agent {agent} could not apply stack {stack}",
    "deployment.deleted": "A version of stack {stack} was deleted",
    "workorder.created": "A work order was created: {work_type}",
    "workorder.claimed": "Agent {agent} has claimed a work order: {work_type}",
    "workorder.completed": "Agent {agent} has completed a work order: {work_type}",
    "workorder.failed": "Agent {agent} could not complete a work order: {work_type}",
    "agent.silent": "Agent {agent} is silent",
    "agent.recovered": "Agent {agent} is heard again",
    "rollout.started": "The rollout of version #{sequence_id} of stack {stack} has started",
    "rollout.wave_released": "Wave {wave} of version #{sequence_id} of stack {stack} was released",
    "rollout.wave_proven": "Wave {wave} of version #{sequence_id} of stack {stack} is proven",
    "rollout.approval_requested": "Version #{sequence_id} of stack {stack} waits for approval",
    "rollout.paused": "The rollout of version #{sequence_id} of stack {stack} is paused",
    "rollout.resumed": "The rollout of version #{sequence_id} of stack {stack} goes on",
    "rollout.succeeded": "The rollout of version #{sequence_id} of stack {stack} has succeeded",
    "rollout.aborted": "The rollout of version #{sequence_id} of stack {stack} was aborted",
    "rollout.rolled_back": "Version #{sequence_id} of stack {stack} was rolled back",
    "rollout.superseded": "A newer version took the place of #{sequence_id} of stack {stack}",
    "freeze.started": "A freeze has begun: {scope}",
    "freeze.lifted": "A freeze is over: {scope}",
    "audit.sealed": "Seal {number} was put on the audit log",
    "pak.end_announced": "The {role} key {name} ends soon",
    SUMMARY_EVENT: "{count} events were more than this webhook takes in a minute",
    TEST_EVENT: "This is a test of a webhook",
}
# Further facts, in their order. Messages of agents are not among them: they may quote values of Secrets.
_FACTS: Final = {
    "cluster_name": "Cluster",
    "generator": "Generator",
    "label": "Label",
    "strategy": "Strategy",
    "cause": "Cause",
    "reason": "Reason",
    "until": "Until",
    "ends_at": "Ends",
    "last_heartbeat": "Last heartbeat",
    "entries": "Entries",
    "first_at": "First",
    "last_at": "Last",
}
# The other data are not put into words, because the messages among them may be long.
_SAID: Final = {
    *_FACTS,
    *(name for sentence in SENTENCES.values() for _, name, _, _ in Formatter().parse(sentence) if name),
}
# The page that is about the event: the first of these whose id is in its data.
_PAGES: Final = (
    ("rollout_id", "rollouts_rollout_change"),
    ("freeze_id", "rollouts_freeze_change"),
    ("key_id", "paks_pak_change"),
    ("agent_id", "agents_agent_change"),
    ("stack_id", "stacks_stack_change"),
    ("work_order_id", "workorders_workorder_change"),
    ("subscription_id", "webhooks_subscription_change"),
)


@dataclass(frozen=True, slots=True)
class Names:
    """The names of rows by id."""

    agents: Mapping[UUID, str] = field(default_factory=dict)
    stacks: Mapping[UUID, str] = field(default_factory=dict)
    generators: Mapping[UUID, str] = field(default_factory=dict)


def notice_of(*, event_type: str, at: datetime, data: Mapping[str, object], names: Names) -> Notice:
    """The event in words. A row without a name is named by its id."""
    words = {name: _words(value) for name, value in data.items() if name in _SAID}
    for noun, known in (("agent", names.agents), ("stack", names.stacks), ("generator", names.generators)):
        row_id = data.get(f"{noun}_id")
        if row_id is not None:
            words[noun] = harmless(known.get(UUID(str(row_id)), str(row_id)))
    facts = [Fact(label, words[name]) for name, label in _FACTS.items() if words.get(name)]
    return Notice(
        title=SENTENCES[event_type].format_map(_Named(words)),
        facts=facts,
        event_type=event_type,
        at=at,
        link=_link(data),
    )


class _Named(dict[str, str]):
    """The words of a sentence. What the data lack is a dash."""

    def __missing__(self, name: str) -> str:
        return "-"


def _words(value: object) -> str:
    if value is None:
        return ""
    return moment_words(value) if isinstance(value, datetime) else harmless(str(value))


def _link(data: Mapping[str, object]) -> str:
    """The address of the page about the event; "" if nobody said where people find the admin."""
    if not settings.PUBLIC_URL:
        return ""
    for name, page in _PAGES:
        if data.get(name) is not None:
            try:
                path = reverse(f"admin:{page}", args=[data[name]])
            except NoReverseMatch:
                continue
            return f"{settings.PUBLIC_URL}{path}"
    return f"{settings.PUBLIC_URL}{reverse('admin:index')}"

"""Which agents would be in which wave, if the version were published now. Nothing is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from agents.models import Agent, AgentLabel
from agents.wanted.ties import serving_agents
from rollouts.counts import absent_agents
from rollouts.models import Rollout
from rollouts.strategies import Strategy, Wave, members_of
from stacks.models import Stack

# How many agents of each wave are named.
NAMED = 20


@dataclass(frozen=True, slots=True)
class WavePreview:
    """`matched` agents could be in the wave; `count` of them would be, of which `absent` are silent or inactive now.

    `named` are the first of them by name.
    """

    wave: Wave
    matched: int
    count: int
    absent: int
    named: Sequence[Agent]


def preview(strategy: Strategy, stack: Stack, *, now: datetime) -> list[WavePreview]:
    """The waves in order. Four queries.

    A wave with a bound draws its members when the rollout starts, by its id. While a rollout is running, the next one
    takes over its draw, and the preview is exact; otherwise it shows one possible draw, always the same.
    """
    running = Rollout.objects.running().of_stack(stack.pk).first()
    chain_id = running.chain_id if running is not None else stack.pk
    serving = serving_agents(stack)
    names = {agent.pk: agent for agent in serving.only("id", "name", "cluster_name")}
    absent = set(serving.filter(pk__in=absent_agents(now).values("pk")).values_list("pk", flat=True))
    labels = _labels_of(strategy, stack)
    left = set(names)
    found = []
    for wave in strategy.waves:
        matched = left if not wave.labels else {pk for pk in left if labels.get(pk, set()) & set(wave.labels)}
        members = set(members_of(wave, chain_id=chain_id, matched=matched))
        named = sorted((names[pk] for pk in members), key=lambda agent: (agent.name, agent.pk))[:NAMED]
        found.append(WavePreview(wave, len(matched), len(members), len(members & absent), named))
        left = left - members
    return found


def waves_for_nobody(strategy: Strategy, stack: Stack) -> list[str]:
    """Sentences about waves that no agent of the stack matches now, so that they prove nothing. At most two queries.

    None if no agent serves the stack.
    """
    labels = {label for wave in strategy.waves for label in wave.labels}
    if not labels or not serving_agents(stack).exists():
        return []
    rows = AgentLabel.objects.filter(label__in=labels, agent__in=serving_agents(stack))
    known = set(rows.values_list("label", flat=True).distinct())
    return [
        f"Wave {wave.name!r} matches no agent now: none has {' or '.join(wave.labels)}. The next wave follows at once."
        for wave in strategy.waves
        if wave.labels and not known.intersection(wave.labels)
    ]


def _labels_of(strategy: Strategy, stack: Stack) -> dict[UUID, set[str]]:
    """By agent that serves the stack, those of its labels that the strategy names."""
    asked = {label for wave in strategy.waves for label in wave.labels}
    rows = AgentLabel.objects.filter(label__in=asked, agent__in=serving_agents(stack))
    found: dict[UUID, set[str]] = {}
    for agent_id, label in rows.values_list("agent_id", "label"):
        found.setdefault(agent_id, set()).add(label)
    return found

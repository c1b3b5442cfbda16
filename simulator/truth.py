"""What the fleet did, and so which answers are right. It is built only from journal records, so it survives a kill.

Every change takes time. Before its request, the old state is true; after its acknowledgement, the new state; between
them, either may be. A change that was requested and never acknowledged stays uncertain.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Record = dict[str, Any]


@dataclass(slots=True)
class Span:
    """The time from a request until its acknowledgement. `ended` is infinite if there is none."""

    began: float
    ended: float = math.inf


@dataclass(slots=True)
class _Change:
    value: bool
    span: Span


class Toggle:
    """A value that is true or false. One writer changes it, one change after another."""

    def __init__(self, *, value: bool) -> None:
        self._changes = [_Change(value, Span(-math.inf, -math.inf))]

    def change(self, span: Span, *, value: bool) -> None:
        """Note that the value changed at some moment within the span."""
        self._changes.append(_Change(value, span))

    def possible(self, began: float, ended: float) -> set[bool]:
        """The values that it may have had at any moment between the two."""
        values = set()
        for change in reversed(self._changes):
            if change.span.began <= ended:
                values.add(change.value)
            if change.span.ended < began:
                break
        return values


@dataclass(slots=True)
class Published:
    """A version of a stack. Its id is known after it was acknowledged."""

    span: Span
    sequence_id: int | None = None
    id: str | None = None


@dataclass(slots=True)
class StackHistory:
    """The history of a stack: all labels that it ever had, and its versions in the order of their requests."""

    id: str
    alive: Toggle = field(default_factory=lambda: Toggle(value=True))
    labels: dict[str, Toggle] = field(default_factory=dict)
    objects: list[Published] = field(default_factory=list)
    deletion: Span | None = None


@dataclass(slots=True)
class Sight:
    """The first answer that showed an agent a version of a rollout stack."""

    stack: str
    sequence_id: int
    ended: float


@dataclass(slots=True)
class AgentHistory:
    """What an agent saw and reported, by the id of the stack.

    `seen` is the highest sequence_id it was shown. `first_asked` is when its first report on a stack began, and
    `first_told` its first that was acknowledged; `removed` is its first answer to a marker, and `answered` are its
    answers by the marker's id; `unsettled` counts the answers to markers that are not acknowledged, which may still
    arrive. `reported` are the objects it has reported on, and `event_ids` by what those reports are found, with
    their stacks: what the broker called them, or the objects if it told no names.
    `lost_since` is when the first poll began whose answer was lost: the broker may have given the agent what it never
    saw.
    Of rollout stacks, by the id of the object, `sights` are what it saw, and `failures` when it said that it failed;
    `silences` are when it said nothing, and `asked` is when its last answered poll began. `kills` are the moments at
    which its process was killed, which the fleet knows.
    """

    id: str
    key: str
    labels: tuple[str, ...]
    seen: dict[str, int] = field(default_factory=dict)
    lost_since: float = math.inf
    first_asked: dict[str, float] = field(default_factory=dict)
    first_told: dict[str, Span] = field(default_factory=dict)
    removed: dict[str, Span] = field(default_factory=dict)
    answered: dict[str, Span] = field(default_factory=dict)
    unsettled: Counter[str] = field(default_factory=Counter)
    reported: set[str] = field(default_factory=set)
    event_ids: dict[str, str] = field(default_factory=dict)
    sights: dict[str, Sight] = field(default_factory=dict)
    failures: dict[str, Span] = field(default_factory=dict)
    silences: list[Span] = field(default_factory=list)
    kills: Sequence[float] = ()
    asked: float = -math.inf

    def lose(self, began: float) -> None:
        """Note that the answer to a poll that began then was lost."""
        self.lost_since = min(self.lost_since, began)


@dataclass(slots=True)
class Truth:
    """Everything one cell did. `apply` is the only way to change it."""

    stacks: dict[str, StackHistory] = field(default_factory=dict)
    agents: list[AgentHistory] = field(default_factory=list)
    by_label: dict[str, set[str]] = field(default_factory=dict)
    generator_id: str = ""
    generator_key: str = ""
    unfinished: dict[str, Record] = field(default_factory=dict)
    # Who sees what of these, and when, is the rollouts' matter: rollout_rules.py.
    rollout_stacks: frozenset[str] = frozenset()
    _spans: dict[str, tuple[Span, Published | None]] = field(default_factory=dict)

    def apply(self, record: Record) -> None:
        """Apply one record of the journal."""
        getattr(self, f"_{record['what']}")(record)

    def associated(self, agent: AgentHistory, stack: StackHistory, began: float, ended: float) -> set[bool]:
        """Whether the agent may have served the stack at some moment of this time, and whether it may not have."""
        shared = [
            stack.labels[label].possible(began, ended) for label in agent.labels if label in stack.labels
        ]
        values = set()
        if any(True in possible for possible in shared):
            values.add(True)
        if all(False in possible for possible in shared):
            values.add(False)
        return values

    def _generator(self, record: Record) -> None:
        self.generator_id, self.generator_key = record["id"], record["key"]

    def _agent(self, record: Record) -> None:
        self.agents.append(AgentHistory(record["id"], record["key"], tuple(record["labels"])))

    def _stack(self, record: Record) -> None:
        self.stacks[record["id"]] = StackHistory(record["id"])

    def _begin(self, record: Record) -> None:
        """A change of a stack is requested: publish, label, unlabel or delete."""
        stack, span = self.stacks[record["stack"]], Span(record["at"])
        published = None
        match record["change"]:
            case "publish":
                published = Published(span)
                stack.objects.append(published)
            case "delete":
                stack.deletion = span
                stack.alive.change(span, value=False)
            case "label" | "unlabel":
                toggle = stack.labels.setdefault(record["label"], Toggle(value=False))
                toggle.change(span, value=record["change"] == "label")
                self.by_label.setdefault(record["label"], set()).add(stack.id)
        self._spans[record["key"]] = span, published
        self.unfinished[record["key"]] = record

    def _end(self, record: Record) -> None:
        """The change is acknowledged."""
        span, published = self._spans.pop(record["key"])
        if published is not None:
            published.sequence_id, published.id = record["sequence_id"], record["id"]
        span.ended = record["at"]
        del self.unfinished[record["key"]]

    def _ask(self, record: Record) -> None:
        """An agent begins to report on objects; `on` lists (stack, object, whether it is the deletion marker)."""
        agent = self.agents[record["agent"]]
        for stack_id, object_id, is_marker in record["on"]:
            if is_marker:
                # From now on the broker may forget what the agent said of the stack.
                agent.event_ids = {key: stack for key, stack in agent.event_ids.items() if stack != stack_id}
                agent.answered.setdefault(object_id, Span(record["at"]))
                agent.removed.setdefault(stack_id, Span(record["at"]))
                agent.unsettled[stack_id] += 1
            else:
                agent.first_asked.setdefault(stack_id, record["at"])

    def _told(self, record: Record) -> None:
        """The agent's reports are acknowledged."""
        agent = self.agents[record["agent"]]
        for (stack_id, object_id, is_marker), event_id in zip(record["on"], record["events"], strict=True):
            agent.reported.add(object_id)
            if is_marker:
                agent.unsettled[stack_id] -= 1
                for span in (agent.removed[stack_id], agent.answered[object_id]):
                    span.ended = min(span.ended, record["at"])
            else:
                agent.first_told.setdefault(stack_id, Span(record["began"], record["at"]))
            if not agent.unsettled[stack_id]:
                agent.event_ids[event_id] = stack_id

    def _saw(self, record: Record) -> None:
        """An agent was shown a version of a rollout stack for the first time."""
        sight = Sight(record["stack"], record["sequence_id"], record["at"])
        self.agents[record["agent"]].sights.setdefault(record["object"], sight)

    def _asked(self, record: Record) -> None:
        """An agent's last poll that was answered."""
        self.agents[record["agent"]].asked = record["at"]

    def _failed(self, record: Record) -> None:
        """An agent has said that it could not apply a version."""
        span = Span(record["began"], record["at"])
        self.agents[record["agent"]].failures.setdefault(record["object"], span)

    def _silent(self, record: Record) -> None:
        """A version keeps an agent from saying anything."""
        self.agents[record["agent"]].silences.append(Span(record["at"], record["until"]))

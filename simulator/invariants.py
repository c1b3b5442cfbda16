"""The rules for every answer. Pure: it takes an answer and the truth, and returns violations.

- An agent never sees an older object of a stack after a newer one, nor one older than what was acknowledged before it
  asked.
- It sees nothing of a stack that it does not serve, or of a deleted one, but a marker, and no marker that it answered.
- Nothing disappears without a deletion or a change of labels, and an owed marker comes until it is answered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from simulator.truth import AgentHistory, StackHistory, Truth


@dataclass(frozen=True, slots=True)
class Shown:
    """One object of an answer."""

    id: str
    stack_id: str
    sequence_id: int
    is_marker: bool


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that the broker broke, for which agent (empty: for no particular one), and how."""

    rule: str
    agent_id: str
    detail: str


@dataclass(frozen=True, slots=True)
class Poll:
    """An answer, when its request began and when it had arrived, and what the agent had seen before it asked."""

    shown: Sequence[Shown]
    began: float
    ended: float
    seen_before: Mapping[str, int]


def check_poll(truth: Truth, agent: AgentHistory, poll: Poll) -> list[Violation]:
    """The rules that this answer breaks. It does not change what the agent has seen."""
    violations: list[Violation] = []
    by_stack: dict[str, Shown] = {}
    for shown in poll.shown:
        rules = _rules_of(truth, agent, shown, poll)
        if shown.stack_id in by_stack:
            rules.append("one object for each stack")
        by_stack[shown.stack_id] = shown
        violations += [Violation(rule, agent.id, str(shown)) for rule in rules]
    for stack_id in truth.rollout_stacks - by_stack.keys():
        # Once an agent has seen something of it, it always sees something of it.
        if stack_id in poll.seen_before:
            violations.append(Violation("nothing disappears", agent.id, f"stack {stack_id}"))
    served = {stack_id for label in agent.labels for stack_id in truth.by_label.get(label, ())}
    for stack_id in served - by_stack.keys():
        stack = truth.stacks[stack_id]
        if _must_be_there(truth, agent, stack, poll) or _marker_is_owed(truth, agent, stack, poll):
            violations.append(Violation("nothing disappears", agent.id, f"stack {stack_id}"))
    return violations


def remember(agent: AgentHistory, poll: Poll) -> None:
    """Take what the answer shows as seen, and note when the agent asked.

    Markers are no versions: an agent that serves the stack again gets an older one.
    """
    agent.asked = poll.began
    for shown in poll.shown:
        if not shown.is_marker:
            agent.seen[shown.stack_id] = max(shown.sequence_id, agent.seen.get(shown.stack_id, 0))


def _rules_of(truth: Truth, agent: AgentHistory, shown: Shown, poll: Poll) -> list[str]:
    if shown.stack_id in truth.rollout_stacks:
        is_older = shown.sequence_id < poll.seen_before.get(shown.stack_id, 0)
        return ["nothing older after newer"] if is_older else []
    stack = truth.stacks.get(shown.stack_id)
    return ["nothing foreign"] if stack is None else _shown_rules(truth, agent, stack, shown, poll)


def _shown_rules(
    truth: Truth, agent: AgentHistory, stack: StackHistory, shown: Shown, poll: Poll
) -> list[str]:
    alive = stack.alive.possible(poll.began, poll.ended)
    rules = []
    if shown.is_marker:
        # Of a stack that lives it is the removal that an agent is owed which serves it no longer.
        if alive == {True} and truth.associated(agent, stack, poll.began, poll.ended) == {True}:
            rules.append("no marker of a living stack")
        if not _may_have_been_given(truth, agent, stack, poll):
            rules.append("no marker of what it was never given")
        if shown.id in agent.answered and agent.answered[shown.id].ended < poll.began:
            rules.append("no marker that was answered")
        return rules
    if shown.sequence_id < poll.seen_before.get(stack.id, 0):
        rules.append("nothing older after newer")
    if True not in alive:
        rules.append("nothing of a deleted stack")
    if True not in truth.associated(agent, stack, poll.began, poll.ended):
        rules.append("nothing foreign")
    if not _may_be_published(stack, shown, poll):
        rules.append("nothing that was not published")
    if shown.sequence_id < _newest_acknowledged(stack, poll.began):
        rules.append("nothing older than what was acknowledged")
    return rules


def _may_have_been_given(truth: Truth, agent: AgentHistory, stack: StackHistory, poll: Poll) -> bool:
    """Whether an earlier answer showed the agent a version of the stack, or one that was lost may have shown it."""
    if stack.id in agent.first_asked or stack.id in poll.seen_before:
        return True
    began = agent.lost_since
    return began < poll.began and True in truth.associated(agent, stack, began, poll.began)


def _may_be_published(stack: StackHistory, shown: Shown, poll: Poll) -> bool:
    return any(
        each.span.began <= poll.ended
        and each.sequence_id in {None, shown.sequence_id}
        and each.id in {None, shown.id}
        for each in reversed(stack.objects)
    )


def _newest_acknowledged(stack: StackHistory, before: float) -> int:
    return next((each.sequence_id or 0 for each in reversed(stack.objects) if each.span.ended < before), 0)


def _must_be_there(truth: Truth, agent: AgentHistory, stack: StackHistory, poll: Poll) -> bool:
    return (
        stack.alive.possible(poll.began, poll.ended) == {True}
        and truth.associated(agent, stack, poll.began, poll.ended) == {True}
        and _newest_acknowledged(stack, poll.began) > 0
    )


def _marker_is_owed(truth: Truth, agent: AgentHistory, stack: StackHistory, poll: Poll) -> bool:
    """Whether the agent has certainly reported on the stack and has not begun to answer its marker."""
    deletion, told = stack.deletion, agent.first_told.get(stack.id)
    if deletion is None or told is None or deletion.ended >= poll.began or told.ended >= poll.began:
        return False
    answering = agent.removed.get(stack.id)
    if answering is not None and answering.began <= poll.ended:
        return False
    in_time = told.ended < deletion.began and truth.associated(
        agent, stack, deletion.began, deletion.ended
    ) == {True}
    return in_time or agent.first_asked[stack.id] > deletion.ended

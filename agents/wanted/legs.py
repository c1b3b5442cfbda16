"""Which agent serves which stack, in SQL: one function for each form of the question.

A tie is a target, or a label or annotation that both sides have. The outer statement has to check that the agent and
the stack are live.
"""

from dataclasses import dataclass

_TARGET_OF_AGENT = "SELECT t.stack_id FROM agent_targets t WHERE t.agent_id = %(agent)s"
_WORDS_OF_AGENT = (
    "SELECT sw.stack_id FROM {of_agents} aw {same_words} {registered} WHERE aw.agent_id = %(agent)s"
)
# PostgreSQL does not know which labels an agent has. If a few labels are on many stacks, it would read all labels of
# stacks. LATERAL with OFFSET makes it do one index look-up for each label of the agent.
_SAME_WORDS = {
    "postgresql": "CROSS JOIN LATERAL (SELECT i.stack_id FROM {of_stacks} i WHERE {same_inside} OFFSET 0) sw",
    "sqlite": "JOIN {of_stacks} sw ON {same}",
}

_TARGETS_OF_AGENTS = "SELECT t.agent_id, t.stack_id FROM {agents} c JOIN agent_targets t ON t.agent_id = c.id"
_WORDS_OF_AGENTS = """
SELECT aw.agent_id, sw.stack_id FROM {agents} c JOIN {of_agents} aw ON aw.agent_id = c.id
JOIN {of_stacks} sw ON {same} {registered}"""

_TARGETS_OF_STACKS = (
    "SELECT t.agent_id{stack} FROM {stacks} c JOIN agent_targets t ON t.stack_id = c.stack_id"
)
_WORDS_OF_STACKS = """
SELECT aw.agent_id{stack} FROM {stacks} c JOIN {of_stacks} sw ON sw.stack_id = c.stack_id
JOIN {of_agents} aw ON {same} {registered}"""

_WORDS_OF_OWNERS = "SELECT aw.agent_id, sw.owner_id FROM {owners} sw JOIN {of_agents} aw ON {same}"

_TARGET_OF_PAIR = "EXISTS (SELECT 1 FROM agent_targets t WHERE t.agent_id = {agent} AND t.stack_id = {stack})"
_WORDS_OF_PAIR = """EXISTS (
    SELECT 1 FROM {of_stacks} sw JOIN {of_agents} aw ON {same} AND aw.agent_id = {agent} WHERE sw.stack_id = {stack})"""

_STACK_REGISTERED = """
JOIN stacks gs ON gs.id = sw.stack_id
JOIN agent_generator_registrations g ON g.generator_id = gs.generator_id AND g.agent_id = {agent}"""
_GENERATOR_REGISTERED = (
    "JOIN agent_generator_registrations g ON g.generator_id = c.generator_id AND g.agent_id = aw.agent_id"
)
_PAIR_REGISTERED = """EXISTS (
    SELECT 1 FROM agent_generator_registrations g JOIN stacks gs ON gs.generator_id = g.generator_id
    WHERE g.agent_id = {agent} AND gs.id = {stack}) AND """


@dataclass(frozen=True, slots=True)
class _Words:
    """The tables of labels or of annotations, and the columns that must be equal for a shared one."""

    of_agents: str
    of_stacks: str
    columns: tuple[str, ...]

    def leg(self, template: str, **names: str) -> str:
        return template.format(
            of_agents=self.of_agents,
            of_stacks=self.of_stacks,
            same=self._same("sw"),
            same_inside=self._same("i"),
            **names,
        )

    def _same(self, stacks: str) -> str:
        return " AND ".join(f"{stacks}.{column} = aw.{column}" for column in self.columns)


_KINDS = (
    _Words("agent_labels", "stack_labels", ("label",)),
    _Words("agent_annotations", "stack_annotations", ("key", "value")),
)


def served_by_agent(vendor: str, *, registration: bool) -> str:
    """SELECT of `stack_id`, each once, for the agent %(agent)s. It reads only indexes, beginning at the agent."""
    registered = _STACK_REGISTERED.format(agent="%(agent)s") if registration else ""
    words = _WORDS_OF_AGENT.replace("{same_words}", _SAME_WORDS[vendor])
    return _union(_TARGET_OF_AGENT, *(kind.leg(words, registered=registered) for kind in _KINDS))


def served_by_agents(agents: str, *, registration: bool) -> str:
    """SELECT of `agent_id, stack_id`, each pair once, for the agents whose `id` is in the table `agents`."""
    registered = _STACK_REGISTERED.format(agent="c.id") if registration else ""
    return _union(
        _TARGETS_OF_AGENTS.format(agents=agents),
        *(kind.leg(_WORDS_OF_AGENTS, agents=agents, registered=registered) for kind in _KINDS),
    )


def serving_stacks(stacks: str, *, registration: bool) -> str:
    """The same pairs for the stacks whose `stack_id` and `generator_id` are in the table `stacks`."""
    return _union(*_legs_of_stacks(stacks, ", c.stack_id", registration=registration))


def ties_of_stacks(stacks: str, *, registration: bool) -> str:
    """SELECT of `agent_id`, once for each of its ties to the same stacks, for statements that group by agent."""
    return "\nUNION ALL\n".join(_legs_of_stacks(stacks, "", registration=registration))


def sharing_words(*, labels: str, annotations: str) -> str:
    """SELECT of `agent_id, owner_id`, each pair once, of agents that have a word of an owner.

    `labels` and `annotations` are tables of the owners' words, with the column `owner_id`.
    """
    return _union(
        *(
            kind.leg(_WORDS_OF_OWNERS, owners=owners)
            for kind, owners in zip(_KINDS, (labels, annotations), strict=True)
        )
    )


def is_served(agent: str, stack: str, *, registration: bool) -> str:
    """A condition on one pair, given the names of its columns, for statements that have many pairs in hand.

    It reads only indexes. The tables of the columns must not be called aw, sw, t, g or gs.
    """
    pair = {"agent": agent, "stack": stack}
    registered = _PAIR_REGISTERED.format(**pair) if registration else ""
    words = " OR ".join(kind.leg(_WORDS_OF_PAIR, **pair) for kind in _KINDS)
    return f"({_TARGET_OF_PAIR.format(**pair)} OR ({registered}({words})))"


def is_owed(agent: str, *, registration: bool) -> str:
    """A condition on the marker `o` owed to the agent in the column `agent`: the agent does not serve its stack.

    A marker is withdrawn when the agent serves the stack again. If both are written at the same time, this condition
    prevents that the agent removes what it should have.
    """
    return f"(o.recipient_id IS NULL OR NOT {is_served(agent, 'o.stack_id', registration=registration)})"


def _legs_of_stacks(stacks: str, stack: str, *, registration: bool) -> list[str]:
    registered = _GENERATOR_REGISTERED if registration else ""
    return [
        _TARGETS_OF_STACKS.format(stacks=stacks, stack=stack),
        *(kind.leg(_WORDS_OF_STACKS, stacks=stacks, stack=stack, registered=registered) for kind in _KINDS),
    ]


def _union(*legs: str) -> str:
    # UNION, not UNION ALL, so that what has several ties comes only once.
    return "\nUNION\n".join(legs)

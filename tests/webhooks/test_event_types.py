"""The list of event types, and the patterns that ask for them."""

import ast
from pathlib import Path

from tests.support.source import product_modules
from webhooks.event_types import EVENT_TYPES, patterns_for

# Known to clients of the contract; there is no way here to delete a version of a stack.
NEVER_EMITTED = {"deployment.deleted"}


def test_an_event_type_is_asked_for_by_itself_by_its_prefixes_and_by_the_star():
    assert set(patterns_for("stack.created")) == {"*", "stack.*", "stack.created"}
    assert set(patterns_for("a.b.c")) == {"*", "a.*", "a.b.*", "a.b.c"}
    assert set(patterns_for("word")) == {"*", "word"}


def test_the_list_begins_with_the_twelve_of_the_contract_in_their_order():
    assert EVENT_TYPES[:12] == (
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
    )
    assert set(EVENT_TYPES[12:]) == {
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
    }


def _notices() -> set[str]:
    """Every literal that the product gives an event as its notice."""
    found = set()
    for module in product_modules():
        assert module.__file__
        tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg == "notice":
                found |= {
                    leaf.value
                    for leaf in ast.walk(node.value)
                    if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str)
                }
    return found


def test_every_notice_is_an_event_type():
    notices = _notices()
    assert len(notices) >= 6
    assert notices <= set(EVENT_TYPES)

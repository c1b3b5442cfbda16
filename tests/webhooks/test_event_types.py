"""The list of event types, and the patterns that ask for them."""

import ast
from pathlib import Path

from core.events import EventKind
from tests.support.source import product_modules
from webhooks.event_types import EVENT_TYPES, patterns_for, published_name

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
        "audit.sealed",
        "pak.end_announced",
    }


def _published_kinds() -> set[EventKind]:
    """The kinds that the product's source names in a call that gives the event data for the world."""
    modules = product_modules()
    kinds = {
        f"{type(kind).__name__}.{kind.name}": kind for each in EventKind.__subclasses__() for kind in each
    }
    found = set()
    for module in modules:
        assert module.__file__
        for call in ast.walk(ast.parse(Path(module.__file__).read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and any(keyword.arg == "data" for keyword in call.keywords):
                names = {ast.unparse(leaf) for leaf in ast.walk(call) if isinstance(leaf, ast.Attribute)}
                found |= {kind for name, kind in kinds.items() if name in names}
    return found


def test_every_notice_is_an_event_type():
    notices = {published_name(kind) for kind in _published_kinds()}
    assert len(notices) >= 6
    assert notices <= set(EVENT_TYPES)

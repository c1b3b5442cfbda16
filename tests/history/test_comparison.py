"""GET /agents/{id}/comparison: where two agents, or two moments, differ."""

from datetime import datetime
from uuid import uuid4

import pytest

from core.events import SYSTEM
from core.labels.services import add_label
from tests.factories import MANIFEST, make_agent, make_object, make_stack, manifest
from tests.support.api import refused
from tests.support.changing_fleet import quiet_moment

pytestmark = pytest.mark.django_db


def text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_two_moments_of_an_agent_differ_in_what_was_published_and_lost_between_them(admin):
    agent, _ = make_agent(labels=["a"])
    kept, changed, gained = (
        make_stack(labels=[label], name=f"stack {label}-{n}") for n, label in enumerate("aab")
    )
    make_object(kept)
    old = make_object(changed)
    made = make_object(gained)
    before = quiet_moment()
    new = make_object(changed, manifest(2))
    add_label(owner=agent, label="b", actor=SYSTEM)
    answer = admin.get(f"/agents/{agent.id}/comparison?at={text(before)}").json()
    assert answer["left"] == {"agent_id": str(agent.id), "at": text(before)}
    sides = [
        (row["stack_name"], row["left"] and row["left"]["id"], row["right"]["id"])
        for row in answer["differences"]
    ]
    assert sides == [
        (changed.name, str(old.id), str(new.id)),
        (gained.name, None, str(made.id)),
    ]
    assert answer["equal_stacks"] == 1


def test_two_agents_differ_and_a_repeated_text_is_called_the_same(admin):
    one, other = make_agent(labels=["a", "b"])[0], make_agent(labels=["a"])[0]
    stack, lonely = make_stack(labels=["a"]), make_stack(labels=["b"])
    make_object(stack)
    make_object(lonely)
    answer = admin.get(f"/agents/{one.id}/comparison?other_agent_id={other.id}").json()
    assert [(row["stack_id"], row["right"]) for row in answer["differences"]] == [(str(lonely.id), None)]
    before = quiet_moment()
    make_object(stack, MANIFEST)
    (row,) = admin.get(f"/agents/{other.id}/comparison?at={text(before)}").json()["differences"]
    assert row["same_content"] is True


def test_an_unknown_agent_on_either_side_is_refused(admin):
    agent, _ = make_agent()
    refused(admin.get(f"/agents/{uuid4()}/comparison"), 404, "agent_not_found")
    refused(admin.get(f"/agents/{agent.id}/comparison?other_agent_id={uuid4()}"), 404, "agent_not_found")
    refused(admin.get(f"/agents/{agent.id}/comparison?at=2999-01-01T00:00:00Z"), 400, "moment_not_known")

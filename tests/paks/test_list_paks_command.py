"""list_paks: which keys there are, and never a key."""

import pytest

from agents.services.agents import delete_agent, lock_agent
from core.events import SYSTEM
from paks.models import Pak, Role
from paks.services import issue_pak, revoke_pak
from tests.factories import make_agent, make_generator
from tests.support.commands import manage, refused_command

pytestmark = pytest.mark.django_db


def test_each_usable_key_is_a_line_with_its_owners_name():
    agent, _ = make_agent(name="edge-01")
    generator, _ = make_generator("ci")
    issue_pak(role=Role.ADMIN, subject_id=None, name="ops", actor=SYSTEM)
    heading, *lines = manage("list_paks").out.splitlines()
    assert heading.split()[:3] == ["ID", "ROLE", "NAME"]
    assert [line.split()[1:3] for line in lines] == [
        ["agent", "edge-01"],
        ["generator", "ci"],
        ["admin", "ops"],
    ]
    assert str(agent.id) in lines[0]
    assert str(generator.id) in lines[1]


def test_json_is_an_array_with_ids_names_and_times():
    agent, api = make_agent(name="edge-01")
    api.post("/auth/pak")
    [row] = manage("list_paks", "--json").json
    pak = Pak.objects.get()
    assert row == {
        "id": str(pak.id),
        "role": "agent",
        "name": "edge-01",
        "short_token": pak.short_token,
        "subject_id": str(agent.id),
        "subject_name": "edge-01",
        "created_at": pak.created_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "last_used_at": pak.last_used_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if pak.last_used_at else "never",
        "revoked_at": None,
    }


def test_no_keys_is_an_empty_array():
    assert manage("list_paks", "--json").json == []


def test_a_role_shows_only_its_keys():
    make_agent()
    make_generator("ci")
    assert [row["name"] for row in manage("list_paks", "--role", "generator", "--json").json] == ["ci"]


def test_revoked_keys_are_shown_only_when_asked_for():
    pak, _ = issue_pak(role=Role.ADMIN, subject_id=None, name="old", actor=SYSTEM)
    issue_pak(role=Role.ADMIN, subject_id=None, name="new", actor=SYSTEM)
    revoke_pak(pak_id=pak.id, actor=SYSTEM)
    assert [row["name"] for row in manage("list_paks", "--json").json] == ["new"]
    everything = manage("list_paks", "--all", "--json").json
    assert [(row["name"], row["revoked_at"] is None) for row in everything] == [("old", False), ("new", True)]


def test_the_key_of_a_deleted_owner_still_tells_whose_it_was():
    agent, _ = make_agent(name="gone")
    delete_agent(agent=lock_agent(agent.id), actor=SYSTEM)
    [row] = manage("list_paks", "--all", "--json").json
    assert row["subject_name"] == "gone"


def test_neither_keys_nor_hashes_are_shown():
    _, api = make_agent()
    for outcome in (manage("list_paks", "--all"), manage("list_paks", "--all", "--json")):
        assert str(api.key).split("_")[2] not in outcome.out
        assert Pak.objects.get().key_hash not in outcome.out


def test_a_name_cannot_draw_over_the_terminal():
    issue_pak(role=Role.ADMIN, subject_id=None, name="a\x1b[2Jb\nc", actor=SYSTEM)
    out = manage("list_paks").out
    assert "\x1b" not in out
    assert len(out.splitlines()) == 2


def test_the_queries_do_not_grow_with_the_keys(django_assert_num_queries):
    for _ in range(3):
        make_agent()
        make_generator()
    with django_assert_num_queries(3):
        manage("list_paks")


def test_an_unknown_role_is_wrong_usage():
    refused_command(manage("list_paks", "--role", "root"), 2, "invalid choice")

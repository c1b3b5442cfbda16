"""create_agent: an agent, its labels and registrations, and its key, printed once."""

import hashlib
from uuid import uuid4

import pytest

from agents.models import Agent, Registration
from audit.models import AuditLog
from generators.services import system_generator
from paks.models import Pak
from tests.factories import make_agent, make_generator
from tests.support.api import Api
from tests.support.commands import audited, manage, refused_command, shown_once

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("what a command takes and says")]

EDGE = ("--name", "edge-01", "--cluster-name", "frankfurt")


def test_the_answer_names_the_agent_and_shows_its_key_once(caplog):
    caplog.set_level(0)
    outcome = manage("create_agent", *EDGE)
    agent = Agent.objects.get()
    assert outcome.out.startswith("Agent created.\n")
    assert [outcome.field(label) for label in ("ID", "Name", "Cluster", "Status")] == [
        str(agent.id),
        "edge-01",
        "frankfurt",
        "INACTIVE",
    ]
    assert outcome.err == ""
    shown_once(outcome.field("Initial PAK"), outcome, caplog.text)


def test_the_key_is_the_agents():
    key = manage("create_agent", *EDGE).field("Initial PAK")
    assert Api(key).post("/auth/pak").json()["agent"] == str(Agent.objects.get().id)


def test_it_is_registered_with_the_system_generator_and_those_named():
    one, two = make_generator("one")[0], make_generator("two")[0]
    outcome = manage("create_agent", *EDGE, "--generator-ids", f"{one.id}, {two.id}")
    expected = [system_generator(), one, two]
    assert outcome.field("Registered generators") == ", ".join(
        f"{each.name} ({each.id})" for each in expected
    )
    assert set(Registration.objects.values_list("generator_id", flat=True)) == {each.id for each in expected}


def test_active_lets_it_work_at_once():
    assert manage("create_agent", *EDGE, "--active").field("Status") == "ACTIVE"
    assert Agent.objects.get().status == "ACTIVE"


def test_labels_are_put_on_once_each():
    outcome = manage("create_agent", *EDGE, "--label", "prod", "--label", "eu", "--label", "prod")
    assert outcome.field("Labels") == "prod, eu"
    assert sorted(Agent.objects.get().labels.values_list("label", flat=True)) == ["eu", "prod"]


def test_json_is_one_object_with_key_and_hash():
    generator, _ = make_generator()
    answer = manage(
        "create_agent", *EDGE, "--active", "--label", "prod", "--generator-ids", str(generator.id), "--json"
    ).json
    agent = Agent.objects.get()
    key, key_hash, pak_id = answer.pop("pak"), answer.pop("pak_hash"), answer.pop("pak_id")
    assert answer == {
        "id": str(agent.id),
        "name": "edge-01",
        "cluster_name": "frankfurt",
        "status": "ACTIVE",
        "labels": ["prod"],
        "generator_ids": [str(system_generator().id), str(generator.id)],
    }
    assert key_hash == hashlib.sha256(key.split("_")[2].encode()).hexdigest()
    assert Pak.objects.get(id=pak_id).subject_id == agent.id


def test_agent_and_key_are_audited_as_the_commands_doing():
    manage("create_agent", *EDGE)
    details = {"name": "edge-01", "cluster_name": "frankfurt", "via": "cli"}
    assert audited("agent.created", "create_agent").details == details
    row = audited("pak.created", "create_agent")
    assert (row.resource_type, row.resource_id) == ("pak", Agent.objects.get().id)


def test_activation_and_labels_are_audited_as_the_commands_doing():
    manage("create_agent", *EDGE, "--active", "--label", "prod")
    rows = AuditLog.objects.filter(action__in=["agent.updated", "agent.label_added"])
    assert sorted((row.actor_type, row.actor_label, row.action) for row in rows) == [
        ("admin", "command create_agent", "agent.label_added"),
        ("admin", "command create_agent", "agent.updated"),
    ]


def test_an_unknown_generator_is_refused_by_its_id():
    missing = str(uuid4())
    refused_command(
        manage("create_agent", *EDGE, "--generator-ids", missing), 1, "invalid_generator_id", missing
    )
    assert not Agent.objects.exists()


def test_a_bad_label_leaves_no_agent_behind():
    refused_command(manage("create_agent", *EDGE, "--label", "two words"), 1, "invalid_label", "two words")
    assert not Agent.objects.exists()
    assert not Pak.objects.exists()
    assert not AuditLog.objects.exists()


def test_a_taken_name_in_the_cluster_is_refused():
    make_agent(name="edge-01", cluster_name="frankfurt")
    refused_command(manage("create_agent", *EDGE), 1, "'edge-01'", "'frankfurt'", "already")
    assert Agent.objects.count() == 1


def test_the_same_name_in_another_cluster_is_free():
    make_agent(name="edge-01", cluster_name="oslo")
    assert manage("create_agent", *EDGE).code == 0


def test_a_blank_cluster_is_refused():
    refused_command(manage("create_agent", "--name", "edge", "--cluster-name", " "), 1, "invalid_agent")


def test_a_missing_cluster_is_wrong_usage():
    refused_command(manage("create_agent", "--name", "edge"), 2, "--cluster-name")


def test_a_generator_id_that_is_none_is_wrong_usage():
    refused_command(manage("create_agent", *EDGE, "--generator-ids", "ci"), 2, "'ci' is not a UUID")

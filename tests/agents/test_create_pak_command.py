"""create_pak: one more key, printed once."""

import hashlib
from uuid import UUID, uuid4

import pytest

from agents.models import Agent
from agents.services.agents import delete_agent, lock_agent
from core.events import SYSTEM
from generators.models import Generator
from generators.services import system_generator
from paks.models import Pak
from tests.factories import make_agent, make_generator
from tests.support.api import Api
from tests.support.commands import audited, manage, refused_command, shown_once

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("what a command takes and says")]

EDGE = ("agent", "--name", "edge-01", "--cluster-name", "frankfurt")


@pytest.mark.parametrize(
    "arguments",
    [("admin", "--name", "ops"), (*EDGE, "--create"), ("generator", "--name", "ci", "--create")],
    ids=["admin", "agent", "generator"],
)
def test_the_key_is_shown_once_and_on_stdout_only(arguments, caplog):
    caplog.set_level(0)
    outcome = manage("create_pak", *arguments)
    assert outcome.err == ""
    shown_once(outcome.field("PAK"), outcome, caplog.text)


def test_an_admin_key_has_its_name_and_works():
    outcome = manage("create_pak", "admin", "--name", "ops")
    pak = Pak.objects.get()
    assert [outcome.field(label) for label in ("ID", "Role", "Owner", "Name")] == [
        str(pak.id),
        "admin",
        "-",
        "ops",
    ]
    assert Api(outcome.field("PAK")).post("/auth/pak").json()["admin"] is True


def test_any_number_of_admin_keys_work_side_by_side():
    keys = [manage("create_pak", "admin", "--name", name).field("PAK") for name in ("one", "two")]
    assert [Api(key).post("/auth/pak").status_code for key in keys] == [200, 200]


def test_an_agent_gets_a_further_key_and_keeps_the_first():
    agent, first = make_agent(name="edge-01", cluster_name="frankfurt")
    outcome = manage("create_pak", *EDGE)
    assert outcome.out.startswith("Created a key for the agent.\n")
    assert (outcome.field("Owner"), outcome.field("Name")) == (str(agent.id), "edge-01")
    for api in (first, Api(outcome.field("PAK"))):
        assert api.post("/auth/pak").json()["agent"] == str(agent.id)


def test_a_generator_gets_a_further_key_and_keeps_the_first():
    generator, first = make_generator("ci")
    outcome = manage("create_pak", "generator", "--name", "ci")
    assert outcome.field("Owner") == str(generator.id)
    for api in (first, Api(outcome.field("PAK"))):
        assert api.post("/auth/pak").json()["generator"] == str(generator.id)


def test_an_owner_can_be_named_by_id():
    agent, _ = make_agent()
    generator, _ = make_generator()
    assert manage("create_pak", "agent", "--id", str(agent.id)).field("Owner") == str(agent.id)
    assert manage("create_pak", "generator", "--id", str(generator.id)).field("Owner") == str(generator.id)


def test_json_is_one_object_with_key_and_hash():
    agent, _ = make_agent(name="edge-01", cluster_name="frankfurt")
    answer = manage("create_pak", *EDGE, "--json").json
    key, key_hash = answer.pop("pak"), answer.pop("pak_hash")
    assert key_hash == hashlib.sha256(key.split("_")[2].encode()).hexdigest()
    assert answer == {
        "id": str(Pak.objects.get(key_hash=key_hash).id),
        "role": "agent",
        "subject_id": str(agent.id),
        "name": "edge-01",
        "created_owner": False,
    }


def test_json_of_an_admin_key_has_no_owner():
    answer = manage("create_pak", "admin", "--name", "ops", "--json").json
    assert (answer["role"], answer["subject_id"], answer["name"]) == ("admin", None, "ops")


def test_create_makes_the_agent_and_prints_its_only_key():
    outcome = manage("create_pak", *EDGE, "--create")
    agent = Agent.objects.get()
    assert outcome.out.startswith("Created the agent and its key.\n")
    assert (agent.name, agent.cluster_name) == ("edge-01", "frankfurt")
    assert Pak.objects.get().id == UUID(outcome.field("ID"))
    assert Api(outcome.field("PAK")).post("/auth/pak").json()["agent"] == str(agent.id)


def test_create_makes_the_generator_and_prints_its_only_key():
    answer = manage("create_pak", "generator", "--name", "ci", "--create", "--json").json
    assert answer["created_owner"] is True
    assert str(Pak.objects.get().id) == answer["id"]
    assert Api(answer["pak"]).post("/auth/pak").json()["generator"] == str(Generator.objects.get().id)


def test_create_makes_no_second_owner():
    make_generator("ci")
    answer = manage("create_pak", "generator", "--name", "ci", "--create", "--json").json
    assert answer["created_owner"] is False
    assert (Generator.objects.count(), Pak.objects.count()) == (1, 2)


def test_the_key_is_audited_as_the_commands_doing():
    outcome = manage("create_pak", "admin", "--name", "ops")
    row = audited("pak.created", "create_pak")
    assert (row.resource_type, str(row.resource_id)) == ("pak", outcome.field("ID"))
    assert row.details == {"entity": "admin", "name": "ops", "key_id": outcome.field("ID"), "via": "cli"}


def test_an_owner_that_is_created_is_audited_with_its_key():
    manage("create_pak", *EDGE, "--create")
    agent = Agent.objects.get()
    assert audited("agent.created", "create_pak").resource_id == agent.id
    assert audited("pak.created", "create_pak").resource_id == agent.id


def test_an_unknown_agent_is_refused_with_the_way_out():
    refused_command(manage("create_pak", *EDGE), 1, "'edge-01'", "'frankfurt'", "--create")
    assert not Agent.objects.exists()


def test_an_unknown_generator_is_refused_with_the_way_out():
    refused_command(manage("create_pak", "generator", "--name", "ci"), 1, "'ci'", "--create")
    assert not Generator.objects.exists()


def test_an_unknown_id_is_refused():
    refused_command(manage("create_pak", "agent", "--id", str(uuid4())), 1, "agent_not_found")
    refused_command(manage("create_pak", "generator", "--id", str(uuid4())), 1, "generator_not_found")


def test_a_deleted_agent_gets_no_key():
    agent, _ = make_agent(name="edge-01", cluster_name="frankfurt")
    delete_agent(agent=lock_agent(agent.id), actor=SYSTEM)
    refused_command(manage("create_pak", *EDGE), 1, "'edge-01'")
    refused_command(manage("create_pak", "agent", "--id", str(agent.id)), 1, "agent_not_found")
    assert not Pak.objects.usable().exists()


def test_the_system_generator_gets_no_key():
    system_generator()
    refused_command(
        manage("create_pak", "generator", "--name", "__system__"), 1, "system_generator_not_a_tenant"
    )
    assert not Pak.objects.exists()


def test_a_blank_admin_name_is_refused():
    refused_command(manage("create_pak", "admin", "--name", ""), 1, "invalid_pak")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("root", "--name", "x"),
        ("admin",),
        ("admin", "--id", str(UUID(int=1))),
        ("admin", "--name", "x", "--cluster-name", "y"),
        ("admin", "--name", "x", "--create"),
        ("agent", "--name", "x"),
        ("agent", "--cluster-name", "y"),
        ("agent", "--id", str(UUID(int=1)), "--name", "x", "--cluster-name", "y"),
        ("agent", "--id", str(UUID(int=1)), "--create"),
        ("agent", "--id", "1"),
        ("generator", "--name", "x", "--cluster-name", "y"),
        ("generator", "--name", "x\0"),
        ("generator",),
    ],
    ids=" ".join,
)
def test_options_that_do_not_fit_together_are_wrong_usage(arguments):
    refused_command(manage("create_pak", *arguments), 2, "rror")
    assert not Pak.objects.exists()

"""rotate_pak: a new key, printed once; the old ones end at once."""

import hashlib
from uuid import UUID, uuid4

import pytest

from core.events import SYSTEM
from generators.services import system_generator
from paks.models import Pak, Role
from paks.services import ensure_configured_admin, issue_pak, new_token, revoke_pak
from tests.factories import make_agent, make_generator
from tests.support.api import Api, refused
from tests.support.commands import audited, manage, refused_command, shown_once

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("what a command takes and says")]

EDGE = ("agent", "--name", "edge-01", "--cluster-name", "frankfurt")


def admin_key(name: str = "ops") -> tuple[Pak, Api]:
    pak, key = issue_pak(role=Role.ADMIN, subject_id=None, name=name, actor=SYSTEM)
    return pak, Api(key)


@pytest.mark.parametrize(
    "arguments",
    [("admin", "--name", "ops"), EDGE, ("generator", "--name", "ci")],
    ids=["admin", "agent", "gen"],
)
def test_the_key_is_shown_once_and_on_stdout_only(arguments, caplog):
    admin_key()
    make_agent(name="edge-01", cluster_name="frankfurt")
    make_generator("ci")
    caplog.set_level(0)
    outcome = manage("rotate_pak", *arguments)
    assert outcome.err == ""
    shown_once(outcome.field("New PAK"), outcome, caplog.text)


def test_an_agents_keys_all_end_and_the_new_one_works():
    agent, first = make_agent(name="edge-01", cluster_name="frankfurt")
    second = Api(manage("create_pak", *EDGE).field("PAK"))
    outcome = manage("rotate_pak", *EDGE)
    assert outcome.out.startswith("Rotated the agent's key; the old one no longer works.\n")
    assert (outcome.field("ID"), outcome.field("Name")) == (str(agent.id), "edge-01")
    for old in (first, second):
        refused(old.post("/auth/pak"), 401, "unauthorized")
    assert Api(outcome.field("New PAK")).post("/auth/pak").json()["agent"] == str(agent.id)


def test_a_generators_key_ends_and_the_new_one_works():
    generator, old = make_generator("ci")
    outcome = manage("rotate_pak", "generator", "--name", "ci")
    refused(old.post("/auth/pak"), 401, "unauthorized")
    assert Api(outcome.field("New PAK")).post("/auth/pak").json()["generator"] == str(generator.id)


def test_an_owner_can_be_named_by_id():
    agent, agent_api = make_agent()
    generator, generator_api = make_generator()
    assert manage("rotate_pak", "agent", "--id", str(agent.id)).field("ID") == str(agent.id)
    assert manage("rotate_pak", "generator", "--id", str(generator.id)).field("ID") == str(generator.id)
    for old in (agent_api, generator_api):
        refused(old.post("/auth/pak"), 401, "unauthorized")


def test_the_admin_key_of_that_name_is_replaced_and_others_stay():
    _, old = admin_key("ops")
    _, other = admin_key("audit")
    outcome = manage("rotate_pak", "admin", "--name", "ops")
    refused(old.post("/auth/pak"), 401, "unauthorized")
    assert other.post("/auth/pak").status_code == 200
    assert Api(outcome.field("New PAK")).post("/auth/pak").json()["admin"] is True
    assert outcome.field("Name") == "ops"
    assert sorted(Pak.objects.usable().values_list("name", flat=True)) == ["audit", "ops"]


def test_an_admin_key_can_be_named_by_its_id():
    pak, old = admin_key()
    outcome = manage("rotate_pak", "admin", "--id", str(pak.id))
    refused(old.post("/auth/pak"), 401, "unauthorized")
    assert Api(outcome.field("New PAK")).post("/auth/pak").status_code == 200


def test_the_name_of_a_revoked_admin_key_means_the_usable_one():
    revoked, _ = admin_key("ops")
    revoke_pak(pak_id=revoked.id, actor=SYSTEM)
    _, usable = admin_key("ops")
    assert manage("rotate_pak", "admin", "--name", "ops").code == 0
    refused(usable.post("/auth/pak"), 401, "unauthorized")


def test_json_is_one_object_with_the_new_keys_id_and_hash():
    agent, _ = make_agent(name="edge-01", cluster_name="frankfurt")
    answer = manage("rotate_pak", *EDGE, "--json").json
    key, key_hash = answer.pop("pak"), answer.pop("pak_hash")
    assert key_hash == hashlib.sha256(key.split("_")[2].encode()).hexdigest()
    assert answer == {
        "id": str(Pak.objects.usable().get().id),
        "role": "agent",
        "subject_id": str(agent.id),
        "name": "edge-01",
    }


def test_an_agents_rotation_is_audited_as_the_commands_doing():
    agent, _ = make_agent(name="edge-01", cluster_name="frankfurt")
    manage("rotate_pak", *EDGE)
    row = audited("pak.rotated", "rotate_pak")
    assert (row.resource_type, row.resource_id) == ("agent", agent.id)
    assert row.details == {"agent_name": "edge-01", "via": "cli"}


def test_a_generators_rotation_is_audited_as_the_commands_doing():
    generator, _ = make_generator("ci")
    manage("rotate_pak", "generator", "--name", "ci")
    row = audited("pak.rotated", "rotate_pak")
    assert (row.resource_type, row.resource_id) == ("generator", generator.id)
    assert row.details == {"generator_name": "ci", "via": "cli"}


def test_an_admin_keys_rotation_is_audited_with_both_keys_ids():
    old, _ = admin_key()
    manage("rotate_pak", "admin", "--name", "ops")
    new = Pak.objects.usable().get()
    row = audited("pak.rotated", "rotate_pak")
    assert (row.resource_type, row.resource_id) == ("pak", new.id)
    assert row.details == {
        "entity": "admin",
        "name": "ops",
        "key_id": str(new.id),
        "replaced_key_id": str(old.id),
        "via": "cli",
    }


@pytest.mark.parametrize("by", ["id", "name"])
def test_a_configured_key_is_not_rotated_here(by):
    token = new_token()
    ensure_configured_admin(key_hash=token.hash)
    pak = Pak.objects.get()
    refused_command(
        manage("rotate_pak", "admin", f"--{by}", str(getattr(pak, by))), 1, "BROKKR__BROKER__PAK_HASH"
    )
    assert Api(token.text).post("/auth/pak").status_code == 200


def test_a_name_of_two_admin_keys_is_refused_with_both_ids():
    ids = [str(admin_key()[0].id) for _ in range(2)]
    refused_command(manage("rotate_pak", "admin", "--name", "ops"), 1, "ambiguous_pak", *ids)
    assert Pak.objects.usable().count() == 2


def test_a_revoked_admin_key_is_not_rotated():
    pak, _ = admin_key()
    revoke_pak(pak_id=pak.id, actor=SYSTEM)
    refused_command(manage("rotate_pak", "admin", "--id", str(pak.id)), 1, "pak_already_revoked")
    assert not Pak.objects.usable().exists()


def test_the_id_of_an_agents_key_is_no_admin_key():
    make_agent()
    pak = Pak.objects.get()
    refused_command(manage("rotate_pak", "admin", "--id", str(pak.id)), 1, "pak_not_found")
    assert Pak.objects.usable().exists()


def test_what_is_not_there_is_refused():
    missing = str(uuid4())
    refused_command(manage("rotate_pak", "admin", "--name", "ops"), 1, "pak_not_found")
    refused_command(manage("rotate_pak", *EDGE), 1, "'edge-01'", "'frankfurt'")
    refused_command(manage("rotate_pak", "generator", "--name", "ci"), 1, "'ci'")
    refused_command(manage("rotate_pak", "agent", "--id", missing), 1, "agent_not_found")
    refused_command(manage("rotate_pak", "generator", "--id", missing), 1, "generator_not_found")


def test_the_system_generator_has_no_key_to_rotate():
    system_generator()
    refused_command(
        manage("rotate_pak", "generator", "--name", "__system__"), 1, "system_generator_not_a_tenant"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("admin",),
        ("admin", "--id", str(UUID(int=1)), "--name", "x"),
        ("admin", "--name", "x", "--cluster-name", "y"),
        ("agent", "--name", "x"),
        ("generator", "--name", "x", "--create"),
    ],
    ids=" ".join,
)
def test_options_that_do_not_fit_together_are_wrong_usage(arguments):
    refused_command(manage("rotate_pak", *arguments), 2, "rror")

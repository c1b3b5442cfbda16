"""create_generator: a generator and its key, printed once."""

import hashlib

import pytest

from generators.models import Generator
from generators.services import system_generator
from tests.factories import make_generator
from tests.support.api import Api
from tests.support.commands import audited, manage, refused_command, shown_once

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("what a command takes and says")]


def test_the_answer_names_the_generator_and_shows_its_key_once(caplog):
    caplog.set_level(0)
    outcome = manage("create_generator", "--name", "ci", "--description", "builds")
    generator = Generator.objects.get()
    assert (generator.name, generator.description) == ("ci", "builds")
    assert outcome.out.startswith("Generator created.\n")
    assert (outcome.field("ID"), outcome.field("Name")) == (str(generator.id), "ci")
    assert outcome.err == ""
    shown_once(outcome.field("Initial PAK"), outcome, caplog.text)


def test_the_key_is_the_generators():
    key = manage("create_generator", "--name", "ci").field("Initial PAK")
    assert Api(key).post("/auth/pak").json()["generator"] == str(Generator.objects.get().id)


def test_json_is_one_object_with_key_and_hash():
    answer = manage("create_generator", "--name", "ci", "--json").json
    generator = Generator.objects.get()
    assert {name: answer[name] for name in ("id", "name", "description")} == {
        "id": str(generator.id),
        "name": "ci",
        "description": None,
    }
    assert answer["pak_hash"] == hashlib.sha256(answer["pak"].split("_")[2].encode()).hexdigest()


def test_generator_and_key_are_audited_as_the_commands_doing():
    manage("create_generator", "--name", "ci")
    generator = Generator.objects.get()
    assert audited("generator.created", "create_generator").details == {"name": "ci", "via": "cli"}
    row = audited("pak.created", "create_generator")
    assert (row.resource_type, row.resource_id) == ("pak", generator.id)
    assert row.details
    assert {row.details["entity"], row.details["name"]} == {"generator", "ci"}


def test_a_taken_name_is_refused():
    make_generator("ci")
    refused_command(manage("create_generator", "--name", "ci"), 1, "'ci'", "already")
    assert Generator.objects.count() == 1


def test_the_system_generators_name_is_taken():
    system_generator()
    refused_command(manage("create_generator", "--name", "__system__"), 1, "already")


def test_a_blank_name_is_refused():
    refused_command(manage("create_generator", "--name", " "), 1, "invalid_generator")


def test_a_name_that_is_not_utf8_is_wrong_usage():
    refused_command(manage("create_generator", "--name", "a\udcff"), 2, "not valid UTF-8")


def test_a_missing_name_is_wrong_usage():
    refused_command(manage("create_generator"), 2, "--name")

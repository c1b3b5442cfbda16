"""create_pak and rotate_pak: keys with an end, that only read, with limits; and the overlap of a rotation."""

from datetime import timedelta

import pytest
from django.utils import timezone

from paks.models import Pak
from tests.factories import make_agent, make_generator, make_stack
from tests.support.api import Api, refused
from tests.support.commands import manage, refused_command

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("what a command takes and says")]


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%Y%m%d"])
def test_a_key_may_have_an_end_which_a_date_means_with_its_last_day(form):
    tomorrow = timezone.now().date() + timedelta(days=1)
    answer = manage("create_pak", "admin", "--name", "ops", "--expires", f"{tomorrow:{form}}", "--json").json
    assert answer["ends_at"] == f"{tomorrow + timedelta(days=1)}T00:00:00.000000Z"
    assert Api(answer["pak"]).post("/auth/pak").json()["ends_at"] == answer["ends_at"]


def test_an_end_in_the_past_is_refused():
    refused_command(
        manage("create_pak", "admin", "--name", "ops", "--expires", "2026-01-01"), 1, "invalid_key_expiry"
    )
    assert not Pak.objects.exists()


def test_an_admin_key_may_only_read():
    key = manage("create_pak", "admin", "--name", "watcher", "--read-only").field("PAK")
    assert Api(key).get("/agents").status_code == 200
    refused(Api(key).post("/generators", {"name": "new"}), 403, "pak_read_only")


def test_a_generators_key_may_be_limited_to_stacks_and_labels():
    generator, _ = make_generator(name="ci")
    one, labelled, _ = (make_stack(generator, labels=labels) for labels in ([], ["web"], []))
    outcome = manage(
        "create_pak", "generator", "--name", "ci", "--key-name", "web team",
        "--stacks", str(one.pk), "--labels", "web",
    )  # fmt: skip
    assert outcome.field("Name") == "web team"
    seen = Api(outcome.field("PAK")).get("/stacks").json()
    assert {stack["id"] for stack in seen} == {str(one.pk), str(labelled.pk)}


@pytest.mark.parametrize("limit", [("--stacks", ""), ("--labels", " , ")])
def test_limits_that_name_nothing_are_refused_and_make_no_key_without_limits(limit):
    generator, _ = make_generator(name="ci")
    refused_command(manage("create_pak", "generator", "--name", "ci", *limit), 2, "--stacks")
    assert Pak.objects.filter(subject_id=generator.pk).count() == 1


def test_a_stack_of_another_generator_is_refused():
    make_generator(name="ci")
    foreign = make_stack()
    outcome = manage("create_pak", "generator", "--name", "ci", "--stacks", str(foreign.pk))
    refused_command(outcome, 1, "invalid_key_limits", str(foreign.pk))


@pytest.mark.parametrize(
    "arguments",
    [
        ("agent", "--name", "edge", "--cluster-name", "c", "--read-only"),
        ("agent", "--name", "edge", "--cluster-name", "c", "--labels", "web"),
        ("admin", "--name", "ops", "--labels", "web"),
        ("generator", "--name", "new", "--create", "--labels", "web"),
        ("generator", "--name", "new", "--create", "--expires", "2027-01-01"),
        ("admin", "--name", "ops", "--expires", "soon"),
        ("admin", "--name", "ops", "--expires", "9999-12-31"),
    ],
    ids=" ".join,
)
def test_options_that_do_not_fit_are_wrong_usage(arguments):
    refused_command(manage("create_pak", *arguments), 2)


def test_rotating_with_an_overlap_leaves_the_old_key_its_time():
    _, old = make_agent(name="edge", cluster_name="c")
    outcome = manage("rotate_pak", "agent", "--name", "edge", "--cluster-name", "c", "--overlap", "12h")
    assert "the old one works for 12:00:00 more" in outcome.out
    assert "ends_at" in old.post("/auth/pak").json()
    assert "ends_at" not in Api(outcome.field("New PAK")).post("/auth/pak").json()


@pytest.mark.parametrize(("overlap", "code"), [("8d", 1), ("-1h", 2), ("soon", 2), ("1w", 2)])
def test_an_overlap_out_of_its_range_is_refused(overlap, code):
    _, old = make_agent(name="edge", cluster_name="c")
    refused_command(
        manage("rotate_pak", "agent", "--name", "edge", "--cluster-name", "c", f"--overlap={overlap}"), code
    )
    assert "ends_at" not in old.post("/auth/pak").json()


def test_lists_tell_ends_limits_and_addresses():
    _, api = make_generator(name="ci")
    manage("create_pak", "generator", "--name", "ci", "--labels", "web", "--expires", "2030-01-01")
    api.post("/auth/pak")
    plain, limited = manage("list_paks", "--json", "--addresses").json
    assert plain["last_used_address"] == "127.0.0.1"
    assert "limits" not in plain
    assert (limited["limits"], limited["ends_at"]) == (
        {"stacks": [], "labels": ["web"]},
        "2030-01-02T00:00:00.000000Z",
    )

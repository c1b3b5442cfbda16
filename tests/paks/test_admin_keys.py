"""Keys in the admin: their ends, the overlap of a rotation, keys that only read, and keys with limits."""

from datetime import timedelta

import pytest

from core.events import SYSTEM
from generators.services import issue_generator_pak
from paks.limits import Limits
from paks.models import Pak
from tests.factories import make_admin_key, make_agent, make_generator, make_stack
from tests.support.admin import actions_by, chosen_in, messages_of, shown_key, staff
from tests.support.api import Api, refused

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.any_database("what pages of the admin show, and what their buttons do"),
]

LIST = "paks/pak/"


def test_a_key_is_made_that_only_reads_and_ends(operator, now):
    end = now + timedelta(days=9)
    fields = {"is_read_only": "on", "expires_at": f"{end:%Y-%m-%dT%H:%M:%S}"}
    key = shown_key(operator.post(f"{LIST}add/", {"name": "watcher"} | fields))
    identity = Api(key).post("/auth/pak").json()
    assert identity["readonly"] is True
    assert identity["ends_at"].startswith(f"{end:%Y-%m-%dT%H:%M:%S}")


def test_an_end_in_the_past_is_an_error_of_the_form(operator):
    page = operator.post(f"{LIST}add/", {"name": "a", "expires_at": "2026-01-01T00:00"})
    assert "must be in the future" in page.content.decode()
    assert not Pak.objects.exists()


def test_rotating_a_key_offers_the_overlap_that_the_setting_says(operator, settings):
    settings.KEY_OVERLAP_SECONDS = 7200
    pak, old = make_admin_key()
    page = f"{LIST}{pak.pk}/rotate/"
    assert list(chosen_in(operator.get(page))) == ["7200"]
    new = shown_key(operator.post(page, {"confirmed": "yes", "choice": "7200"}))
    assert [Api(key).post("/auth/pak").status_code for key in (old, new)] == [200, 200]
    assert actions_by(operator.user) == ["pak.rotated"]
    # The words of a time keep to one line.
    shown = operator.get(LIST).content.decode().replace("\xa0", " ")
    assert "replaced" in shown
    assert "ends in 1 hour" in shown or "ends in 2 hours" in shown


@pytest.mark.parametrize("choice", ["-1", "604801", "soon", "9" * 30])
def test_an_overlap_that_is_not_offered_changes_nothing(operator, choice):
    pak, _ = make_admin_key()
    response = operator.post(f"{LIST}{pak.pk}/rotate/", {"confirmed": "yes", "choice": choice})
    assert any("7 days" in message for message in messages_of(response))
    assert Pak.objects.count() == 1


@pytest.mark.parametrize("owner", ["agent", "generator"])
def test_the_pages_of_owners_rotate_with_an_overlap_and_list_both_keys(operator, owner):
    row, old = make_agent() if owner == "agent" else make_generator()
    base = f"{owner}s/{owner}/{row.pk}"
    assert list(chosen_in(operator.get(f"{base}/rotate_key/"))) == ["86400"]
    new = Api(shown_key(operator.post(f"{base}/rotate_key/", {"confirmed": "yes", "choice": "3600"})))
    assert [api.post("/auth/pak").status_code for api in (old, new)] == [200, 200]
    page = operator.get(f"{base}/keys/").content.decode()
    assert page.count("from 127.0.0.1") == 2
    assert "replaced" in page


def test_another_end_is_given_on_a_page_of_its_own(operator, now):
    pak, key = make_admin_key()
    page = f"{LIST}{pak.pk}/end/"
    end = (now + timedelta(days=3)).replace(second=0, microsecond=0)
    operator.post(page, {"expires_at": f"{end:%Y-%m-%dT%H:%M}"})
    assert Pak.objects.get(pk=pak.pk).ends_at == end
    assert "must be in the future" in operator.post(page, {"expires_at": "2026-01-01T00:00"}).content.decode()
    operator.post(page, {"expires_at": ""})
    assert "ends_at" not in Api(key).post("/auth/pak").json()
    assert actions_by(operator.user) == ["pak.expiry_changed"] * 2


def test_the_page_shows_the_end_to_the_second(operator, now):
    pak, _ = make_admin_key(expires_at=now + timedelta(days=3))
    shown = operator.get(f"{LIST}{pak.pk}/end/").content.decode()
    assert f'value="{pak.ends_at:%Y-%m-%dT%H:%M:%S}"' in shown


def test_keys_that_end_soon_can_be_asked_for(operator, now):
    make_admin_key("soon", expires_at=now + timedelta(days=2))
    make_admin_key("never")
    shown = operator.get(LIST, end="soon").content.decode()
    assert "soon" in shown
    assert "never</span>" not in shown


def test_a_generators_page_makes_a_key_with_limits(operator):
    generator, _ = make_generator()
    stack = make_stack(generator, name="web-shop")
    labelled = make_stack(generator, labels=["web"])
    make_stack(generator)
    page = f"generators/generator/{generator.pk}/keys/"
    fields = {"name": "web team", "stacks": "web-shop", "labels": "web", "expires_at": ""}
    key = shown_key(operator.post(page, fields))
    assert {row["id"] for row in Api(key).get("/stacks").json()} == {str(stack.pk), str(labelled.pk)}
    assert "1 stack, stacks labelled web" in operator.get(page).content.decode()
    assert actions_by(operator.user) == ["pak.created"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"stacks": "", "labels": ""}, "Name a stack or a label"),
        ({"stacks": "foreign"}, "no stack named foreign"),
        ({"labels": "two words"}, "no white space"),
        ({"name": ""}, "This field is required"),
        ({"expires_at": "2026-01-01T00:00"}, "must be in the future"),
    ],
)
def test_what_is_wrong_with_the_limits_is_told_and_makes_no_key(operator, changes, words):
    generator, _ = make_generator()
    make_stack(generator, name="web-shop")
    make_stack(name="foreign")
    fields = {"name": "web team", "stacks": "web-shop", "labels": "", "expires_at": ""} | changes
    page = operator.post(f"generators/generator/{generator.pk}/keys/", fields)
    assert words in page.content.decode()
    assert Pak.objects.filter(subject_id=generator.pk).count() == 1


def test_only_who_may_see_keys_sees_those_of_an_owner_and_only_who_may_make_them_makes_one():
    generator, _ = make_generator()
    page = f"generators/generator/{generator.pk}/keys/"
    blind = staff("generators.view_generator", "generators.change_generator")
    assert blind.get(page).status_code == 403
    viewer = staff("generators.view_generator", "paks.view_pak", name="viewer")
    assert b"Make the key" not in viewer.get(page).content
    assert viewer.post(page, {"name": "mine", "labels": "web"}).status_code == 403
    assert Pak.objects.filter(subject_id=generator.pk).count() == 1


def test_a_key_with_limits_shows_them_and_keeps_them_when_it_is_replaced(operator):
    generator, _ = make_generator()
    pak, _ = issue_generator_pak(
        generator=generator, actor=SYSTEM, name="ci", limits=Limits(labels=frozenset({"web"}))
    )
    assert b"stacks labelled web" in operator.get(f"{LIST}{pak.pk}/change/").content
    key = shown_key(operator.post(f"{LIST}{pak.pk}/rotate/", {"confirmed": "yes", "choice": "0"}))
    assert Api(key).post("/auth/pak").json()["limits"]["labels"] == ["web"]
    refused(Api(key).post("/stacks", {"name": "new"}), 403, "pak_limited")

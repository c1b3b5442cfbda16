"""Keys in the admin."""

import pytest

from core.events import SYSTEM
from paks.models import Pak, Role
from paks.services import issue_pak, revoke_pak
from tests.factories import make_agent, make_generator
from tests.support.admin import actions_by, errors_of, messages_of, shown_key, staff
from tests.support.api import Api
from tests.support.events import audited_changes

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.any_database("what pages of the admin show, and what their buttons do"),
]

LIST = "paks/pak/"


def test_an_admin_key_is_made_and_shown_once(operator):
    response = operator.post(f"{LIST}add/", {"name": "laptop"})
    assert b"shown only now" in response.content
    key = shown_key(response)
    assert Api(key).post("/auth/pak").json()["admin"] is True
    pak = Pak.objects.get(name="laptop")
    for page in (LIST, f"{LIST}{pak.pk}/change/", f"{LIST}add/", "audit/auditlog/"):
        assert key not in operator.get(page).content.decode()
    assert actions_by(operator.user) == ["pak.created"]


def test_neither_hash_nor_any_part_of_the_key_is_shown(operator):
    pak, key = issue_pak(role=Role.ADMIN, subject_id=None, name="laptop", actor=SYSTEM)
    for page in (LIST, f"{LIST}{pak.pk}/change/", f"{LIST}{pak.pk}/revoke/"):
        content = operator.get(page).content.decode()
        assert pak.key_hash not in content
        assert not [part for part in key.split("_")[1:] if part in content]


def test_a_key_without_a_name_is_an_error_of_the_form(operator):
    assert errors_of(operator.post(f"{LIST}add/", {"name": " "})) == ["This field is required."]
    assert not Pak.objects.exists()


def test_only_who_may_add_keys_makes_one():
    viewer = staff("paks.view_pak", "paks.change_pak")
    assert viewer.post(f"{LIST}add/", {"name": "mine"}).status_code == 403
    assert not Pak.objects.exists()


def test_a_form_cannot_smuggle_in_a_hash_or_a_role(operator):
    operator.post(f"{LIST}add/", {"name": "laptop", "key_hash": "0" * 64, "role": "agent"})
    pak = Pak.objects.get()
    assert pak.role == Role.ADMIN
    assert pak.key_hash != "0" * 64


def test_owners_are_named(operator):
    make_agent(name="agent-of-eu")
    make_generator(name="the-pipeline")
    owners = {pak.owner_name for pak in operator.get(LIST).context["cl"].result_list}
    assert owners == {"agent-of-eu", "the-pipeline"}
    pak = Pak.objects.get(role=Role.AGENT)
    assert b"agent-of-eu" in operator.get(f"{LIST}{pak.pk}/change/").content


def test_revoking_asks_first_and_ends_the_key(operator):
    pak, key = issue_pak(role=Role.ADMIN, subject_id=None, name="laptop", actor=SYSTEM)
    page = f"{LIST}{pak.pk}/revoke/"
    assert b"laptop" in operator.get(page).content
    operator.post(page)
    assert Api(key).post("/auth/pak").status_code == 200
    operator.post(page, {"confirmed": "yes", "reason": "lost"})
    assert Api(key).post("/auth/pak").status_code == 401
    assert actions_by(operator.user) == ["pak.revoked"]
    assert operator.post(page, {"confirmed": "yes"}).status_code == 403


def test_several_are_revoked_after_a_question(operator):
    paks = [issue_pak(role=Role.ADMIN, subject_id=None, name=f"n{n}", actor=SYSTEM)[0] for n in range(3)]
    chosen = {"action": "revoke_selected", "_selected_action": [str(pak.pk) for pak in paks[:2]]}
    asked = operator.post(LIST, chosen | {"index": "0"}).content
    assert b"n0" in asked
    assert Pak.objects.usable().count() == 3
    operator.post(LIST, chosen | {"confirmed": "yes"})
    assert Pak.objects.usable().count() == 3
    operator.post(LIST, chosen | {"confirmed": "yes", "reason": "lost"})
    assert list(Pak.objects.usable()) == paks[2:]
    assert actions_by(operator.user) == ["pak.revoked"] * 2
    assert set(audited_changes().filter(action="pak.revoked").values_list("reason", flat=True)) == {"lost"}


def test_a_key_revoked_already_refuses_the_whole_action(operator):
    one, two = (issue_pak(role=Role.ADMIN, subject_id=None, name=n, actor=SYSTEM)[0] for n in ("a", "b"))
    revoke_pak(pak_id=two.pk, actor=SYSTEM)
    response = operator.post(
        f"{LIST}?revoked=all",
        {
            "action": "revoke_selected",
            "_selected_action": [str(one.pk), str(two.pk)],
            "confirmed": "yes",
            "reason": "lost",
        },
    )
    assert "The key has been revoked already." in messages_of(response)
    assert list(Pak.objects.usable()) == [one]


def test_whoever_may_only_look_revokes_nothing():
    pak, _ = issue_pak(role=Role.ADMIN, subject_id=None, name="laptop", actor=SYSTEM)
    viewer = staff("paks.view_pak")
    assert "revoke_selected" not in viewer.get(LIST).content.decode()
    viewer.post(LIST, {"action": "revoke_selected", "_selected_action": [str(pak.pk)], "confirmed": "yes"})
    assert Pak.objects.usable().count() == 1


def test_revoked_keys_are_hidden_until_asked_for(operator):
    pak, _ = issue_pak(role=Role.ADMIN, subject_id=None, name="old-laptop", actor=SYSTEM)
    revoke_pak(pak_id=pak.pk, actor=SYSTEM)
    assert b"old-laptop" not in operator.get(LIST).content
    assert b"old-laptop" in operator.get(LIST, revoked="only").content

"""revoke_pak: one key ends at once; the last admin key only by force."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.db import connection, transaction

from core.events import SYSTEM
from paks.errors import LastAdminPak
from paks.models import Pak, Role
from paks.services import ensure_configured_admin, issue_pak, revoke_pak
from tests.factories import make_agent
from tests.support.api import Api, refused
from tests.support.commands import audited, manage, refused_command
from tests.support.waits import until_it_waits_or_ends

pytestmark = pytest.mark.django_db


def admin_key(name: str = "ops") -> tuple[Pak, Api]:
    pak, key = issue_pak(role=Role.ADMIN, subject_id=None, name=name, actor=SYSTEM)
    return pak, Api(key)


def test_a_key_named_by_its_id_works_no_more():
    agent, api = make_agent()
    outcome = manage("revoke_pak", "--id", str(Pak.objects.get().id))
    assert outcome.code == 0
    assert outcome.out.startswith("The key has been revoked.\n")
    assert outcome.field("Owner") == str(agent.id)
    refused(api.post("/auth/pak"), 401, "unauthorized")


def test_a_key_named_by_its_short_token_works_no_more():
    make_agent()
    _, api = make_agent()
    assert api.key
    assert manage("revoke_pak", "--short-token", api.key.split("_")[1]).code == 0
    refused(api.post("/auth/pak"), 401, "unauthorized")
    assert Pak.objects.usable().count() == 1


def test_json_tells_which_key_ended_and_when():
    agent, _ = make_agent(name="edge")
    pak = Pak.objects.get()
    answer = manage("revoke_pak", "--id", str(pak.id), "--json").json
    pak.refresh_from_db()
    assert pak.revoked_at
    assert answer == {
        "id": str(pak.id),
        "role": "agent",
        "subject_id": str(agent.id),
        "name": "edge",
        "revoked_at": pak.revoked_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }


def test_it_is_audited_as_the_commands_doing():
    agent, _ = make_agent(name="edge")
    pak = Pak.objects.get()
    manage("revoke_pak", "--id", str(pak.id))
    row = audited("pak.revoked", "revoke_pak")
    assert (row.resource_type, row.resource_id) == ("pak", agent.id)
    assert row.details == {"entity": "agent", "name": "edge", "key_id": str(pak.id), "via": "cli"}


def test_the_last_admin_key_is_spared():
    pak, api = admin_key()
    refused_command(manage("revoke_pak", "--id", str(pak.id)), 1, "last usable admin key", "last_admin_pak")
    assert api.post("/auth/pak").status_code == 200


def test_a_revoked_admin_key_is_no_reason_to_end_the_last_one():
    first, _ = admin_key("first")
    last, api = admin_key("last")
    assert manage("revoke_pak", "--id", str(first.id)).code == 0
    refused_command(manage("revoke_pak", "--id", str(last.id)), 1, "last_admin_pak")
    assert api.post("/auth/pak").status_code == 200


def test_a_configured_key_counts_as_an_admin_key():
    pak, _ = admin_key()
    ensure_configured_admin(key_hash="a" * 64)
    assert manage("revoke_pak", "--id", str(pak.id)).code == 0


def test_force_ends_even_the_last_admin_key():
    pak, api = admin_key()
    assert manage("revoke_pak", "--id", str(pak.id), "--force").code == 0
    refused(api.post("/auth/pak"), 401, "unauthorized")


def test_an_unknown_id_is_refused():
    refused_command(manage("revoke_pak", "--id", str(uuid4())), 1, "pak_not_found")


def test_an_unknown_short_token_is_refused():
    refused_command(manage("revoke_pak", "--short-token", "BRnobody"), 1, "pak_not_found")


def test_an_empty_short_token_does_not_mean_the_configured_key():
    ensure_configured_admin(key_hash="a" * 64)
    refused_command(manage("revoke_pak", "--short-token", "", "--force"), 1, "pak_not_found")


def test_a_short_token_of_two_keys_is_refused_with_both_ids():
    make_agent()
    make_agent()
    Pak.objects.update(short_token="BRsame00")
    ids = [str(pak.id) for pak in Pak.objects.all()]
    refused_command(manage("revoke_pak", "--short-token", "BRsame00"), 1, "ambiguous_pak", *ids)
    assert Pak.objects.usable().count() == 2


def test_a_key_that_ended_cannot_end_again():
    make_agent()
    pak = Pak.objects.get()
    manage("revoke_pak", "--id", str(pak.id))
    refused_command(manage("revoke_pak", "--id", str(pak.id)), 1, "pak_already_revoked")


def test_neither_id_nor_short_token_is_wrong_usage():
    refused_command(manage("revoke_pak"), 2, "--id", "--short-token")


def test_an_id_that_is_none_is_wrong_usage():
    refused_command(manage("revoke_pak", "--id", "7"), 2, "not a UUID")


@pytest.mark.requires_postgres
@pytest.mark.django_db(transaction=True)
def test_two_at_once_do_not_end_the_last_two_admin_keys():
    first, second = admin_key("first")[0], admin_key("second")[0]

    def end_second() -> None:
        try:
            revoke_pak(pak_id=second.id, actor=SYSTEM, spare_last_admin=True)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            revoke_pak(pak_id=first.id, actor=SYSTEM, spare_last_admin=True)
            other = pool.submit(end_second)
            until_it_waits_or_ends(other)
        with pytest.raises(LastAdminPak):
            other.result()
    assert Pak.objects.usable().get() == second

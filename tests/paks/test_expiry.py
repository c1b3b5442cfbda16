"""Giving keys an end, and another one."""

from datetime import timedelta

import pytest

from core.events import SYSTEM
from paks.errors import InvalidKeyExpiry, LastAdminPak, PakAlreadyRevoked
from paks.look_ups import any_admin_key, usable_admin_key
from paks.models import Pak
from paks.services import replace_pak, revoke_pak, set_expiry
from tests.factories import make_admin_key, make_agent
from tests.support.api import Api
from tests.support.events import recorded_audit

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("away", [timedelta(0), timedelta(seconds=-1), timedelta(days=3651)])
def test_an_end_in_the_past_or_in_a_far_future_is_refused(now, away):
    with pytest.raises(InvalidKeyExpiry):
        make_admin_key(expires_at=now + away)
    assert not Pak.objects.exists()


def test_ends_are_whole_seconds_because_clocks_of_databases_are(now):
    pak, _ = make_admin_key(expires_at=now.replace(microsecond=999999) + timedelta(days=1))
    assert pak.ends_at == now.replace(microsecond=0) + timedelta(days=1)


def test_another_end_takes_the_place_of_the_first_or_takes_it_away(now):
    pak, key = make_admin_key(expires_at=now + timedelta(days=1))
    with recorded_audit() as rows:
        set_expiry(pak_id=pak.pk, expires_at=now + timedelta(days=9), actor=SYSTEM)
    assert [row.action for row in rows] == ["pak.expiry_changed"]
    assert rows[0].before["expires_at"] < rows[0].after["expires_at"]
    set_expiry(pak_id=pak.pk, expires_at=None, actor=SYSTEM)
    assert "ends_at" not in Api(key).post("/auth/pak").json()


def test_a_key_that_was_replaced_ends_with_its_overlap_whatever_end_it_is_given(now):
    old, _ = make_admin_key()
    replace_pak(pak_id=old.pk, actor=SYSTEM, overlap=timedelta(hours=1))
    over = Pak.objects.get(pk=old.pk).ends_at
    set_expiry(pak_id=old.pk, expires_at=now + timedelta(days=9), actor=SYSTEM)
    assert Pak.objects.get(pk=old.pk).ends_at == over


def test_what_has_ended_gets_no_other_end(now):
    pak, _ = make_admin_key(expires_at=now + timedelta(days=1))
    Pak.objects.filter(pk=pak.pk).update(ends_at=now - timedelta(hours=1))
    for change in (
        lambda: set_expiry(pak_id=pak.pk, expires_at=None, actor=SYSTEM),
        lambda: replace_pak(pak_id=pak.pk, actor=SYSTEM),
        lambda: revoke_pak(pak_id=pak.pk, actor=SYSTEM),
    ):
        with pytest.raises(PakAlreadyRevoked, match="has ended"):
            change()


def test_a_key_that_only_reads_counts_as_nobody_who_can_administer():
    make_admin_key(is_read_only=True)
    assert not usable_admin_key()
    assert not any_admin_key()
    writer, _ = make_admin_key("writer")
    with pytest.raises(LastAdminPak):
        revoke_pak(pak_id=writer.pk, actor=SYSTEM, spare_last_admin=True)


def test_a_key_that_only_reads_says_so():
    _, key = make_admin_key(is_read_only=True)
    assert Api(key).post("/auth/pak").json() == {
        "admin": True,
        "agent": None,
        "generator": None,
        "readonly": True,
    }


def test_the_last_use_is_noted_with_its_address():
    agent, api = make_agent()
    api.post(f"/agents/{agent.id}/heartbeat")
    pak = Pak.objects.get(subject_id=agent.id)
    assert pak.last_used_at is not None
    assert pak.last_used_address == "127.0.0.1"


def test_the_address_is_the_one_that_trusted_proxies_saw(settings):
    settings.TRUSTED_PROXY_COUNT = 1
    agent, api = make_agent()
    headers = {"X-Forwarded-For": "192.0.2.1, 198.51.100.7"}
    assert api.get(f"/agents/{agent.id}/target-state", headers=headers).status_code == 200
    assert Pak.objects.get(subject_id=agent.id).last_used_address == "198.51.100.7"

"""The admin key that the configuration names by its hash."""

from uuid import UUID

import pytest

from audit.models import AuditLog
from core.events import SYSTEM
from paks.look_ups import usable_admin_key
from paks.models import Pak, Role
from paks.services import ensure_configured_admin, issue_pak, new_token, revoke_pak
from tests.support.api import Api, refused

pytestmark = pytest.mark.django_db


def test_a_configured_hash_makes_its_key_an_admin_key():
    token = new_token()
    assert ensure_configured_admin(key_hash=token.hash) is True
    assert Api(token.text).post("/auth/pak").json()["admin"] is True
    assert usable_admin_key(key_hash=token.hash)


def test_the_same_hash_again_changes_nothing():
    token = new_token()
    ensure_configured_admin(key_hash=token.hash)
    before = AuditLog.objects.count()
    assert ensure_configured_admin(key_hash=token.hash) is False
    assert AuditLog.objects.count() == before


def test_another_hash_ends_the_earlier_one():
    earlier, later = new_token(), new_token()
    ensure_configured_admin(key_hash=earlier.hash)
    assert ensure_configured_admin(key_hash=later.hash) is True
    refused(Api(earlier.text).post("/auth/pak"), 401, "unauthorized")
    assert Api(later.text).post("/auth/pak").json()["admin"] is True
    assert AuditLog.objects.filter(action="pak.rotated", resource_type="pak").count() == 1


def test_going_back_to_an_earlier_hash_makes_it_work_again():
    earlier, later = new_token(), new_token()
    for token in (earlier, later, earlier):
        ensure_configured_admin(key_hash=token.hash)
    assert Api(earlier.text).post("/auth/pak").status_code == 200
    refused(Api(later.text).post("/auth/pak"), 401, "unauthorized")


def test_a_configured_key_revoked_by_hand_stays_revoked():
    token = new_token()
    ensure_configured_admin(key_hash=token.hash)
    revoke_pak(pak_id=Pak.objects.get().id, actor=SYSTEM)
    assert ensure_configured_admin(key_hash=token.hash) is False
    refused(Api(token.text).post("/auth/pak"), 401, "unauthorized")
    assert not usable_admin_key()


def test_the_hash_of_a_minted_key_ends_the_earlier_configured_one_and_keeps_the_minted():
    configured = new_token()
    minted, key = issue_pak(role=Role.ADMIN, subject_id=None, name="ops", actor=SYSTEM)
    ensure_configured_admin(key_hash=configured.hash)
    assert ensure_configured_admin(key_hash=minted.key_hash) is True
    assert Api(key).post("/auth/pak").status_code == 200
    refused(Api(configured.text).post("/auth/pak"), 401, "unauthorized")


def test_the_hash_of_an_agents_key_makes_no_admin_of_it():
    agent_id = UUID(int=7)
    pak, _ = issue_pak(role=Role.AGENT, subject_id=agent_id, name="edge", actor=SYSTEM)
    assert ensure_configured_admin(key_hash=pak.key_hash) is False
    assert not usable_admin_key(key_hash=pak.key_hash)

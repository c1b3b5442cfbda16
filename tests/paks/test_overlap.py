"""Rotating with an overlap: the old keys work on beside the new one, and end together."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from core.events import SYSTEM
from generators.services import issue_generator_pak
from paks.limits import Limits
from paks.models import Pak
from paks.services import replace_pak
from tests.factories import make_admin_key, make_agent, make_generator, make_stack
from tests.support.api import Api, refused
from tests.support.events import recorded_audit

pytestmark = pytest.mark.django_db

DAY = 86400


def end_now(api: Api) -> None:
    """Let the key end as if its overlap were over."""
    assert api.key is not None
    Pak.objects.filter(short_token=api.key.split("_")[1]).update(
        ends_at=timezone.now() - timedelta(seconds=1)
    )


@pytest.fixture(params=["generator", "agent"])
def owner(request) -> tuple[str, Any, Api]:
    """The path of an owner's rotation, the owner, and the API as its key sees it."""
    made: Any = make_generator() if request.param == "generator" else make_agent()
    row, api = made
    return f"/{request.param}s/{row.id}/rotate-pak", row, api


def test_both_keys_work_until_the_old_one_ends(owner, admin):
    path, _, old = owner
    new = Api(admin.post(path, {"overlap_seconds": DAY}).json()["pak"])
    assert [api.post("/auth/pak").status_code for api in (old, new)] == [200, 200]
    ends = old.post("/auth/pak").json()["ends_at"]
    assert ends.endswith(".000000Z")
    assert "ends_at" not in new.post("/auth/pak").json()
    end_now(old)
    refused(old.post("/auth/pak"), 401, "unauthorized")
    assert new.post("/auth/pak").status_code == 200


def test_the_end_is_the_overlap_away(owner, admin):
    path, row, _ = owner
    earliest = timezone.now().replace(microsecond=0) + timedelta(seconds=DAY)
    admin.post(path, {"overlap_seconds": DAY})
    (ends_at,) = Pak.objects.filter(subject_id=row.id, ends_at__isnull=False).values_list(
        "ends_at", flat=True
    )
    # A second for the clock of PostgreSQL's machine, and a minute for a busy one.
    assert earliest - timedelta(seconds=1) <= ends_at <= earliest + timedelta(minutes=1)


@pytest.mark.parametrize("seconds", [-1, 7 * DAY + 1, 2**31 - 1])
def test_an_overlap_out_of_its_range_is_refused_and_nothing_changes(owner, admin, seconds):
    path, row, old = owner
    refused(admin.post(path, {"overlap_seconds": seconds}), 422, "invalid_key_overlap")
    assert Pak.objects.filter(subject_id=row.id).count() == 1
    assert old.post("/auth/pak").status_code == 200


@pytest.mark.parametrize("wrong", ["1", 1.5, True, None])
def test_an_overlap_that_is_no_number_is_refused(owner, admin, wrong):
    refused(admin.post(owner[0], {"overlap_seconds": wrong}), 422, "invalid_request_body")


def test_the_ends_of_the_range_are_taken(owner, admin):
    path, _, old = owner
    new = Api(admin.post(path, {"overlap_seconds": 7 * DAY}).json()["pak"])
    assert old.post("/auth/pak").status_code == 200
    admin.post(path, {"overlap_seconds": 0})
    for ended in (old, new):
        refused(ended.post("/auth/pak"), 401, "unauthorized")


def test_a_second_rotation_never_makes_an_old_key_last_longer(owner, admin):
    path, row, _ = owner
    admin.post(path, {"overlap_seconds": 60})
    (first,) = Pak.objects.filter(subject_id=row.id, ends_at__isnull=False)
    admin.post(path, {"overlap_seconds": DAY})
    assert Pak.objects.get(pk=first.pk).ends_at == first.ends_at


def test_the_owner_may_repeat_a_rotation_whose_answer_was_lost(owner):
    path, _, old = owner
    old.post(path, {"overlap_seconds": DAY})
    again = old.post(path, {"overlap_seconds": DAY})
    assert again.status_code < 300
    assert Api(again.json()["pak"]).post("/auth/pak").status_code == 200


def test_a_key_that_replaces_itself_cannot_outlast_its_expiry(owner):
    path, row, api = owner
    expires_at = (timezone.now() + timedelta(days=3)).replace(microsecond=0)
    Pak.objects.filter(subject_id=row.id).update(expires_at=expires_at, ends_at=expires_at)
    for _ in range(2):
        # Also by the old key, whose own end is earlier by now.
        api.post(path, {"overlap_seconds": 60})
    assert set(Pak.objects.filter(subject_id=row.id).values_list("expires_at", flat=True)) == {expires_at}


def test_an_admin_gives_a_key_without_that_expiry(owner, admin):
    path, row, _ = owner
    expires_at = timezone.now() + timedelta(days=3)
    Pak.objects.filter(subject_id=row.id).update(expires_at=expires_at, ends_at=expires_at)
    new = Api(admin.post(path).json()["pak"])
    assert "ends_at" not in new.post("/auth/pak").json()


def test_the_overlap_is_audited(owner, admin):
    with recorded_audit() as rows:
        admin.post(owner[0], {"overlap_seconds": DAY})
    assert [(row.action, row.details["overlap_seconds"]) for row in rows] == [("pak.rotated", DAY)]


def test_keys_with_limits_stay_when_their_generator_rotates(admin):
    generator, _ = make_generator()
    limits = Limits(stack_ids=frozenset({make_stack(generator).pk}))
    pak, key = issue_generator_pak(generator=generator, actor=SYSTEM, limits=limits)
    admin.post(f"/generators/{generator.id}/rotate-pak")
    assert Api(key).post("/auth/pak").json()["limits"] == pak.limits


def test_a_key_that_is_replaced_alone_keeps_its_rights():
    generator, plain = make_generator()
    limits = Limits(labels=frozenset({"web"}))
    limited, old = issue_generator_pak(generator=generator, actor=SYSTEM, name="ci", limits=limits)
    reader, _ = make_admin_key(is_read_only=True)
    new, key = replace_pak(pak_id=limited.pk, actor=SYSTEM, overlap=timedelta(hours=1))
    assert (new.name, new.subject_id, new.limits) == ("ci", generator.id, {"stacks": [], "labels": ["web"]})
    assert replace_pak(pak_id=reader.pk, actor=SYSTEM)[0].is_read_only
    assert [Api(text).post("/auth/pak").status_code for text in (old, key, plain.key)] == [200, 200, 200]

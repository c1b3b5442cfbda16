"""Keys that end soon: who is told, once, and of which."""

from datetime import timedelta

import pytest

from core.events import SYSTEM
from core.metrics import exposition
from generators.services import issue_generator_pak
from paks.endings import announce_endings, ending_soon
from paks.installation_checks import ending_keys
from paks.limits import Limits
from paks.models import Pak
from paks.services import replace_pak, revoke_pak, set_expiry
from tests.factories import make_admin_key, make_generator
from tests.support.events import notices, recorded_audit, recorded_events

pytestmark = pytest.mark.django_db


def admin_key(now, *, days: float | None, name: str = "terraform") -> Pak:
    expires_at = None if days is None else now + timedelta(days=days)
    return make_admin_key(name, expires_at=expires_at)[0]


def test_a_key_that_ends_within_the_warning_time_is_found_and_no_other(now, settings):
    settings.KEY_WARNING_DAYS = 14
    soon = admin_key(now, days=13, name="soon")
    admin_key(now, days=15, name="later")
    admin_key(now, days=None, name="never")
    revoked = admin_key(now, days=1, name="revoked")
    revoke_pak(pak_id=revoked.pk, actor=SYSTEM)
    ended = admin_key(now, days=1, name="ended")
    Pak.objects.filter(pk=ended.pk).update(ends_at=now - timedelta(hours=1))
    assert list(ending_soon(now)) == [soon]


def test_a_key_that_another_of_the_same_name_outlasts_is_no_worry(now):
    old = admin_key(now, days=None)
    replace_pak(pak_id=old.pk, actor=SYSTEM, overlap=timedelta(days=1))
    assert list(ending_soon(now)) == []
    other = admin_key(now, days=1, name="another")
    assert list(ending_soon(now)) == [other]


def test_a_key_that_may_less_replaces_none(now):
    writes = admin_key(now, days=1)
    make_admin_key(writes.name, is_read_only=True)
    reads = make_admin_key("reads", is_read_only=True, expires_at=now + timedelta(days=2))[0]
    assert list(ending_soon(now).order_by("ends_at")) == [writes, reads]
    make_admin_key("reads", is_read_only=True)
    generator, _ = make_generator()
    whole, limited = (
        issue_generator_pak(
            generator=generator, actor=SYSTEM, name="ci", expires_at=now + timedelta(days=days), limits=limits
        )[0]
        for days, limits in ((3, None), (4, Limits(labels=frozenset({"web"}))))
    )
    assert list(ending_soon(now).order_by("ends_at")) == [writes, whole, limited]
    issue_generator_pak(
        generator=generator, actor=SYSTEM, name="ci", limits=Limits(labels=frozenset({"web"}))
    )
    assert list(ending_soon(now).order_by("ends_at")) == [writes, whole]


def test_a_key_of_another_owner_with_that_name_does_not_count(now):
    generators = [make_generator()[0] for _ in range(2)]
    for generator, days in zip(generators, (1, 100), strict=True):
        issue_generator_pak(
            generator=generator, actor=SYSTEM, name="ci", expires_at=now + timedelta(days=days)
        )
    assert [pak.subject_id for pak in ending_soon(now)] == [generators[0].pk]


def test_it_is_announced_once_and_again_after_another_end_was_given(now):
    generator, _ = make_generator()
    pak, _ = issue_generator_pak(
        generator=generator, actor=SYSTEM, name="ci", expires_at=now + timedelta(days=2)
    )
    with recorded_events() as events, recorded_audit() as rows:
        assert [announce_endings(now=now), announce_endings(now=now)] == [1, 0]
    assert [(row.action, row.resource_id) for row in rows] == [("pak.end_announced", generator.pk)]
    ((event_type, data),) = notices(events)
    assert event_type == "pak.end_announced"
    assert data == {
        "key_id": pak.pk,
        "name": "ci",
        "role": "generator",
        "generator_id": generator.pk,
        "ends_at": pak.ends_at,
    }
    set_expiry(pak_id=pak.pk, expires_at=now + timedelta(days=3), actor=SYSTEM)
    assert announce_endings(now=now) == 1


def test_doctor_and_metric_tell_of_it(now):
    pak = admin_key(now, days=2)
    (message,) = ending_keys()
    assert message.id == "brokkr.ending_key"
    assert str(pak.pk) in message.msg
    assert 'brokkr_keys_ending_soon{role="admin"} 1.0' in exposition().decode()


def test_only_some_of_many_are_named(now):
    for number in range(22):
        admin_key(now, days=2, name=f"key-{number}")
    messages = list(ending_keys())
    assert len(messages) == 21
    assert messages[-1].msg.startswith("2 more keys")

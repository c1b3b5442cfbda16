"""When the worker looks at a rollout: at the soonest deadline, after a report, and once a minute at least."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rollouts.models import Rollout, RolloutState
from rollouts.services.ticking import tick_due
from rollouts.services.transitions import MAX_UNLOOKED
from tests.factories import make_event, make_health
from tests.support.rollouts import SOAK, make_scene, wave

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


@pytest.fixture
def scene():
    return make_scene()


def due(scene):
    return Rollout.objects.due(scene.now).count()


def test_a_rollout_is_due_when_it_starts_and_not_again_at_once(scene):
    scene.publish()
    assert tick_due(now=scene.now) == 1
    assert Rollout.objects.get().wave == 1
    assert tick_due(now=scene.now) == 0


def test_it_is_due_again_after_a_minute(scene):
    scene.publish()
    tick_due(now=scene.now)
    scene.ahead += MAX_UNLOOKED
    assert tick_due(now=scene.now) == 1


def test_a_soak_that_ends_sooner_is_looked_at_then():
    scene = make_scene(wave("canary", count=1, soak_seconds=20), wave())
    scene.publish()
    tick_due(now=scene.now)
    rollout = Rollout.objects.get(stack=scene.stack)
    make_event(scene.holders(rollout.version)[0], rollout.version)
    Rollout.objects.update(next_look_at=scene.now)
    tick_due(now=scene.now)
    scene.ahead += 20 * SECOND
    assert tick_due(now=scene.now) == 1
    assert scene.again(rollout).wave == 2


def test_a_report_brings_the_look_forward(scene, django_capture_on_commit_callbacks):
    rollout = scene.start()
    tick_due(now=scene.now)
    assert due(scene) == 0
    with django_capture_on_commit_callbacks(execute=True):
        make_event(scene.holders(rollout.version)[0], rollout.version)
    assert due(scene) == 1


def test_a_word_on_health_does_too(scene, django_capture_on_commit_callbacks):
    rollout = scene.start()
    tick_due(now=scene.now)
    with django_capture_on_commit_callbacks(execute=True):
        make_health(scene.holders(rollout.version)[0], rollout.version)
    assert due(scene) == 1


def test_a_report_about_another_version_does_not(scene, django_capture_on_commit_callbacks):
    scene.start()
    tick_due(now=scene.now)
    with django_capture_on_commit_callbacks(execute=True):
        make_event(scene.agents[0], scene.first)
    assert due(scene) == 0


def test_a_report_where_no_rollout_is_under_way_asks_once(scene, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as callbacks:
        make_event(scene.agents[0], scene.first)
    with CaptureQueriesContext(connection) as captured:
        for callback in callbacks:
            callback()
    assert sum("rollouts" in query["sql"] for query in captured) == 1


def test_paused_rollouts_are_not_looked_at(scene):
    scene.publish()
    Rollout.objects.update(state=RolloutState.PAUSED)
    assert tick_due(now=scene.now) == 0


def test_ticking_again_changes_nothing(scene):
    rollout = scene.start()
    before = Rollout.objects.values().get()
    scene.tick(rollout)
    after = Rollout.objects.values().get()
    assert {**before, "next_look_at": None} == {**after, "next_look_at": None}


def test_a_look_costs_a_fixed_number_of_queries(scene, django_assert_max_num_queries):
    rollout = scene.prove(scene.start())
    assert rollout.wave == 2
    with django_assert_max_num_queries(8):
        scene.tick(rollout, after=SOAK)

"""Held versions in the admin, and the button that releases one."""

import pytest

from agents.models import VersionHold
from core.events import Actor
from paks.actors import ActorType
from rollouts.models import Rollout
from tests.support.admin import messages_of, staff
from tests.support.rollouts import make_scene

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.any_database("what pages of the admin show, and what their buttons do"),
]

YES = {"confirmed": "yes", "reason": "it was the cluster"}


def test_the_list_says_why_each_version_waits(operator):
    rollout = make_scene().start()
    page = operator.get("agents/versionhold/")
    assert [hold.version_id for hold in page.context["cl"].result_list] == [rollout.version_id]
    assert "reaches the fleet in waves" in page.content.decode()


def test_content_that_was_rolled_back_is_released_by_the_strategy(operator):
    scene = make_scene()
    rollout = scene.start()
    operator.post(f"rollouts/rollout/{rollout.pk}/roll_back/", {"confirmed": "yes", "reason": "it crashes"})
    again = scene.publish(actor=Actor(type=ActorType.GENERATOR, id=scene.stack.generator_id))
    hold = VersionHold.objects.get(version=again)
    assert "its content was rolled back before" in operator.get("agents/versionhold/").content.decode()
    page = operator.post(f"agents/versionhold/{hold.pk}/release/", YES)
    assert messages_of(page) == [f"Released: #{again.pk} of {scene.stack.name}."]
    assert Rollout.objects.get(version=again).state == "progressing"


def test_a_version_whose_rollout_is_under_way_is_not_released_beside_it(operator):
    rollout = make_scene().start()
    hold = VersionHold.objects.get(version=rollout.version)
    page = operator.post(f"agents/versionhold/{hold.pk}/release/", YES)
    assert messages_of(page) == ["The version is not held, or its rollout is under way."]


def test_releasing_needs_the_right_to_approve():
    rollout = make_scene().start()
    hold = VersionHold.objects.get(version=rollout.version)
    looker = staff("agents.view_versionhold", "rollouts.change_rollout")
    assert looker.post(f"agents/versionhold/{hold.pk}/release/", YES).status_code == 403

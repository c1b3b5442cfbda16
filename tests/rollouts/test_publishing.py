"""Publishing to a stack with a strategy, by each door, and past the strategy."""

from urllib.parse import urlencode

import pytest

from paks.actors import ActorType
from paks.models import Role
from paks.services import issue_pak
from rollouts.models import Rollout, RolloutState
from rollouts.services.strategies import remove_stack_strategy
from rollouts.strategies import HealthGate
from stacks.models import DeploymentObject
from stacks.services import roll_back
from tests.factories import MANIFEST, make_template, manifest
from tests.support.api import Api, refused
from tests.support.rollouts import ADMIN, give_strategy, make_scene, make_strategy, wave

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene():
    return make_scene()


@pytest.fixture
def owner(scene):
    """The API as the generator that owns the stack sees it."""
    _, key = issue_pak(role=Role.GENERATOR, subject_id=scene.stack.generator_id, name="ci", actor=ADMIN)
    return Api(key)


def post(api, scene, **query):
    path = f"/stacks/{scene.stack.id}/deployment-objects"
    return api.post(f"{path}?{urlencode(query)}", {"yaml_content": MANIFEST})


def newest(scene):
    return DeploymentObject.objects.filter(stack=scene.stack).latest("sequence_id")


def test_the_api_starts_a_rollout_and_notes_who_published(owner, scene):
    assert post(owner, scene).status_code == 201
    rollout = Rollout.objects.get(version=newest(scene))
    assert rollout.state == RolloutState.PROGRESSING
    assert rollout.publisher_role == ActorType.GENERATOR
    assert rollout.publisher_id == scene.stack.generator_id
    assert rollout.publisher_key_id is not None


@pytest.mark.parametrize("from_template", [False, True])
def test_the_answer_warns_that_required_health_may_never_come(admin, from_template):
    scene = make_scene(wave("canary", count=1, health=HealthGate.REQUIRED), wave())
    path = f"/stacks/{scene.stack.id}/deployment-objects"
    answer = (
        admin.post(
            f"{path}/from-template", {"template_id": str(make_template().id), "parameters": {"name": "a"}}
        )
        if from_template
        else admin.post(path, {"yaml_content": MANIFEST})
    )
    (warning,) = answer.json()["warnings"]
    assert "'canary' requires health" in warning.pop("message")
    assert warning == {"code": "may_never_be_proven", "document": None, "line": None}


def test_the_answer_warns_of_waves_that_no_agent_matches(admin):
    scene = make_scene(wave("app", labels=("app",)), wave("typo", labels=("rign=0", "ring=O")), wave())
    (warning,) = post(admin, scene).json()["warnings"]
    assert "'typo' matches no agent now: none has rign=0 or ring=O" in warning.pop("message")
    assert warning == {"code": "wave_matches_nobody", "document": None, "line": None}


def test_waves_of_a_stack_that_nobody_serves_yet_are_not_warned_of(admin):
    scene = make_scene(wave("typo", labels=("rign=0",)), wave(), agents=0)
    assert post(admin, scene).json()["warnings"] == []


def test_the_answer_does_not_warn_of_health_where_none_counts(admin, scene):
    assert post(admin, scene).json()["warnings"] == []
    strict = make_scene(wave(health=HealthGate.REQUIRED))
    path = f"/stacks/{strict.stack.id}/deployment-objects"
    marker = {"yaml_content": "", "is_deletion_marker": True}
    assert admin.post(path, marker).json()["warnings"] == []


def test_a_template_starts_a_rollout(admin, scene):
    path = f"/stacks/{scene.stack.id}/deployment-objects/from-template"
    body = {"template_id": str(make_template().id), "parameters": {"name": "a"}}
    assert admin.post(path, body).status_code == 201
    assert Rollout.objects.filter(version=newest(scene)).exists()


def test_the_page_of_the_admin_starts_a_rollout(operator, scene):
    path = f"stacks/stack/{scene.stack.pk}/publish/"
    operator.post(path, {"manifest": manifest("a: 2"), "base": scene.first.pk})
    assert Rollout.objects.get(version=newest(scene)).publisher_label == "astrid"


def test_publishing_an_older_content_again_starts_a_rollout(scene):
    version = roll_back(stack_id=scene.stack.pk, to=scene.first, reason="again", actor=ADMIN)
    assert Rollout.objects.filter(version=version).exists()


def test_a_deletion_marker_goes_by_the_strategy(admin, scene):
    path = f"/stacks/{scene.stack.id}/deployment-objects"
    admin.post(path, {"yaml_content": "", "is_deletion_marker": True})
    assert Rollout.objects.get(version=newest(scene)).state == RolloutState.PROGRESSING


def test_none_is_for_everybody_at_once(admin, scene):
    assert post(admin, scene, strategy="none", reason="an emergency").status_code == 201
    assert scene.holders(newest(scene)) == scene.agents
    assert not Rollout.objects.exists()


def test_a_template_goes_past_the_strategy_with_the_right_and_a_reason(owner, admin, scene):
    path = f"/stacks/{scene.stack.id}/deployment-objects/from-template"
    body = {"template_id": str(make_template().id), "parameters": {"name": "a"}}
    refused(owner.post(f"{path}?strategy=none&reason=x", body), 403, "rollout_bypass_denied")
    refused(admin.post(f"{path}?strategy=none", body), 400, "reason_required")
    assert newest(scene) == scene.first
    assert admin.post(f"{path}?strategy=none&reason=an%20emergency", body).status_code == 201
    assert scene.holders(newest(scene)) == scene.agents


def test_another_strategy_is_used_for_this_version_alone(admin, scene):
    other = make_strategy(wave())
    assert post(admin, scene, strategy=other.name, reason="it is small").status_code == 201
    assert Rollout.objects.get().strategy_name == other.name
    assert post(admin, scene).status_code == 201
    assert Rollout.objects.latest("created_at").strategy_name != other.name


@pytest.mark.parametrize("named", ["none", "another"])
def test_an_owner_may_not_publish_past_the_strategy(owner, scene, named):
    name = make_strategy().name if named == "another" else named
    refused(post(owner, scene, strategy=name, reason="I want to"), 403, "rollout_bypass_denied")
    assert newest(scene) == scene.first


def test_past_the_strategy_wants_a_reason(admin, scene):
    refused(post(admin, scene, strategy="none"), 400, "reason_required")


def test_an_owner_may_name_the_strategy_that_the_stack_has(owner, scene):
    name = scene.stack.rollout_strategy.strategy.name
    assert post(owner, scene, strategy=name).status_code == 201
    assert Rollout.objects.filter(version=newest(scene)).exists()


def test_an_owner_may_name_a_strategy_where_the_stack_has_none(owner, scene):
    name = scene.stack.rollout_strategy.strategy.name
    remove_stack_strategy(stack=scene.stack, reason="a test", actor=ADMIN)
    assert post(owner, scene, strategy=name).status_code == 201
    assert Rollout.objects.filter(version=newest(scene)).exists()


def test_an_unknown_strategy_publishes_nothing(admin, scene):
    refused(post(admin, scene, strategy="unknown", reason="x"), 404, "rollout_strategy_not_found")
    assert newest(scene) == scene.first


def test_without_a_strategy_a_version_is_for_everybody_as_before(scene):
    remove_stack_strategy(stack=scene.stack, reason="a test", actor=ADMIN)
    version = scene.publish()
    assert scene.holders(version) == scene.agents
    assert not version.holds.exists()


def test_a_changed_strategy_counts_from_the_next_version_on(scene):
    rollout = scene.start("a: 2")
    remove_stack_strategy(stack=scene.stack, reason="a test", actor=ADMIN)
    other = make_strategy(wave())
    give_strategy(scene.stack, other)
    assert scene.again(rollout).state == RolloutState.PROGRESSING
    assert Rollout.objects.get(version=scene.publish("a: 3")).strategy_name == other.name

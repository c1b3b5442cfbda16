"""POST /rollouts/{id}/…, and the release of a held version."""

import pytest

from core.events import SYSTEM
from paks.models import Role
from paks.services import issue_pak
from rollouts.models import Rollout, RolloutCheck
from tests.factories import make_generator
from tests.support.api import Api, refused
from tests.support.events import recorded_events
from tests.support.rollouts import make_scene, wave

pytestmark = pytest.mark.django_db

WHY = {"reason": "because"}
GATED = (wave("canary", count=1, checks=("smoke",)), wave("rest", needs_approval=True))


@pytest.fixture
def owned():
    generator, owner = make_generator()
    scene = make_scene(*GATED, generator=generator)
    return scene, scene.start(), owner


def path(rollout, action):
    return f"/rollouts/{rollout.pk}/{action}"


def test_an_owner_pauses_and_resumes_and_both_are_told_with_the_reason(owned):
    _, rollout, owner = owned
    with recorded_events() as events:
        paused = owner.post(path(rollout, "pause"), WHY)
        resumed = owner.post(path(rollout, "resume"), {"reason": "better"})
    assert (paused.json()["state"], paused.json()["reason"]) == ("paused", "because")
    assert (resumed.json()["state"], resumed.json()["reason"]) == ("progressing", "better")
    assert [(event.kind, event.details["reason"]) for event in events] == [
        ("rollout.paused", "because"),
        ("rollout.resumed", "better"),
    ]


def test_pausing_and_resuming_need_no_body(owned):
    _, rollout, owner = owned
    assert owner.post(path(rollout, "pause")).json()["state"] == "paused"
    assert owner.post(path(rollout, "resume")).json()["state"] == "progressing"


@pytest.mark.parametrize("action", ["abort", "roll-back", "skip"])
def test_what_undoes_something_needs_a_reason(admin, owned, action):
    _, rollout, _ = owned
    refused(admin.post(path(rollout, action), {"reason": " "}), 400, "reason_required")
    refused(admin.post(path(rollout, action), {}), 422, "invalid_request_body")


def test_what_its_state_does_not_allow_is_refused(admin, owned):
    _, rollout, _ = owned
    assert admin.post(path(rollout, "abort"), WHY).json()["state"] == "aborted"
    for action in ("pause", "resume", "abort", "skip"):
        body = refused(admin.post(path(rollout, action), WHY), 409, "rollout_state_conflict")
        assert body["details"] == {"state": "aborted"}


def test_an_approval_names_the_wave_that_waits(admin, owned):
    scene, rollout, owner = owned
    owner.post(path(rollout, "waves/1/checks/smoke"), {"verdict": "passed"})
    assert scene.prove(rollout).state == "waiting_for_approval"
    for number in (1, 3):
        refused(admin.post(path(rollout, "approve"), {"wave": number}), 409, "wave_not_waiting")
    refused(owner.post(path(rollout, "approve"), {"wave": 2}), 403, "admin_required")
    body = admin.post(path(rollout, "approve"), {"wave": 2, "reason": "looks well"}).json()
    assert (body["state"], body["waves"][1]["approval_reason"]) == ("progressing", "looks well")


def test_who_published_may_be_refused_to_approve():
    keys = [Api(issue_pak(role=Role.ADMIN, subject_id=None, name=name, actor=SYSTEM)[1]) for name in "ab"]
    scene = make_scene(wave("all", needs_approval=True), wave(), approval_by_another=True)
    body = {"yaml_content": scene.first.yaml_content}
    assert keys[0].post(f"/stacks/{scene.stack.pk}/deployment-objects", body).status_code == 201
    rollout = scene.tick(Rollout.objects.get())
    refused(keys[0].post(path(rollout, "approve"), {"wave": 1}), 403, "approval_by_another_required")
    assert keys[1].post(path(rollout, "approve"), {"wave": 1}).status_code == 200


def test_skipping_gives_the_version_to_everybody(admin, owned):
    scene, rollout, _ = owned
    body = admin.post(path(rollout, "skip"), WHY).json()
    assert (body["state"], body["skipped"]) == ("succeeded", True)
    assert scene.holders(rollout.version) == scene.agents


def test_rolling_back_answers_the_new_version(owned):
    scene, rollout, owner = owned
    (canary,) = scene.holders(rollout.version)
    answer = owner.post(path(rollout, "roll-back"), WHY)
    assert answer.status_code == 201, answer.content
    assert answer.json()["yaml_content"] == scene.first.yaml_content
    assert scene.wanted()[canary.name] == answer.json()["sequence_id"] > rollout.version_id
    refused(owner.post(path(rollout, "roll-back"), WHY), 409, "rollout_state_conflict")


def test_a_rollback_that_is_repeated_with_its_key_happens_once(owned):
    scene, rollout, owner = owned
    headers = {"Idempotency-Key": "undo"}
    first, again = (owner.post(path(rollout, "roll-back"), WHY, headers=headers) for _ in range(2))
    assert (again.status_code, again.json()) == (201, first.json())
    assert scene.stack.deployment_objects.count() == 3


def test_the_verdict_of_a_check_is_taken_and_shown(admin, owned):
    scene, rollout, owner = owned
    answer = owner.post(path(rollout, "waves/1/checks/smoke"), {"verdict": "failed", "note": "500"})
    assert answer.status_code == 200, answer.content
    assert (answer.json()["verdict"], answer.json()["note"]) == ("failed", "500")
    scene.tick(rollout)
    body = admin.get(f"/rollouts/{rollout.pk}").json()
    assert (body["state"], body["cause"]) == ("paused", "check_failed")
    assert body["waves"][0]["checks"] == [answer.json()]
    assert body["waves"][0]["awaited_checks"] == ["smoke"]


@pytest.mark.parametrize("where", ["waves/1/checks/other", "waves/2/checks/smoke", "waves/9/checks/smoke"])
def test_a_check_that_nobody_waits_for_is_refused(admin, owned, where):
    _, rollout, _ = owned
    refused(admin.post(path(rollout, where), {"verdict": "passed"}), 409, "check_not_awaited")
    assert not RolloutCheck.objects.exists()


@pytest.mark.parametrize("number", ["0", "-1", "one", "1.0", "99999", "²"])
def test_a_wave_without_a_number_is_refused(admin, owned, number):
    _, rollout, _ = owned
    body = {"verdict": "passed"}
    refused(admin.post(path(rollout, f"waves/{number}/checks/smoke"), body), 400, "invalid_path")


def test_another_verdict_is_refused(admin, owned):
    _, rollout, _ = owned
    answer = admin.post(path(rollout, "waves/1/checks/smoke"), {"verdict": "maybe"})
    refused(answer, 422, "invalid_request_body")


def test_a_held_version_is_released_by_the_stacks_strategy(admin, owned):
    scene, rollout, owner = owned
    release = f"/deployment-objects/{rollout.version.id}/release"
    refused(admin.post(release, WHY), 409, "version_not_held")
    admin.post(path(rollout, "abort"), WHY)
    refused(owner.post(release, WHY), 403, "admin_required")
    refused(admin.post(release, {"reason": ""}), 400, "reason_required")
    body = admin.post(release, WHY).json()
    assert body["sequence_id"] == rollout.version_id
    assert scene.tick(Rollout.objects.get(pk=body["rollout_id"])).state == "progressing"


def test_without_a_strategy_a_held_version_is_released_to_everybody(admin, owned):
    scene, rollout, _ = owned
    admin.post(path(rollout, "abort"), WHY)
    admin.delete(f"/stacks/{scene.stack.pk}/rollout-strategy", WHY)
    body = admin.post(f"/deployment-objects/{rollout.version.id}/release", WHY).json()
    assert body["rollout_id"] is None
    assert scene.holders(rollout.version) == scene.agents

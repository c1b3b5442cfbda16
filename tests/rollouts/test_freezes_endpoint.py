"""/freezes, and the header that overrides them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from agents.wanted.versions import newest_unheld
from core.events import SYSTEM
from paks.models import Role
from paks.services import issue_pak
from rollouts.models import Freeze, Rollout, RolloutState
from rollouts.services.freezes import begin_freeze
from tests.factories import MANIFEST, make_generator, make_stack
from tests.support.api import Api, refused
from tests.support.events import recorded_events
from tests.support.rollouts import ADMIN, make_scene

pytestmark = pytest.mark.django_db

FLEET = {"scope": "fleet", "reason": "Black Friday"}
OVERRIDE = {"X-Brokkr-Override-Freeze": "a fire"}


def begin(admin, **fields):
    return admin.post("/freezes", FLEET | fields)


def owner_of(stack):
    _, key = issue_pak(role=Role.GENERATOR, subject_id=stack.generator_id, name="ci", actor=SYSTEM)
    return Api(key)


def test_a_freeze_is_shown_as_it_was_begun(admin):
    until = (timezone.now() + timedelta(days=1)).isoformat()
    body = begin(admin, until=until).json()
    assert (body["scope"], body["reason"], body["lifted_at"]) == ("fleet", "Black Friday", None)
    assert (body["generator_id"], body["label"], body["expired"]) == (None, "", False)
    assert body["until"] is not None
    assert admin.get(f"/freezes/{body['id']}").json() == body
    assert admin.get("/freezes").json() == [body]


@pytest.mark.parametrize(
    "fields",
    [
        {"reason": " "},
        {"scope": "generator"},
        {"scope": "label"},
        {"label": "region=eu"},
        {"scope": "label", "label": "two words"},
        {"scope": "generator", "generator_id": "00000000-0000-7000-8000-000000000000"},
        {"until": "2020-01-01T00:00:00Z"},
    ],
    ids=str,
)
def test_a_freeze_that_cannot_hold_is_refused(admin, fields):
    refused(begin(admin, **fields), 400, "invalid_freeze")


@pytest.mark.parametrize(
    "fields", [{"scope": "world"}, {"until": "tomorrow"}, {"generator_id": "7"}], ids=str
)
def test_a_field_of_the_wrong_form_is_refused(admin, fields):
    refused(begin(admin, **fields), 422, "invalid_request_body")


def test_lifting_ends_it_once(admin):
    path = f"/freezes/{begin(admin).json()['id']}"
    assert admin.delete(path).status_code == 204
    assert admin.get(path).json()["lifted_at"] is not None
    refused(admin.delete(path), 404, "freeze_not_found")


def test_lifting_an_older_state_is_refused(admin):
    path = f"/freezes/{begin(admin).json()['id']}"
    refused(admin.delete(path, headers={"If-Match": '"other"'}), 412, "precondition_failed")
    assert admin.delete(path, headers={"If-Match": admin.get(path).headers["ETag"]}).status_code == 204


def test_a_list_can_be_of_those_that_hold(admin):
    ended, holding = begin(admin).json()["id"], begin(admin).json()["id"]
    admin.delete(f"/freezes/{ended}")
    assert [row["id"] for row in admin.get("/freezes").json()] == [holding, ended]
    assert [row["id"] for row in admin.get("/freezes?holding=true").json()] == [holding]
    assert [row["id"] for row in admin.get("/freezes?holding=false").json()] == [ended]


def test_a_generator_sees_no_freeze_of_another_generator(admin):
    generator, owner = make_generator()
    own = begin(admin, scope="generator", generator_id=str(generator.pk)).json()["id"]
    others = begin(admin, scope="generator", generator_id=str(make_generator()[0].pk)).json()["id"]
    fleet = begin(admin).json()["id"]
    assert [row["id"] for row in owner.get("/freezes").json()] == [fleet, own]
    refused(owner.get(f"/freezes/{others}"), 404, "freeze_not_found")


@pytest.mark.parametrize("rows", [1, 12])
def test_a_list_costs_two_queries(admin, rows, django_assert_num_queries):
    for _ in range(rows):
        begin_freeze(scope=Freeze.Scope.FLEET, reason="a test", actor=ADMIN, now=timezone.now())
    admin.get("/freezes")
    with django_assert_num_queries(2):
        assert len(admin.get("/freezes").json()) == rows


def test_a_refused_write_names_the_freeze(admin):
    stack, freeze = make_stack(), begin(admin).json()
    body = refused(admin.delete(f"/stacks/{stack.pk}"), 423, "frozen")
    assert body["details"] == {"freeze_id": freeze["id"], "scope": "fleet", "reason": "Black Friday"}


def test_an_admin_overrides_it_with_a_reason_that_is_audited(admin):
    stack, freeze = make_stack(), begin(admin).json()
    with recorded_events() as events:
        assert admin.delete(f"/stacks/{stack.pk}", headers=OVERRIDE).status_code == 204
    (told,) = [event for event in events if event.kind == "freeze.overridden"]
    assert (str(told.resource_id), told.details["reason"]) == (freeze["id"], "a fire")


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_the_reason_of_an_override_keeps_its_letters(admin, encoding):
    stack, _ = make_stack(), begin(admin)
    sent = "Schlüssel läuft ab".encode(encoding).decode("latin-1")
    with recorded_events() as events:
        admin.delete(f"/stacks/{stack.pk}", headers={"X-Brokkr-Override-Freeze": sent})
    (told,) = [event for event in events if event.kind == "freeze.overridden"]
    assert told.details["reason"] == "Schlüssel läuft ab"


def test_an_override_without_a_reason_is_none(admin):
    stack = make_stack()
    begin(admin)
    for reason in ("", "  ", "x" * 501):
        headers = {"X-Brokkr-Override-Freeze": reason}
        body = refused(admin.delete(f"/stacks/{stack.pk}", headers=headers), 423, "frozen")
        assert "has no reason" in body["message"]


def test_a_generator_overrides_nothing_and_is_told(admin):
    generator, owner = make_generator()
    stack = make_stack(generator)
    begin(admin)
    body = refused(owner.delete(f"/stacks/{stack.pk}", headers=OVERRIDE), 423, "frozen")
    assert "needs an admin's key" in body["message"]
    assert "Override" not in refused(owner.delete(f"/stacks/{stack.pk}"), 423, "frozen")["message"]


def test_the_override_ends_with_its_request(admin):
    stacks = [make_stack(), make_stack()]
    begin(admin)
    assert admin.delete(f"/stacks/{stacks[0].pk}", headers=OVERRIDE).status_code == 204
    refused(admin.delete(f"/stacks/{stacks[1].pk}"), 423, "frozen")


@pytest.mark.parametrize("action", ["skip", "roll-back"])
def test_what_would_reach_agents_at_once_is_refused_and_overridden(admin, action):
    scene = make_scene()
    rollout = scene.start()
    begin(admin)
    path, why = f"/rollouts/{rollout.pk}/{action}", {"reason": "because"}
    refused(admin.post(path, why), 423, "frozen")
    assert admin.post(path, why, headers=OVERRIDE).status_code in {200, 201}


def test_pausing_and_aborting_are_allowed(admin):
    rollout = make_scene().start()
    begin(admin)
    assert admin.post(f"/rollouts/{rollout.pk}/pause").status_code == 200
    assert admin.post(f"/rollouts/{rollout.pk}/abort", {"reason": "because"}).status_code == 200


def test_a_version_published_meanwhile_waits_frozen_and_starts_when_it_is_lifted(admin):
    scene = make_scene()
    freeze = begin(admin).json()
    body = {"yaml_content": scene.first.yaml_content}
    assert admin.post(f"/stacks/{scene.stack.pk}/deployment-objects", body).status_code == 201
    (waiting,) = admin.get("/rollouts").json()
    assert waiting["state"] == "frozen"
    admin.delete(f"/freezes/{freeze['id']}")
    assert admin.get(f"/rollouts/{waiting['id']}").json()["state"] == "progressing"


def test_an_admin_publishes_over_a_freeze(admin):
    stack = make_stack()
    begin(admin)
    with recorded_events() as events:
        answer = admin.post(
            f"/stacks/{stack.pk}/deployment-objects", {"yaml_content": MANIFEST}, headers=OVERRIDE
        )
    assert answer.json()["id"] == str(newest_unheld(stack.pk).id)
    assert [event.details["reason"] for event in events if event.kind == "freeze.overridden"] == ["a fire"]


def test_the_waves_of_what_is_published_over_a_freeze_wait_for_its_end(admin):
    scene = make_scene()
    begin(admin)
    body = {"yaml_content": MANIFEST}
    admin.post(f"/stacks/{scene.stack.pk}/deployment-objects", body, headers=OVERRIDE)
    rollout = Rollout.objects.get()
    assert rollout.state == RolloutState.PROGRESSING
    assert scene.tick(rollout).wave == 0


@pytest.mark.parametrize("has_strategy", [False, True])
def test_a_generator_publishes_nothing_over_a_freeze_and_is_warned(admin, has_strategy):
    stack = make_scene().stack if has_strategy else make_stack()
    before = newest_unheld(stack.pk)
    begin(admin)
    path, body = f"/stacks/{stack.pk}/deployment-objects", {"yaml_content": MANIFEST}
    answer = owner_of(stack).post(path, body, headers=OVERRIDE)
    (warning,) = answer.json()["warnings"]
    assert (answer.status_code, newest_unheld(stack.pk)) == (201, before)
    assert warning["code"] == "freeze_not_overridden"
    assert "needs an admin's key" in warning["message"]


def test_an_admin_who_publishes_over_a_freeze_without_a_reason_is_warned(admin):
    stack = make_stack()
    begin(admin)
    path, body = f"/stacks/{stack.pk}/deployment-objects", {"yaml_content": MANIFEST}
    answer = admin.post(path, body, headers={"X-Brokkr-Override-Freeze": " "})
    (warning,) = answer.json()["warnings"]
    assert (warning["code"], newest_unheld(stack.pk)) == ("freeze_not_overridden", None)


def test_where_no_freeze_holds_nobody_is_warned_of_one(admin):
    stack = make_stack()
    begin(admin, scope="generator", generator_id=str(make_generator()[0].pk))
    path, body = f"/stacks/{stack.pk}/deployment-objects", {"yaml_content": MANIFEST}
    assert owner_of(stack).post(path, body, headers=OVERRIDE).json()["warnings"] == []

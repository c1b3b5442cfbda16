"""Idempotency-Key: a create that is sent twice happens once."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from audit.models import AuditLog
from core.events import SYSTEM
from core.models import IdempotentAnswer
from core.services import forget_old_answers
from generators.models import Generator
from paks.models import Pak, Role
from paks.services import issue_pak
from stacks.models import DeploymentObject, Stack
from tests.factories import (
    MANIFEST,
    make_agent,
    make_delivery,
    make_generator,
    make_object,
    make_stack,
    make_webhook,
)
from tests.support.api import Api, refused

ONCE = {"Idempotency-Key": "order-1"}


def test_the_repeat_is_answered_with_the_first_answer_and_does_nothing(db):
    _, api = make_generator()
    first = api.post("/stacks", {"name": "a"}, headers=ONCE)
    repeat = api.post("/stacks", {"name": "a"}, headers=ONCE)
    assert first.status_code == repeat.status_code == 201
    assert repeat.content == first.content
    assert repeat.headers["Content-Type"] == first.headers["Content-Type"]
    assert repeat.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert Stack.objects.count() == 1
    assert AuditLog.objects.filter(action="stack.created").count() == 1


def test_without_the_header_the_repeat_is_a_new_request(db):
    _, api = make_generator()
    assert api.post("/stacks", {"name": "a"}).status_code == 201
    refused(api.post("/stacks", {"name": "a"}), 409, "unique_violation")


def test_the_repeat_of_a_create_that_answers_a_key_answers_the_same_key(admin):
    first = admin.post("/generators", {"name": "a"}, headers=ONCE)
    repeat = admin.post("/generators", {"name": "a"}, headers=ONCE)
    key = first.json()["pak"]
    assert repeat.json()["pak"] == key
    assert Api(key).post("/auth/pak").status_code == 200
    assert Pak.objects.filter(role=Role.GENERATOR).count() == 1


def test_the_stored_answer_cannot_be_read_from_the_table(admin):
    key = admin.post("/generators", {"name": "a"}, headers=ONCE).json()["pak"]
    (record,) = IdempotentAnswer.objects.all()
    long_token = key.rsplit("_", 1)[1]
    row = b"|".join(
        bytes(v) if isinstance(v, bytes | memoryview) else str(v).encode()
        for v in (record.body, record.key, record.fingerprint, record.caller)
    )
    for word in (long_token, "pak", "generator", admin.key or ""):
        assert word.encode() not in row


@pytest.mark.parametrize("form", ["{}", "bearer {}", "other{}"])
def test_the_repeat_may_spell_the_callers_key_another_way(admin, form):
    first = admin.post("/generators", {"name": "a"}, headers=ONCE)
    headers = ONCE | {"Authorization": form.format(admin.key)}
    repeat = Api(None).post("/generators", {"name": "a"}, headers=headers)
    assert repeat.content == first.content


CREATES = {
    "/generators": {"name": "new"},
    "/agents": {"name": "new", "cluster_name": "new"},
    "/stacks": {"name": "new", "generator_id": "{generator}"},
    "/stacks/{stack}/labels": "new",
    "/stacks/{stack}/annotations": {"key": "new", "value": "new"},
    "/stacks/{stack}/deployment-objects": {"yaml_content": MANIFEST},
    "/agents/{agent}/labels": {"label": "new"},
    "/agents/{agent}/annotations": {"key": "new", "value": "new"},
    "/agents/{agent}/targets": {"stack_id": "{stack}"},
    "/agents/{agent}/events": {
        "deployment_object_id": "{object}",
        "event_type": "DEPLOY",
        "status": "SUCCESS",
    },
    "/generators/{generator}/register": {"agent_id": "{agent}"},
    "/work-orders": {
        "work_type": "build",
        "yaml_content": "kind: Build",
        "targeting": {"labels": ["builder"]},
    },
}


@pytest.mark.parametrize("path", CREATES)
def test_every_create_takes_the_header(admin, path):
    generator, _ = make_generator()
    stack = make_stack(generator)
    ids = {
        "{generator}": generator.id,
        "{stack}": stack.id,
        "{object}": make_object(stack).id,
        "{agent}": make_agent()[0].id,
    }
    body: object = CREATES[path]
    if isinstance(body, dict):
        body = {key: str(ids[str(value)]) if str(value) in ids else value for key, value in body.items()}
    for name, identifier in ids.items():
        path = path.replace(name, str(identifier))
    first, repeat = (admin.post(path, body, headers=ONCE) for _ in range(2))
    assert first.status_code == repeat.status_code == 201
    assert repeat.content == first.content
    assert repeat.headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("body", [..., {"overlap_seconds": 60}], ids=["no body", "overlap"])
@pytest.mark.parametrize("of", ["webhook", "agent", "generator"])
def test_a_rotation_that_is_sent_twice_shows_the_same_secret_twice(admin, of, body):
    webhook, (agent, _), (generator, _) = make_webhook(), make_agent(), make_generator()
    path = {
        "webhook": f"/webhooks/{webhook.id}/rotate-secret",
        "agent": f"/agents/{agent.id}/rotate-pak",
        "generator": f"/generators/{generator.id}/rotate-pak",
    }[of]
    first, repeat = (admin.post(path, body, headers=ONCE) for _ in range(2))
    assert repeat.content == first.content
    assert repeat.headers["Idempotency-Replayed"] == "true"
    told = {"webhook": "webhook.secret_rotated", "agent": "pak.rotated", "generator": "pak.rotated"}[of]
    assert AuditLog.objects.filter(action=told).count() == 1
    secret = first.json().get("secret") or first.json().get("pak") or first.json()["initial_pak"]
    (record,) = IdempotentAnswer.objects.all()
    assert secret.rsplit("_", 1)[-1].encode() not in bytes(record.body)


def test_a_key_that_replaces_itself_and_overlaps_hears_of_its_successor_again(db):
    agent, api = make_agent()
    path = f"/agents/{agent.id}/rotate-pak"
    first, repeat = (api.post(path, {"overlap_seconds": 60}, headers=ONCE) for _ in range(2))
    assert repeat.content == first.content


def test_a_delivery_that_is_sent_again_twice_is_sent_again_once(admin):
    delivery = make_delivery(make_webhook())
    path = f"/webhook-deliveries/{delivery.id}/redeliver"
    first, repeat = (admin.post(path, headers=ONCE) for _ in range(2))
    assert (first.status_code, repeat.content) == (200, first.content)
    assert AuditLog.objects.filter(action="webhook.redelivered").count() == 1


def test_a_yaml_body_is_repeated_like_any_other(db):
    generator, api = make_generator()
    path = f"/stacks/{make_stack(generator).id}/deployment-objects"
    options = {"raw": MANIFEST.encode(), "content_type": "application/yaml", "headers": ONCE}
    first, repeat = (api.post(path, **options) for _ in range(2))
    assert repeat.content == first.content
    assert DeploymentObject.objects.count() == 1


def test_another_body_is_422(db):
    _, api = make_generator()
    api.post("/stacks", {"name": "a"}, headers=ONCE)
    refused(api.post("/stacks", {"name": "b"}, headers=ONCE), 422, "idempotency_key_reused")
    assert Stack.objects.count() == 1


def test_another_path_or_query_is_422(db):
    generator, api = make_generator()
    one, two = make_stack(generator), make_stack(generator)
    api.post(f"/stacks/{one.id}/labels", "a", headers=ONCE)
    refused(api.post(f"/stacks/{two.id}/labels", "a", headers=ONCE), 422, "idempotency_key_reused")
    refused(api.post(f"/stacks/{one.id}/labels?x=1", "a", headers=ONCE), 422, "idempotency_key_reused")


def test_another_caller_is_independent(db):
    _, one = make_generator()
    _, two = make_generator()
    first = one.post("/stacks", {"name": "a"}, headers=ONCE)
    second = two.post("/stacks", {"name": "b"}, headers=ONCE)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] != second.json()["id"]


def test_another_key_of_the_same_owner_is_another_caller(admin):
    _, text = issue_pak(role=Role.ADMIN, subject_id=None, name="second", actor=SYSTEM)
    assert admin.post("/generators", {"name": "a"}, headers=ONCE).status_code == 201
    refused(Api(text).post("/generators", {"name": "a"}, headers=ONCE), 409, "unique_violation")


def test_a_refusal_is_not_kept(db):
    generator, api = make_generator()
    taken = make_stack(generator, name="a")
    refused(api.post("/stacks", {"name": "a"}, headers=ONCE), 409, "unique_violation")
    refused(api.post("/stacks", {"name": ""}, headers=ONCE), 400, "invalid_stack")
    assert not IdempotentAnswer.objects.exists()
    api.delete(f"/stacks/{taken.id}")
    response = api.post("/stacks", {"name": "a"}, headers=ONCE)
    assert response.status_code == 201
    assert "Idempotency-Replayed" not in response.headers


def test_a_caller_without_the_right_is_refused_before_its_key_is_looked_at(db):
    _, agent = make_agent()
    refused(agent.post("/stacks", {"name": "a"}, headers=ONCE), 403, "stack_create_denied")
    refused(Api(None).post("/stacks", {"name": "a"}, headers=ONCE), 401, "unauthorized")
    assert not IdempotentAnswer.objects.exists()


def test_a_day_later_the_key_is_free_again(db):
    _, api = make_generator()
    api.post("/stacks", {"name": "a"}, headers=ONCE)
    IdempotentAnswer.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))
    assert api.post("/stacks", {"name": "b"}, headers=ONCE).status_code == 201
    assert Stack.objects.count() == 2
    (record,) = IdempotentAnswer.objects.all()
    assert record.created_at > timezone.now() - timedelta(minutes=1)


def test_within_the_day_the_answer_is_kept(db):
    _, api = make_generator()
    first = api.post("/stacks", {"name": "a"}, headers=ONCE)
    IdempotentAnswer.objects.update(created_at=timezone.now() - timedelta(hours=23, minutes=59))
    assert forget_old_answers() == 0
    assert api.post("/stacks", {"name": "a"}, headers=ONCE).content == first.content


def test_the_worker_forgets_answers_after_a_day(db):
    _, api = make_generator()
    api.post("/stacks", {"name": "a"}, headers=ONCE)
    api.post("/stacks", {"name": "b"}, headers={"Idempotency-Key": "order-2"})
    old = IdempotentAnswer.objects.filter(key="order-1")
    old.update(created_at=timezone.now() - timedelta(hours=25))
    assert forget_old_answers() == 1
    assert [record.key for record in IdempotentAnswer.objects.all()] == ["order-2"]


@pytest.mark.parametrize("key", ["", " ", "a b", "a\tb", "x" * 256, "sch\xfcssel", "a\x7f"])
def test_a_malformed_key_is_400(db, key):
    _, api = make_generator()
    response = api.post("/stacks", {"name": "a"}, headers={"Idempotency-Key": key})
    body = refused(response, 400, "invalid_header")
    assert body["details"] == {"header": "Idempotency-Key"}
    assert not Stack.objects.exists()


@pytest.mark.parametrize("key", ["a", "x" * 255, "7f9c-:/?#[]@!$&'()*+,;=~_.%"])
def test_every_visible_ascii_key_up_to_255_characters_is_taken(db, key):
    _, api = make_generator()
    response = api.post("/stacks", {"name": "a"}, headers={"Idempotency-Key": key})
    assert response.status_code == 201


def test_a_replay_after_the_thing_is_gone_still_answers_what_was(db):
    _, api = make_generator()
    first = api.post("/stacks", {"name": "a"}, headers=ONCE)
    api.delete(f"/stacks/{first.json()['id']}")
    assert api.post("/stacks", {"name": "a"}, headers=ONCE).content == first.content


@pytest.mark.requires_postgres
@pytest.mark.django_db(transaction=True)
def test_repeats_at_the_same_moment_create_one_thing_and_hear_the_same_answer():
    _, key = issue_pak(role=Role.ADMIN, subject_id=None, name="admin", actor=SYSTEM)
    start, answers = threading.Barrier(6), []

    def create() -> None:
        try:
            start.wait()
            response = Api(key).post("/generators", {"name": "a"}, headers=ONCE)
            answers.append((response.status_code, response.content))
        finally:
            connection.close()

    threads = [threading.Thread(target=create) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 6
    assert {status for status, _ in answers} == {201}
    assert len({content for _, content in answers}) == 1
    assert Generator.objects.filter(name="a").count() == 1


@pytest.mark.requires_postgres
@pytest.mark.django_db(transaction=True)
def test_different_bodies_at_the_same_moment_have_one_winner():
    _, key = issue_pak(role=Role.ADMIN, subject_id=None, name="admin", actor=SYSTEM)
    start, statuses = threading.Barrier(5), []

    def create(name: str) -> None:
        try:
            start.wait()
            statuses.append(Api(key).post("/generators", {"name": name}, headers=ONCE).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=create, args=(f"generator-{number}",)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201, 422, 422, 422, 422]
    assert Generator.objects.filter(name__startswith="generator-").count() == 1

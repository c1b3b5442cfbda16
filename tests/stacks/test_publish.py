"""POST /stacks/{id}/deployment-objects."""

import hashlib
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from core.events import SYSTEM
from generators.models import Generator
from stacks.models import DeploymentObject
from stacks.services import delete_stack
from tests.factories import MANIFEST, make_agent, make_generator, make_object, make_stack, make_target
from tests.support.api import refused
from tests.support.events import is_wire_time, notices, recorded_audit, recorded_events

pytestmark = pytest.mark.django_db

YAML = "application/yaml"
# Comments, document marks, trailing blanks, tabs in a literal, CRLF, an emoji and no last newline.
ODD = "# head\r\n---\r\na: 1   \r\n---\nb: |\n  x\n  \ty\n\n---\nc: 🚢 ü\n# tail"


@pytest.fixture
def stack(db):
    return make_stack()


def path(stack) -> str:
    return f"/stacks/{stack.id}/deployment-objects"


def test_json_is_answered_with_the_whole_object(admin, stack):
    response = admin.post(path(stack), {"yaml_content": MANIFEST})
    assert response.status_code == 201
    body = response.json()
    assert all(is_wire_time(body.pop(name)) for name in ("created_at", "updated_at", "submitted_at"))
    obj = DeploymentObject.objects.get()
    assert body == {
        "id": str(obj.id),
        "deleted_at": None,
        "sequence_id": obj.sequence_id,
        "stack_id": str(stack.id),
        "yaml_content": MANIFEST,
        "yaml_checksum": hashlib.sha256(MANIFEST.encode()).hexdigest(),
        "is_deletion_marker": False,
    }


@pytest.mark.parametrize(
    "media_type", [YAML, "text/yaml", "application/x-yaml", "application/yaml; charset=utf-8"]
)
def test_raw_yaml_is_kept_byte_for_byte(admin, stack, media_type):
    response = admin.post(path(stack), raw=ODD.encode(), content_type=media_type)
    assert response.status_code == 201
    assert response.json()["yaml_content"] == ODD
    assert response.json()["yaml_checksum"] == hashlib.sha256(ODD.encode()).hexdigest()
    assert DeploymentObject.objects.get().yaml_content == ODD


def test_json_keeps_the_text_as_exactly(admin, stack):
    body = admin.post(path(stack), {"yaml_content": ODD}).json()
    assert body["yaml_content"] == ODD
    assert body["yaml_checksum"] == hashlib.sha256(ODD.encode()).hexdigest()


@pytest.mark.parametrize("media_type", ["text/plain", "application/octet-stream", "application/vnd.x+json"])
def test_what_is_not_declared_as_yaml_is_read_as_json(admin, stack, media_type):
    raw = b'{"yaml_content": "a: 1"}'
    assert admin.post(path(stack), raw=raw, content_type=media_type).json()["yaml_content"] == "a: 1"
    refused(admin.post(path(stack), raw=b"a: 1", content_type=media_type), 400, "invalid_deployment_object")


def test_fields_the_broker_assigns_are_ignored_in_the_body(admin, stack):
    sent = {
        "yaml_content": "a: 1",
        "yaml_checksum": "0" * 64,
        "sequence_id": None,
        "stack_id": str(uuid4()),
        "id": str(uuid4()),
    }
    body = admin.post(path(stack), sent).json()
    assert body["stack_id"] == str(stack.id)
    assert body["id"] != sent["id"]
    assert body["yaml_checksum"] == hashlib.sha256(b"a: 1").hexdigest()


def test_identical_content_makes_another_object(admin, stack):
    first = admin.post(path(stack), {"yaml_content": "a: 1"}).json()
    second = admin.post(path(stack), {"yaml_content": "a: 1"}).json()
    assert first["id"] != second["id"]
    assert first["yaml_checksum"] == second["yaml_checksum"]


def test_sequence_ids_increase_over_all_stacks_and_are_never_used_again(admin, stack):
    other = make_stack()
    seen = []
    for target in (stack, other, stack, other):
        seen.append(admin.post(path(target), {"yaml_content": "a: 1"}).json()["sequence_id"])
    DeploymentObject.objects.filter(sequence_id=seen[-1]).delete()
    seen.append(admin.post(path(stack), {"yaml_content": "a: 1"}).json()["sequence_id"])
    assert seen == sorted(set(seen))


@pytest.mark.parametrize("text", ["", " \n\t ", "# only a comment\n", "---\n---\n", "---\nnull\n"])
def test_content_without_a_document_is_400(admin, stack, text):
    refused(admin.post(path(stack), {"yaml_content": text}), 400, "invalid_deployment_object")
    refused(admin.post(path(stack), raw=text.encode(), content_type=YAML), 400, "invalid_deployment_object")
    assert not DeploymentObject.objects.exists()


@pytest.mark.parametrize(
    "text", ["hello world", "a: 1\n---\n---\nb: 2", "[1, 2]", "!Tag {a: =}\n", "d: 2020-99-99"]
)
def test_any_parsable_document_is_accepted(admin, stack, text):
    assert admin.post(path(stack), {"yaml_content": text}).status_code == 201


@pytest.mark.parametrize("text", ["a: [1, 2", "a: 1\na: 2\n", "a: 1\n---\n{", "\tx: 1"])
def test_content_that_does_not_parse_is_400_and_says_where(admin, stack, text):
    body = refused(admin.post(path(stack), {"yaml_content": text}), 400, "invalid_deployment_object")
    assert body["details"]["document"] == (2 if "---" in text else 1)
    assert body["details"]["line"] >= 1
    refused(admin.post(path(stack), raw=text.encode(), content_type=YAML), 400, "invalid_deployment_object")


@pytest.mark.parametrize("text", ["", "   \n"])
def test_a_marker_may_be_blank(admin, stack, text):
    in_json = admin.post(path(stack), {"yaml_content": text, "is_deletion_marker": True})
    in_yaml = admin.post(
        path(stack) + "?deletion_marker=true", raw=text.encode(), headers={"Content-Type": YAML}
    )
    for response in (in_json, in_yaml):
        assert response.status_code == 201
        assert response.json()["is_deletion_marker"] is True
        assert response.json()["yaml_content"] == text
        assert response.json()["yaml_checksum"] == hashlib.sha256(text.encode()).hexdigest()


def test_a_marker_that_is_not_blank_must_parse(admin, stack):
    body = {"yaml_content": "a: [", "is_deletion_marker": True}
    refused(admin.post(path(stack), body), 400, "invalid_deployment_object")
    assert admin.post(path(stack), body | {"yaml_content": "a: 1"}).json()["is_deletion_marker"] is True


@pytest.mark.parametrize(
    ("query", "marker"), [("", False), ("?deletion_marker=false", False), ("?deletion_marker=true", True)]
)
@pytest.mark.parametrize("as_json", [True, False])
def test_the_query_parameter_makes_a_marker_of_either_body(admin, stack, query, marker, as_json):
    if as_json:
        response = admin.post(path(stack) + query, {"yaml_content": "a: 1"})
    else:
        response = admin.post(path(stack) + query, raw=b"a: 1", content_type=YAML)
    assert response.json()["is_deletion_marker"] is marker


@pytest.mark.parametrize("value", ["1", "yes", "True", ""])
def test_another_value_of_the_query_parameter_is_400(admin, stack, value):
    response = admin.post(path(stack) + f"?deletion_marker={value}", raw=b"a: 1", content_type=YAML)
    refused(response, 400, "invalid_query")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b'"a: 1"',
        b"{}",
        b'{"yaml_content": 1}',
        b'{"yaml_content": null}',
        b'{"yaml_content": "a: 1", "is_deletion_marker": "true"}',
        b'{"yaml_content": "a: 1", "is_deletion_marker": null}',
        b'{"yaml_content": "a: \\u0000"}',
        b'{"yaml_content": "\\ud800"}',
        b'{"yaml_content": "\xff"}',
    ],
)
def test_a_json_body_that_is_wrong_in_any_way_is_invalid_deployment_object(admin, stack, raw):
    refused(admin.post(path(stack), raw=raw), 400, "invalid_deployment_object")
    assert not DeploymentObject.objects.exists()


@pytest.mark.parametrize("raw", [b"a: \xff", b"a: \0", b"\xff\xfea\0"])
def test_a_yaml_body_that_is_not_clean_utf8_is_400(admin, stack, raw):
    refused(admin.post(path(stack), raw=raw, content_type=YAML), 400, "invalid_deployment_object")
    assert not DeploymentObject.objects.exists()


def test_existence_and_ownership_are_decided_before_the_body(admin, anonymous, stack):
    agent, targeted = make_agent()
    make_target(agent, stack)
    for raw in (b"{", b'{"yaml_content": "a: 1"}'):
        refused(anonymous.post(path(stack), raw=raw), 401, "unauthorized")
        for api in (make_generator()[1], targeted):
            refused(api.post(path(stack), raw=raw), 403, "stack_not_owned")
        refused(admin.post(f"/stacks/{uuid4()}/deployment-objects", raw=raw), 404, "stack_not_found")


def test_a_deleted_stack_takes_no_more(admin, stack):
    delete_stack(stack=stack, actor=SYSTEM)
    refused(admin.post(path(stack), {"yaml_content": "a: 1"}), 404, "stack_not_found")


def test_a_body_over_the_limit_is_413(admin, stack, settings):
    settings.MAX_MANIFEST_BYTES = 2048
    assert admin.post(path(stack), raw=b"a: " + b"x" * 2000, content_type=YAML).status_code == 201
    refused(admin.post(path(stack), raw=b"a: " + b"x" * 2048, content_type=YAML), 413, "payload_too_large")
    refused(admin.post(path(stack), {"yaml_content": "x" * 2048}), 413, "payload_too_large")


def test_manifests_may_be_larger_than_other_bodies(admin, stack, settings):
    text = "a: " + "x" * settings.MAX_JSON_BYTES
    assert admin.post(path(stack), raw=text.encode(), content_type=YAML).status_code == 201


def test_the_owner_publishes_and_that_shows_in_its_last_active_at(admin):
    generator, api = make_generator()
    own = make_stack(generator)
    assert admin.post(path(own), {"yaml_content": "a: 1"}).status_code == 201
    assert Generator.objects.get(id=generator.id).last_active_at is None
    assert api.post(path(own), {"yaml_content": "a: 1"}).status_code == 201
    assert Generator.objects.get(id=generator.id).last_active_at is not None


def test_it_is_audited_without_the_manifest_and_announced():
    generator, api = make_generator()
    own = make_stack(generator)
    with recorded_events() as events, recorded_audit() as rows:
        api.post(path(own), {"yaml_content": "secret: hunter2"})
    obj = DeploymentObject.objects.get()
    assert [(row.action, row.resource_type, row.resource_id) for row in rows] == [
        ("deployment.created", "deployment_object", obj.id)
    ]
    assert (rows[0].actor_type, rows[0].actor_id) == ("generator", generator.id)
    assert "hunter2" not in str(rows[0].details)
    assert notices(events) == [
        (
            "deployment.created",
            {
                "deployment_object_id": obj.id,
                "stack_id": own.id,
                "sequence_id": obj.sequence_id,
                "created_at": obj.created_at,
            },
        )
    ]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("yaml_content", "other: 1"),
        ("yaml_checksum", "0" * 64),
        ("is_deletion_marker", True),
        ("sequence_id", 999_999),
        ("id", uuid4()),
        ("created_at", "2020-01-01T00:00:00Z"),
        ("submitted_at", "2020-01-01T00:00:00Z"),
        ("stack_id", None),
        ("recipient_id", uuid4()),
    ],
)
def test_the_database_refuses_to_change_an_object(stack, column, value):
    obj = make_object(stack)
    value = make_stack().id if column == "stack_id" else value
    with pytest.raises(DatabaseError, match="immutable"), transaction.atomic():
        DeploymentObject.objects.filter(pk=obj.pk).update(**{column: value})
    with pytest.raises(DatabaseError, match="immutable"), transaction.atomic():
        DeploymentObject.objects.filter(pk=obj.pk).update(**{column: value, "deleted_at": timezone.now()})
    assert DeploymentObject.objects.get(id=obj.id).yaml_content == MANIFEST


def test_the_database_refuses_raw_sql_too(stack):
    make_object(stack)
    with pytest.raises(DatabaseError, match="immutable"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE deployment_objects SET yaml_content = ''")


def test_the_database_allows_the_mark_of_deletion_once(stack):
    obj = make_object(stack)
    rows = DeploymentObject.objects.filter(pk=obj.pk)
    assert rows.update(deleted_at=timezone.now(), updated_at=timezone.now()) == 1
    for again in (None, timezone.now()):
        with pytest.raises(DatabaseError, match="immutable"), transaction.atomic():
            rows.update(deleted_at=again)

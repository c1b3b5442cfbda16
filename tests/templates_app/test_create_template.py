"""POST /templates."""

import hashlib
from uuid import UUID

import pytest

from core.events import SYSTEM
from generators.models import Generator
from templates_app.models import StackTemplate
from templates_app.services import delete_template
from tests.factories import TEMPLATE, make_agent, make_generator, make_template
from tests.support.api import refused
from tests.support.events import is_wire_time, notices, recorded_audit, recorded_events

pytestmark = pytest.mark.django_db

BODY = {"name": "web", "template_content": TEMPLATE, "parameters_schema": "{}"}


def test_an_admin_makes_a_system_template(admin):
    response = admin.post("/templates", BODY)
    assert response.status_code == 201
    body = response.json()
    assert is_wire_time(body.pop("created_at"))
    assert is_wire_time(body.pop("updated_at"))
    assert UUID(body.pop("id")) == StackTemplate.objects.get().id
    assert body == {
        "deleted_at": None,
        "generator_id": None,
        "name": "web",
        "description": None,
        "version": 1,
        "template_content": TEMPLATE,
        "parameters_schema": "{}",
        "checksum": hashlib.sha256(TEMPLATE.encode()).hexdigest(),
    }


def test_a_generator_makes_its_own_and_cannot_name_another_owner():
    generator, api = make_generator()
    other, _ = make_generator()
    body = api.post("/templates", BODY | {"generator_id": str(other.id)}).json()
    assert body["generator_id"] == str(generator.id)


def test_an_admin_cannot_make_a_generators_template(admin):
    generator, _ = make_generator()
    body = admin.post("/templates", BODY | {"generator_id": str(generator.id)}).json()
    assert body["generator_id"] is None


def test_an_agent_may_not_and_nobody_without_a_key(anonymous):
    refused(make_agent()[1].post("/templates", BODY), 403, "templates_not_accessible")
    refused(anonymous.post("/templates", BODY), 401, "unauthorized")


def test_an_inactive_generator_may_not():
    generator, api = make_generator()
    Generator.objects.filter(id=generator.id).update(is_active=False)
    refused(api.post("/templates", BODY), 403, "generator_inactive")
    assert not StackTemplate.objects.exists()


def test_an_existing_name_gets_its_next_version(admin):
    first = admin.post("/templates", BODY).json()
    second = admin.post("/templates", BODY | {"template_content": "b: 2"}).json()
    assert (first["version"], second["version"]) == (1, 2)
    assert first["id"] != second["id"]
    assert StackTemplate.objects.get(id=first["id"]).template_content == TEMPLATE


def test_each_owner_counts_for_itself(admin):
    one, two = make_generator()[1], make_generator()[1]
    assert [api.post("/templates", BODY).json()["version"] for api in (admin, one, two, one)] == [1, 1, 1, 2]
    assert admin.post("/templates", BODY | {"name": "Web"}).json()["version"] == 1


def test_versions_are_counted_among_the_live_ones(admin):
    one, two, three = (make_template(name="web") for _ in range(3))
    delete_template(template=one, actor=SYSTEM)
    assert admin.post("/templates", BODY).json()["version"] == 4
    delete_template(template=StackTemplate.objects.get(name="web", version=4), actor=SYSTEM)
    delete_template(template=three, actor=SYSTEM)
    assert admin.post("/templates", BODY).json()["version"] == 3
    assert two.version == 2


def test_texts_are_kept_as_sent(admin):
    texts = {
        "name": " web ",
        "description": " about\r\n",
        "template_content": "# ü 🚢\r\n{# c #}\na: {{ a }}   \n\n",
        "parameters_schema": ' {"type":\n"object", "title": "ü"}\n',
    }
    body = admin.post("/templates", texts).json()
    assert {name: body[name] for name in texts} == texts


def test_a_schema_may_come_as_json_itself(admin):
    schema = {"type": "object", "properties": {"größe": {"type": "integer", "maximum": 2**63}}}
    body = admin.post("/templates", BODY | {"parameters_schema": schema}).json()
    assert body["parameters_schema"] == (
        '{"type": "object", "properties": {"größe": {"type": "integer", "maximum": 9223372036854775808}}}'
    )
    assert admin.post("/templates", BODY | {"parameters_schema": True}).json()["parameters_schema"] == "true"


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": " \t"},
        {"name": "n" * 256},
        {"template_content": ""},
        {"template_content": " \n"},
        {"description": ""},
        {"description": "  "},
    ],
)
def test_a_blank_or_overlong_text_is_400(admin, wrong):
    refused(admin.post("/templates", BODY | wrong), 400, "invalid_template")
    assert not StackTemplate.objects.exists()


def test_a_name_of_255_characters_is_accepted(admin):
    assert admin.post("/templates", BODY | {"name": "ü" * 255}).status_code == 201


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a: {{ b", ""),
        ("a: {% if b %}", ""),
        ("a: 1\nb: {{ c | sha256 }}", "sha256"),
        ("a: {{ b is prime }}", "prime"),
        ("a: {{ env() }}", "env"),
        ('{% extends "base" %}', ""),
        ('{% import "base" as b %}', ""),
    ],
)
def test_a_template_that_does_not_compile_is_400_and_says_where(admin, content, words):
    body = refused(
        admin.post("/templates", BODY | {"template_content": content}), 400, "invalid_template_syntax"
    )
    assert words in body["error"]
    assert body["details"]["line"] == (2 if "\n" in content else 1)
    assert body["details"]["column"] >= 1
    assert not StackTemplate.objects.exists()


@pytest.mark.parametrize(
    "schema",
    [
        "",
        "{",
        "[]",
        "17",
        '"object"',
        "null",
        '{"type": "thing"}',
        '{"minLength": -1}',
        '{"$ref": "https://example.com/schema.json"}',
        '{"properties": {"a": {"$ref": "file:///etc/passwd"}}}',
        '{"pattern": "("}',
        {"required": "name"},
    ],
)
def test_what_is_no_json_schema_is_400(admin, schema):
    body = BODY | {"parameters_schema": schema}
    refused(admin.post("/templates", body), 400, "invalid_parameters_schema")
    assert not StackTemplate.objects.exists()


@pytest.mark.parametrize(
    "schema",
    [
        "{}",
        "false",
        '{"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 1, "exclusiveMinimum": true}',
        '{"$schema": "https://json-schema.org/draft/2020-12/schema", "prefixItems": [{}]}',
        '{"x-ours": 1, "format": "our-own"}',
        '{"definitions": {"a": {"type": "string"}}, "$ref": "#/definitions/a"}',
    ],
)
def test_schemas_of_all_drafts_are_accepted(admin, schema):
    assert admin.post("/templates", BODY | {"parameters_schema": schema}).status_code == 201


@pytest.mark.parametrize("field", ["name", "template_content", "parameters_schema"])
def test_a_missing_field_or_one_of_another_type_is_422(admin, field):
    body = {name: value for name, value in BODY.items() if name != field}
    refused(admin.post("/templates", body), 422, "invalid_request_body")
    for value in (None, 17, ["x"]):
        refused(admin.post("/templates", body | {field: value}), 422, "invalid_request_body")
    assert not StackTemplate.objects.exists()


def test_a_nul_is_400(admin):
    refused(admin.post("/templates", BODY | {"template_content": "a: \0"}), 400, "nul_character")


def test_a_template_longer_than_the_limit_is_400_and_a_body_over_the_limit_413(admin, settings):
    long = BODY | {"template_content": "a" * (256 * 1024 + 1)}
    refused(admin.post("/templates", long), 400, "invalid_template_syntax")
    settings.MAX_JSON_BYTES = 1024
    refused(admin.post("/templates", BODY | {"template_content": "a" * 1024}), 413, "payload_too_large")


def test_it_is_audited_with_the_true_author_and_not_announced(admin):
    generator, api = make_generator()
    with recorded_events() as events, recorded_audit() as rows:
        own, systems = api.post("/templates", BODY).json(), admin.post("/templates", BODY).json()
    assert [(row.action, row.resource_type, str(row.resource_id), row.details) for row in rows] == [
        ("template.created", "template", own["id"], {"name": "web", "version": 1}),
        ("template.created", "template", systems["id"], {"name": "web", "version": 1}),
    ]
    assert [(row.actor_type, row.actor_id) for row in rows] == [("generator", generator.id), ("admin", None)]
    assert notices(events) == []


def test_a_repeat_with_the_same_idempotency_key_makes_one_version(admin):
    headers = {"Idempotency-Key": "abc"}
    first = admin.post("/templates", BODY, headers=headers)
    again = admin.post("/templates", BODY, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert StackTemplate.objects.count() == 1
    changed = admin.post("/templates", BODY | {"name": "other"}, headers=headers)
    refused(changed, 422, "idempotency_key_reused")

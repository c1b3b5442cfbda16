"""POST /stacks/{id}/deployment-objects/from-template."""

import hashlib
import json

import pytest
from django.db import IntegrityError, connection

from core.events import SYSTEM
from generators.models import Generator
from stacks.models import DeploymentObject
from stacks.services import delete_stack
from templates_app import services
from templates_app.models import RenderedObject, StackTemplate
from templates_app.services import delete_template
from tests.factories import (
    TEMPLATE,
    make_agent,
    make_generator,
    make_stack,
    make_target,
    make_template,
    manifest,
)
from tests.support.api import refused
from tests.support.events import is_wire_time, notices, recorded_audit, recorded_events

pytestmark = pytest.mark.django_db

NAME = '{"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}'


@pytest.fixture
def stack(db):
    return make_stack()


def path(stack) -> str:
    return f"/stacks/{stack.id}/deployment-objects/from-template"


def body(template, parameters: object = ...) -> dict[str, object]:
    return {"template_id": str(template.id), "parameters": {"name": "x"} if parameters is ... else parameters}


def test_the_rendered_text_is_published(admin, stack):
    template = make_template(content=f"# ü\r\n{TEMPLATE}  \n\n", schema=NAME)
    response = admin.post(path(stack), body(template))
    assert response.status_code == 201
    answer = response.json()
    assert all(is_wire_time(answer.pop(name)) for name in ("created_at", "updated_at", "submitted_at"))
    obj = DeploymentObject.objects.get()
    text = f"# ü\r\n{TEMPLATE}  \n\n".replace("{{ name }}", "x")
    assert answer == {
        "id": str(obj.id),
        "deleted_at": None,
        "sequence_id": obj.sequence_id,
        "stack_id": str(stack.id),
        "yaml_content": text,
        "yaml_checksum": hashlib.sha256(text.encode()).hexdigest(),
        "is_deletion_marker": False,
        "warnings": [],
    }
    assert obj.yaml_content == text


def test_it_becomes_what_the_stack_wants(admin, stack):
    agent, api = make_agent(active=True)
    make_target(agent, stack)
    created = admin.post(path(stack), body(make_template())).json()
    state = api.get(f"/agents/{agent.id}/target-state").json()
    assert [row["id"] for row in state] == [created["id"]]


def test_where_it_came_from_is_noted(admin, stack):
    make_template(name="web")
    template = make_template(name="web")
    admin.post(path(stack), body(template, {"name": "ü", "b": [1.0, None], "a": {"d": 1, "c": True}}))
    rendered = RenderedObject.objects.get()
    assert rendered.deployment_object == DeploymentObject.objects.get()
    assert (rendered.template_id, rendered.template_version) == (template.id, 2)
    assert rendered.template_parameters == '{"a":{"c":true,"d":1},"b":[1.0,null],"name":"ü"}'


def test_it_is_announced_and_audited_like_any_version():
    generator, api = make_generator()
    stack = make_stack(generator)
    with recorded_events() as events, recorded_audit() as rows:
        api.post(path(stack), body(make_template(generator), {"name": "hunter2"}))
    obj = DeploymentObject.objects.get()
    assert notices(events) == [
        (
            "deployment.created",
            {
                "deployment_object_id": obj.id,
                "stack_id": stack.id,
                "sequence_id": obj.sequence_id,
                "created_at": obj.created_at,
            },
        )
    ]
    row = rows[-1]
    assert (row.action, row.resource_id, row.actor_id) == ("deployment.created", obj.id, generator.id)
    assert "hunter2" not in str([row.details for row in rows])
    assert Generator.objects.get(id=generator.id).last_active_at is not None


def test_a_note_that_fails_leaves_no_object(admin, stack, monkeypatch):
    def fail(**fields: object) -> RenderedObject:
        raise IntegrityError("no")

    template = make_template()
    monkeypatch.setattr(RenderedObject.objects, "create", fail)
    with recorded_audit() as rows:
        refused(admin.post(path(stack), body(template)), 500, "internal_error")
    assert not DeploymentObject.objects.exists()
    assert rows == []


# Each of these is refused for its own reason and for every later one; the first one is answered.
def _broken(generator) -> StackTemplate:
    return make_template(generator, content="{{ absent }}", schema=NAME, labels=["prod"])


def test_the_checks_come_in_their_order(admin):
    generator, owner = make_generator()
    other, stranger = make_generator()
    stack, theirs = make_stack(generator), _broken(other)
    deleted = _broken(other)
    delete_template(template=deleted, actor=SYSTEM)
    wrong = {"name": 17}

    refused(stranger.post(path(stack), raw=b"{"), 400, "invalid_json")
    refused(stranger.post(path(stack), {"template_id": str(deleted.id)}), 422, "invalid_request_body")
    gone = make_stack(generator)
    delete_stack(stack=gone, actor=SYSTEM)
    refused(stranger.post(path(gone), body(deleted, wrong)), 404, "stack_not_found")
    refused(stranger.post(path(stack), body(deleted, wrong)), 403, "stack_not_owned")
    refused(owner.post(path(stack), body(deleted, wrong)), 404, "template_not_found")
    refused(owner.post(path(stack), body(theirs, wrong)), 403, "template_not_accessible")
    mine = _broken(generator)
    refused(owner.post(path(stack), body(mine, wrong)), 422, "template_stack_mismatch")
    fitting = make_stack(generator, labels=["prod"])
    refused(owner.post(path(fitting), body(mine, wrong)), 400, "invalid_parameters")
    refused(owner.post(path(fitting), body(mine)), 400, "template_render_failed")
    blank = make_template(generator, content="{# nothing #} \n", schema=NAME)
    refused(owner.post(path(fitting), body(blank)), 400, "invalid_deployment_object")
    assert not DeploymentObject.objects.filter(is_deletion_marker=False).exists()
    assert not RenderedObject.objects.exists()


def test_owner_and_admin_may_and_no_other(anonymous, admin):
    generator, owner = make_generator()
    stack, template = make_stack(generator), make_template()
    agent, targeted = make_agent()
    make_target(agent, stack)
    refused(anonymous.post(path(stack), body(template)), 401, "unauthorized")
    for api in (make_generator()[1], targeted, make_agent()[1]):
        refused(api.post(path(stack), body(template)), 403, "stack_not_owned")
    for api in (owner, admin):
        assert api.post(path(stack), body(template)).status_code == 201


def test_a_generator_uses_the_systems_templates_and_its_own_and_an_admin_all(admin):
    generator, owner = make_generator()
    stack = make_stack(generator)
    theirs = make_template(make_generator()[0])
    for template in (make_template(), make_template(generator)):
        assert owner.post(path(stack), body(template)).status_code == 201
    refused(owner.post(path(stack), body(theirs)), 403, "template_not_accessible")
    assert admin.post(path(stack), body(theirs)).status_code == 201


def test_an_inactive_generator_may_not():
    generator, api = make_generator()
    stack, template = make_stack(generator), make_template()
    Generator.objects.filter(id=generator.id).update(is_active=False)
    refused(api.post(path(stack), body(template)), 403, "generator_inactive")


def test_a_mismatch_lists_what_is_missing_inside_and_beside_details(admin):
    template = make_template(
        labels=["prod", "eu", "k=v"], annotations={"region": "eu", "tier": "1", "zone": "a"}
    )
    stack = make_stack(labels=["eu", "Prod", "k"], annotations={"region": "eu", "tier": "2"})
    answer = refused(admin.post(path(stack), body(template)), 422, "template_stack_mismatch")
    lists = {"missing_labels": ["k=v", "prod"], "missing_annotations": [["tier", "1"], ["zone", "a"]]}
    assert answer["details"] == lists
    assert {name: answer[name] for name in lists} == lists


@pytest.mark.parametrize(
    ("asked", "missing_labels", "missing_annotations"),
    [({"labels": ["a"]}, ["a"], []), ({"annotations": {"k": "v"}}, [], [["k", "v"]])],
)
def test_both_lists_are_there_also_when_one_is_empty(
    admin, stack, asked, missing_labels, missing_annotations
):
    answer = refused(admin.post(path(stack), body(make_template(**asked))), 422, "template_stack_mismatch")
    assert answer["missing_labels"] == answer["details"]["missing_labels"] == missing_labels
    assert answer["missing_annotations"] == answer["details"]["missing_annotations"] == missing_annotations


def test_a_stack_with_all_of_it_and_more_matches(admin):
    template = make_template(labels=["a", "b"], annotations={"k": "v"})
    stack = make_stack(labels=["a", "b", "c"], annotations={"k": "v", "l": "w"})
    assert admin.post(path(stack), body(template)).status_code == 201
    assert admin.post(path(stack), body(make_template())).status_code == 201


def test_all_violations_are_listed_with_their_pointers(admin, stack):
    schema = json.dumps(
        {
            "type": "object",
            "required": ["name"],
            "properties": {"replicas": {"type": "integer"}, "a/b": {"items": {"type": "string"}}},
        }
    )
    template = make_template(content="a: 1", schema=schema)
    answer = refused(
        admin.post(path(stack), body(template, {"replicas": "x", "a/b": ["y", 1]})), 400, "invalid_parameters"
    )
    assert "Invalid parameters" in answer["error"]
    found = answer["validation_errors"]
    assert found == answer["details"]["validation_errors"]
    assert sorted(line.partition(": ")[0] for line in found if line.startswith("/")) == [
        "/a~1b/1",
        "/replicas",
    ]
    (at_root,) = [line for line in found if not line.startswith("/")]
    assert "name" in at_root


@pytest.mark.parametrize("parameters", [None, True, 0, 1.5, "name", [], [{"name": "x"}]])
def test_parameters_may_be_any_json_and_only_an_objects_members_are_variables(admin, stack, parameters):
    template = make_template(content=manifest("{{ name | default(value='none') }}"))
    response = admin.post(path(stack), body(template, parameters))
    assert response.status_code == 201
    assert response.json()["yaml_content"] == manifest("none")
    assert json.loads(RenderedObject.objects.get().template_parameters) == parameters


@pytest.mark.parametrize(
    ("sent", "printed", "kept"),
    [
        ("1", "1", "1"),
        ("1.0", "1", "1.0"),
        ("0.1", "0.1", "0.1"),
        ("1e2", "100", "100.0"),
        ("-9223372036854775808", "-9223372036854775808", "-9223372036854775808"),
        ("9223372036854775808", "9223372036854775808", "9223372036854775808"),
        ("18446744073709551615", "18446744073709551615", "18446744073709551615"),
        ("18446744073709551616", "18446744073709552000", "1.8446744073709552e+19"),
    ],
)
def test_numbers_keep_their_kind(admin, stack, sent, printed, kept):
    template = make_template(content=manifest("{{ n }}"))
    raw = f'{{"template_id": "{template.id}", "parameters": {{"n": {sent}}}}}'.encode()
    response = admin.post(path(stack), raw=raw)
    assert response.status_code == 201, response.content
    assert response.json()["yaml_content"] == manifest(printed)
    assert RenderedObject.objects.get().template_parameters == f'{{"n":{kept}}}'


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "0x1"])
def test_what_is_no_json_number_never_gets_in(admin, stack, number):
    raw = f'{{"template_id": "{make_template().id}", "parameters": {{"name": {number}}}}}'.encode()
    refused(admin.post(path(stack), raw=raw), 400, "invalid_json")


@pytest.mark.parametrize("wrong", [{}, {"parameters": {}}, {"template_id": "17"}, {"template_id": None}])
def test_a_body_of_the_wrong_shape_is_422(admin, stack, wrong):
    refused(admin.post(path(stack), {"parameters": {}} | wrong), 422, "invalid_request_body")
    refused(admin.post(path(stack), {"template_id": str(make_template().id)}), 422, "invalid_request_body")


def test_parameters_over_the_body_limit_are_413(admin, stack, settings):
    template = make_template()
    settings.MAX_JSON_BYTES = 4096
    assert admin.post(path(stack), body(template, {"name": "x" * 3000})).status_code == 201
    refused(admin.post(path(stack), body(template, {"name": "x" * 4096})), 413, "payload_too_large")


@pytest.mark.parametrize("text", ["", "  ", "# only a comment", "---", "a: [", "a: 1\na: 2"])
def test_a_text_that_is_no_manifest_is_400(admin, stack, text):
    template = make_template(content="{{ text }}\n")
    refused(admin.post(path(stack), body(template, {"text": text})), 400, "invalid_deployment_object")
    assert not DeploymentObject.objects.exists()


def test_a_failure_to_render_names_the_place_and_the_variable(admin, stack):
    template = make_template(content="a: 1\nb:   {{ image.tag }}")
    answer = refused(admin.post(path(stack), body(template, {"image": {}})), 400, "template_render_failed")
    assert "image.tag" in answer["error"]
    assert answer["details"] == {"line": 2, "column": answer["details"]["column"]}


def test_a_stored_template_that_no_longer_compiles_fails_to_render(admin, stack):
    template = make_template()
    StackTemplate.objects.filter(id=template.id).update(template_content="{{ a | filter_of_yore }}")
    answer = refused(admin.post(path(stack), body(template)), 400, "template_render_failed")
    assert "filter_of_yore" in answer["error"]


def test_a_repeat_replays_the_answer_even_when_the_template_is_gone(admin, stack):
    template = make_template()
    headers = {"Idempotency-Key": "abc"}
    first = admin.post(path(stack), body(template), headers=headers)
    delete_template(template=template, actor=SYSTEM)
    again = admin.post(path(stack), body(template), headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert DeploymentObject.objects.count() == 1
    changed = admin.post(path(stack), body(template, {}), headers=headers)
    refused(changed, 422, "idempotency_key_reused")


@pytest.fixture
def open_transactions(monkeypatch) -> list[int]:
    """How many transactions were open around each rendering, compilation and manifest check."""
    seen: list[int] = []
    outside = len(connection.savepoint_ids)
    for name in ("template_for", "compile_template", "check_schema", "violations", "check_publishable"):
        real = getattr(services, name)

        def watched(*arguments: object, real=real, **named: object) -> object:
            seen.append(len(connection.savepoint_ids) - outside)
            return real(*arguments, **named)

        monkeypatch.setattr(services, name, watched)
    return seen


@pytest.mark.parametrize("keyed", [False, True])
def test_no_transaction_is_open_while_templates_are_compiled_or_rendered(
    admin, stack, keyed, open_transactions
):
    first, second = ({"Idempotency-Key": key} if keyed else {} for key in ("one", "two"))
    template = make_template()
    open_transactions.clear()
    made = admin.post(
        "/templates",
        {"name": "t", "template_content": "a: 1", "parameters_schema": "{}"},
        headers=first,
    )
    assert made.status_code == 201
    changed = {"template_content": "a: 2", "parameters_schema": "{}"}
    assert admin.put(f"/templates/{template.id}", changed).status_code == 200
    assert admin.post(f"/templates/{template.id}/render", {"parameters": {"name": "x"}}).status_code == 200
    published = admin.post(path(stack), body(template), headers=second)
    assert published.status_code == 201
    assert open_transactions == [0] * 10


def test_the_output_is_checked_as_any_manifest_and_warned_about(admin, stack):
    template = make_template(content=f"{TEMPLATE}mode: {{{{ mode }}}}\n")
    answer = admin.post(path(stack), body(template, {"name": "x", "mode": "0644"})).json()
    assert [each["code"] for each in answer["warnings"]] == ["number_differs"]
    refusal = refused(
        admin.post(path(stack), body(template, {"name": 5, "mode": 1})), 400, "invalid_deployment_object"
    )
    assert refusal["details"]["reason"] == "name_missing"

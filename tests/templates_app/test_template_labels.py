"""/templates/{id}/labels and /templates/{id}/annotations."""

from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from core.events import SYSTEM
from templates_app.services import delete_template
from tests.factories import make_agent, make_generator, make_template
from tests.support.api import refused
from tests.support.events import is_wire_time, notices, recorded_events

pytestmark = pytest.mark.django_db

ODD = ["a/b", "a%2Fb", "größe", "k=v", "a?b#c", "..", "a+b"]


def test_a_label_is_a_bare_string_or_an_object(admin):
    template = make_template()
    body = admin.post(f"/templates/{template.id}/labels", "env:prod")
    assert body.status_code == 201
    label = body.json()
    assert is_wire_time(label["created_at"])
    assert set(label) == {"id", "template_id", "label", "created_at"}
    assert (label["template_id"], label["label"]) == (str(template.id), "env:prod")
    assert admin.post(f"/templates/{template.id}/labels", {"label": "b"}).status_code == 201
    rows = admin.get(f"/templates/{template.id}/labels").json()
    assert [row["label"] for row in rows] == ["b", "env:prod"]
    assert rows[1] == label


def test_an_annotation_is_a_key_and_a_value(admin):
    template = make_template()
    response = admin.post(f"/templates/{template.id}/annotations", {"key": "region", "value": "eu"})
    assert response.status_code == 201
    row = response.json()
    assert is_wire_time(row["created_at"])
    assert set(row) == {"id", "template_id", "key", "value", "created_at"}
    assert (row["template_id"], row["key"], row["value"]) == (str(template.id), "region", "eu")
    assert admin.get(f"/templates/{template.id}/annotations").json() == [row]


@pytest.mark.parametrize("label", ["", " ", "a b", "a\tb", "a\u2003b", "x" * 65])
def test_a_word_that_is_no_label_is_400(admin, label):
    path = f"/templates/{make_template().id}"
    refused(admin.post(f"{path}/labels", label), 400, "invalid_label")
    refused(admin.post(f"{path}/annotations", {"key": label, "value": "v"}), 400, "invalid_annotation")
    refused(admin.post(f"{path}/annotations", {"key": "k", "value": label}), 400, "invalid_annotation")
    assert admin.get(f"{path}/labels").json() == admin.get(f"{path}/annotations").json() == []


def test_64_characters_are_accepted(admin):
    path = f"/templates/{make_template().id}"
    assert admin.post(f"{path}/labels", "ü" * 64).status_code == 201
    assert admin.post(f"{path}/annotations", {"key": "ü" * 64, "value": "v" * 64}).status_code == 201


@pytest.mark.parametrize("body", [{}, {"key": "k"}, {"value": "v"}, {"key": 1, "value": "v"}, "k", []])
def test_an_annotation_of_another_shape_is_422(admin, body):
    path = f"/templates/{make_template().id}/annotations"
    refused(admin.post(path, body), 422, "invalid_request_body")


def test_a_duplicate_is_409_and_names_the_constraint(admin):
    path = f"/templates/{make_template(labels=['a'], annotations={'k': 'v'}).id}"
    body = refused(admin.post(f"{path}/labels", "a"), 409, "unique_violation")
    assert body["details"]["constraint"] == "template_labels_template_id_label_key"
    body = refused(admin.post(f"{path}/annotations", {"key": "k", "value": "w"}), 409, "unique_violation")
    assert body["details"]["constraint"] == "template_annotations_template_id_key_key"
    assert admin.post(f"{path}/labels", "A").status_code == 201


def test_a_body_that_names_another_template_is_400(admin):
    template = make_template()
    path = f"/templates/{template.id}/annotations"
    body = {"key": "k", "value": "v", "template_id": str(uuid4())}
    refused(admin.post(path, body), 400, "template_id_mismatch")
    assert admin.post(path, body | {"template_id": str(template.id)}).status_code == 201


@pytest.mark.parametrize("word", ODD)
def test_any_label_and_key_can_be_removed_again(admin, word):
    template = make_template(labels=[word, "stays"], annotations={word: "v", "stays": "v"})
    for kind in ("labels", "annotations"):
        path = f"/templates/{template.id}/{kind}/{quote(word, safe='')}"
        response = admin.delete(path)
        assert (response.status_code, response.content) == (204, b"")
        assert [
            row.get("label") or row["key"] for row in admin.get(f"/templates/{template.id}/{kind}").json()
        ] == ["stays"]


def test_removing_what_is_not_there_is_404(admin):
    path = f"/templates/{make_template(labels=['prod'], annotations={'key': 'v'}).id}"
    for absent in ("Prod", "pro", "absent"):
        refused(admin.delete(f"{path}/labels/{absent}"), 404, "template_label_not_found")
    for absent in ("Key", "v", "absent"):
        refused(admin.delete(f"{path}/annotations/{absent}"), 404, "template_annotation_not_found")


def test_who_reads_the_template_reads_its_labels(anonymous, admin):
    generator, owner = make_generator()
    own, systems = make_template(generator), make_template()
    stranger, agent = make_generator()[1], make_agent()[1]
    for kind in ("labels", "annotations"):
        for api in (admin, owner):
            assert api.get(f"/templates/{own.id}/{kind}").status_code == 200
        for api in (admin, owner, stranger):
            assert api.get(f"/templates/{systems.id}/{kind}").status_code == 200
        refused(stranger.get(f"/templates/{own.id}/{kind}"), 403, "template_not_accessible")
        for template in (own, systems):
            refused(agent.get(f"/templates/{template.id}/{kind}"), 403, "template_not_accessible")
            refused(anonymous.get(f"/templates/{template.id}/{kind}"), 401, "unauthorized")


WRITES = [
    ("POST", "labels", "a"),
    ("POST", "annotations", {"key": "k", "value": "v"}),
    ("DELETE", "labels/there", ...),
    ("DELETE", "annotations/there", ...),
]


@pytest.mark.parametrize(("method", "rest", "body"), WRITES)
def test_who_owns_the_template_writes_its_labels(anonymous, admin, method, rest, body):
    generator, owner = make_generator()
    given: dict[str, Any] = {"labels": ["there"], "annotations": {"there": "v"}}
    own, systems = make_template(generator, **given), make_template(**given)
    stranger, agent = make_generator()[1], make_agent()[1]
    for template, refusees in ((own, (stranger, agent)), (systems, (owner, stranger, agent))):
        path = f"/templates/{template.id}/{rest}"
        refused(anonymous.request(method, path, body), 401, "unauthorized")
        for api in refusees:
            refused(api.request(method, path, body), 403, "template_not_owned")
    done = {"POST": 201, "DELETE": 204}[method]
    assert owner.request(method, f"/templates/{own.id}/{rest}", body).status_code == done
    assert admin.request(method, f"/templates/{systems.id}/{rest}", body).status_code == done


@pytest.mark.parametrize(
    ("method", "rest", "body"), [*WRITES, ("GET", "labels", ...), ("GET", "annotations", ...)]
)
def test_a_deleted_or_unknown_template_is_404(admin, method, rest, body):
    template = make_template(labels=["there"], annotations={"there": "v"})
    delete_template(template=template, actor=SYSTEM)
    for api in (admin, make_generator()[1], make_agent()[1]):
        for id_ in (template.id, uuid4()):
            refused(api.request(method, f"/templates/{id_}/{rest}", body), 404, "template_not_found")


def test_nothing_is_announced(admin):
    path = f"/templates/{make_template().id}"
    with recorded_events() as events:
        admin.post(f"{path}/labels", "a")
        admin.delete(f"{path}/labels/a")
    assert [event.kind for event in events] == ["template.label_added", "template.label_removed"]
    assert notices(events) == []

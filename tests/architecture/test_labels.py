"""Labels and annotations: the same promises for every resource that has them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from pytest_django import DjangoDbBlocker

from core.events import SYSTEM
from core.labels.models import LabelledResource
from paks.models import Role
from paks.services import issue_pak
from tests.factories import make_agent, make_generator, make_stack, make_template
from tests.support.api import Api, refused
from tests.support.shared_rows import shared_rows
from tests.support.source import product_modules
from tests.support.wsgi import call

pytestmark = pytest.mark.django_db

WHITE_SPACE = [
    "\t",
    "\n",
    "\r",
    " ",
    "\x0b",
    "\x0c",
    "\x85",
    "\xa0",
    "\u1680",
    "\u2003",
    "\u2028",
    "\u202f",
    "\u3000",
]
ODD = [
    "a/b", "/a", "a/", "//", "a//b", "example.com/x", "100%", "%2F", "%20", "%", "a%00b", "a+b", "a?b", "a#b", "a&b=c",
    ".", "..", "../..", "a.b", "a;b", "a:b", "env=prod", "~", "'\"", "<b>", "\\", "schlüssel", "標籤", "🚀", "\u200b",
    "labels/a", "{}", "[]", "null",
]  # fmt: skip


@dataclass
class Owned:
    """A labelled resource with the API as its writer and as a generator without rights see it."""

    noun: str
    path: str
    owner_id: str
    writer: Api
    other: Api
    other_code: str
    label_constraint: str
    annotation_constraint: str
    # Only the labels and annotations of templates tell when they were put on.
    more_fields: frozenset[str] = frozenset()

    def remove(self, word: str, value: str) -> Any:
        """DELETE with the value escaped as one segment, as clients send it."""
        return call("DELETE", f"/api/v1{self.path}/{word}/{quote(value, safe='')}", key=self.writer.key)


def a_stack(admin: Api) -> Owned:
    generator, api = make_generator()
    stack = make_stack(generator)
    return Owned(
        noun="stack",
        path=f"/stacks/{stack.id}",
        owner_id=str(stack.id),
        writer=api,
        other=make_generator()[1],
        other_code="stack_not_owned",
        label_constraint="stack_labels_stack_id_label_key",
        annotation_constraint="unique_stack_annotation",
    )


def a_template(admin: Api) -> Owned:
    generator, api = make_generator()
    template = make_template(generator)
    return Owned(
        noun="template",
        path=f"/templates/{template.id}",
        owner_id=str(template.id),
        writer=api,
        other=make_generator()[1],
        other_code="template_not_owned",
        label_constraint="template_labels_template_id_label_key",
        annotation_constraint="template_annotations_template_id_key_key",
        more_fields=frozenset({"created_at"}),
    )


def an_agent(admin: Api) -> Owned:
    agent, _ = make_agent()
    return Owned(
        noun="agent",
        path=f"/agents/{agent.id}",
        owner_id=str(agent.id),
        writer=admin,
        other=make_generator()[1],
        other_code="admin_required",
        label_constraint="agent_labels_agent_id_label_key",
        annotation_constraint="agent_annotations_agent_id_key_key",
    )


MAKERS = {"stack": a_stack, "template": a_template, "agent": an_agent}


@pytest.fixture(scope="module")
def _one_of_each(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, Owned]]:
    def make() -> dict[str, Owned]:
        _, key = issue_pak(role=Role.ADMIN, subject_id=None, name="writer", actor=SYSTEM)
        return {noun: maker(Api(key)) for noun, maker in MAKERS.items()}

    with shared_rows(django_db_blocker, make) as made:
        yield made


@pytest.fixture(params=MAKERS)
def owned(request, _one_of_each: dict[str, Owned]) -> Owned:
    return _one_of_each[request.param]


def test_every_labelled_resource_is_tested_here():
    product_modules()
    assert {model.NOUN for model in LabelledResource.__subclasses__()} == set(MAKERS)


# --- Adding -----------------------------------------------------------------------------------------


def test_a_label_is_a_bare_string_or_an_object(owned):
    bare = owned.writer.post(f"{owned.path}/labels", "env:prod")
    wrapped = owned.writer.post(f"{owned.path}/labels", {"label": "tier:web"})
    assert (bare.status_code, wrapped.status_code) == (201, 201)
    fields = {"id", f"{owned.noun}_id", "label"} | owned.more_fields
    assert set(bare.json()) == set(wrapped.json()) == fields
    assert bare.json()[f"{owned.noun}_id"] == owned.owner_id
    assert owned.writer.get(f"{owned.path}/labels").json() == [bare.json(), wrapped.json()]


def test_an_annotation_is_a_key_with_a_value(owned):
    response = owned.writer.post(f"{owned.path}/annotations", {"key": "region", "value": "eu"})
    assert response.status_code == 201
    row = response.json()
    assert set(row) == {"id", f"{owned.noun}_id", "key", "value"} | owned.more_fields
    assert (row[f"{owned.noun}_id"], row["key"], row["value"]) == (owned.owner_id, "region", "eu")
    assert owned.writer.get(f"{owned.path}/annotations").json() == [row]


@pytest.mark.parametrize("spell", [str.lower, str.upper])
def test_the_body_may_name_the_owner(owned, spell):
    name = {f"{owned.noun}_id": spell(owned.owner_id)}
    assert owned.writer.post(f"{owned.path}/labels", name | {"label": "a"}).status_code == 201
    response = owned.writer.post(f"{owned.path}/annotations", name | {"key": "a", "value": "b"})
    assert response.status_code == 201


@pytest.mark.parametrize("named", ["0193f0a4-7c1e-7d39-8b53-0a4f6f2b9c11", "x", "", 5, []])
def test_a_body_that_names_another_owner_is_400(owned, named):
    name = {f"{owned.noun}_id": named}
    code = f"{owned.noun}_id_mismatch"
    refused(owned.writer.post(f"{owned.path}/labels", name | {"label": "a"}), 400, code)
    refused(owned.writer.post(f"{owned.path}/annotations", name | {"key": "a", "value": "b"}), 400, code)
    assert owned.writer.get(f"{owned.path}/labels").json() == []


@pytest.mark.parametrize(
    "body", [5, None, True, [], ["a"], {}, {"label": None}, {"label": 5}, {"label": ["a"]}, {"name": "a"}]
)
def test_a_label_of_the_wrong_shape_is_422(owned, body):
    refused(owned.writer.post(f"{owned.path}/labels", body), 422, "invalid_request_body")


@pytest.mark.parametrize(
    "body",
    [
        "a",
        5,
        None,
        [],
        {},
        {"key": "a"},
        {"value": "a"},
        {"key": "a", "value": None},
        {"key": 5, "value": "a"},
    ],
)
def test_an_annotation_of_the_wrong_shape_is_422(owned, body):
    refused(owned.writer.post(f"{owned.path}/annotations", body), 422, "invalid_request_body")


@pytest.mark.parametrize("text", ["a", "x" * 64, "ü" * 64, "🚀" * 64])
def test_1_to_64_characters_are_taken(owned, text):
    assert owned.writer.post(f"{owned.path}/labels", text).json()["label"] == text
    response = owned.writer.post(f"{owned.path}/annotations", {"key": text, "value": text})
    assert (response.json()["key"], response.json()["value"]) == (text, text)
    assert owned.remove("labels", text).status_code == 204
    assert owned.remove("annotations", text).status_code == 204


BAD = [
    "",
    "x" * 65,
    "🚀" * 65,
    "x" * 100_000,
    *WHITE_SPACE,
    *(f"a{space}b" for space in WHITE_SPACE),
    " a",
    "a ",
]


def test_other_lengths_and_white_space_are_400(owned, subtests):
    for text in BAD:
        with subtests.test(ascii(text[:10])):
            refused(owned.writer.post(f"{owned.path}/labels", text), 400, "invalid_label")
            refused(owned.writer.post(f"{owned.path}/labels", {"label": text}), 400, "invalid_label")
            for body in ({"key": text, "value": "a"}, {"key": "a", "value": text}):
                refused(owned.writer.post(f"{owned.path}/annotations", body), 400, "invalid_annotation")
            assert owned.writer.get(f"{owned.path}/labels").json() == []
            assert owned.writer.get(f"{owned.path}/annotations").json() == []


def test_the_same_label_twice_is_409_and_names_the_constraint(owned):
    owned.writer.post(f"{owned.path}/labels", "a")
    body = refused(owned.writer.post(f"{owned.path}/labels", {"label": "a"}), 409, "unique_violation")
    assert body["details"] == {"constraint": owned.label_constraint}
    assert len(owned.writer.get(f"{owned.path}/labels").json()) == 1


def test_the_same_key_twice_is_409_whatever_the_value(owned):
    first = owned.writer.post(f"{owned.path}/annotations", {"key": "a", "value": "1"}).json()
    for value in ("1", "2"):
        response = owned.writer.post(f"{owned.path}/annotations", {"key": "a", "value": value})
        body = refused(response, 409, "unique_violation")
        assert body["details"] == {"constraint": owned.annotation_constraint}
    assert owned.writer.get(f"{owned.path}/annotations").json() == [first]


def test_labels_that_differ_in_case_are_two(owned):
    assert owned.writer.post(f"{owned.path}/labels", "Prod").status_code == 201
    assert owned.writer.post(f"{owned.path}/labels", "prod").status_code == 201
    assert owned.remove("labels", "PROD").status_code == 404
    assert owned.remove("labels", "prod").status_code == 204
    assert [row["label"] for row in owned.writer.get(f"{owned.path}/labels").json()] == ["Prod"]


# --- Removing ---------------------------------------------------------------------------------------


def test_every_label_that_can_be_added_can_be_removed(owned, subtests):
    for text in ODD:
        with subtests.test(text):
            assert owned.writer.post(f"{owned.path}/labels", text).status_code == 201
            annotation = {"key": text, "value": text}
            assert owned.writer.post(f"{owned.path}/annotations", annotation).status_code == 201
            for word in ("labels", "annotations"):
                response = owned.remove(word, text)
                assert (response.status_code, response.content) == (204, b"")
                assert owned.writer.get(f"{owned.path}/{word}").json() == []


def test_a_slash_may_also_come_without_its_escape(owned):
    owned.writer.post(f"{owned.path}/labels", "example.com/x/y")
    assert owned.writer.delete(f"{owned.path}/labels/example.com/x/y").status_code == 204


@pytest.mark.parametrize(
    "escaped", ["a%20b", "a%09b", "%20", "a%C2%A0b", "missing", "x" * 200, "%FF", "%F0%9F%9A%80"]
)
def test_what_the_owner_does_not_have_is_404(owned, escaped):
    owned.writer.post(f"{owned.path}/labels", "ab")
    for word, singular in (("labels", "label"), ("annotations", "annotation")):
        response = call("DELETE", f"/api/v1{owned.path}/{word}/{escaped}", key=owned.writer.key)
        refused(response, 404, f"{owned.noun}_{singular}_not_found")
    assert len(owned.writer.get(f"{owned.path}/labels").json()) == 1


def test_a_removed_label_is_404_the_second_time_and_can_be_added_again(owned):
    owned.writer.post(f"{owned.path}/labels", "a")
    assert owned.remove("labels", "a").status_code == 204
    refused(owned.remove("labels", "a"), 404, f"{owned.noun}_label_not_found")
    assert owned.writer.post(f"{owned.path}/labels", "a").status_code == 201


def test_removing_an_annotation_goes_by_the_key(owned):
    owned.writer.post(f"{owned.path}/annotations", {"key": "region", "value": "eu"})
    refused(owned.remove("annotations", "eu"), 404, f"{owned.noun}_annotation_not_found")
    assert owned.remove("annotations", "region").status_code == 204


def test_an_owner_keeps_its_labels_when_another_loses_the_same(owned, admin):
    twin = MAKERS[owned.noun](admin)
    for one in (owned, twin):
        one.writer.post(f"{one.path}/labels", "a")
    assert owned.remove("labels", "a").status_code == 204
    assert [row["label"] for row in twin.writer.get(f"{twin.path}/labels").json()] == ["a"]


# --- Who --------------------------------------------------------------------------------------------


def test_another_generator_changes_nothing(owned):
    owned.writer.post(f"{owned.path}/labels", "a")
    owned.writer.post(f"{owned.path}/annotations", {"key": "a", "value": "a"})
    for response in (
        owned.other.post(f"{owned.path}/labels", "b"),
        owned.other.post(f"{owned.path}/annotations", {"key": "b", "value": "b"}),
        owned.other.delete(f"{owned.path}/labels/a"),
        owned.other.delete(f"{owned.path}/annotations/a"),
        owned.other.delete(f"{owned.path}/labels/missing"),
    ):
        refused(response, 403, owned.other_code)
    assert len(owned.writer.get(f"{owned.path}/labels").json()) == 1
    assert len(owned.writer.get(f"{owned.path}/annotations").json()) == 1


def test_what_is_deleted_takes_no_labels(owned, admin):
    owned.writer.post(f"{owned.path}/labels", "a")
    assert admin.delete(owned.path).status_code == 204
    not_found = f"{owned.noun}_not_found"
    refused(admin.post(f"{owned.path}/labels", "b"), 404, not_found)
    refused(admin.post(f"{owned.path}/annotations", {"key": "b", "value": "b"}), 404, not_found)
    refused(admin.delete(f"{owned.path}/labels/a"), 404, not_found)


def test_labels_are_listed_in_the_order_of_the_word(owned):
    for label in ("b", "c", "a"):
        owned.writer.post(f"{owned.path}/labels", label)
        owned.writer.post(f"{owned.path}/annotations", {"key": label, "value": "x"})
    assert [row["label"] for row in owned.writer.get(f"{owned.path}/labels").json()] == ["a", "b", "c"]
    assert [row["key"] for row in owned.writer.get(f"{owned.path}/annotations").json()] == ["a", "b", "c"]

"""Schemas that their drafts allow, and few people write: each is refused, or checks parameters, in every door."""

import json
from typing import Any

import pytest

from parameter_schemas import budget
from tests.factories import make_generator, make_stack, manifest
from tests.support.api import refused

pytestmark = pytest.mark.django_db


def template_with(schema: object) -> tuple[Any, str, str]:
    """A caller, the id of a template with this schema, and where it is instantiated."""
    generator, api = make_generator()
    body = {"name": "t", "template_content": manifest(1), "parameters_schema": json.dumps(schema)}
    created = api.post("/templates", body)
    assert created.status_code == 201, created.content
    return api, created.json()["id"], f"/stacks/{make_stack(generator).id}/deployment-objects/from-template"


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        (
            {"dependencies": {"auth": {"required": ["user"]}, "tls": ["cert"]}},
            {"auth": 1, "user": 1},
            {"tls": 1},
        ),
        ({"items": True, "additionalItems": False, "maxItems": 1}, [1], [1, 2]),
        ({"pattern": "^(?!kube-)[a-z-]+$"}, "web", "kube-web"),
        (
            {"properties": {"a": {"$schema": "http://json-schema.org/draft-04/schema#", "const": 1}}},
            {"a": 1},
            {"a": 2},
        ),
    ],
)
def test_an_unusual_schema_checks_parameters(schema, good, bad):
    api, template_id, path = template_with(schema)
    assert api.post(path, {"template_id": template_id, "parameters": good}).status_code == 201
    refused(api.post(path, {"template_id": template_id, "parameters": bad}), 400, "invalid_parameters")
    preview = api.post(f"/templates/{template_id}/render", {"parameters": bad})
    assert [problem["code"] for problem in preview.json()["errors"]] == ["invalid_parameters"]


def test_parameters_that_recurse_with_their_schema_are_refused_before_the_stack_ends(monkeypatch):
    api, template_id, path = template_with({"properties": {"a": {"allOf": [{"$ref": "#"}]}}})
    body = {"template_id": template_id, "parameters": {"a": {"a": {"a": {"a": {"a": 1}}}}}}
    assert api.post(path, body).status_code == 201
    monkeypatch.setattr(budget, "_frames_left", lambda: 0)
    refused(api.post(path, body), 400, "invalid_parameters")

"""Bodies: what is read, and what is refused for what it says or for its type."""

import pytest

from tests.core.bodies import STACKS
from tests.factories import MANIFEST, make_agent, make_generator
from tests.support.api import refused
from tests.support.wsgi import call


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"{'name': 'a'}",
        b'{"name": "a",}',
        b'{"name": NaN}',
        b'{"name": Infinity}',
        b'{"name": "\xff"}',
        b'{"name": "\\ud800"}',
        b'{"name": "\\udfff\\ud800"}',
        b'{"name": "a\x00"}',
        b'{"name": "a"} trailing',
        b"\xef\xbb\xbf{}",
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    ],
    ids=[
        "unclosed", "single quotes", "trailing comma", "NaN", "Infinity", "not UTF-8", "lone surrogate",
        "swapped surrogates", "raw NUL", "two values", "byte order mark", "deep array", "deep object",
    ],
)  # fmt: skip
def test_what_is_not_json_is_400(generator, raw):
    refused(generator.post("/stacks", raw=raw), 400, "invalid_json")


def test_an_empty_body_where_json_is_required_is_400(generator):
    response = call("POST", STACKS, key=generator.key, CONTENT_LENGTH="0")
    refused(response, 400, "invalid_json")


@pytest.mark.parametrize(
    "body",
    [[], ["name"], "name", 5, 1.5, True, None],
    ids=["empty array", "array", "string", "integer", "float", "true", "null"],
)
def test_json_that_is_no_object_is_422(generator, body):
    refused(generator.post("/stacks", body), 422, "invalid_request_body")


@pytest.mark.parametrize("value", [None, 5, 1.5, True, [], ["a"], {}, {"a": 1}])
def test_a_field_of_another_type_is_422_and_named(generator, value):
    body = refused(generator.post("/stacks", {"name": value}), 422, "invalid_request_body")
    assert set(body["details"]["fields"]) == {"name"}


def test_a_missing_field_is_422_and_named(generator):
    body = refused(generator.post("/stacks", {}), 422, "invalid_request_body")
    assert set(body["details"]["fields"]) == {"name"}


@pytest.mark.parametrize("value", ["x", "", 5, [], {}, "0193f0a47c1e7d398b530a4f6f2b9c11", "{}"])
def test_a_bad_uuid_in_a_field_is_422(admin, value):
    refused(admin.post("/stacks", {"name": "a", "generator_id": value}), 422, "invalid_request_body")


def test_a_bad_item_of_a_list_is_422_and_named_by_its_place(admin):
    response = admin.post("/agents", {"name": "a", "cluster_name": "b", "generator_ids": ["x", 5]})
    body = refused(response, 422, "invalid_request_body")
    assert set(body["details"]["fields"]["generator_ids"]) == {"0", "1"}


@pytest.mark.parametrize(
    "number", ["2147483648", "-2147483649", "9223372036854775808", "1" + "0" * 40, "1.5"]
)
def test_a_number_beyond_its_column_is_422(db, number):
    agent, api = make_agent()
    raw = f'{{"k8s_reachable": true, "k8s_api_latency_ms": {number}}}'.encode()
    refused(api.post(f"/agents/{agent.id}/heartbeat", raw=raw), 422, "invalid_request_body")


@pytest.mark.parametrize("number", ["1e400", "-1e400"])
def test_a_number_beyond_all_floats_is_no_json(db, number):
    agent, api = make_agent()
    raw = f'{{"k8s_api_latency_ms": {number}}}'.encode()
    refused(api.post(f"/agents/{agent.id}/heartbeat", raw=raw), 400, "invalid_json")


@pytest.mark.parametrize(
    "body", [{"name": "a\0b"}, {"a\0": 1, "name": "b"}, {"name": "b", "x": [{"y": "\0"}]}]
)
def test_a_nul_anywhere_in_the_body_is_400(generator, body):
    refused(generator.post("/stacks", body), 400, "nul_character")


def test_an_escaped_backslash_before_u0000_is_no_nul(generator):
    response = generator.post("/stacks", raw=rb'{"name": "\\u0000"}')
    assert response.status_code == 201
    assert response.json()["name"] == "\\u0000"


def test_unknown_fields_are_not_looked_at(generator):
    assert generator.post("/stacks", {"name": "a", "colour": "red", "id": 5}).status_code == 201


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "APPLICATION/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8;profile=x",
        "application/merge-patch+json",
        "application/vnd.brokkr+json",
    ],
)
def test_every_spelling_of_json_is_read(generator, content_type):
    assert generator.post("/stacks", {"name": "a"}, content_type=content_type).status_code == 201


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "text/html",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/yaml",
        "application/jsonp",
        "application",
        "text/x+json",
        ";",
    ],
)
def test_other_types_are_415(generator, content_type):
    response = generator.post("/stacks", {"name": "a"}, content_type=content_type)
    refused(response, 415, "unsupported_media_type")


def test_a_body_without_a_type_is_415(generator):
    refused(generator.post("/stacks", {"name": "a"}, content_type=None), 415, "unsupported_media_type")


def test_a_body_without_a_type_is_415_also_where_the_body_is_optional(admin):
    generator, _ = make_generator()
    path = f"/generators/{generator.id}/register"
    refused(admin.post(path, {}, content_type=None), 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "content_type", ["application/yaml", "text/yaml", "application/x-yaml; charset=utf-8"]
)
def test_every_spelling_of_yaml_is_read_as_a_manifest(generator, objects_path, content_type):
    response = generator.post(objects_path, raw=MANIFEST.encode(), content_type=content_type)
    assert response.status_code == 201
    assert response.json()["yaml_content"] == MANIFEST

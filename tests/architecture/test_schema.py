"""The OpenAPI document: served, and complete enough to write a client from.

The gate compares the document with the code.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client
from jsonschema import Draft202012Validator

DOCUMENT = Path(__file__).parents[2] / "openapi" / "brokkr-v1.yaml"
document: dict[str, Any] = yaml.load(DOCUMENT.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


def _operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


OPERATIONS = dict(_operations())
API_OPERATIONS = {name: operation for name, operation in OPERATIONS.items() if " /api/" in name}


def _resolved(response: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in response:
        return dict(document["components"]["responses"][response["$ref"].rpartition("/")[2]])
    return response


def _examples(media: dict[str, Any]) -> list[Any]:
    return [example["value"] for example in media.get("examples", {}).values()] + (
        [media["example"]] if "example" in media else []
    )


def _assert_examples_fit(media: dict[str, Any]) -> None:
    examples = _examples(media)
    assert examples
    # With the components inside, `#/components/…` points somewhere.
    schema = media["schema"] | {"components": document["components"]}
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    for example in examples:
        assert [error.message for error in validator.iter_errors(example)] == []


def test_the_served_document_is_the_committed_one():
    response = Client().get("/docs/openapi.json")
    assert response.status_code == 200
    assert response.json() == document


def test_an_operation_says_what_it_does(subtests):
    for name, operation in OPERATIONS.items():
        with subtests.test(name):
            assert operation["summary"]
            assert operation["description"]
            assert operation["tags"]
            assert all(parameter["description"] for parameter in operation.get("parameters", []))
            assert all(_resolved(response)["description"] for response in operation["responses"].values())


# What agents of the first releases take for success of these is 200, and they read no body.
EMPTY_SUCCESS = {"update_health_status"}


def test_every_body_has_a_schema_and_examples_that_fit_it(subtests):
    for name, operation in OPERATIONS.items():
        with subtests.test(name):
            _assert_bodies_fit(operation)


def _assert_bodies_fit(operation: dict[str, Any]) -> None:
    bodies = list(operation.get("requestBody", {}).get("content", {}).values())
    for status, response in operation["responses"].items():
        content = _resolved(response).get("content", {})
        is_empty = status in {"204", "304"} or (status == "200" and operation["operationId"] in EMPTY_SUCCESS)
        assert bool(content) != is_empty, status
        bodies += content.values()
    for media in bodies:
        _assert_examples_fit(media)


def test_an_operation_needs_a_key_and_names_its_refusals(subtests):
    for name, operation in API_OPERATIONS.items():
        with subtests.test(name):
            assert operation["security"] == [{"pak": []}]
            assert {"400", "401", "403", "500", "503"} <= operation["responses"].keys()


def test_only_probes_need_no_key():
    public = {name for name, operation in OPERATIONS.items() if not operation["security"]}
    assert public == OPERATIONS.keys() - API_OPERATIONS.keys()
    assert public == {
        f"GET {path}"
        for path in ("/healthz", "/health", "/health/live", "/health/ready", "/readyz", "/metrics")
    }


def test_every_group_of_operations_has_its_place_and_a_description():
    used = {tag for operation in OPERATIONS.values() for tag in operation["tags"]}
    names = [tag["name"] for tag in document["tags"]]
    assert sorted(names) == sorted(used)
    assert names[:3] == ["auth", "stacks", "deployment objects"]
    assert names[-1] == "health"
    assert all(tag["description"].endswith(".") for tag in document["tags"])


def test_names_of_operations_are_unique():
    names = [operation["operationId"] for operation in OPERATIONS.values()]
    assert sorted(names) == sorted(set(names))


def test_ids_in_paths_are_uuids(subtests):
    for name, operation in API_OPERATIONS.items():
        with subtests.test(name):
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "path" and parameter["name"].endswith("_id"):
                    assert parameter["schema"] == {"type": "string", "format": "uuid"}


def test_every_list_that_pages_names_its_headers():
    paging = {
        name: operation
        for name, operation in API_OPERATIONS.items()
        if {"limit", "cursor"} <= {parameter["name"] for parameter in operation.get("parameters", [])}
    }
    assert len(paging) >= 14
    for operation in paging.values():
        assert operation["responses"]["200"]["headers"].keys() == {"Link", "X-Total-Count"}


# What these want, they name, so that a repeat is refused or changes nothing more; or they only read. A test event is a
# request of the broker's own, for which no transaction should wait.
_REPEATABLE = {
    "abort_rollout",
    "approve_rollout_wave",
    "claim_diagnostic",
    "claim_work_order",
    "complete_work_order",
    "confirm_removals",
    "make_plan",
    "pause_rollout",
    "record_heartbeat",
    "release_deployment_object",
    "reload_config",
    "render_template",
    "renew_work_order",
    "report_delivery_result",
    "report_rollout_check",
    "resume_rollout",
    "skip_rollout",
    "sync_agent",
    "test_webhook",
    "verify_pak",
}


def test_every_post_that_makes_something_takes_an_idempotency_key():
    posts = [operation for name, operation in API_OPERATIONS.items() if name.startswith("POST ")]
    without = {
        operation["operationId"]
        for operation in posts
        if "Idempotency-Key" not in {parameter["name"] for parameter in operation.get("parameters", [])}
    }
    assert without == _REPEATABLE


def test_what_has_a_tag_can_be_read_and_changed_conditionally():
    tagged = [
        item
        for item in document["paths"].values()
        if "ETag" in item.get("get", {}).get("responses", {}).get("200", {}).get("headers", {})
    ]
    assert len(tagged) >= 6
    for item in tagged:
        assert "304" in item["get"]["responses"]
        assert "If-None-Match" in {parameter["name"] for parameter in item["get"]["parameters"]}
        for method in {"put", "delete"} & item.keys():
            assert "412" in item[method]["responses"]
            assert "If-Match" in {parameter["name"] for parameter in item[method]["parameters"]}


@pytest.mark.parametrize(
    ("name", "header"), [("Unauthorized", "WWW-Authenticate"), ("Unavailable", "Retry-After")]
)
def test_refusals_name_the_headers_they_carry(name, header):
    assert header in document["components"]["responses"][name]["headers"]


@pytest.mark.parametrize("path", ["/swagger-ui", "/swagger-ui/"])
def test_swagger_ui_needs_neither_a_key_nor_another_server(path):
    client = Client()
    response = client.get(path)
    assert response.status_code == 200
    page = response.content.decode()
    assets = re.findall(r"""(?:src|href)=["']([^"']+)["']""", page)
    assert len(assets) >= 4
    for asset in assets:
        assert not re.match(r"(?:\w+:)?//", asset), asset
        answer = client.get(asset)
        assert answer.status_code == 200, asset
        assert answer.getvalue()


def test_swagger_ui_reads_the_served_document():
    script = Client().get("/swagger-ui?script=").content.decode()
    assert "/docs/openapi.json" in script
    assert not re.search(r"https?://", script)

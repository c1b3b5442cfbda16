"""What schemathesis has to know about the broker that JSON Schema cannot say.

Loaded by `schemathesis run` through schemathesis.toml. Requests that are meant to succeed are pointed at rows that
exist, so that they reach the code behind the first look-up; requests that are meant to fail are left as they are.
Every check runs on every answer. The only failures that do not count are requests that fit the schema and are
refused with one of the codes below, each with its reason.
"""

import itertools
import os
import uuid
from typing import Any

import orjson
import schemathesis
from schemathesis.core.parameters import ParameterLocation

# A refusal that depends on more than the request itself, by its code.
NOT_IN_THE_SCHEMA = {
    "foreign_key_violation": "the body refers to a row that another request of the run has deleted",
    "invalid_generator_id": "the body refers to a generator that another request of the run has deleted",
    "missing_agent_id": "an agent registers itself, but an admin must name the agent",
    "invalid_deployment_object": "the text must be YAML",
    "template_stack_mismatch": "the stack must carry the labels of the template, which other requests change",
    "invalid_parameters": "the parameters must fit the schema of the template, not that of the API",
    "template_render_failed": "the template must render with these parameters",
    "invalid_template_syntax": "the text must be a Tera template",
    "invalid_parameters_schema": "the text must be a JSON Schema",
    "no_targeting_specified": "one of several members of the body must name somebody",
    "invalid_webhook": "whether a URL or a header can be used is more than a pattern says",
    "webhook_test_failed": "somebody must listen at the endpoint",
    "nul_character": "NUL is refused in any text, also in members of a body that are otherwise not looked at",
}
_SCHEMA_VALID_REQUEST_REJECTED = "ST202"

# The rows that the run may use and must not delete: {"agent_id": "…", "generator_id": "…", …}.
_ROWS: dict[str, str] = orjson.loads(os.environ.get("BROKKR_TEST_ROWS", "{}"))
_DELETES_A_ROW = {
    "/api/v1/agents/{agent_id}": "agent_id",
    "/api/v1/generators/{generator_id}": "generator_id",
    "/api/v1/stacks/{stack_id}": "stack_id",
    "/api/v1/templates/{template_id}": "template_id",
    "/api/v1/webhooks/{webhook_id}": "webhook_id",
    "/api/v1/work-orders/{work_order_id}": "work_order_id",
}
_REPLACES_A_KEY = {
    "/api/v1/agents/{agent_id}/rotate-pak": "agent_id",
    "/api/v1/generators/{generator_id}/rotate-pak": "generator_id",
}
_CALLER = os.environ.get("BROKKR_TEST_CALLER", "")
# What an operation needs another row for than the one that goes by the name of the parameter.
_NEEDS = {
    ("POST", "/api/v1/agents/{agent_id}/targets"): {"stack_id": "spare_stack_id"},
    ("POST", "/api/v1/stacks/{stack_id}/deployment-objects/from-template"): {
        "template_id": "plain_template_id"
    },
}
_numbers = itertools.count(1)
# The operations that have had a request meant to succeed.
_tried: set[tuple[str, str]] = set()


@schemathesis.hook  # type: ignore[untyped-decorator]  # schemathesis is not followed
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    _spare_rows(case)
    if case.meta is None:
        return
    wrong = {place for place in ParameterLocation if case.meta.is_negative_at(place)}
    if not wrong and case.meta.generation.mode.is_negative:
        # Something is wrong with it that is not said, the method for instance.
        return
    if ParameterLocation.PATH not in wrong:
        _use_rows(case, meant_to_succeed=not wrong)
    if ParameterLocation.HEADER not in wrong:
        _use_known_headers(case)
    if ParameterLocation.QUERY not in wrong:
        # A cursor is opaque: only what a list handed out is valid, and its tests are elsewhere.
        (case.query or {}).pop("cursor", None)
    if ParameterLocation.BODY not in wrong and isinstance(case.body, dict):
        _refer_to_rows(case)


def _spare_rows(case: Any) -> None:
    """Rows of the run stay, and nobody replaces the caller's own key, after which all would be 401."""
    path, method = case.operation.path, case.operation.method.upper()
    name = _DELETES_A_ROW.get(path) if method == "DELETE" else _REPLACES_A_KEY.get(path)
    if name and (case.path_parameters or {}).get(name) == _ROWS.get(name):
        case.path_parameters[name] = str(uuid.UUID(int=next(_numbers)))


def _use_rows(case: Any, *, meant_to_succeed: bool) -> None:
    """Ids in paths become those of rows that exist: all of them in the first such request of an operation, so that it
    can succeed; three of four later, when the rest stays as generated, or created earlier in the run."""
    operation = case.operation.method.upper(), case.operation.path
    if operation[0] == "DELETE" and (operation[1] in _DELETES_A_ROW or not meant_to_succeed):
        # What is wrong with a DELETE may be a header that does not keep it from deleting.
        return
    if operation[1] in _REPLACES_A_KEY:
        return
    if any("%" in str(value) for value in (case.path_parameters or {}).values()):
        # An edited path is judged anew in its percent-encoded form, which may be longer than a label.
        return
    first = meant_to_succeed and operation not in _tried
    if first:
        _tried.add(operation)
    for name, value in (case.path_parameters or {}).items():
        if first and name in {"label", "key"}:
            case.path_parameters[name] = _ROWS["label"]
        elif name in _ROWS and (first or str(value)[-1:] not in "048c"):
            case.path_parameters[name] = _ROWS[name]


def _use_known_headers(case: Any) -> None:
    headers = case.headers or {}
    if "If-Match" in headers:
        # The one value that is current without having been read.
        headers["If-Match"] = "*"
    if "Idempotency-Key" in headers:
        # The same key with another body is refused.
        headers["Idempotency-Key"] = str(uuid.uuid4())


def _members(body: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects of a list; none where the name is that of something else, as the events of a diagnostic are text."""
    value = body.get(name)
    return value if isinstance(value, list) else []


def _refer_to_rows(case: Any) -> None:
    body, in_path = case.body, case.path_parameters or {}
    rows = {
        name: _ROWS[other]
        for name, other in _NEEDS.get((case.operation.method.upper(), case.operation.path), {}).items()
    }
    rows = _ROWS | rows
    filters = body.get("filters")
    for holder in (body, *([filters] if isinstance(filters, dict) else []), *_members(body, "events")):
        for name in holder.keys() & {
            "generator_id",
            "stack_id",
            "deployment_object_id",
            "agent_id",
            "template_id",
        }:
            if holder[name] is not None:
                # Where the path names it too, the two must agree.
                holder[name] = in_path.get(name) or rows.get(name, holder[name])
    for holder in _members(body, "deployment_objects"):
        holder["id"] = _ROWS["object_id"]
    if "id" in body and in_path:
        body["id"] = next(iter(in_path.values()))
    if case.operation.path == "/api/v1/stacks" and _CALLER == "admin":
        # A generator owns what it creates; an admin must name the owner.
        body.setdefault("generator_id", _ROWS.get("generator_id"))
    if body.get("generator_ids"):
        body["generator_ids"] = [_ROWS.get("generator_id")]
    for holder, name in ((body, "target_agent_ids"), (body.get("targeting"), "agent_ids")):
        if isinstance(holder, dict) and holder.get(name):
            holder[name] = [_ROWS.get("agent_id")]


@schemathesis.hook  # type: ignore[untyped-decorator]  # schemathesis is not followed
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Whether the failure is one."""
    if failure.code != _SCHEMA_VALID_REQUEST_REJECTED:
        return True
    return response.json()["code"] not in NOT_IN_THE_SCHEMA

"""What schemathesis has to know about the broker and JSON Schema cannot express.

`schemathesis run` loads it through schemathesis.toml. Requests that should succeed get the ids of rows that exist, so
that they reach the code behind the first look-up. Requests that should fail are not changed. Every check runs on every
answer. Four kinds of failure do not count: a request that fits the schema and is refused with one of the codes below,
each with its reason; a 404 after the creation of a row that is about something else than this row; an answer about a
deleted row which such a row still has; and that a slow machine is told to come again.
"""

import itertools
import os
import re
import uuid
from collections import Counter
from typing import Any

import orjson
import schemathesis
from schemathesis.core.parameters import ParameterLocation

# By code, the reasons of refusals that depend on more than the request itself.
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
    "audit_range_too_large": "the last seal may be before the first, or too far behind it",
    "invalid_webhook": "whether a URL or a header can be used is more than a pattern says",
    "webhook_test_failed": "somebody must listen at the endpoint",
    "frozen": "another request of the run has begun a freeze",
    "invalid_freeze": "which members a freeze needs depends on its scope, and its end must be in the future",
    "invalid_rollout_strategy": "the last wave must be the rest, and each name is there once",
    "reason_required": "to publish past the strategy of a stack, or to change it, needs a reason",
    "not_plannable": "a plan is only of a method and a path that together are one of some writes",
    "plan_stale": "only a plan says which digest the header must have",
    "moment_not_known": "the schema does not know how far the history goes back",
    "window_empty": "a time must begin before it ends, after the history begins and before now",
    "nul_character": "NUL is refused in any text, also in members of a body that are otherwise not looked at",
}
_SCHEMA_VALID_REQUEST_REJECTED = "ST202"
_CREATED_RESOURCE_NOT_FOUND = "ST302"
# By path, what stays of a row that is deleted, and why.
STAYS = {
    "/api/v1/agents/{agent_id}/comparison": "the past is not deleted",
    "/api/v1/agents/{agent_id}/timeline": "the past is not deleted",
    "/api/v1/stacks/{stack_id}/timeline": "the past is not deleted",
    "/api/v1/freezes/{freeze_id}": "a freeze is lifted and not deleted, and it says so",
}
_DELETED_RESOURCE_AVAILABLE = "ST301"
# By code, why the broker may say that it has no time. The run still demands that each operation has succeeded once.
NOT_IN_TIME = {
    "busy": "somebody holds a lock for longer than a request waits",
    "plan_too_long": "on SQLite a plan has half a second",
}
_SERVER_ERROR = "ST101"

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
# Operations that need another row than the one with the name of the parameter.
_NEEDS = {
    ("POST", "/api/v1/agents/{agent_id}/targets"): {"stack_id": "spare_stack_id"},
    ("POST", "/api/v1/stacks/{stack_id}/deployment-objects/from-template"): {
        "template_id": "plain_template_id"
    },
}
# What these hooks put into paths: never what a request of the run has created.
_put_in_paths: set[str] = set(_ROWS.values())
_numbers = itertools.count(1)
# By method and path, how many requests that should succeed an operation has had, and how many others.
_requests: Counter[tuple[str, str, bool]] = Counter()


@schemathesis.hook  # type: ignore[untyped-decorator]  # schemathesis is not followed
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    _name_unknown_rows(case)
    _spare_rows(case)
    _wait_briefly(case)
    if case.meta is None:
        return
    wrong = {place for place in ParameterLocation if case.meta.is_negative_at(place)}
    if not wrong and case.meta.generation.mode.is_negative:
        # The request is wrong in a way that is not described, for example in its method.
        return
    if ParameterLocation.PATH not in wrong:
        _use_rows(case, meant_to_succeed=not wrong)
    if ParameterLocation.HEADER not in wrong:
        _use_known_headers(case)
    if ParameterLocation.QUERY not in wrong and case.query:
        _use_known_query(case)
    if ParameterLocation.BODY not in wrong and isinstance(case.body, dict):
        if case.operation.path == "/api/v1/plans":
            _plan_a_write(case)
        elif case.operation.path == "/api/v1/freezes":
            _freeze_nothing_of_the_run(case)
        else:
            _refer_to_rows(case)


def _name_unknown_rows(case: Any) -> None:
    """A link from an answer with a null id makes a path that contains the word None."""
    for name, value in (case.path_parameters or {}).items():
        if name.endswith("_id") and value in (None, "None"):
            case.path_parameters[name] = _unknown_id()


def _unknown_id() -> str:
    """An id that no row has."""
    made_up = str(uuid.UUID(int=next(_numbers)))
    _put_in_paths.add(made_up)
    return made_up


def _wait_briefly(case: Any) -> None:
    """A sync may wait for half a minute, and hears nothing while the run sends one request after another."""
    query = case.query or {}
    if str(query.get("wait_seconds")) in {str(seconds) for seconds in range(2, 31)}:
        query["wait_seconds"] = 1


def _spare_rows(case: Any) -> None:
    """Prevent that a request deletes rows of the run, or replaces the caller's key: all answers would be 401."""
    path, method = case.operation.path, case.operation.method.upper()
    name = _DELETES_A_ROW.get(path) if method == "DELETE" else _REPLACES_A_KEY.get(path)
    if name and (case.path_parameters or {}).get(name) == _ROWS.get(name):
        case.path_parameters[name] = _unknown_id()


def _use_rows(case: Any, *, meant_to_succeed: bool) -> None:
    """Put ids of existing rows into paths.

    In the first such request of an operation, all that names a row is replaced, so that it can succeed. Of the later
    ones every fourth keeps its ids, which are generated or those of rows that were created earlier in the run. They are
    counted, because ids are others in each run.
    """
    operation = case.operation.method.upper(), case.operation.path
    if operation[0] == "DELETE" and (operation[1] in _DELETES_A_ROW or not meant_to_succeed):
        # A DELETE may be wrong only in a header, and then it still deletes.
        return
    if operation[1] in _REPLACES_A_KEY:
        return
    if any("%" in str(value) for value in (case.path_parameters or {}).values()):
        # A changed path is checked again in its percent-encoded form, which may be longer than a label may be.
        return
    number = _requests[(*operation, meant_to_succeed)]
    _requests[(*operation, meant_to_succeed)] += 1
    first = meant_to_succeed and number == 0
    for name in case.path_parameters or {}:
        if first and name in {"label", "key"}:
            case.path_parameters[name] = _ROWS["label"]
        elif name in _ROWS and number % 4 != 3:
            case.path_parameters[name] = _ROWS[name]


def _use_known_query(case: Any) -> None:
    # A cursor is opaque: only a cursor from a list is valid. Its tests are elsewhere.
    case.query.pop("cursor", None)
    if "at" in case.query:
        # The past is told in one mode only.
        case.query.pop("mode", None)
    if case.operation.path == "/api/v1/agents/{agent_id}/explain" and "stack_id" in case.query:
        # It is about a stack that exists, as the path is about an agent that does.
        case.query["stack_id"] = _ROWS["stack_id"]


def _use_known_headers(case: Any) -> None:
    headers = case.headers or {}
    if case.method == "POST":
        # The one holds only for the first version of a stack, the other only for the later ones.
        headers.pop("If-None-Match", None)
        headers.pop("If-Match", None)
    if case.operation.path.endswith("/rollout-strategy"):
        # Other requests take the strategy away, and nothing matches then.
        headers.pop("If-Match", None)
    if "If-Match" in headers:
        # The only value that is current without reading the row first.
        headers["If-Match"] = "*"
    # Only the digest of a plan that was asked for before holds.
    headers.pop("If-Plan", None)
    if "Idempotency-Key" in headers:
        # The broker refuses the same key with another body.
        headers["Idempotency-Key"] = str(uuid.uuid4())


def _members(body: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects of a list. None if the field is not a list; for example, the events of a diagnostic are text."""
    value = body.get(name)
    return value if isinstance(value, list) else []


def _plan_a_write(case: Any) -> None:
    """A write that can be made. What is wrong with another one is said in its own words."""
    case.body |= {"method": "POST", "path": f"/stacks/{_ROWS['stack_id']}/labels", "body": "planned"}


def _freeze_nothing_of_the_run(case: Any) -> None:
    """A freeze of the fleet would refuse the writes that come after it."""
    case.body.pop("generator_id", None)
    case.body |= {"scope": "label", "label": f"frozen-{next(_numbers)}"}


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
                # If the path contains the id too, both must be equal.
                holder[name] = in_path.get(name) or rows.get(name, holder[name])
    for holder in _members(body, "deployment_objects"):
        holder["id"] = _ROWS["object_id"]
    if "id" in body and in_path:
        body["id"] = next(iter(in_path.values()))
    if case.operation.path == "/api/v1/stacks" and _CALLER == "admin":
        # A generator owns what it creates, but an admin must name the owner.
        body.setdefault("generator_id", _ROWS.get("generator_id"))
    if body.get("generator_ids"):
        body["generator_ids"] = [_ROWS.get("generator_id")]
    for holder, name in ((body, "target_agent_ids"), (body.get("targeting"), "agent_ids")):
        if isinstance(holder, dict) and holder.get(name):
            holder[name] = [_ROWS.get("agent_id")]


def _is_about_the_created_row(created_with: str, case: Any, code: str) -> bool:
    """Whether a 404 says that the row is missing which the request before has created.

    schemathesis takes whatever a hook has put into a path for a value that came with the row. And the answer may be
    about something below the row, as in /templates/{template_id}/labels/{label}.
    """
    collection = created_with.removeprefix("POST ")
    name = case.operation.path.removeprefix(f"{collection}/").partition("/")[0].strip("{}")
    row = (case.path_parameters or {}).get(name)
    return row not in _put_in_paths and code in {code_of_a_missing(collection), "not_found"}


def _tells_of_a_deleted_row(case: Any, body: Any) -> bool:
    """Whether an answer tells more of a deleted row than of one that never was, and than what stays of it."""
    if case.operation.path in STAYS:
        return False
    told = body["deployment_objects"] if case.operation.path == "/api/v1/stacks/{stack_id}/health" else body
    return bool(told)


def code_of_a_missing(collection: str) -> str:
    """The code that says a row of a collection is missing: /api/v1/agents/{agent_id}/labels → agent_label_not_found."""
    nouns = [part for part in collection.removeprefix("/api/v1").split("/") if part and part[0] != "{"]
    singular = [
        re.sub("ies$", "y", noun).removesuffix("s").replace("-", "_") for noun in nouns if noun != "admin"
    ]
    return "_".join([*singular, "not_found"])


@schemathesis.hook  # type: ignore[untyped-decorator]  # schemathesis is not followed
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Whether the failure counts."""
    if failure.code == _CREATED_RESOURCE_NOT_FOUND:
        return _is_about_the_created_row(failure.created_with, case, response.json()["code"])
    if failure.code == _DELETED_RESOURCE_AVAILABLE:
        return _tells_of_a_deleted_row(case, response.json())
    if failure.code == _SERVER_ERROR and response.status_code == 503:
        return response.json()["code"] not in NOT_IN_TIME
    if failure.code != _SCHEMA_VALID_REQUEST_REJECTED:
        return True
    return response.json()["code"] not in NOT_IN_THE_SCHEMA

"""Which failures that schemathesis tells count: the hooks in tests/support/schemathesis_hooks.py can fail a run."""

from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from core.errors import DomainError
from tests.support import schemathesis_hooks as hooks
from tests.support.server import ROOT
from tests.support.source import product_modules

ROW = "01a22905-e93e-75f1-8a4d-ebf7fecde885"
OF_THE_RUN = "01a22905-0000-75f1-8a4d-ebf7fecde885"


@pytest.fixture(autouse=True)
def _rows_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "_put_in_paths", {OF_THE_RUN, "label-of-the-run"})


def _counts(code: str, path: str, body: object, *, created_with: str = "", **in_path: str) -> bool:
    """Whether a failure counts: `code` is schemathesis' own, `body` what the broker answered to a request of `path`."""
    case = SimpleNamespace(operation=SimpleNamespace(path=f"/api/v1{path}"), path_parameters=in_path)
    failure = SimpleNamespace(code=code, created_with=f"POST /api/v1{created_with}")
    response = SimpleNamespace(json=lambda: body, status_code=0)
    counts: bool = hooks.filter_failure(None, failure, case, response)
    return counts


def _missing(path: str, code: str, *, created_with: str, **in_path: str) -> bool:
    return _counts("ST302", path, {"code": code}, created_with=created_with, **in_path)


def test_a_404_counts_that_says_the_created_row_is_missing():
    assert _missing(
        "/templates/{template_id}", "template_not_found", created_with="/templates", template_id=ROW
    )
    path = "/templates/{template_id}/labels"
    assert _missing(path, "template_not_found", created_with="/templates", template_id=ROW)
    # The row has no address.
    assert _missing(path, "not_found", created_with="/templates", template_id=ROW)
    path = "/agents/{agent_id}/labels/{label}"
    ids = {"agent_id": OF_THE_RUN, "label": "new"}
    assert _missing(path, "agent_label_not_found", created_with="/agents/{agent_id}/labels", **ids)


def test_a_404_does_not_count_that_is_about_something_below_the_created_row():
    path, ids = "/templates/{template_id}/labels/{label}", {"template_id": ROW, "label": "label-of-the-run"}
    assert not _missing(path, "template_label_not_found", created_with="/templates", **ids)
    path = "/stacks/{stack_id}/rollout-strategy"
    assert not _missing(path, "stack_has_no_strategy", created_with="/stacks", stack_id=ROW)


def test_a_404_does_not_count_where_the_created_row_is_not_in_the_path():
    path, code = "/work-orders/{work_order_id}", "work_order_not_found"
    assert not _missing(path, code, created_with="/work-orders", work_order_id=OF_THE_RUN)
    path, code = "/agents/{agent_id}/labels/{label}", "agent_label_not_found"
    ids = {"agent_id": ROW, "label": "label-of-the-run"}
    assert not _missing(path, code, created_with="/agents/{agent_id}/labels", **ids)
    path = "/stacks/{stack_id}/deployment-objects/from-template"
    created_with = "/stacks/{stack_id}/deployment-objects"
    assert not _missing(path, "template_not_found", created_with=created_with, stack_id=ROW)


def _subclasses(kind: type[DomainError]) -> set[type[DomainError]]:
    return {kind}.union(*map(_subclasses, kind.__subclasses__()))


def _paths() -> dict[str, dict[str, Any]]:
    text = (ROOT / "openapi" / "brokkr-v1.yaml").read_text(encoding="utf-8")
    paths: dict[str, dict[str, Any]] = yaml.load(text, Loader=yaml.CSafeLoader)["paths"]
    return paths


def test_whatever_can_be_created_has_a_code_that_says_it_is_missing():
    product_modules()
    codes = {kind.code for kind in _subclasses(DomainError) if "code" in vars(kind)}
    paths = _paths()
    collections = {
        path
        for path, item in paths.items()
        if "post" in item and any(other.startswith(f"{path}/{{") for other in paths)
    }
    assert len(collections) > 10
    assert {hooks.code_of_a_missing(path) for path in collections} - codes == set()


def test_an_answer_about_a_deleted_row_counts_unless_it_says_no_more_than_of_a_row_that_never_was():
    assert _counts("ST301", "/stacks/{stack_id}", {"id": ROW}, stack_id=ROW)
    assert _counts("ST301", "/agents/{agent_id}/labels", [{"label": "x"}], agent_id=ROW)
    assert not _counts("ST301", "/agents/{agent_id}/labels", [], agent_id=ROW)
    health = {"stack_id": ROW, "overall_status": "unknown", "deployment_objects": []}
    path = "/stacks/{stack_id}/health"
    assert not _counts("ST301", path, health, stack_id=ROW)
    assert _counts("ST301", path, health | {"deployment_objects": [{"id": ROW}]}, stack_id=ROW)


def test_what_stays_of_a_deleted_row_does_not_count():
    assert hooks.STAYS.keys() <= _paths().keys()
    assert not _counts("ST301", "/freezes/{freeze_id}", {"id": ROW, "lifted_at": "…"}, freeze_id=ROW)
    assert not _counts("ST301", "/agents/{agent_id}/timeline", [{"at": "…"}], agent_id=ROW)

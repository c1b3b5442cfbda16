"""The API's document names what an operation answers beside its result: tags, and refusals of what is too long."""

import pytest

from tests.architecture.test_routes import answer, rows
from tests.architecture.test_schema import API_OPERATIONS

READS = [operation for operation, _ in rows() if operation.startswith("GET ")]


def documented(operation: str) -> dict[str, object]:
    method, path = operation.split()
    return dict(API_OPERATIONS[f"{method} /api/v1{path}"]["responses"])


@pytest.mark.django_db
def test_a_read_with_a_tag_can_be_answered_with_304_and_no_other(world, subtests):
    for operation in READS:
        with subtests.test(operation):
            heard = answer(operation, world, "admin")
            assert heard.status_code == 200
            assert ("304" in documented(operation)) == ("ETag" in heard.headers)


@pytest.mark.django_db
def test_a_write_that_has_plans_reads_its_body_and_may_find_it_too_long(world, settings):
    settings.MAX_JSON_BYTES = 10
    path = world.fill("/agents/{agent_id}/labels/mine")
    assert world.callers["admin"].delete(path, {"reason": "long"}).status_code == 413
    assert "413" in documented("DELETE /agents/{agent_id}/labels/{label}")


def test_every_operation_may_be_refused_for_the_length_of_its_head():
    silent = [operation for operation, _ in rows() if not {"414", "431"} <= documented(operation).keys()]
    assert silent == []

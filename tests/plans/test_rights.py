"""Who may ask for which plan: whoever may make the write, and nobody else."""

import pytest
from django.db import transaction

from tests.architecture.test_routes import BODIES, CALLERS, PATHS, rows
from tests.support.routes import planned_routes

pytestmark = pytest.mark.django_db

PLANNED = {str(route) for route in planned_routes()}
# Without the right to bypass the strategy, the plan says so in `refused_by`.
NOTED = {("DELETE /stacks/{stack_id}/rollout-strategy", "owner"): "rollout_bypass_denied"}


def test_these_writes_can_be_planned():
    assert len(PLANNED) == 27


@pytest.mark.parametrize(("operation", "statuses"), [row for row in rows() if row[0] in PLANNED], ids=str)
def test_each_caller_gets_the_plan_of_what_it_may_do(world, operation, statuses):
    method, path = operation.split()
    write = {
        "method": method,
        "path": world.fill(PATHS.get(operation, path)),
        "body": world.fill(BODIES.get(operation)),
    }
    for caller, status in zip(CALLERS, statuses, strict=True):
        with transaction.atomic():
            answer = world.callers[caller].post("/plans", write)
            transaction.set_rollback(True)
        noted = NOTED.get((operation, caller))
        assert answer.status_code == (200 if status < 300 or noted else status), (caller, answer.content)
        if answer.status_code == 200:
            assert [each["code"] for each in answer.json()["refused_by"]] == ([noted] if noted else [])

"""Who may do what with a key that only reads, is limited, has been replaced or has ended: every route, one status."""

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from tests.architecture.test_routes import CALLERS, answer, rows
from tests.support.api import refused
from tests.support.kinds_of_keys import make_world_of_keys
from tests.support.routes import api_routes
from tests.support.shared_rows import shared_rows
from tests.support.world import World

pytestmark = pytest.mark.django_db

KINDS = ("reader", "stacks", "labels", "beyond")

TABLE = """
                                                     reader stacks labels beyond
POST   /auth/pak                                     200    200    200    200
GET    /paks                                         200    403    403    403

GET    /generators                                   200    403    403    403
POST   /generators                                   403    403    403    403
GET    /generators/{generator_id}                    200    200    200    200
PUT    /generators/{generator_id}                    403    403    403    403
DELETE /generators/{generator_id}                    403    403    403    403
POST   /generators/{generator_id}/rotate-pak         403    403    403    403
POST   /generators/{generator_id}/register           403    403    403    403
DELETE /generators/{generator_id}/register           403    403    403    403
GET    /generators/{generator_id}/registered-agents  200    200    200    200

GET    /stacks                                       200    200    200    200
POST   /stacks                                       403    403    403    403
GET    /stacks/{stack_id}                            200    200    200    403
PUT    /stacks/{stack_id}                            403    200    200    403
DELETE /stacks/{stack_id}                            403    204    204    403
GET    /stacks/{stack_id}/labels                     200    200    200    403
POST   /stacks/{stack_id}/labels                     403    201    201    403
DELETE /stacks/{stack_id}/labels/{label}             403    204    204    403
GET    /stacks/{stack_id}/annotations                200    200    200    403
POST   /stacks/{stack_id}/annotations                403    201    201    403
DELETE /stacks/{stack_id}/annotations/{key}          403    204    204    403
GET    /stacks/{stack_id}/deployment-objects         200    200    200    403
POST   /stacks/{stack_id}/deployment-objects         403    201    201    403
GET    /deployment-objects/{object_id}               200    200    200    403

GET    /stacks/{stack_id}/conflicts                  200    200    200    403
GET    /agents/{agent_id}/conflicts                  200    403    403    403
GET    /resources                                    200    200    200    200
GET    /resources/unread-versions                    200    200    200    200

GET    /templates                                    200    200    200    200
POST   /templates                                    403    403    403    403
GET    /templates/{template_id}                      200    403    403    403
PUT    /templates/{template_id}                      403    403    403    403
DELETE /templates/{template_id}                      403    403    403    403
POST   /templates/{template_id}/render               200    403    403    403
GET    /templates/{template_id}/labels               200    403    403    403
POST   /templates/{template_id}/labels               403    403    403    403
DELETE /templates/{template_id}/labels/{label}       403    403    403    403
GET    /templates/{template_id}/annotations          200    403    403    403
POST   /templates/{template_id}/annotations          403    403    403    403
DELETE /templates/{template_id}/annotations/{key}    403    403    403    403
POST   /stacks/{stack_id}/deployment-objects/from-template 403    403    403    403
GET    /deployment-objects/{object_id}/provenance    200    200    200    403

GET    /agents                                       200    200    200    200
GET    /agents/                                      200    403    403    403
POST   /agents                                       403    403    403    403
GET    /agents/{agent_id}                            200    403    403    403
PUT    /agents/{agent_id}                            403    403    403    403
DELETE /agents/{agent_id}                            403    403    403    403
POST   /agents/{agent_id}/heartbeat                  403    403    403    403
POST   /agents/{agent_id}/sync                       403    403    403    403
POST   /agents/{agent_id}/confirmed-removals         403    403    403    403
GET    /agents/{agent_id}/target-state               200    403    403    403
GET    /agents/{agent_id}/stacks                     200    403    403    403
GET    /agents/{agent_id}/install                    200    403    403    403
GET    /agents/{agent_id}/timeline                   200    403    403    403
GET    /agents/{agent_id}/comparison                 200    403    403    403
GET    /stacks/{stack_id}/timeline                   200    403    403    403
POST   /agents/{agent_id}/rotate-pak                 403    403    403    403
GET    /agents/{agent_id}/labels                     200    403    403    403
POST   /agents/{agent_id}/labels                     403    403    403    403
DELETE /agents/{agent_id}/labels/{label}             403    403    403    403
GET    /agents/{agent_id}/annotations                200    403    403    403
POST   /agents/{agent_id}/annotations                403    403    403    403
DELETE /agents/{agent_id}/annotations/{key}          403    403    403    403
GET    /agents/{agent_id}/targets                    200    403    403    403
POST   /agents/{agent_id}/targets                    403    201    201    403
DELETE /agents/{agent_id}/targets/{stack_id}         403    204    204    403
GET    /agents/{agent_id}/events                     200    403    403    403
POST   /agents/{agent_id}/events                     403    403    403    403
POST   /agents/{agent_id}/events/batch               403    403    403    403
GET    /agents/{agent_id}/registrations              200    403    403    403
GET    /fleet                                        200    403    403    403
GET    /agents/{agent_id}/fleet-status               200    403    403    403
GET    /agents/{agent_id}/explain                    200    200    200    403
GET    /agent-events                                 200    403    403    403
GET    /agent-events/{event_id}                      200    403    403    403

GET    /work-orders                                  200    403    403    403
POST   /work-orders                                  403    403    403    403
GET    /work-orders/{work_order_id}                  200    403    403    403
DELETE /work-orders/{work_order_id}                  403    403    403    403
POST   /work-orders/{work_order_id}/claim            403    403    403    403
POST   /work-orders/{work_order_id}/renew            403    403    403    403
POST   /work-orders/{work_order_id}/complete         403    403    403    403
GET    /agents/{agent_id}/work-orders/pending        200    403    403    403
GET    /work-order-log                               200    403    403    403
GET    /work-order-log/{work_order_id}               200    403    403    403

PATCH  /agents/{agent_id}/health-status              403    403    403    403
GET    /deployment-objects/{object_id}/health        200    403    403    403
GET    /stacks/{stack_id}/health                     200    403    403    403

POST   /deployment-objects/{object_id}/diagnostics   403    403    403    403
GET    /agents/{agent_id}/diagnostics/pending        200    403    403    403
GET    /diagnostics/{diagnostic_id}                  200    403    403    403
POST   /diagnostics/{diagnostic_id}/claim            403    403    403    403
POST   /diagnostics/{diagnostic_id}/result           403    403    403    403

GET    /rollout-strategies                           200    200    200    200
POST   /rollout-strategies                           403    403    403    403
GET    /rollout-strategies/{strategy_id}             200    200    200    200
PUT    /rollout-strategies/{strategy_id}             403    403    403    403
DELETE /rollout-strategies/{strategy_id}             403    403    403    403
GET    /stacks/{stack_id}/rollout-strategy           200    200    200    403
PUT    /stacks/{stack_id}/rollout-strategy           403    200    200    403
DELETE /stacks/{stack_id}/rollout-strategy           403    403    403    403
GET    /rollouts                                     200    200    200    200
GET    /rollouts/{rollout_id}                        200    200    200    403
GET    /rollouts/{rollout_id}/agents                 200    200    200    403
POST   /rollouts/{rollout_id}/pause                  403    200    200    403
POST   /rollouts/{rollout_id}/resume                 403    200    200    403
POST   /rollouts/{rollout_id}/approve                403    403    403    403
POST   /rollouts/{rollout_id}/abort                  403    200    200    403
POST   /rollouts/{rollout_id}/skip                   403    403    403    403
POST   /rollouts/{rollout_id}/roll-back              403    201    201    403
POST   /rollouts/{rollout_id}/waves/{wave}/checks/{name} 403    200    200    403
POST   /deployment-objects/{object_id}/release       403    403    403    403
GET    /freezes                                      200    200    200    200
POST   /plans                                        403    403    403    403
POST   /freezes                                      403    403    403    403
GET    /freezes/{freeze_id}                          200    404    404    404
DELETE /freezes/{freeze_id}                          403    403    403    403

GET    /stacks/{stack_id}/events                     200    200    200    403
GET    /stacks/{stack_id}/logs                       200    200    200    403
GET    /admin/ws/connections                         200    403    403    403

POST   /admin/config/reload                          403    403    403    403
GET    /webhooks                                     200    403    403    403
POST   /webhooks                                     403    403    403    403
GET    /webhooks/event-types                         200    403    403    403
GET    /webhooks/{webhook_id}                        200    403    403    403
PUT    /webhooks/{webhook_id}                        403    403    403    403
DELETE /webhooks/{webhook_id}                        403    403    403    403
POST   /webhooks/{webhook_id}/test                   403    403    403    403
POST   /webhooks/{webhook_id}/rotate-secret          403    403    403    403
GET    /webhooks/{webhook_id}/deliveries             200    403    403    403
GET    /webhook-deliveries                           200    403    403    403
POST   /webhook-deliveries/{delivery_id}/redeliver   403    403    403    403
POST   /webhook-deliveries/{delivery_id}/result      403    403    403    403
GET    /agents/{agent_id}/webhooks/pending           403    403    403    403

GET    /admin/audit-logs                             200    403    403    403
GET    /admin/audit-seals                            200    403    403    403
GET    /admin/audit-seals/verify                     200    403    403    403
GET    /admin/audit-verifications                    200    403    403    403
POST   /admin/audit-verifications                    403    403    403    403
GET    /admin/audit-verifications/{verification_id}  200    403    403    403
"""


@pytest.fixture(scope="module")
def keys(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    with shared_rows(django_db_blocker, make_world_of_keys) as made:
        yield made


def statuses_of(caller: str) -> list[tuple[str, int]]:
    """The statuses of one column of the table of plain keys."""
    return [(operation, statuses[CALLERS.index(caller)]) for operation, statuses in rows()]


def test_every_route_is_in_the_table():
    assert sorted(operation for operation, _ in rows(TABLE)) == sorted(map(str, api_routes()))


@pytest.mark.parametrize(("operation", "statuses"), rows(TABLE), ids=str)
def test_each_kind_of_key_gets_its_status(keys, operation, statuses):
    heard = {kind: answer(operation, keys, kind) for kind in KINDS}
    found = [heard[kind].status_code for kind in KINDS]
    assert found == statuses, {kind: response.content for kind, response in heard.items()}


def test_a_key_that_only_reads_hears_what_an_admin_hears_or_that_it_only_reads(keys, subtests):
    for operation, status in statuses_of("admin"):
        with subtests.test(operation):
            heard = answer(operation, keys, "reader")
            if heard.status_code != status:
                refused(heard, 403, "pak_read_only")


@pytest.mark.parametrize(("operation", "status"), statuses_of("owner"), ids=str)
def test_an_old_key_of_a_generator_works_as_the_new_one_until_its_overlap_is_over(keys, operation, status):
    assert answer(operation, keys, "old").status_code == status
    refused(answer(operation, keys, "ended"), 401, "unauthorized")


@pytest.mark.parametrize(("operation", "status"), statuses_of("itself"), ids=str)
def test_an_old_key_of_an_agent_works_as_the_new_one_until_its_overlap_is_over(keys, operation, status):
    assert answer(operation, keys, "old_agent").status_code == status
    refused(answer(operation, keys, "ended_agent"), 401, "unauthorized")


def test_an_expired_key_opens_nothing(keys, subtests):
    for operation, _ in rows():
        with subtests.test(operation):
            refused(answer(operation, keys, "expired"), 401, "unauthorized")

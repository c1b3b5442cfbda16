"""Who may do what: every route, every kind of caller, one status.

Columns: a caller without a key; an admin; the generator that owns the stack and is the generator in the path;
another generator; the agent in the path; an agent associated with the stack by a shared label; an agent
associated with nothing; a revoked key of the owner.
"""

from dataclasses import replace
from typing import Any

import pytest
from django.db import transaction

from tests.support.routes import api_routes
from tests.support.world import World

CALLERS = ("anonymous", "admin", "owner", "stranger", "itself", "associated", "other", "revoked")

TABLE = """
                                                     anon admin owner strang itself assoc other revoked
POST   /auth/pak                                      401  200   200   200    200    200   200   401
GET    /paks                                          401  200   403   403    403    403   403   401

GET    /generators                                    401  200   403   403    403    403   403   401
POST   /generators                                    401  201   403   403    403    403   403   401
GET    /generators/{generator_id}                     401  200   200   403    403    403   403   401
PUT    /generators/{generator_id}                     401  200   200   403    403    403   403   401
DELETE /generators/{generator_id}                     401  204   204   403    403    403   403   401
POST   /generators/{generator_id}/rotate-pak          401  201   201   403    403    403   403   401
POST   /generators/{generator_id}/register            401  201   403   403    201    201   201   401
DELETE /generators/{generator_id}/register            401  204   403   403    204    204   204   401
GET    /generators/{generator_id}/registered-agents   401  200   200   403    403    403   403   401

GET    /stacks                                        401  200   200   200    403    403   403   401
POST   /stacks                                        401  201   201   403    403    403   403   401
GET    /stacks/{stack_id}                             401  200   200   403    403    403   403   401
PUT    /stacks/{stack_id}                             401  200   200   403    403    403   403   401
DELETE /stacks/{stack_id}                             401  204   204   403    403    403   403   401
GET    /stacks/{stack_id}/labels                      401  200   200   403    403    200   403   401
POST   /stacks/{stack_id}/labels                      401  201   201   403    403    403   403   401
DELETE /stacks/{stack_id}/labels/{label}              401  204   204   403    403    403   403   401
GET    /stacks/{stack_id}/annotations                 401  200   200   403    403    200   403   401
POST   /stacks/{stack_id}/annotations                 401  201   201   403    403    403   403   401
DELETE /stacks/{stack_id}/annotations/{key}           401  204   204   403    403    403   403   401
GET    /stacks/{stack_id}/deployment-objects          401  200   200   403    403    403   403   401
POST   /stacks/{stack_id}/deployment-objects          401  201   201   403    403    403   403   401
GET    /deployment-objects/{object_id}                401  200   200   403    403    200   403   401

GET    /stacks/{stack_id}/conflicts                   401  200   200   403    403    403   403   401
GET    /agents/{agent_id}/conflicts                   401  200   403   403    403    403   403   401
GET    /resources                                     401  200   200   200    403    403   403   401
GET    /resources/unread-versions                     401  200   200   200    403    403   403   401

GET    /templates                                     401  200   200   200    403    403   403   401
POST   /templates                                     401  201   201   201    403    403   403   401
GET    /templates/{template_id}                       401  200   200   403    403    403   403   401
PUT    /templates/{template_id}                       401  200   200   403    403    403   403   401
DELETE /templates/{template_id}                       401  204   204   403    403    403   403   401
POST   /templates/{template_id}/render                401  200   200   403    403    403   403   401
GET    /templates/{template_id}/labels                401  200   200   403    403    403   403   401
POST   /templates/{template_id}/labels                401  201   201   403    403    403   403   401
DELETE /templates/{template_id}/labels/{label}        401  204   204   403    403    403   403   401
GET    /templates/{template_id}/annotations           401  200   200   403    403    403   403   401
POST   /templates/{template_id}/annotations           401  201   201   403    403    403   403   401
DELETE /templates/{template_id}/annotations/{key}     401  204   204   403    403    403   403   401
POST   /stacks/{stack_id}/deployment-objects/from-template 401 201 201 403   403    403   403   401
GET    /deployment-objects/{object_id}/provenance     401  200   200   403    403    200   403   401

GET    /agents                                        401  200   200   200    403    403   403   401
GET    /agents/                                       401  200   403   403    200    403   403   401
POST   /agents                                        401  201   403   403    403    403   403   401
GET    /agents/{agent_id}                             401  200   403   403    200    403   403   401
PUT    /agents/{agent_id}                             401  200   403   403    200    403   403   401
DELETE /agents/{agent_id}                             401  204   403   403    403    403   403   401
POST   /agents/{agent_id}/heartbeat                   401  403   403   403    204    403   403   401
POST   /agents/{agent_id}/sync                        401  403   403   403    200    403   403   401
POST   /agents/{agent_id}/confirmed-removals          401  204   403   403    403    403   403   401
GET    /agents/{agent_id}/target-state                401  200   403   403    200    403   403   401
GET    /agents/{agent_id}/stacks                      401  200   403   403    200    403   403   401
GET    /agents/{agent_id}/timeline                    401  200   403   403    403    403   403   401
GET    /agents/{agent_id}/comparison                  401  200   403   403    403    403   403   401
GET    /stacks/{stack_id}/timeline                    401  200   403   403    403    403   403   401
GET    /agents/{agent_id}/install                     401  200   403   403    200    403   403   401
POST   /agents/{agent_id}/rotate-pak                  401  200   403   403    200    403   403   401
GET    /agents/{agent_id}/labels                      401  200   403   403    200    403   403   401
POST   /agents/{agent_id}/labels                      401  201   403   403    403    403   403   401
DELETE /agents/{agent_id}/labels/{label}              401  204   403   403    403    403   403   401
GET    /agents/{agent_id}/annotations                 401  200   403   403    200    403   403   401
POST   /agents/{agent_id}/annotations                 401  201   403   403    403    403   403   401
DELETE /agents/{agent_id}/annotations/{key}           401  204   403   403    403    403   403   401
GET    /agents/{agent_id}/targets                     401  200   403   403    200    403   403   401
POST   /agents/{agent_id}/targets                     401  201   201   403    403    403   403   401
DELETE /agents/{agent_id}/targets/{stack_id}          401  204   204   403    403    403   403   401
GET    /agents/{agent_id}/events                      401  200   403   403    200    403   403   401
POST   /agents/{agent_id}/events                      401  201   403   403    201    403   403   401
POST   /agents/{agent_id}/events/batch                401  201   403   403    201    403   403   401
GET    /agents/{agent_id}/registrations               401  200   403   403    200    403   403   401
GET    /fleet                                         401  200   403   403    403    403   403   401
GET    /agents/{agent_id}/fleet-status                401  200   403   403    403    403   403   401
GET    /agents/{agent_id}/explain                     401  200   200   403    403    403   403   401
GET    /agent-events                                  401  200   403   403    200    200   200   401
GET    /agent-events/{event_id}                       401  200   403   403    200    404   404   401

GET    /work-orders                                   401  200   403   403    403    403   403   401
POST   /work-orders                                   401  201   403   403    403    403   403   401
GET    /work-orders/{work_order_id}                   401  200   403   403    403    403   403   401
DELETE /work-orders/{work_order_id}                   401  204   403   403    403    403   403   401
POST   /work-orders/{work_order_id}/claim             401  200   403   403    200    403   403   401
POST   /work-orders/{work_order_id}/renew             401  200   403   403    200    403   403   401
POST   /work-orders/{work_order_id}/complete          401  200   403   403    200    403   403   401
GET    /agents/{agent_id}/work-orders/pending         401  200   403   403    200    403   403   401
GET    /work-order-log                                401  200   403   403    403    403   403   401
GET    /work-order-log/{work_order_id}                401  200   403   403    403    403   403   401

PATCH  /agents/{agent_id}/health-status               401  200   403   403    200    403   403   401
GET    /deployment-objects/{object_id}/health         401  200   403   403    403    403   403   401
GET    /stacks/{stack_id}/health                      401  200   403   403    403    403   403   401

POST   /deployment-objects/{object_id}/diagnostics    401  201   403   403    403    403   403   401
GET    /agents/{agent_id}/diagnostics/pending         401  200   403   403    200    403   403   401
GET    /diagnostics/{diagnostic_id}                   401  200   403   403    200    403   403   401
POST   /diagnostics/{diagnostic_id}/claim             401  200   403   403    200    403   403   401
POST   /diagnostics/{diagnostic_id}/result            401  403   403   403    201    403   403   401

GET    /rollout-strategies                            401  200   200   200    403    403   403   401
POST   /rollout-strategies                            401  201   403   403    403    403   403   401
GET    /rollout-strategies/{strategy_id}              401  200   200   200    403    403   403   401
PUT    /rollout-strategies/{strategy_id}              401  200   403   403    403    403   403   401
DELETE /rollout-strategies/{strategy_id}              401  204   403   403    403    403   403   401
GET    /stacks/{stack_id}/rollout-strategy            401  200   200   403    403    403   403   401
PUT    /stacks/{stack_id}/rollout-strategy            401  200   200   403    403    403   403   401
DELETE /stacks/{stack_id}/rollout-strategy            401  204   403   403    403    403   403   401
GET    /rollouts                                      401  200   200   200    403    403   403   401
GET    /rollouts/{rollout_id}                         401  200   200   403    403    403   403   401
GET    /rollouts/{rollout_id}/agents                  401  200   200   403    403    403   403   401
POST   /rollouts/{rollout_id}/pause                   401  200   200   403    403    403   403   401
POST   /rollouts/{rollout_id}/resume                  401  200   200   403    403    403   403   401
POST   /rollouts/{rollout_id}/approve                 401  200   403   403    403    403   403   401
POST   /rollouts/{rollout_id}/abort                   401  200   200   403    403    403   403   401
POST   /rollouts/{rollout_id}/skip                    401  200   403   403    403    403   403   401
POST   /rollouts/{rollout_id}/roll-back               401  201   201   403    403    403   403   401
POST   /rollouts/{rollout_id}/waves/{wave}/checks/{name} 401 200 200   403    403    403   403   401
POST   /deployment-objects/{object_id}/release        401  200   403   403    403    403   403   401
GET    /freezes                                       401  200   200   200    403    403   403   401
POST   /plans                                         401  200   403   403    403    403   403   401
POST   /freezes                                       401  201   403   403    403    403   403   401
GET    /freezes/{freeze_id}                           401  200   200   200    403    403   403   401
DELETE /freezes/{freeze_id}                           401  204   403   403    403    403   403   401

GET    /stacks/{stack_id}/events                      401  200   200   403    403    403   403   401
GET    /stacks/{stack_id}/logs                        401  200   200   403    403    403   403   401
GET    /admin/ws/connections                          401  200   403   403    403    403   403   401

POST   /admin/config/reload                           401  200   403   403    403    403   403   401
GET    /webhooks                                      401  200   403   403    403    403   403   401
POST   /webhooks                                      401  201   403   403    403    403   403   401
GET    /webhooks/event-types                          401  200   403   403    403    403   403   401
GET    /webhooks/{webhook_id}                         401  200   403   403    403    403   403   401
PUT    /webhooks/{webhook_id}                         401  200   403   403    403    403   403   401
DELETE /webhooks/{webhook_id}                         401  204   403   403    403    403   403   401
POST   /webhooks/{webhook_id}/test                    401  400   403   403    403    403   403   401
POST   /webhooks/{webhook_id}/rotate-secret           401  200   403   403    403    403   403   401
GET    /webhooks/{webhook_id}/deliveries              401  200   403   403    403    403   403   401
GET    /webhook-deliveries                            401  200   403   403    403    403   403   401
POST   /webhook-deliveries/{delivery_id}/redeliver    401  200   403   403    403    403   403   401
POST   /webhook-deliveries/{delivery_id}/result       401  403   403   403    200    403   403   401
GET    /agents/{agent_id}/webhooks/pending            401  200   403   403    200    403   403   401

GET    /admin/audit-logs                              401  200   403   403    403    403   403   401
GET    /admin/audit-seals                             401  200   403   403    403    403   403   401
GET    /admin/audit-seals/verify                      401  200   403   403    403    403   403   401
GET    /admin/audit-verifications                     401  200   403   403    403    403   403   401
POST   /admin/audit-verifications                     401  202   403   403    403    403   403   401
GET    /admin/audit-verifications/{verification_id}   401  200   403   403    403    403   403   401
"""

# What is sent, where it is more than a path. Braces are filled with the ids of the world's things.
BODIES: dict[str, object] = {
    "POST /generators": {"name": "new"},
    "PUT /generators/{generator_id}": {"description": "changed"},
    "POST /generators/{generator_id}/register": {"agent_id": "{agent_id}"},
    "DELETE /generators/{generator_id}/register": {"agent_id": "{agent_id}"},
    "POST /stacks": {"name": "new", "generator_id": "{generator_id}"},
    "PUT /stacks/{stack_id}": {"description": "changed"},
    "POST /stacks/{stack_id}/labels": "new",
    "POST /stacks/{stack_id}/annotations": {"key": "new", "value": "new"},
    "POST /stacks/{stack_id}/deployment-objects": {
        "yaml_content": "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
    },
    "POST /templates": {"name": "new", "template_content": "a: 1", "parameters_schema": "{}"},
    "PUT /templates/{template_id}": {"template_content": "a: 1", "parameters_schema": "{}"},
    "POST /templates/{template_id}/render": {"parameters": {"name": "web"}},
    "POST /templates/{template_id}/labels": "new",
    "POST /templates/{template_id}/annotations": {"key": "new", "value": "new"},
    "POST /stacks/{stack_id}/deployment-objects/from-template": {
        "template_id": "{template_id}",
        "parameters": {"name": "web"},
    },
    "POST /agents": {"name": "new", "cluster_name": "new"},
    "PUT /agents/{agent_id}": {"status": "ACTIVE"},
    "POST /agents/{agent_id}/labels": {"label": "new"},
    "POST /agents/{agent_id}/annotations": {"key": "new", "value": "new"},
    "POST /agents/{agent_id}/targets": {"stack_id": "{stack_id}"},
    "POST /agents/{agent_id}/confirmed-removals": {"deployment_object_ids": ["{marker_id}"]},
    "POST /agents/{agent_id}/events": {
        "deployment_object_id": "{object_id}",
        "event_type": "DEPLOY",
        "status": "SUCCESS",
    },
    "PATCH /agents/{agent_id}/health-status": {
        "deployment_objects": [
            {"id": "{object_id}", "status": "healthy", "checked_at": "2026-11-24T09:45:00Z"}
        ]
    },
    "POST /work-orders": {
        "work_type": "build",
        "yaml_content": "kind: Build",
        "targeting": {"agent_ids": ["{agent_id}"]},
    },
    "POST /work-orders/{work_order_id}/claim": {"agent_id": "{agent_id}"},
    "POST /work-orders/{work_order_id}/complete": {"success": True},
    "POST /deployment-objects/{object_id}/diagnostics": {"agent_id": "{agent_id}"},
    "POST /diagnostics/{diagnostic_id}/result": {
        "pod_statuses": "[]",
        "events": "[]",
        "collected_at": "2026-11-24T09:45:00Z",
    },
    "POST /rollout-strategies": {"name": "new", "waves": [{"name": "rest"}]},
    "PUT /rollout-strategies/{strategy_id}": {"on_failure": "roll_back"},
    "PUT /stacks/{stack_id}/rollout-strategy": {"strategy": "{strategy_id}"},
    "DELETE /stacks/{stack_id}/rollout-strategy": {"reason": "why not"},
    "POST /rollouts/{rollout_id}/approve": {"wave": 2},
    "POST /rollouts/{rollout_id}/abort": {"reason": "why not"},
    "POST /rollouts/{rollout_id}/skip": {"reason": "why not"},
    "POST /rollouts/{rollout_id}/roll-back": {"reason": "why not"},
    "POST /rollouts/{rollout_id}/waves/{wave}/checks/{name}": {"verdict": "passed"},
    "POST /deployment-objects/{object_id}/release": {"reason": "why not"},
    "POST /plans": {"method": "POST", "path": "/agents/{agent_id}/labels", "body": "new"},
    "POST /freezes": {"scope": "fleet", "reason": "why not"},
    "POST /webhooks": {"name": "new", "url": "https://hooks.example.com", "event_types": ["*"]},
    "PUT /webhooks/{webhook_id}": {"enabled": False},
    "POST /webhook-deliveries/{delivery_id}/result": {"success": True},
    "POST /agents/{agent_id}/events/batch": {
        "events": [{"deployment_object_id": "{object_id}", "event_type": "DEPLOY", "status": "SUCCESS"}]
    },
}
# Where the request is for something else than the world's thing of that name.
PATHS = {
    "GET /admin/audit-seals/verify": "/admin/audit-seals/verify?first=1&last=1",
    "GET /agents/": "/agents/?name=edge-01&cluster_name=test-cluster",
    "GET /agents/{agent_id}/install": "/agents/{agent_id}/install?format=env",
    "GET /agents/{agent_id}/explain": "/agents/{agent_id}/explain?stack_id={stack_id}",
    "DELETE /stacks/{stack_id}/labels/{label}": "/stacks/{stack_id}/labels/shared",
    "DELETE /stacks/{stack_id}/annotations/{key}": "/stacks/{stack_id}/annotations/tier",
    "DELETE /templates/{template_id}/labels/{label}": "/templates/{template_id}/labels/shared",
    "DELETE /templates/{template_id}/annotations/{key}": "/templates/{template_id}/annotations/tier",
    "DELETE /agents/{agent_id}/labels/{label}": "/agents/{agent_id}/labels/mine",
    "DELETE /agents/{agent_id}/annotations/{key}": "/agents/{agent_id}/annotations/tier",
    "DELETE /agents/{agent_id}/targets/{stack_id}": "/agents/{agent_id}/targets/{given_stack_id}",
    "GET /stacks/{stack_id}/rollout-strategy": "/stacks/{rolled_out_stack_id}/rollout-strategy",
    "DELETE /stacks/{stack_id}/rollout-strategy": "/stacks/{rolled_out_stack_id}/rollout-strategy",
    "POST /rollouts/{rollout_id}/resume": "/rollouts/{paused_rollout_id}/resume",
    "POST /rollouts/{rollout_id}/waves/{wave}/checks/{name}": "/rollouts/{rollout_id}/waves/1/checks/smoke-test",
    "POST /deployment-objects/{object_id}/release": "/deployment-objects/{held_object_id}/release",
    "POST /work-orders/{work_order_id}/renew": "/work-orders/{claimed_order_id}/renew",
    "POST /work-orders/{work_order_id}/complete": "/work-orders/{claimed_order_id}/complete",
    "GET /work-order-log/{work_order_id}": "/work-order-log/{finished_order_id}",
    "POST /diagnostics/{diagnostic_id}/result": "/diagnostics/{claimed_diagnostic_id}/result",
    "POST /webhook-deliveries/{delivery_id}/result": "/webhook-deliveries/{held_delivery_id}/result",
}


def rows(table: str = TABLE) -> list[tuple[str, list[int]]]:
    lines = [line.split() for line in table.strip().splitlines()[1:] if line]
    return [(f"{method} {path}", [int(status) for status in statuses]) for method, path, *statuses in lines]


def answer(operation: str, world: World, caller: str) -> Any:
    """What the caller hears. The call is undone, so that the next one finds the world as it was made."""
    method, path = operation.split()
    with transaction.atomic():
        heard = world.callers[caller].request(
            method, world.fill(PATHS.get(operation, path)), world.fill(BODIES.get(operation, ...))
        )
        transaction.set_rollback(True)
    return heard


def answers(operation: str, world: World) -> dict[str, Any]:
    """What each caller hears."""
    return {caller: answer(operation, world, caller) for caller in CALLERS}


def statuses_of(heard: dict[str, Any]) -> list[int]:
    return [heard[caller].status_code for caller in CALLERS]


def test_every_route_is_in_the_table():
    assert sorted(operation for operation, _ in rows()) == sorted(map(str, api_routes()))


@pytest.mark.django_db
@pytest.mark.parametrize(("operation", "statuses"), rows(), ids=str)
def test_each_caller_gets_its_status(world, operation, statuses):
    heard = answers(operation, world)
    assert statuses_of(heard) == statuses, {caller: response.content for caller, response in heard.items()}
    for response in heard.values():
        if response.status_code >= 400:
            assert response.json().keys() >= {"error", "code", "message"}


SYSTEM_TEMPLATE_TABLE = """
                                                     anon admin owner strang itself assoc other revoked
GET    /templates/{template_id}                       401  200   200   200    403    403   403   401
PUT    /templates/{template_id}                       401  200   403   403    403    403   403   401
DELETE /templates/{template_id}                       401  204   403   403    403    403   403   401
POST   /templates/{template_id}/render                401  200   200   200    403    403   403   401
GET    /templates/{template_id}/labels                401  200   200   200    403    403   403   401
POST   /templates/{template_id}/labels                401  201   403   403    403    403   403   401
DELETE /templates/{template_id}/labels/{label}        401  204   403   403    403    403   403   401
GET    /templates/{template_id}/annotations           401  200   200   200    403    403   403   401
POST   /templates/{template_id}/annotations           401  201   403   403    403    403   403   401
DELETE /templates/{template_id}/annotations/{key}     401  204   403   403    403    403   403   401
POST   /stacks/{stack_id}/deployment-objects/from-template 401 201 201 403   403    403   403   401
"""


@pytest.mark.django_db
@pytest.mark.parametrize(("operation", "statuses"), rows(SYSTEM_TEMPLATE_TABLE), ids=str)
def test_a_system_template_is_for_all_generators_to_read_and_for_admins_to_write(world, operation, statuses):
    of_the_system = replace(world, ids=world.ids | {"template_id": world.ids["system_template_id"]})
    heard = answers(operation, of_the_system)
    assert statuses_of(heard) == statuses, {caller: response.content for caller, response in heard.items()}

"""What is said about an id that nothing has: to an admin, to a generator and to an agent that nothing ties to it."""

import pytest

UNKNOWN = "00000000-0000-7000-8000-000000000000"
UNKNOWN_TABLE = """
                                            admin stranger other
GET    /stacks/{unknown}                      404   404     404
PUT    /stacks/{unknown}                      404   404     404
DELETE /stacks/{unknown}                      404   404     404
GET    /stacks/{unknown}/labels               404   404     404
GET    /stacks/{unknown}/annotations          404   404     404
GET    /stacks/{unknown}/deployment-objects   404   404     404
GET    /stacks/{unknown}/events               404   404     404
GET    /stacks/{unknown}/logs                 404   404     404
GET    /deployment-objects/{unknown}          404   404     404
GET    /deployment-objects/{unknown}/provenance 404 404     404
GET    /templates/{unknown}                   404   404     404
DELETE /templates/{unknown}                   404   404     404
GET    /templates/{unknown}/labels            404   404     404
GET    /templates/{unknown}/annotations       404   404     404
GET    /generators/{unknown}                  404   403     403
PUT    /generators/{unknown}                  404   403     403
DELETE /generators/{unknown}                  404   403     403
POST   /generators/{unknown}/rotate-pak       404   403     403
GET    /generators/{unknown}/registered-agents 404  403     403
GET    /agents/{unknown}                      404   403     403
PUT    /agents/{unknown}                      404   403     403
DELETE /agents/{unknown}                      204   403     403
GET    /agents/{unknown}/install?format=env   404   403     403
POST   /agents/{unknown}/rotate-pak           404   403     403
GET    /agents/{unknown}/registrations        404   403     403
GET    /agents/{unknown}/target-state         200   403     403
GET    /agents/{unknown}/stacks               200   403     403
GET    /agents/{unknown}/timeline             404   403     403
GET    /agents/{unknown}/comparison           404   403     403
GET    /stacks/{unknown}/timeline             404   403     403
GET    /agents/{unknown}/labels               200   403     403
GET    /agents/{unknown}/targets              200   403     403
GET    /agents/{unknown}/events               200   403     403
POST   /agents/{unknown}/heartbeat            403   403     403
POST   /agents/{unknown}/sync                 403   403     403
PATCH  /agents/{unknown}/health-status        404   403     403
GET    /deployment-objects/{unknown}/health   200   403     403
GET    /stacks/{unknown}/health               200   403     403
GET    /agents/{unknown}/fleet-status         404   403     403
GET    /agents/{unknown}/diagnostics/pending  200   403     403
GET    /diagnostics/{unknown}                 404   404     404
POST   /diagnostics/{unknown}/claim           404   404     404
GET    /work-orders/{unknown}                 404   403     403
DELETE /work-orders/{unknown}                 404   403     403
POST   /work-orders/{unknown}/renew           404   403     404
GET    /agents/{unknown}/work-orders/pending  200   403     403
GET    /work-order-log/{unknown}              404   403     403
GET    /rollout-strategies/{unknown}          404   404     403
PUT    /rollout-strategies/{unknown}          404   403     403
DELETE /rollout-strategies/{unknown}          404   403     403
GET    /stacks/{unknown}/rollout-strategy     404   404     403
DELETE /stacks/{unknown}/rollout-strategy     404   404     403
GET    /rollouts/{unknown}                    404   404     403
GET    /rollouts/{unknown}/agents             404   404     403
POST   /rollouts/{unknown}/pause              404   404     403
POST   /rollouts/{unknown}/resume             404   404     403
GET    /freezes/{unknown}                     404   404     403
DELETE /freezes/{unknown}                     404   403     403
GET    /webhooks/{unknown}                    404   403     403
PUT    /webhooks/{unknown}                    404   403     403
DELETE /webhooks/{unknown}                    404   403     403
POST   /webhooks/{unknown}/test               404   403     403
POST   /webhooks/{unknown}/rotate-secret      404   403     403
GET    /webhooks/{unknown}/deliveries         404   403     403
POST   /webhook-deliveries/{unknown}/redeliver 404  403     403
GET    /agents/{unknown}/webhooks/pending     404   403     403
"""
UNKNOWN_ROWS = [
    (method, path, [int(status) for status in statuses])
    for method, path, *statuses in map(str.split, UNKNOWN_TABLE.strip().splitlines()[1:])
]


@pytest.mark.django_db
def test_for_an_unknown_id_stacks_and_templates_say_404_to_all_and_owners_are_hidden_from_others(
    world, subtests
):
    for method, path, statuses in UNKNOWN_ROWS:
        body: object = {"PUT": {}, "PATCH": {"deployment_objects": []}}.get(method, ...)
        with subtests.test(f"{method} {path}"):
            heard = [
                world.callers[caller].request(method, path.replace("{unknown}", UNKNOWN), body)
                for caller in ("admin", "stranger", "other")
            ]
            assert [answer.status_code for answer in heard] == statuses

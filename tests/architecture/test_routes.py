"""Who may do what: every route, every kind of caller, one status.

Columns: a caller without a key; an admin; the generator that owns the stack and is the generator in the path;
another generator; the agent in the path; an agent associated with the stack by a shared label; an agent
associated with nothing; a revoked key of the owner.
"""

import pytest

from tests.support.routes import api_routes
from tests.support.world import make_world

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

GET    /agents                                        401  200   200   200    403    403   403   401
GET    /agents/                                       401  200   403   403    200    403   403   401
POST   /agents                                        401  201   403   403    403    403   403   401
GET    /agents/{agent_id}                             401  200   403   403    200    403   403   401
PUT    /agents/{agent_id}                             401  200   403   403    200    403   403   401
DELETE /agents/{agent_id}                             401  204   403   403    403    403   403   401
POST   /agents/{agent_id}/heartbeat                   401  403   403   403    204    403   403   401
GET    /agents/{agent_id}/target-state                401  200   403   403    200    403   403   401
GET    /agents/{agent_id}/stacks                      401  200   403   403    200    403   403   401
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
GET    /agent-events                                  401  200   403   403    200    200   200   401
GET    /agent-events/{event_id}                       401  200   403   403    200    404   404   401

GET    /admin/audit-logs                              401  200   403   403    403    403   403   401
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
    "POST /stacks/{stack_id}/deployment-objects": {"yaml_content": "kind: Namespace"},
    "POST /agents": {"name": "new", "cluster_name": "new"},
    "PUT /agents/{agent_id}": {"status": "ACTIVE"},
    "POST /agents/{agent_id}/labels": {"label": "new"},
    "POST /agents/{agent_id}/annotations": {"key": "new", "value": "new"},
    "POST /agents/{agent_id}/targets": {"stack_id": "{stack_id}"},
    "POST /agents/{agent_id}/events": {
        "deployment_object_id": "{object_id}",
        "event_type": "DEPLOY",
        "status": "SUCCESS",
    },
    "POST /agents/{agent_id}/events/batch": {
        "events": [{"deployment_object_id": "{object_id}", "event_type": "DEPLOY", "status": "SUCCESS"}]
    },
}
# Where the request is for something else than the world's thing of that name.
PATHS = {
    "GET /agents/": "/agents/?name=edge-01&cluster_name=test-cluster",
    "DELETE /stacks/{stack_id}/labels/{label}": "/stacks/{stack_id}/labels/shared",
    "DELETE /stacks/{stack_id}/annotations/{key}": "/stacks/{stack_id}/annotations/tier",
    "DELETE /agents/{agent_id}/labels/{label}": "/agents/{agent_id}/labels/mine",
    "DELETE /agents/{agent_id}/annotations/{key}": "/agents/{agent_id}/annotations/tier",
    "DELETE /agents/{agent_id}/targets/{stack_id}": "/agents/{agent_id}/targets/{given_stack_id}",
}


def rows() -> list[tuple[str, list[int]]]:
    lines = [line.split() for line in TABLE.strip().splitlines()[1:] if line]
    return [(f"{method} {path}", [int(status) for status in statuses]) for method, path, *statuses in lines]


CASES = [
    pytest.param(operation, caller, status, id=f"{operation} {caller}")
    for operation, statuses in rows()
    for caller, status in zip(CALLERS, statuses, strict=True)
]


def test_every_route_is_in_the_table():
    assert sorted(operation for operation, _ in rows()) == sorted(map(str, api_routes()))


@pytest.mark.django_db
@pytest.mark.parametrize(("operation", "caller", "status"), CASES)
def test_each_caller_gets_its_status(operation, caller, status):
    world = make_world()
    method, path = operation.split()
    response = world.callers[caller].request(
        method, world.fill(PATHS.get(operation, path)), world.fill(BODIES.get(operation, ...))
    )
    assert response.status_code == status, response.content
    if status >= 400:
        assert response.json().keys() >= {"error", "code", "message"}


UNKNOWN = "00000000-0000-7000-8000-000000000000"
UNKNOWN_TABLE = """
                                            admin stranger other
GET    /stacks/{unknown}                      404   404     404
PUT    /stacks/{unknown}                      404   404     404
DELETE /stacks/{unknown}                      404   404     404
GET    /stacks/{unknown}/labels               404   404     404
GET    /stacks/{unknown}/annotations          404   404     404
GET    /stacks/{unknown}/deployment-objects   404   404     404
GET    /deployment-objects/{unknown}          404   404     404
GET    /generators/{unknown}                  404   403     403
PUT    /generators/{unknown}                  404   403     403
DELETE /generators/{unknown}                  404   403     403
POST   /generators/{unknown}/rotate-pak       404   403     403
GET    /generators/{unknown}/registered-agents 404  403     403
GET    /agents/{unknown}                      404   403     403
PUT    /agents/{unknown}                      404   403     403
DELETE /agents/{unknown}                      204   403     403
POST   /agents/{unknown}/rotate-pak           404   403     403
GET    /agents/{unknown}/registrations        404   403     403
GET    /agents/{unknown}/target-state         200   403     403
GET    /agents/{unknown}/stacks               200   403     403
GET    /agents/{unknown}/labels               200   403     403
GET    /agents/{unknown}/targets              200   403     403
GET    /agents/{unknown}/events               200   403     403
POST   /agents/{unknown}/heartbeat            403   403     403
"""
UNKNOWN_CASES = [
    pytest.param(method, path, caller, int(status), id=f"{method} {path} {caller}")
    for method, path, *statuses in map(str.split, UNKNOWN_TABLE.strip().splitlines()[1:])
    for caller, status in zip(("admin", "stranger", "other"), statuses, strict=True)
]


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path", "caller", "status"), UNKNOWN_CASES)
def test_for_an_unknown_id_stacks_say_404_to_all_and_owners_are_hidden_from_others(
    method, path, caller, status
):
    api = make_world().callers[caller]
    body: object = {} if method == "PUT" else ...
    assert api.request(method, path.replace("{unknown}", UNKNOWN), body).status_code == status

"""POST /agents/{id}/rotate-pak."""

from uuid import uuid4

import pytest

from tests.factories import make_agent, make_generator
from tests.support.api import Api, refused
from tests.support.events import notices, recorded_audit, recorded_events

pytestmark = pytest.mark.django_db


def test_the_new_key_works_and_the_old_one_is_dead_at_once(admin):
    agent, old = make_agent()
    for rotate in (admin, None):
        response = (rotate or old).post(f"/agents/{agent.id}/rotate-pak")
        assert response.status_code == 200
        body = response.json()
        assert set(body) == {"agent", "pak"}
        assert body["agent"] == admin.get(f"/agents/{agent.id}").json()
        refused(old.post(f"/agents/{agent.id}/heartbeat"), 401, "unauthorized")
        old = Api(body["pak"])
        assert old.post(f"/agents/{agent.id}/heartbeat").status_code == 204


def test_others_are_403_and_unknown_or_deleted_404(admin, anonymous):
    agent, api = make_agent()
    path = f"/agents/{agent.id}/rotate-pak"
    refused(anonymous.post(path), 401, "unauthorized")
    for other in (make_agent()[1], make_generator()[1]):
        refused(other.post(path), 403, "agent_pak_mismatch")
    assert api.post("/auth/pak").status_code == 200
    refused(admin.post(f"/agents/{uuid4()}/rotate-pak"), 404, "agent_not_found")
    admin.delete(f"/agents/{agent.id}")
    refused(admin.post(path), 404, "agent_not_found")


def test_it_is_audited_with_its_true_author_and_without_the_key():
    agent, api = make_agent(name="edge")
    with recorded_events() as events, recorded_audit() as rows:
        key = api.post(f"/agents/{agent.id}/rotate-pak").json()["pak"]
    assert [(row.action, row.resource_type, row.resource_id) for row in rows] == [
        ("pak.rotated", "agent", agent.id)
    ]
    assert rows[0].details == {"agent_name": "edge"}
    assert (rows[0].actor_type, rows[0].actor_id) == ("agent", agent.id)
    assert key.split("_")[2] not in str(vars(rows[0]))
    assert notices(events) == []

"""GET /agent-events and /agent-events/{id}."""

from uuid import uuid4

import pytest

from tests.factories import make_agent, make_event, make_generator, make_object, make_stack
from tests.support.api import refused

pytestmark = pytest.mark.django_db


def ids(api, query: str = "") -> list[str]:
    response = api.get(f"/agent-events{query}")
    assert response.status_code == 200
    return [row["id"] for row in response.json()]


def test_an_admin_sees_all_newest_first_and_an_agent_its_own(admin):
    (one, one_api), (two, two_api) = make_agent(), make_agent()
    stack = make_stack()
    first = make_event(one, make_object(stack))
    second = make_event(two, make_object(stack))
    third = make_event(one, make_object(stack))
    assert ids(admin) == [str(third.id), str(second.id), str(first.id)]
    assert ids(one_api) == [str(third.id), str(first.id)]
    assert ids(two_api) == [str(second.id)]


def test_an_admin_narrows_to_a_generators_stacks(admin):
    generator, _ = make_generator()
    agent, _ = make_agent()
    mine = make_event(agent, make_object(make_stack(generator)))
    make_event(agent, make_object(make_stack()))
    assert ids(admin, f"?pak_id={generator.id}") == [str(mine.id)]
    assert ids(admin, f"?pak_id={uuid4()}") == []
    refused(admin.get("/agent-events?pak_id=17"), 400, "invalid_query")


def test_one_event_is_read_by_an_admin_and_its_agent(admin):
    agent, api = make_agent()
    event = make_event(agent, make_object(make_stack()), "FAILURE", "boom")
    for reader in (admin, api):
        response = reader.get(f"/agent-events/{event.id}")
        assert response.status_code == 200
        assert response.json()["message"] == "boom"
        assert response.json() == admin.get("/agent-events").json()[0]
    refused(make_agent()[1].get(f"/agent-events/{event.id}"), 404, "agent_event_not_found")


def test_unknown_is_404_and_malformed_400(admin):
    refused(admin.get(f"/agent-events/{uuid4()}"), 404, "agent_event_not_found")
    refused(admin.get("/agent-events/17"), 400, "invalid_path")


def test_generators_may_not(anonymous):
    agent, _ = make_agent()
    generator, api = make_generator()
    event = make_event(agent, make_object(make_stack(generator)))
    for path in ("/agent-events", f"/agent-events/{event.id}"):
        refused(api.get(path), 403, "admin_required")
        refused(anonymous.get(path), 401, "unauthorized")


@pytest.mark.parametrize("rows", [1, 12])
def test_the_number_of_queries_is_fixed(admin, rows, django_assert_num_queries):
    generator, _ = make_generator()
    for _ in range(rows):
        make_event(make_agent()[0], make_object(make_stack(generator)))
    ids(admin)
    with django_assert_num_queries(2):
        assert len(ids(admin, f"?pak_id={generator.id}")) == rows

"""The numbers about stacks and agents at /metrics are those of the database at that moment."""

import re

import pytest

from tests.factories import make_agent, make_object, make_stack

pytestmark = pytest.mark.django_db


def gauges(anonymous) -> dict[str, float]:
    text = anonymous.get("/metrics").content.decode()
    return {name: float(value) for name, value in re.findall(r"^(brokkr_\S+) (\S+)$", text, re.MULTILINE)}


def test_live_stacks_and_objects_are_counted_over_all_stacks(admin, anonymous):
    kept, gone = make_stack(), make_stack()
    make_object(kept)
    make_object(kept)
    make_object(gone)
    admin.delete(f"/stacks/{gone.id}")
    # Listing one stack's objects must not change the total.
    admin.get(f"/stacks/{kept.id}/deployment-objects")
    found = gauges(anonymous)
    assert found["brokkr_stacks_total"] == 1
    # Two of the live stack and the marker of the deleted one.
    assert found["brokkr_deployment_objects_total"] == 3


def test_active_agents_and_the_age_of_their_heartbeats(admin, anonymous):
    agent, api = make_agent(name="edge", active=True)
    make_agent(name="never heard of")
    gone, gone_api = make_agent(name="gone", active=True)
    for caller, known in ((api, agent), (gone_api, gone)):
        caller.post(f"/agents/{known.id}/heartbeat")
    admin.delete(f"/agents/{gone.id}")
    found = gauges(anonymous)
    assert found["brokkr_active_agents"] == 1
    ages = {name: age for name, age in found.items() if "heartbeat_age" in name}
    assert list(ages) == [f'brokkr_agent_heartbeat_age_seconds{{agent_id="{agent.id}",agent_name="edge"}}']
    assert next(iter(ages.values())) >= 0

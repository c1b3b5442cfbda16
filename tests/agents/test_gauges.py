"""The numbers about stacks and agents at /metrics are those of the database at that moment."""

import re
from datetime import timedelta

import pytest

from agents.services.agents import record_heartbeat
from core.events import SYSTEM
from stacks.services import delete_stack
from tests.factories import make_agent, make_event, make_object, make_stack

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


def test_agents_are_counted_by_whether_they_are_heard(admin, anonymous, now):
    make_agent(name="inactive")
    make_agent(name="never heard", active=True)
    heard, api = make_agent(name="heard", active=True)
    silent, silent_api = make_agent(name="silent", active=True)
    for agent, caller in ((heard, api), (silent, silent_api)):
        caller.post(f"/agents/{agent.id}/heartbeat")
    silent.heartbeat.refresh_from_db()
    silent.heartbeat.last_heartbeat = now - timedelta(days=1)
    silent.heartbeat.save()
    found = gauges(anonymous)
    states = ("heard", "silent", "never_heard", "inactive")
    assert [found[f'brokkr_agents{{state="{state}"}}'] for state in states] == [1, 1, 1, 1]


def test_reports_are_counted_by_whether_they_are_on_the_newest_version(anonymous):
    stack, gone = make_stack(), make_stack()
    (one, _), (two, _), (three, _) = (make_agent(active=True) for _ in range(3))
    old = make_object(stack)
    make_event(one, old, status="SUCCESS")
    new = make_object(stack)
    make_event(two, new, status="SUCCESS")
    make_event(three, new, status="FAILURE")
    make_event(one, make_object(gone), status="SUCCESS")
    delete_stack(stack=gone, actor=SYSTEM)
    found = gauges(anonymous)
    assert {name: count for name, count in found.items() if name.startswith("brokkr_agent_reports")} == {
        'brokkr_agent_reports{status="SUCCESS",version="newest"}': 1,
        'brokkr_agent_reports{status="FAILURE",version="newest"}': 1,
        'brokkr_agent_reports{status="SUCCESS",version="older"}': 1,
        'brokkr_agent_reports{status="FAILURE",version="older"}': 0,
    }


def test_agents_are_counted_by_their_own_version_and_rare_ones_together(anonymous):
    make_agent(name="says nothing")
    said = [*(f"1.0.{number}" for number in range(21)), "2.0.0", "2.0.0"]
    for version in said:
        agent, _ = make_agent(active=True)
        record_heartbeat(
            agent_id=agent.id, k8s_reachable=None, k8s_api_latency_ms=None, agent_version=version
        )
    found = gauges(anonymous)
    versions = {name: count for name, count in found.items() if name.startswith("brokkr_agent_versions")}
    assert len(versions) == 21
    assert versions['brokkr_agent_versions{agent_version="2.0.0"}'] == 2
    assert versions['brokkr_agent_versions{agent_version="unknown"}'] == 1
    assert versions['brokkr_agent_versions{agent_version="other"}'] == 3

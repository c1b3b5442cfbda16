"""One search for the whole admin: what it finds, for whom, and at how many queries."""

import re
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.events import SYSTEM
from paks.models import Pak
from rollouts.services.strategies import create_strategy
from rollouts.strategies import Strategy
from stacks.services import publish
from tests.factories import (
    make_agent,
    make_event,
    make_generator,
    make_log_entry,
    make_object,
    make_stack,
    make_template,
    make_webhook,
    make_work_order,
)
from tests.support.admin import staff
from tests.support.inventory import deployment
from tests.support.rollouts import ADMIN, CANARY_AND_REST, make_past_freeze, make_scene

pytestmark = pytest.mark.django_db
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: database}\nstringData:\n  password: tangerine-42\n"


@pytest.fixture
def fleet() -> dict[str, str]:
    agent, _ = make_agent(name="edge-lyon", cluster_name="lyon-7", labels=["tier-gold"], active=True)
    stack = make_stack(name="checkout", labels=["tier-gold"])
    obj = make_object(stack)
    make_event(agent, obj, "FAILURE", "ImagePullBackOff: no such image")
    return {"agent": str(agent.pk), "stack": str(stack.pk), "number": str(obj.pk), "version": str(obj.id)}


def found(pages, text: str) -> dict[str, list[str]]:
    """By group, the results' titles."""
    page = pages.get("search/", s=text, extended="1").content.decode()
    groups: dict[str, list[str]] = {}
    title = ""
    for heading, hit in re.findall(r"<h2>([^<]+)</h2>|<b>([^<]+)</b>", page):
        title = heading or title
        if hit:
            groups.setdefault(title, []).append(hit)
    return groups


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("LYON", {"Agents": ["edge-lyon"]}),
        ("lyon-7", {"Agents": ["edge-lyon"]}),
        ("eckou", {"Stacks": ["checkout"]}),
        ("tier-g", {"Stacks": ["checkout"], "Agents": ["edge-lyon"]}),
        ("imagepull", {"Failures": ["checkout on edge-lyon"]}),
        ("nothing like it", {}),
        ("e", {}),
        ("%", {}),
        ("a\0b", {}),
        ("9" * 30, {}),
    ],
)
def test_names_labels_clusters_and_messages_are_found_in_groups(operator, fleet, text, groups):
    assert found(operator, text) == groups


def test_ids_are_found(operator, fleet):
    assert found(operator, fleet["agent"]) == {"Agents": ["edge-lyon"]}
    assert found(operator, fleet["stack"]) == {"Stacks": ["checkout"]}
    assert found(operator, f"#{fleet['number']}0") == {}
    assert found(operator, fleet["version"]) == {"Versions": [f"#{fleet['number']}"]}
    number = f"#{int(fleet['number']):02}"
    assert found(operator, number)["Versions"] == [f"#{fleet['number']}"]


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("web-fr", {"Resources": ["Deployment web-front"]}),
        ("ngin", {"Images": ["docker.io/library/nginx:1.27"]}),
        ("nginx:1.", {"Images": ["docker.io/library/nginx:1.27"]}),
        ("nginx:2", {}),
        ("front", {}),
    ],
)
def test_resources_and_images_are_found_by_their_beginning(operator, text, groups):
    publish(
        stack_id=make_stack().pk,
        yaml_content=deployment("web-front", namespace="shop", image="nginx:1.27"),
        is_deletion_marker=False,
        actor=SYSTEM,
    )
    assert found(operator, text) == groups


def test_a_resource_leads_to_who_has_it(operator):
    make_object(make_stack(name="checkout"), deployment("web-front", namespace="shop"))
    page = operator.get("search/", s="web-fr", extended="1").content.decode()
    (url,) = re.findall(r'href="/admin/(resources/[^"]+)"', page)
    assert "checkout" in operator.get(unescape(url)).content.decode()


def test_nobody_finds_what_he_may_not_see(fleet):
    assert found(staff("stacks.view_stack"), "tier-gold") == {"Stacks": ["checkout"]}


def test_the_search_costs_the_same_queries_for_any_fleet(operator, fleet):
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            operator.get("search/", s="e", extended="1")
            operator.get("search/", s="edge", extended="1")
        return len(captured)

    before = cost()
    for number in range(8):
        make_agent(name=f"edge-{number}", labels=["edge"])
        make_stack(name=f"edge-{number}", labels=["edge"])
    assert cost() == before


def test_messages_of_reports_of_success_are_found(operator, fleet):
    agent, _ = make_agent(name="edge-oslo", active=True)
    obj = make_object(make_stack(name="billing"))
    event = make_event(agent, obj, message="pruned 3 objects of the old layout")
    assert found(operator, "OLD layout") == {"Reports of success": ["billing on edge-oslo"]}
    page = operator.get("search/", s="old layout", extended="1").content.decode()
    assert f"/admin/agents/agentevent/{event.pk}/change/" in page


def test_generators_templates_strategies_webhooks_and_work_orders_are_found(operator):
    make_generator("nightly-ci")
    make_template(name="nightly-base")
    make_template(name="nightly-base")
    create_strategy(strategy=Strategy("nightly-waves", CANARY_AND_REST), actor=ADMIN)
    make_webhook(name="nightly-pager")
    order = make_work_order(work_type="nightly-build")
    groups = found(operator, "nightly-")
    assert groups == {
        "Generators": ["nightly-ci"],
        "Templates": ["nightly-base v2"],
        "Strategies": ["nightly-waves"],
        "Webhooks": ["nightly-pager"],
        "Work orders": [str(order)],
    }
    assert found(operator, str(order.pk)) == {"Work orders": [str(order)]}


def test_rollouts_are_found_by_stack_version_and_id(operator):
    rollout = make_scene().start()
    title = f"{rollout.stack.name} #{rollout.version_id}"
    assert found(operator, rollout.stack.name)["Rollouts"] == [title]
    assert found(operator, f"#{rollout.version_id}")["Rollouts"] == [title]
    assert found(operator, str(rollout.pk)) == {"Rollouts": [title]}


def test_a_freeze_is_found_by_its_reason(operator):
    make_past_freeze(make_generator()[0])
    assert found(operator, "holiday") == {"Freezes": ["a holiday"]}


def test_a_finished_work_order_and_a_key_are_found_by_their_ids(operator):
    agent, _ = make_agent(name="edge-oslo", active=True)
    entry = make_log_entry(agent)
    key = Pak.objects.get(subject_id=agent.pk)
    assert found(operator, str(entry.pk)) == {"Finished work orders": [str(entry)]}
    assert found(operator, str(key.pk)) == {"Keys": [key.name]}


@pytest.mark.parametrize("status", ["SUCCESS", "FAILURE"])
def test_nothing_is_found_by_the_value_of_a_secret(operator, status):
    agent, _ = make_agent(active=True)
    obj = make_object(make_stack(), SECRET)
    make_event(agent, obj, status, "the password tangerine-42 is too short")
    assert found(operator, "tangerine") == {}
    assert list(found(operator, "too short").values()) != []

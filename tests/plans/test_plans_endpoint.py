"""POST /plans: what is asked, and what is told."""

from collections.abc import Callable
from itertools import chain, repeat
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone

from agents.models import AgentHeartbeat
from core.metrics import exposition
from plans import dry_runs
from rollouts.models import Freeze
from rollouts.services.freezes import begin_freeze
from tests.factories import (
    make_agent,
    make_event,
    make_generator,
    make_object,
    make_stack,
    make_target,
    make_webhook,
    manifest,
)
from tests.plans.asking import ask, kinds, told
from tests.support.api import refused
from tests.support.rollouts import ADMIN, CANARY_AND_REST, make_scene

pytestmark = pytest.mark.django_db

SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {password: %s}\n"


@pytest.fixture
def served():
    """A stack with a version, and the agent that serves it."""
    stack, (agent, _) = make_stack(labels=["prod"]), make_agent(labels=["prod"], active=True)
    return stack, agent, make_object(stack, manifest("old"))


def test_a_publish_shows_which_resources_change(admin, served):
    stack, agent, old = served
    text = f"{manifest('new')}---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: shop}}\n"
    plan = told(admin, "POST", f"/stacks/{stack.id}/deployment-objects", {"yaml_content": text})
    assert kinds(plan) == {agent.name: "changing"}
    ((change,),) = [each["versions"] for each in plan["stacks"]]
    assert (change["from_sequence_id"], change["is_made"], change["agents"]) == (old.pk, True, 1)
    resources = change["resources"]
    assert resources["added"] == [{"group": "", "kind": "Namespace", "namespace": "", "name": "shop"}]
    assert [line for line in resources["changed"][0]["diff"] if line[0] in "+-"] == [
        "-  word: 'old'",
        "+  word: 'new'",
    ]


def test_a_published_marker_takes_the_stack_away(admin, served):
    stack, agent, _ = served
    path = f"/stacks/{stack.id}/deployment-objects?deletion_marker=true"
    plan = told(admin, "POST", path, {"yaml_content": ""})
    assert kinds(plan) == {agent.name: "losing"}
    assert (plan["losing_agents"], plan["losing_percent"]) == (1, 100.0)


def test_with_a_strategy_nothing_changes_now_and_all_in_the_end(admin):
    scene = make_scene(*CANARY_AND_REST)
    path = f"/stacks/{scene.stack.id}/deployment-objects"
    plan = told(admin, "POST", path, {"yaml_content": manifest("new")})
    names = [agent.name for agent in scene.agents]
    assert kinds(plan) == {}
    assert kinds(plan, "eventually") == dict.fromkeys(names, "changing")
    assert plan["stacks"][0]["holds"] == ["rollout"]
    rollout = scene.start(manifest("new"))
    rollout = scene.prove(rollout)
    scene.prove(rollout)
    assert scene.holders(rollout.version) == scene.agents


@pytest.mark.parametrize(("action", "body"), [("approve", {"wave": 1}), ("skip", {"reason": "why not"})])
def test_what_a_person_lets_go_on_is_what_the_plan_is_about(admin, action, body):
    waves = [CANARY_AND_REST[1]]
    scene = make_scene(*[type(each)(each.name, needs_approval=True) for each in waves])
    rollout = scene.start()
    plan = told(admin, "POST", f"/rollouts/{rollout.pk}/{action}", body)
    assert kinds(plan, "eventually") == {agent.name: "changing" for agent in scene.agents}
    assert bool(kinds(plan)) == (action == "skip")


def test_a_roll_back_is_for_who_has_the_newer_version(admin):
    scene = make_scene()
    rollout = scene.start()
    (canary,) = scene.holders(rollout.version)
    plan = told(admin, "POST", f"/rollouts/{rollout.pk}/roll-back", {"reason": "broken"})
    assert kinds(plan) == {canary.name: "changing"}


def test_lifting_a_freeze_brings_what_was_published_meanwhile(admin, served):
    stack, agent, _ = served
    freeze = begin_freeze(scope=Freeze.Scope.FLEET, reason="a sale", actor=ADMIN, now=timezone.now())
    make_object(stack, manifest("new"))
    plan = told(admin, "DELETE", f"/freezes/{freeze.pk}")
    assert kinds(plan) == {agent.name: "changing"}


def test_a_freeze_refuses_the_write_and_not_its_plan(admin, served):
    stack, agent, _ = served
    begin_freeze(scope=Freeze.Scope.FLEET, reason="a sale", actor=ADMIN, now=timezone.now())
    path = f"/stacks/{stack.id}/labels/prod"
    plan = told(admin, "DELETE", path)
    assert kinds(plan) == {agent.name: "losing"}
    assert [each["code"] for each in plan["refused_by"]] == ["frozen"]
    refused(admin.delete(path), 423, "frozen")
    overridden = told(admin, "DELETE", path, **{"X-Brokkr-Override-Freeze": "an emergency"})
    assert overridden["refused_by"] == []


def test_what_is_published_in_a_freeze_comes_when_it_ends_says_the_plan(admin, served):
    stack, agent, _ = served
    begin_freeze(scope=Freeze.Scope.FLEET, reason="a sale", actor=ADMIN, now=timezone.now())
    path, body = f"/stacks/{stack.id}/deployment-objects", {"yaml_content": manifest("new")}
    plan = told(admin, "POST", path, body)
    assert (kinds(plan), kinds(plan, "eventually"), plan["refused_by"]) == ({}, {agent.name: "changing"}, [])
    overridden = told(admin, "POST", path, body, **{"X-Brokkr-Override-Freeze": "an emergency"})
    assert kinds(overridden) == {agent.name: "changing"}
    answer = admin.post(path, body, headers={"If-Plan": plan["digest"]})
    assert answer.status_code == 201


def test_an_agent_that_is_deleted_is_named_as_such(admin, served):
    _, agent, _ = served
    plan = told(admin, "DELETE", f"/agents/{agent.pk}")
    assert kinds(plan) == {agent.name: "losing"}
    assert [each["name"] for each in plan["leaving"]] == [agent.name]
    # What it has deployed stays in its cluster.
    assert [(each["now"]["losing"], each["versions"]) for each in plan["stacks"]] == [(1, [])]
    assert told(admin, "PUT", f"/agents/{agent.pk}", {"status": "INACTIVE"})["leaving"] == []


def test_silent_and_inactive_agents_are_named_as_such(admin, served):
    stack, heard, _ = served
    make_agent(name="asleep", labels=["prod"], active=True)
    make_agent(name="idle", labels=["prod"])
    AgentHeartbeat.objects.filter(agent=heard).update(last_heartbeat=timezone.now())
    plan = told(admin, "DELETE", f"/stacks/{stack.id}/labels/prod")
    conditions = {each["agent"]["name"]: each["agent"]["condition"] for each in plan["agents"]}
    assert conditions == {heard.name: "heard", "asleep": "silent", "idle": "inactive"}
    assert (plan["agent_count"], plan["silent_count"], plan["inactive_count"]) == (3, 1, 1)


def test_the_warnings_of_the_publish_are_in_the_plan(admin, served):
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, generateName: b}\n"
    plan = told(admin, "POST", f"/stacks/{served[0].id}/deployment-objects", {"yaml_content": text})
    assert [each["code"] for each in plan["warnings"]] == ["generate_name"]


def test_agents_come_in_pages_of_one_plan(admin, served):
    stack, agent, _ = served
    for number in range(4):
        make_agent(name=f"zz-{number}", labels=["prod"])
    write = ("DELETE", f"/stacks/{stack.id}/labels/prod")
    names, query = [], "?limit=2&count=true&change=losing"
    while query:
        answer = ask(admin, *write, query=query)
        names += [each["agent"]["name"] for each in answer.json()["agents"]]
        assert answer.headers["X-Total-Count"] == "5"
        link = answer.headers.get("Link", "")
        query = link[link.find("?") : link.find(">")] if link else ""
    assert names == [agent.name, *(f"zz-{number}" for number in range(4))]
    cursor = "?cursor=" + "0" * 64 + "-2"
    refused(ask(admin, *write, query=cursor), 412, "plan_stale")
    refused(ask(admin, *write, query="?cursor=nonsense"), 400, "invalid_query")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/agents"),
        ("POST", "/plans"),
        ("PUT", "/agents"),
        ("POST", "/nowhere"),
        ("POST", "nowhere"),
        ("POST", "//\u20ac?\u20ac=%\u20ac"),
        ("POST", "/templates/00000000-0000-7000-8000-000000000000/labels"),
    ],
)
def test_other_writes_have_no_plan(admin, method, path):
    refused(ask(admin, method, path, {}), 400, "not_plannable")


def test_a_write_with_dry_run_is_refused(admin, served):
    stack, *_ = served
    refused(admin.delete(f"/stacks/{stack.id}?dry_run=true"), 400, "dry_run_refused")
    body = {"yaml_content": manifest("new"), "dry_run": True}
    refused(admin.post(f"/stacks/{stack.id}/deployment-objects", body), 400, "dry_run_refused")
    refused(ask(admin, "POST", f"/stacks/{stack.id}/deployment-objects", body), 400, "dry_run_refused")


def test_a_generator_gets_plans_of_its_own_stacks_only(served):
    generator, api = make_generator()
    stack, (agent, _) = make_stack(generator), make_agent()
    make_object(stack)
    make_target(agent, served[0])
    plan = told(api, "POST", f"/agents/{agent.id}/targets", {"stack_id": str(stack.id)})
    assert [each["stack_id"] for each in plan["agents"]] == [str(stack.id)]
    refused(ask(api, "DELETE", f"/stacks/{served[0].id}"), 403, "stack_not_owned")


def test_values_of_secrets_never_leave_by_a_plan(admin, served):
    stack, *_ = served
    make_object(stack, SECRET % "hunter2hunter2")
    text = SECRET % "correcthorsebattery"
    answer = ask(admin, "POST", f"/stacks/{stack.id}/deployment-objects", {"yaml_content": text})
    ((change,),) = [each["versions"] for each in answer.json()["stacks"]]
    assert change["resources"]["changed_count"] == 1
    assert b"hunter2" not in answer.content
    assert b"correcthorse" not in answer.content


def rows() -> dict[str, int]:
    return {model._meta.db_table: model._base_manager.count() for model in apps.get_models()}


def test_a_plan_leaves_no_trace(admin, served, caplog, django_capture_on_commit_callbacks):
    stack, agent, obj = served
    make_webhook(event_types=["*"])
    make_event(agent, obj)
    told(admin, "DELETE", f"/stacks/{stack.id}")
    before, events = rows(), exposition().count(b"audit")
    caplog.clear()
    with django_capture_on_commit_callbacks() as callbacks:
        for method, path, body in [
            ("DELETE", f"/stacks/{stack.id}", None),
            ("POST", f"/stacks/{stack.id}/deployment-objects", {"yaml_content": manifest("new")}),
            ("DELETE", f"/agents/{agent.id}", None),
        ]:
            told(admin, method, path, body, **{"Idempotency-Key": "plan"})
    assert callbacks == []
    assert rows() == before
    assert exposition().count(b"audit") == events
    assert {record.name for record in caplog.records} == {"brokkr.request"}
    assert len(caplog.records) == 3


def test_on_sqlite_a_plan_does_not_keep_writers_waiting_for_long(admin, served, monkeypatch):
    monkeypatch.setattr(dry_runs, "_SQLITE_SECONDS", -1)
    monkeypatch.setattr(dry_runs, "_SQLITE_STEPS", 1)
    answer = ask(admin, "DELETE", f"/stacks/{served[0].id}")
    if connection.vendor == "sqlite":
        refused(answer, 503, "plan_too_long")
    else:
        assert answer.status_code == 200
    monkeypatch.undo()
    assert told(admin, "DELETE", f"/stacks/{served[0].id}")["agent_count"] == 1


@pytest.mark.skipif(connection.vendor != "sqlite", reason="plans are given up on SQLite only")
@pytest.mark.parametrize(
    ("computed_and_taken", "status"), [((0.4, 1.9), 200), ((0.6, 0.6), 503), ((0.1, 2.1), 503)]
)
def test_on_sqlite_a_busy_machine_is_not_taken_for_a_large_fleet(
    admin, served, monkeypatch, computed_and_taken, status
):
    computed, taken = map(count_to, computed_and_taken)
    monkeypatch.setattr(dry_runs, "time", SimpleNamespace(thread_time=computed, monotonic=taken))
    monkeypatch.setattr(dry_runs, "_SQLITE_SECONDS", 0.5)
    monkeypatch.setattr(dry_runs, "_SQLITE_STEPS", 1)
    assert ask(admin, "DELETE", f"/stacks/{served[0].id}").status_code == status


def count_to(end: float) -> Callable[[], float]:
    """A clock that shows 0 at first and then always the end."""
    shown = chain([0.0], repeat(end))
    return lambda: next(shown)


def nested(depth: int) -> object:
    value: object = []
    for _ in range(depth):
        value = [value]
    return value


def test_a_body_that_is_nested_deep_is_refused_or_planned(admin, served):
    stack, *_ = served
    path, body = f"/stacks/{stack.id}/labels", {"label": "new", "more": nested(100)}
    digest = told(admin, "POST", path, body)["digest"]
    assert admin.post(path, body, headers={"If-Plan": digest}).status_code == 201
    raw = b'{"method": "POST", "path": "%s", "body": %s}' % (path.encode(), b"[" * 500 + b"]" * 500)
    refused(admin.post("/plans", raw=raw), 422, "invalid_request_body")
    again = admin.post(path, raw=b'{"label": "x", "more": %s}' % raw[-1001:-1], headers={"If-Plan": digest})
    refused(again, 412, "plan_stale")


def test_a_query_that_is_not_ascii_is_taken_as_it_is_meant(admin, served):
    path = f"/stacks/{served[0].id}/deployment-objects?strategy=none&reason=f\u00fcr"
    assert told(admin, "POST", path, {"yaml_content": manifest("new")})["refused_by"] == []

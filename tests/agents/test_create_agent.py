"""POST /agents."""

from uuid import uuid4

import pytest

from agents.models import Agent
from core.events import SYSTEM
from generators.services import delete_generator, system_generator
from rollouts.models import Freeze
from rollouts.services.freezes import begin_freeze
from tests.factories import make_agent, make_generator
from tests.support.api import Api, refused
from tests.support.events import is_wire_time, notices, recorded_audit, recorded_events

pytestmark = pytest.mark.django_db


def test_the_answer_holds_the_inactive_agent_and_its_working_key(admin):
    response = admin.post("/agents", {"name": "edge", "cluster_name": "fra"})
    assert response.status_code == 201
    body = response.json()
    assert set(body) == {"agent", "initial_pak"}
    agent = body["agent"]
    assert is_wire_time(agent.pop("created_at"))
    assert is_wire_time(agent.pop("updated_at"))
    assert agent == {
        "id": str(Agent.objects.get().id),
        "deleted_at": None,
        "name": "edge",
        "cluster_name": "fra",
        "last_heartbeat": None,
        "status": "INACTIVE",
        "silent_after_seconds": None,
        "k8s_reachable": None,
        "k8s_api_latency_ms": None,
        "k8s_reported_at": None,
        "agent_version": None,
    }
    assert Api(body["initial_pak"]).post("/auth/pak").json()["agent"] == agent["id"]


def registered_with(body) -> set[str]:
    agent = Agent.objects.get(id=body["agent"]["id"])
    return {str(row.generator_id) for row in agent.registrations.all()}


def test_it_is_registered_with_the_system_generator(admin):
    body = admin.post("/agents", {"name": "edge", "cluster_name": "fra"}).json()
    assert registered_with(body) == {str(system_generator().id)}


def test_it_is_registered_once_with_every_generator_it_names(admin):
    ids = [str(make_generator()[0].id), str(make_generator()[0].id)]
    sent = [*ids, ids[0], ids[0].upper(), str(system_generator().id)]
    body = admin.post("/agents", {"name": "e", "cluster_name": "c", "generator_ids": sent}).json()
    assert registered_with(body) == {*ids, str(system_generator().id)}


def test_an_unknown_or_deleted_generator_is_400_and_nothing_is_written(admin):
    gone, _ = make_generator()
    known, _ = make_generator()
    delete_generator(generator=gone, actor=SYSTEM)
    for missing in (gone.id, uuid4()):
        sent = {"name": "e", "cluster_name": "c", "generator_ids": [str(known.id), str(missing)]}
        with recorded_audit() as rows:
            body = refused(admin.post("/agents", sent), 400, "invalid_generator_id")
        assert body["details"]["generator_ids"] == [str(missing)]
        assert rows == []
    assert not Agent.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {"name": "", "cluster_name": "c"},
        {"name": "n", "cluster_name": " "},
        {"name": "x" * 256, "cluster_name": "c"},
        {"name": "n", "cluster_name": "x" * 256},
    ],
)
def test_blank_or_overlong_names_are_400(admin, body):
    refused(admin.post("/agents", body), 400, "invalid_agent")
    assert not Agent.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "n"},
        {"cluster_name": "c"},
        {"name": 1, "cluster_name": "c"},
        {"name": "n", "cluster_name": None},
        {"name": "n", "cluster_name": "c", "generator_ids": ["17"]},
        {"name": "n", "cluster_name": "c", "generator_ids": "17"},
        [],
    ],
)
def test_a_wrong_shape_is_422(admin, body):
    refused(admin.post("/agents", body), 422, "invalid_request_body")


def test_name_and_cluster_together_are_unique(admin):
    make_agent(name="edge", cluster_name="fra")
    body = refused(admin.post("/agents", {"name": "edge", "cluster_name": "fra"}), 409, "unique_violation")
    assert body["details"]["constraint"] == "unique_agent_cluster"
    assert admin.post("/agents", {"name": "edge", "cluster_name": "lon"}).status_code == 201
    assert admin.post("/agents", {"name": "Edge", "cluster_name": "fra"}).status_code == 201


def test_a_client_does_not_choose_status_or_id(admin):
    sent = {"name": "e", "cluster_name": "c", "status": "ACTIVE", "id": str(uuid4())}
    agent = admin.post("/agents", sent).json()["agent"]
    assert agent["status"] == "INACTIVE"
    assert agent["id"] != sent["id"]


def test_only_an_admin_may(anonymous):
    body = {"name": "e", "cluster_name": "c"}
    refused(anonymous.post("/agents", body), 401, "unauthorized")
    for api in (make_generator()[1], make_agent()[1]):
        refused(api.post("/agents", body), 403, "admin_required")


def test_it_is_audited_as_an_agent_and_a_key_and_announced_as_registered(admin):
    with recorded_events() as events, recorded_audit() as rows:
        admin.post("/agents", {"name": "edge", "cluster_name": "fra"})
    agent = Agent.objects.get()
    assert [(row.action, row.resource_type, row.resource_id) for row in rows] == [
        ("agent.created", "agent", agent.id),
        ("pak.created", "pak", agent.id),
    ]
    assert rows[0].details == {"name": "edge", "cluster_name": "fra"}
    assert rows[1].details is not None
    assert {"entity": "agent", "name": "edge"}.items() <= rows[1].details.items()
    assert notices(events) == [
        (
            "agent.registered",
            {
                "agent_id": agent.id,
                "name": "edge",
                "cluster_name": "fra",
                "status": "INACTIVE",
                "created_at": agent.created_at,
            },
        )
    ]


def test_labels_are_put_on_it_at_once_and_audited(admin):
    sent = {"name": "edge", "cluster_name": "fra", "labels": ["prod", "ring=canary", "prod"]}
    with recorded_audit() as audited:
        body = admin.post("/agents", sent).json()
    labels = admin.get(f"/agents/{body['agent']['id']}/labels").json()
    assert [row["label"] for row in labels] == ["prod", "ring=canary"]
    assert [entry.action for entry in audited] == [
        "agent.created",
        "pak.created",
        "agent.label_added",
        "agent.label_added",
    ]


@pytest.mark.parametrize(
    ("labels", "status", "code"),
    [
        (["two words"], 400, "invalid_label"),
        (["ok", "x" * 65], 400, "invalid_label"),
        (["x"] * 101, 422, "invalid_request_body"),
        ("prod", 422, "invalid_request_body"),
        ([1], 422, "invalid_request_body"),
        (None, 422, "invalid_request_body"),
    ],
)
def test_labels_that_are_none_leave_no_agent(admin, labels, status, code):
    refused(admin.post("/agents", {"name": "edge", "cluster_name": "fra", "labels": labels}), status, code)
    assert not Agent.objects.exists()


def test_a_freeze_that_refuses_its_labels_leaves_no_agent(admin, now):
    begin_freeze(scope=Freeze.Scope.FLEET, reason="the fair", actor=SYSTEM, now=now)
    body = {"name": "edge", "cluster_name": "fra", "labels": ["prod"]}
    refused(admin.post("/agents", body), 423, "frozen")
    assert not Agent.objects.exists()

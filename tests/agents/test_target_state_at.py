"""GET /agents/{id}/target-state?at=: what a full poll got at a moment of the past."""

import random
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from agents.models import AgentOffer
from core.events import SYSTEM
from core.labels.services import remove_label
from tests.factories import make_agent, make_object, make_stack, manifest
from tests.support.api import refused
from tests.support.changing_fleet import ChangingFleet, quiet_moment

pytestmark = pytest.mark.django_db


def path(agent, at, **more: str) -> str:
    query = "".join(f"&{name}={value}" for name, value in more.items())
    moment = at if isinstance(at, str) else at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return f"/agents/{agent.id}/target-state?at={moment}{query}"


@pytest.mark.parametrize("registration", [False, True])
def test_every_quiet_moment_is_told_as_a_full_poll_got_it(admin, settings, registration):
    settings.REQUIRE_REGISTRATION = registration
    steps, polls = (300, 50) if connection.vendor == "postgresql" else (80, 15)
    fleet = ChangingFleet(seed=17)
    moments = set(random.Random(7).sample(range(steps), polls))  # noqa: S311  # no secret
    recorded = []
    for number in range(steps):
        fleet.step()
        if number in moments:
            at = quiet_moment()
            for agent, api in fleet.keys.items():
                recorded.append((agent, at, api.get(f"/agents/{agent.id}/target-state?mode=full").content))
    told = [(agent, at, admin.get(path(agent, at)).content) for agent, at, _ in recorded]
    assert told == recorded
    assert len({body for _, _, body in recorded}) > polls / 2


def test_the_past_of_a_deleted_agent_is_told_by_its_id(admin):
    agent, _ = make_agent(labels=["a"])
    obj = make_object(make_stack(labels=["a"]))
    before = quiet_moment()
    admin.request("DELETE", f"/agents/{agent.id}")
    after = quiet_moment()
    assert [row["id"] for row in admin.get(path(agent, before)).json()] == [str(obj.id)]
    assert admin.get(path(agent, after)).json() == []


def test_an_agent_may_ask_for_its_own_past_and_is_offered_nothing_by_it():
    agent, api = make_agent(labels=["a"])
    stack = make_stack(labels=["a"])
    old = make_object(stack)
    before = quiet_moment()
    make_object(stack, manifest(2))
    assert [row["id"] for row in api.get(path(agent, before)).json()] == [str(old.id)]
    assert not AgentOffer.objects.filter(agent=agent).exists()


def test_the_answer_says_how_far_back_it_goes_and_that_settings_are_those_of_today(admin):
    agent, _ = make_agent()
    response = admin.get(path(agent, timezone.now()))
    assert response.headers["X-Brokkr-Known-Since"] < timezone.now().isoformat()
    assert response.headers["X-Brokkr-Settings"] == "today"
    assert "X-Brokkr-Known-Since" not in admin.get(f"/agents/{agent.id}/target-state").headers


def test_a_moment_before_the_history_began_is_refused_with_its_beginning(admin):
    agent, _ = make_agent()
    began = timezone.now() - timedelta(hours=1)
    rows = MigrationRecorder.Migration.objects.filter(app="agents", name__endswith="_history_tables")
    assert rows.update(applied=began) == 1
    refusal = refused(admin.get(path(agent, began - timedelta(seconds=1))), 400, "moment_not_known")
    assert refusal["details"]["known_since"] == began.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert admin.get(path(agent, began + timedelta(seconds=1))).status_code == 200


def test_what_the_retention_has_deleted_is_not_guessed(admin, settings):
    settings.HISTORY_RETENTION_DAYS = 30
    agent, _ = make_agent()
    rows = MigrationRecorder.Migration.objects.filter(app="agents", name__endswith="_history_tables")
    rows.update(applied=timezone.now() - timedelta(days=100))
    refused(admin.get(path(agent, timezone.now() - timedelta(days=31))), 400, "moment_not_known")
    assert admin.get(path(agent, timezone.now() - timedelta(days=29))).status_code == 200


def test_a_moment_in_the_future_is_refused(admin):
    agent, _ = make_agent()
    refused(admin.get(path(agent, timezone.now() + timedelta(hours=1))), 400, "moment_not_known")


def test_the_incremental_mode_has_no_past(admin, settings):
    agent, _ = make_agent()
    refused(admin.get(path(agent, timezone.now(), mode="incremental")), 400, "invalid_query")
    settings.TARGET_STATE_DEFAULT = "incremental"
    assert admin.get(path(agent, timezone.now())).status_code == 200


@pytest.mark.parametrize("moment", ["yesterday", "2026-11-28", "2026-11-28T10:00:00", ""])
def test_what_is_no_moment_is_refused(admin, moment):
    agent, _ = make_agent()
    refused(admin.get(path(agent, moment)), 400, "invalid_query")


def test_an_unknown_agent_has_had_nothing(admin):
    agent, _ = make_agent()
    agent.id = uuid4()
    assert admin.get(path(agent, timezone.now())).json() == []


def test_a_label_that_came_back_counts_only_while_it_was_there(admin):
    agent, _ = make_agent(labels=["a"])
    stack = make_stack(labels=["a"])
    make_object(stack)
    moments = [quiet_moment()]
    remove_label(owner=agent, label="a", actor=SYSTEM)
    moments.append(quiet_moment())
    admin.request("POST", f"/agents/{agent.id}/labels", "a")
    moments.append(quiet_moment())
    assert [len(admin.get(path(agent, at)).json()) for at in moments] == [1, 0, 1]

"""Who made a change, and why: the audit entry of the same transaction, and a guess only for what is older."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models import F
from uuid_utils.compat import uuid7

from agents.models import AgentLabel, AgentLabelHistory, HoldReason, MarkerDelivery, VersionHold
from agents.services.agents import lock_agent
from agents.services.holds import hold
from audit.models import AuditLog
from core.events import Actor
from core.labels.services import add_label, remove_label
from paks.actors import ActorType
from tests.factories import make_agent, make_event, make_object, make_stack, manifest
from tests.support.api import Api

# Each change must be a transaction of its own.
pytestmark = pytest.mark.django_db(transaction=True)


def causes(admin: Api, agent: Any) -> list[Any]:
    response = admin.get(f"/agents/{agent.id}/timeline?limit=1000")
    assert response.status_code == 200, response.content
    return [entry["cause"] for entry in response.json() if entry["kind"] == "wanted"]


def by(name: str, why: str) -> Actor:
    return Actor(type=ActorType.ADMIN, label=name, reason=why)


def an_agent_whose_label_two_people_change() -> Any:
    """Astrid adds the label, Ylva takes it away, and Astrid adds it again."""
    agent, _ = make_agent()
    make_object(make_stack(labels=["causes"]))
    add_label(owner=agent, label="causes", actor=by("astrid", "a new region"))
    remove_label(owner=agent, label="causes", actor=by("ylva", "too early"))
    add_label(owner=agent, label="causes", actor=by("astrid", "now it is time"))
    return agent


def test_people_who_change_the_same_thing_within_a_moment_are_told_apart(admin):
    agent = an_agent_whose_label_two_people_change()
    # By their times alone, each entry would be taken for another one.
    entries = AuditLog.objects.filter(resource_id=agent.pk, action__startswith="agent.label")
    first, second, third = entries.order_by("sequence")
    entries.filter(pk=first.pk).update(timestamp=third.timestamp)
    entries.filter(pk=third.pk).update(timestamp=first.timestamp - timedelta(seconds=30))
    assert [(cause["audit_id"], cause["actor_label"], cause["reason"]) for cause in causes(admin, agent)] == [
        (str(first.id), "astrid", "a new region"),
        (str(second.id), "ylva", "too early"),
        (str(third.id), "astrid", "now it is time"),
    ]
    assert {cause["is_guessed"] for cause in causes(admin, agent)} == {False}


def test_changes_of_before_the_numbers_have_the_nearest_entry_and_say_so(admin):
    agent = an_agent_whose_label_two_people_change()
    AuditLog.objects.update(transaction_number=None)
    AgentLabelHistory.objects.update(added_in=None, removed_in=None)
    told = [(cause["actor_label"], cause["is_guessed"]) for cause in causes(admin, agent)]
    assert told == [("astrid", True), ("ylva", True), ("astrid", True)]


def test_an_entry_with_a_number_is_no_guess_for_a_change_that_has_none(admin):
    agent = an_agent_whose_label_two_people_change()
    AgentLabelHistory.objects.update(added_in=None, removed_in=None)
    assert causes(admin, agent) == [None, None, None]


def test_the_same_number_a_day_apart_is_another_transaction(admin):
    agent = an_agent_whose_label_two_people_change()
    AuditLog.objects.update(timestamp=F("timestamp") - timedelta(days=1))
    assert causes(admin, agent) == [None, None, None]


def test_a_report_that_ends_a_marker_is_nobodys_change(admin):
    agent, api = make_agent(labels=["causes"])
    make_object(make_stack(labels=["causes"]))
    api.get(f"/agents/{agent.id}/target-state")
    remove_label(owner=agent, label="causes", actor=by("ylva", "moved"))
    make_event(agent, MarkerDelivery.objects.get(agent=agent).marker)
    *_, given_up = causes(admin, agent)
    assert given_up is None


def test_what_somebody_writes_into_the_tables_has_no_cause(admin):
    agent, _ = make_agent()
    make_object(make_stack(labels=["causes"]))
    AgentLabel.objects.create(id=uuid7(), agent=agent, label="causes")
    assert causes(admin, agent) == [None]


def test_a_change_that_follows_from_another_has_the_cause_of_its_transaction(admin):
    agent, _ = make_agent(labels=["causes"])
    stack = make_stack(labels=["causes"])
    with transaction.atomic():
        hold(version=make_object(stack), reason=HoldReason.ROLLOUT)
    # The hold ends, and the entry of the transaction is about the agent alone.
    with transaction.atomic():
        lock_agent(agent.pk)
        VersionHold.objects.filter(version__stack=stack).delete()
        add_label(owner=agent, label="elsewhere", actor=by("astrid", "by the way"))
    (cause,) = causes(admin, agent)
    assert (cause["actor_label"], cause["reason"], cause["is_guessed"]) == ("astrid", "by the way", False)


def test_the_publication_of_a_version_is_found_by_its_id(admin):
    agent, _ = make_agent(labels=["causes"])
    stack = make_stack(labels=["causes"])
    versions = [make_object(stack, manifest(1)), make_object(stack, manifest(2))]
    published = [AuditLog.objects.get(resource_id=version.id) for version in versions]
    # By their times alone, each entry would be that of the other version.
    AuditLog.objects.update(transaction_number=None)
    for entry, other in zip(published, reversed(published), strict=True):
        AuditLog.objects.filter(pk=entry.pk).update(timestamp=other.timestamp)
    told = causes(admin, agent)
    assert [cause["audit_id"] for cause in told] == [str(entry.id) for entry in published]
    assert {cause["is_guessed"] for cause in told} == {False}

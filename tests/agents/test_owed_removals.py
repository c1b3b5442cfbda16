"""Who loses a stack that lives on, by somebody's deliberate write, is owed its removal."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from agents.models import AgentEvent, AgentOffer, MarkerDelivery, Registration, StackReport
from agents.services.registrations import deregister_agent
from agents.services.targets import remove_target
from core.events import SYSTEM, Actor
from core.labels.services import add_annotation, add_label, remove_annotation, remove_label
from paks.actors import ActorType
from stacks.models import DeploymentObject
from stacks.services import delete_stack, lock_stack, update_stack
from tests.factories import (
    make_agent,
    make_event,
    make_generator,
    make_object,
    make_registration,
    make_stack,
    make_target,
)
from tests.support.api import refused

pytestmark = pytest.mark.django_db


def state(agent, api, mode: str = "full") -> Any:
    return api.get(f"/agents/{agent.id}/target-state?mode={mode}").json()


def numbers(agent, api, mode: str = "full") -> list[int]:
    return [row["sequence_id"] for row in state(agent, api, mode)]


def acknowledge(agent, marker, status: str = "SUCCESS"):
    return make_event(agent, DeploymentObject.objects.get(pk=marker["sequence_id"]), status)


def leave_by_label(agent, stack) -> None:
    remove_label(owner=agent, label="prod", actor=SYSTEM)


def leave_by_label_of_stack(agent, stack) -> None:
    remove_label(owner=stack, label="prod", actor=SYSTEM)


def leave_by_annotation(agent, stack) -> None:
    remove_annotation(owner=agent, key="tier", actor=SYSTEM)


def leave_by_annotation_of_stack(agent, stack) -> None:
    remove_annotation(owner=stack, key="tier", actor=SYSTEM)


def leave_by_target(agent, stack) -> None:
    remove_target(agent_id=agent.id, stack=stack, actor=SYSTEM)


def leave_by_deregistering(agent, stack) -> None:
    deregister_agent(agent_id=agent.id, generator=stack.generator, actor=SYSTEM)


def leave_by_moving_the_stack(agent, stack) -> None:
    with transaction.atomic():
        update_stack(
            stack=lock_stack(stack.id),
            changes={"generator_id": make_generator()[0].id},
            actor=Actor(type=ActorType.ADMIN),
        )


WORDS: Any = ({"labels": ["prod"]}, {"annotations": {"tier": "web"}})
WAYS: list[tuple[Callable[..., None], Any, bool]] = [
    (leave_by_label, WORDS[0], False),
    (leave_by_label, WORDS[0], True),
    (leave_by_label_of_stack, WORDS[0], False),
    (leave_by_label_of_stack, WORDS[0], True),
    (leave_by_annotation, WORDS[1], False),
    (leave_by_annotation_of_stack, WORDS[1], True),
    (leave_by_target, {}, False),
    (leave_by_target, {}, True),
    (leave_by_deregistering, {}, False),
    (leave_by_deregistering, WORDS[0], True),
    (leave_by_moving_the_stack, WORDS[0], True),
]


@pytest.fixture
def world(request, settings):
    leave, words, required = request.param
    settings.REQUIRE_REGISTRATION = required
    generator, owner = make_generator()
    stack = make_stack(generator, **words)
    agent, api = make_agent(**words)
    make_registration(agent, generator)
    if not words:
        make_target(agent, stack)
    obj = make_object(stack)
    return agent, api, stack, obj, leave, owner


everywhere = pytest.mark.parametrize("world", WAYS, indirect=True)


@everywhere
@pytest.mark.parametrize("how", ["offered", "reported"])
@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_who_was_offered_it_or_has_reported_is_owed_a_marker_until_it_says_so(world, how, mode):
    agent, api, stack, obj, leave, _ = world
    if how == "offered":
        assert numbers(agent, api, mode) == [obj.pk]
    else:
        make_event(agent, obj)
    leave(agent, stack)
    (marker,) = state(agent, api, mode)
    assert marker["is_deletion_marker"]
    assert marker["stack_id"] == str(stack.pk)
    acknowledge(agent, marker, "FAILURE")
    assert state(agent, api, mode) == [marker]
    acknowledge(agent, marker)
    assert state(agent, api, mode) == []
    assert not StackReport.objects.exists()
    assert not AgentOffer.objects.exists()


@everywhere
def test_who_was_given_nothing_of_it_is_owed_nothing(world):
    agent, api, stack, _, leave, _ = world
    leave(agent, stack)
    assert not MarkerDelivery.objects.exists()
    assert state(agent, api) == []


@everywhere
def test_who_serves_it_all_the_same_is_owed_nothing(world, settings):
    agent, api, stack, obj, leave, _ = world
    for owner in (agent, stack):
        add_label(owner=owner, label="spare", actor=SYSTEM)
    if leave is leave_by_deregistering and settings.REQUIRE_REGISTRATION:
        settings.REQUIRE_REGISTRATION = False
    if leave is leave_by_moving_the_stack:
        make_target(agent, stack)
    assert numbers(agent, api) == [obj.pk]
    leave(agent, stack)
    assert not MarkerDelivery.objects.exists()
    assert numbers(agent, api) == [obj.pk]


def test_a_setting_owes_nothing(settings):
    agent, api = make_agent(labels=["prod", "other"])
    stack = make_stack(labels=["prod", "other"])
    obj = make_object(stack)
    assert numbers(agent, api) == [obj.pk]
    settings.REQUIRE_REGISTRATION = True
    assert numbers(agent, api) == []
    make_event(agent, obj)
    # Nor does a write that takes away what did not count any more.
    remove_label(owner=agent, label="other", actor=SYSTEM)
    remove_label(owner=stack, label="prod", actor=SYSTEM)
    assert not MarkerDelivery.objects.exists()


def test_replaced_labels_owe_what_only_the_old_one_gave():
    agent, api = make_agent(labels=["old"])
    lost, kept = make_stack(labels=["old"]), make_stack(labels=["old", "new"])
    objects = [make_object(lost), make_object(kept)]
    assert numbers(agent, api) == [obj.pk for obj in objects[::-1]]
    with transaction.atomic():
        remove_label(owner=agent, label="old", actor=SYSTEM)
        add_label(owner=agent, label="new", actor=SYSTEM)
    found = {row["stack_id"]: row["is_deletion_marker"] for row in state(agent, api)}
    assert found == {str(lost.pk): True, str(kept.pk): False}


def come_back_by_label(agent, stack) -> None:
    add_label(owner=agent, label="prod", actor=SYSTEM)


def come_back_by_label_of_stack(agent, stack) -> None:
    add_label(owner=stack, label="spare", actor=SYSTEM)


def come_back_by_annotation(agent, stack) -> None:
    add_annotation(owner=agent, key="tier", value="web", actor=SYSTEM)


def come_back_by_annotation_of_stack(agent, stack) -> None:
    add_annotation(owner=stack, key="size", value="big", actor=SYSTEM)


@pytest.mark.parametrize(
    "come_back",
    [
        make_target,
        come_back_by_label,
        come_back_by_label_of_stack,
        come_back_by_annotation,
        come_back_by_annotation_of_stack,
    ],
)
def test_serving_it_again_withdraws_the_marker(come_back):
    agent, api = make_agent(labels=["prod", "spare"], annotations={"size": "big"})
    stack = make_stack(labels=["prod"], annotations={"tier": "web"})
    obj = make_object(stack)
    state(agent, api)
    leave_by_label(agent, stack)
    assert MarkerDelivery.objects.exists()
    come_back(agent, stack)
    assert not MarkerDelivery.objects.exists()
    assert numbers(agent, api) == [obj.pk]


def test_a_marker_of_a_stack_that_is_served_is_not_handed_out_whoever_wrote_it():
    agent, api = make_agent(labels=["prod"])
    stack = make_stack(labels=["prod"])
    obj = make_object(stack)
    state(agent, api)
    leave_by_label(agent, stack)
    # As two writes at once may leave it: one took the stack, the other gave it.
    agent.labels.create(label="prod")
    assert MarkerDelivery.objects.count() == 1
    assert numbers(agent, api) == [obj.pk]


@pytest.mark.parametrize("is_withdrawn", [True, False])
def test_after_the_acknowledgement_incremental_mode_offers_the_stack_anew(is_withdrawn):
    agent, api = make_agent(labels=["prod"])
    stack = make_stack(labels=["prod"])
    obj = make_object(stack)
    make_event(agent, obj)
    assert numbers(agent, api, "incremental") == []
    leave_by_label(agent, stack)
    (marker,) = state(agent, api, "incremental")
    if is_withdrawn:
        add_label(owner=agent, label="prod", actor=SYSTEM)
        acknowledge(agent, marker)
    else:
        acknowledge(agent, marker)
        add_label(owner=agent, label="prod", actor=SYSTEM)
    assert numbers(agent, api, "incremental") == [obj.pk]
    assert [event.deployment_object.pk for event in AgentEvent.objects.active()] == [marker["sequence_id"]]


def test_a_report_and_the_acknowledgement_in_one_batch_are_taken_in_their_order():
    agent, api = make_agent(labels=["prod"])
    stack = make_stack(labels=["prod"])
    obj = make_object(stack)
    state(agent, api)
    leave_by_label(agent, stack)
    (marker,) = state(agent, api)
    applied, removed = (
        {"deployment_object_id": id_, "event_type": "DEPLOY", "status": "SUCCESS"}
        for id_ in (str(obj.id), marker["id"])
    )
    path = f"/agents/{agent.id}/events/batch"
    assert api.post(path, {"events": [applied, removed]}).status_code == 201
    assert not StackReport.objects.exists()
    assert state(agent, api) == []
    # The same the other way round: what it says after the removal stands, and must be removed again.
    assert api.post(path, {"events": [removed, applied]}).status_code == 201
    assert StackReport.objects.get().sequence_id == obj.pk
    (again,) = state(agent, api)
    assert again["sequence_id"] > marker["sequence_id"]


def test_a_first_report_that_comes_after_the_agent_left_owes_the_removal():
    agent, api = make_agent(labels=["prod"])
    stack = make_stack(labels=["prod"])
    obj = make_object(stack)
    state(agent, api)
    # As a poll that was under way while the label was removed leaves it.
    agent.labels.all().delete()
    assert state(agent, api) == []
    make_event(agent, obj)
    (marker,) = state(agent, api)
    assert marker["is_deletion_marker"]
    acknowledge(agent, marker)
    # And so does one that was sent before the removal and arrives after it.
    make_event(agent, obj)
    assert [row["is_deletion_marker"] for row in state(agent, api)] == [True]


def test_a_report_on_a_stack_the_agent_never_had_owes_nothing():
    agent, _ = make_agent()
    make_event(agent, make_object(make_stack(labels=["prod"])))
    assert not MarkerDelivery.objects.exists()


def test_killed_between_applying_and_reporting_an_agent_removes_the_deleted_stack():
    agent, api = make_agent(labels=["prod"])
    stack = make_stack(labels=["prod"])
    make_object(stack)
    state(agent, api)
    marker = delete_stack(stack=stack, actor=SYSTEM)
    assert numbers(agent, api) == [marker.pk]


def test_what_is_owed_is_owed_still_when_the_stack_is_deleted():
    agent, api = make_agent(labels=["prod"])
    stack = make_stack(labels=["prod"])
    make_object(stack)
    state(agent, api)
    leave_by_label(agent, stack)
    owed = state(agent, api)
    delete_stack(stack=stack, actor=SYSTEM)
    assert state(agent, api) == owed


def test_a_report_after_the_deletion_turns_an_owed_removal_into_the_deletion_marker():
    agent, api = make_agent(labels=["prod"])
    stack = make_stack(labels=["prod"])
    obj = make_object(stack)
    state(agent, api)
    leave_by_label(agent, stack)
    marker = delete_stack(stack=stack, actor=SYSTEM)
    make_event(agent, obj)
    assert numbers(agent, api) == [marker.pk]


def test_the_deletion_marker_replaces_a_removal_that_was_not_handed_out():
    agent, api = make_agent(labels=["prod"])
    stack = make_stack(labels=["prod"])
    make_object(stack)
    state(agent, api)
    leave_by_label(agent, stack)
    # As two writes at once may leave it; the deletion ends the tie.
    agent.targets.create(stack=stack)
    marker = delete_stack(stack=stack, actor=SYSTEM)
    assert numbers(agent, api) == [marker.pk]


def test_the_marker_is_read_by_its_agent_and_the_owner_alone(admin):
    generator, owner = make_generator()
    stack = make_stack(generator, labels=["prod"])
    agent, api = make_agent(labels=["prod"])
    other, other_api = make_agent(labels=["prod"])
    version = make_object(stack)
    state(agent, api)
    leave_by_label(agent, stack)
    (marker,) = state(agent, api)
    path = f"/deployment-objects/{marker['id']}"
    for reader in (api, owner, admin):
        assert reader.get(path).json() == marker
    refused(other_api.get(path), 403, "agent_not_associated")
    refused(make_generator()[1].get(path), 403, "generator_not_associated")
    # It is no version of the stack.
    assert [row["sequence_id"] for row in admin.get(f"/stacks/{stack.pk}/deployment-objects").json()] == [
        version.pk
    ]
    assert numbers(other, other_api) == [version.pk]
    assert b"brokkr_deployment_objects_total 1.0" in admin.get("/metrics").content


def test_another_agents_word_on_the_marker_changes_nothing(admin):
    agent, api = make_agent(labels=["prod"])
    other, _ = make_agent(labels=["prod"])
    stack = make_stack(labels=["prod"])
    obj = make_object(stack)
    for each in (agent, other):
        make_event(each, obj)
    leave_by_label(agent, stack)
    (marker,) = state(agent, api)
    acknowledge(other, marker)
    assert state(agent, api) == [marker]
    assert {row.agent_id: row.sequence_id for row in StackReport.objects.all()} == {
        agent.pk: obj.pk,
        other.pk: obj.pk,
    }


def test_a_deleted_agent_is_owed_nothing(admin):
    agent, _ = make_agent(labels=["prod"])
    stack = make_stack(labels=["prod"])
    make_event(agent, make_object(stack))
    admin.delete(f"/agents/{agent.id}")
    leave_by_label_of_stack(agent, stack)
    assert not MarkerDelivery.objects.exists()
    assert not Registration.objects.filter(agent=agent).exists()

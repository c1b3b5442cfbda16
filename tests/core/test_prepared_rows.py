"""Rows that go past Django's queries arrive as Django would have written and read them."""

import uuid
from datetime import timedelta

import pytest
from django.db import DataError, connection, transaction
from django.utils import timezone

from agents.models import AgentEvent, StackReport
from agents.models.event import EventStatus
from audit.models import AuditLog
from core.prepared import time_parameter
from core.prepared_rows import (
    LIVE_BY_ID,
    AskedRow,
    Insert,
    Update,
    among,
    fetch_with,
    insert,
    list_parameter,
    select,
    select_joined,
    update,
    write,
)
from stacks.models import Stack
from tests.factories import make_agent, make_object, make_stack

pytestmark = pytest.mark.django_db

ODD = "é \"\\\n\t\x7f 😀 {},' %s"


def uuid_of(value: uuid.UUID) -> object:
    return value if connection.vendor == "postgresql" else value.hex


def events_of(number: int, **fields: object) -> list[AgentEvent]:
    agent, _ = make_agent()
    obj = make_object(make_stack())
    told = {"event_type": "DEPLOY", "status": EventStatus.FAILURE, "message": ODD, **fields}
    return [AgentEvent(agent=agent, deployment_object=obj, **told) for _ in range(number)]


@pytest.mark.parametrize("number", [1, 3])
def test_inserted_rows_are_read_by_django_as_they_were(number):
    events = events_of(number)
    insert(events)
    stored = {event.pk: event for event in AgentEvent.objects.all()}
    assert len(stored) == number
    for event in events:
        assert not event._state.adding
        for field in AgentEvent._meta.concrete_fields:
            assert getattr(stored[event.pk], field.attname) == getattr(event, field.attname), field.name


@pytest.mark.parametrize("number", [1, 3])
def test_rows_numbered_by_the_database_know_their_numbers(number):
    at = timezone.now().replace(microsecond=0)
    rows = [
        AuditLog(
            id=uuid.uuid4(),
            timestamp=at,
            actor_type="system",
            action="x.y",
            resource_type="x",
            details={"text": ODD, "number": 2**53, "nothing": None, "list": [1, 1.5, True]} if each else None,
            created_at=at,
        )
        for each in range(number)
    ]
    insert(rows)
    for row in rows:
        stored = AuditLog.objects.get(sequence=row.sequence)
        assert (stored.id, stored.details, stored.timestamp) == (row.id, row.details, at)


@pytest.mark.requires_postgres
@pytest.mark.parametrize("number", [1, 2])
def test_what_is_too_long_is_refused_and_not_cut(number):
    events = events_of(number, event_type="x" * 51)
    with pytest.raises(DataError), transaction.atomic():
        insert(events)
    assert not AgentEvent.objects.exists()


@pytest.mark.parametrize("number", [1, 3])
def test_rows_that_are_there_are_updated_in_the_named_columns(number):
    agent, _ = make_agent()
    stacks = [make_stack() for _ in range(number)]
    before = timezone.now() - timedelta(days=1)
    insert([StackReport(agent=agent, stack=stack, sequence_id=1, since=before) for stack in stacks])
    again = [StackReport(agent=agent, stack=stack, sequence_id=2, message=ODD) for stack in stacks]
    insert(again, unique=["agent", "stack"], update=["sequence_id", "message"])
    stored = StackReport.objects.all()
    assert {(row.stack_id, row.sequence_id, row.message, row.since) for row in stored} == {
        (stack.id, 2, ODD, before) for stack in stacks
    }


def test_selected_rows_are_those_that_django_reads():
    stacks = [make_stack() for _ in range(3)]
    Stack.objects.update(description=ODD)
    wanted = {"ids": list_parameter([stacks[0].id, stacks[2].id])}
    found = select(Stack, f"{among('id', 'ids')} ORDER BY id", wanted)
    assert [row.__dict__ | {"_state": None} for row in found] == [
        row.__dict__ | {"_state": None}
        for row in Stack.objects.filter(id__in=[stacks[0].id, stacks[2].id]).order_by("id")
    ]
    assert select(Stack, among("id", "ids"), {"ids": list_parameter([])}) == []


def test_an_update_changes_the_named_columns_of_the_rows_that_meet_the_condition():
    changed, other = make_stack(), make_stack()
    at = timezone.now() - timedelta(days=1)
    parameters = {"text": ODD, "at": time_parameter(at), "ids": list_parameter([changed.id])}
    update(Stack, "description = %(text)s, updated_at = %(at)s", among("id", "ids"), parameters)
    stored = Stack.objects.get(pk=changed.pk)
    assert (stored.description, stored.updated_at, stored.name) == (ODD, at, changed.name)
    assert Stack.objects.get(pk=other.pk).__dict__ | {"_state": None} == other.__dict__ | {"_state": None}


def test_only_the_named_columns_are_read():
    stack = make_stack()
    (found,) = select(Stack, LIVE_BY_ID, {"id": uuid_of(stack.id)}, columns=["id", "name"])
    assert found.get_deferred_fields() == {
        field.attname for field in Stack._meta.concrete_fields if field.attname not in {"id", "name"}
    }
    assert found.name == stack.name


def test_several_changes_are_made_together_and_change_nothing_else():
    agent, _ = make_agent()
    stacks = [make_stack() for _ in range(2)]
    (event,) = events_of(1)
    before = timezone.now() - timedelta(days=1)
    insert([StackReport(agent=agent, stack=stacks[0], sequence_id=1, since=before)])
    write(
        Insert(
            [StackReport(agent=agent, stack=stack, sequence_id=2, message=ODD) for stack in stacks],
            unique=["agent", "stack"],
            update=["sequence_id", "message"],
        ),
        Insert([event]),
        Insert([]),
        Update(Stack, "description = %(new)s", "id = %(id)s", {"new": ODD, "id": uuid_of(stacks[0].id)}),
        Update(Stack, "description = %(new)s", "id = %(id)s", {"new": "b", "id": uuid_of(stacks[1].id)}),
    )
    assert not event._state.adding
    assert AgentEvent.objects.get().message == ODD
    assert {(row.stack_id, row.sequence_id, row.message) for row in StackReport.objects.all()} == {
        (stack.id, 2, ODD) for stack in stacks
    }
    assert StackReport.objects.get(stack=stacks[0]).since == before
    assert [Stack.objects.get(pk=stack.pk).description for stack in stacks] == [ODD, "b"]


def test_no_change_is_no_statement(django_assert_num_queries):
    with django_assert_num_queries(0):
        write(Insert([]))


def test_rows_of_joined_models_come_once_each_and_no_row_stands_for_a_missing_one():
    agent, _ = make_agent()
    reported, other = make_stack(), make_stack()
    objects = [make_object(stack) for stack in (reported, reported, other)]
    report = StackReport(agent=agent, stack=reported, sequence_id=1, message=ODD)
    insert([report])
    source = (
        "deployment_objects o JOIN stacks s ON s.id = o.stack_id "
        f"LEFT JOIN agent_stack_reports r ON r.stack_id = s.id WHERE {among('o.id', 'ids')}"
    )
    wanted = {"ids": list_parameter([obj.id for obj in objects])}
    found = select_joined({"s": Stack, "r": StackReport}, source, wanted)
    assert {row.pk for row in found["s"]} == {reported.pk, other.pk}
    (stored,) = found["r"]
    for field in StackReport._meta.concrete_fields:
        assert getattr(stored, field.attname) == getattr(report, field.attname), field.name
    assert len(found["s"]) == 2


@pytest.mark.parametrize("state", ["live", "deleted", "unknown", "nobody asks"])
def test_a_resource_is_read_beside_another_row_if_it_is_live(state):
    stack, other = make_stack(), make_stack()
    if state == "deleted":
        Stack.objects.filter(pk=stack.pk).update(deleted_at=timezone.now())
    asked = AskedRow(Stack, uuid.uuid4() if state == "unknown" else stack.pk)
    row = fetch_with(
        asked,
        "stacks.name",
        "stacks",
        "stacks.id = %(id)s",
        {"id": uuid_of(uuid.uuid4() if state == "nobody asks" else other.pk)},
    )
    assert row == (None if state == "nobody asks" else (other.name,))
    if state == "live":
        assert asked.row is not None
        assert asked.row.__dict__ | {"_state": None} == Stack.objects.get(pk=stack.pk).__dict__ | {
            "_state": None
        }
    else:
        assert asked.row is None


def test_without_a_resource_only_the_row_is_read():
    stack = make_stack()
    row = fetch_with(None, "stacks.name", "stacks", "stacks.id = %(id)s", {"id": uuid_of(stack.pk)})
    assert row == (stack.name,)

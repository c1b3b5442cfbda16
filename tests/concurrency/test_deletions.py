"""What happens to a stack, a generator or an agent while it is deleted."""

import pytest
from django.db import transaction

from agents.models import AgentEvent, AgentTarget, MarkerDelivery, Registration, StackReport
from agents.services.agents import lock_agent
from audit.models import AuditLog
from generators.models import Generator
from generators.services import lock_generator
from stacks.models import DeploymentObject, Stack
from stacks.services import lock_stack
from tests.factories import (
    make_agent,
    make_event,
    make_generator,
    make_object,
    make_registration,
    make_stack,
    make_target,
    manifest,
)
from tests.support.api import refused
from tests.support.threads import Running, call, calls, statuses, together, wait_until_blocked

pytestmark = [pytest.mark.requires_postgres, pytest.mark.django_db(transaction=True)]

YAML = {"yaml_content": manifest(1)}


def only_its_marker_lives(stack) -> DeploymentObject:
    marker = DeploymentObject.objects.active().get(stack_id=stack.id)
    assert marker.is_deletion_marker
    newest = DeploymentObject.objects.filter(stack_id=stack.id).order_by("-sequence_id").first()
    assert newest == marker
    return marker


def report(obj) -> dict[str, str]:
    return {"deployment_object_id": str(obj.id), "event_type": "DEPLOY", "status": "SUCCESS"}


def test_of_several_deletes_of_one_stack_one_is_204_and_one_marker_stays(admin):
    for _ in range(3):
        stack = make_stack()
        make_object(stack)
        responses = together(*(call(admin, "DELETE", f"/stacks/{stack.id}") for _ in range(3)))
        assert statuses(responses) == [204, 404, 404]
        only_its_marker_lives(stack)
        assert AuditLog.objects.filter(action="stack.deleted", resource_id=stack.id).count() == 1


def test_a_publication_beside_the_deletion_goes_with_the_stack_or_is_404(admin):
    for _ in range(3):
        generator, api = make_generator()
        stack = make_stack(generator)
        path = f"/stacks/{stack.id}"
        *published, deleted = together(
            *(calls(3, api, "POST", f"{path}/deployment-objects", YAML) for _ in range(2)),
            calls(1, admin, "DELETE", path),
        )
        assert statuses(deleted) == [204]
        for responses in published:
            assert set(statuses(responses)) <= {201, 404}
            for response in responses:
                if response.status_code == 404:
                    refused(response, 404, "stack_not_found")
        only_its_marker_lives(stack)


def test_a_publication_that_waited_for_the_deletion_is_404(admin):
    stack = make_stack()
    with transaction.atomic():
        lock_stack(stack.id)
        deleting = Running([call(admin, "DELETE", f"/stacks/{stack.id}")])
        wait_until_blocked(1)
        publishing = Running([call(admin, "POST", f"/stacks/{stack.id}/deployment-objects", YAML)])
        wait_until_blocked(2)
    assert statuses(deleting.join()) == [204]
    refused(publishing.join()[0], 404, "stack_not_found")
    only_its_marker_lives(stack)


def test_a_publication_before_the_deletion_of_the_generator_does_not_lock_it_out(admin):
    generator, api = make_generator()
    stack = make_stack(generator)
    with transaction.atomic():
        lock_stack(stack.id)
        publishing = Running([call(api, "POST", f"/stacks/{stack.id}/deployment-objects", YAML)])
        wait_until_blocked(1)
        deleting = Running([call(admin, "DELETE", f"/generators/{generator.id}")])
        wait_until_blocked(2)
    assert statuses(publishing.join()) == [201]
    assert statuses(deleting.join()) == [204]
    only_its_marker_lives(stack)


def test_publications_beside_the_deletion_of_the_generator_leave_nothing_alive(admin):
    for _ in range(4):
        generator, api = make_generator()
        stacks = [make_stack(generator) for _ in range(2)]
        *published, deleted = together(
            *(calls(3, api, "POST", f"/stacks/{stack.id}/deployment-objects", YAML) for stack in stacks),
            calls(1, admin, "DELETE", f"/generators/{generator.id}"),
        )
        assert statuses(deleted) == [204]
        for responses in published:
            assert set(statuses(responses)) <= {201, 401, 404}
        for stack in stacks:
            only_its_marker_lives(stack)


def test_a_stack_created_beside_the_deletion_of_its_generator_goes_with_it_or_is_refused(admin):
    for number in range(3):
        generator, api = make_generator()
        body = {"name": f"admin's {number}", "generator_id": str(generator.id)}
        own = {"name": f"own {number}"}
        by_admin, by_owner, deleted = together(
            call(admin, "POST", "/stacks", body),
            call(api, "POST", "/stacks", own),
            call(admin, "DELETE", f"/generators/{generator.id}"),
        )
        assert deleted.status_code == 204
        assert by_admin.status_code in {201, 422}
        assert by_owner.status_code in {201, 401, 422}
        for response in (by_admin, by_owner):
            if response.status_code == 422:
                refused(response, 422, "foreign_key_violation")
        assert not Stack.objects.active().filter(generator=generator).exists()


def test_a_stack_that_waited_for_the_deletion_of_its_generator_is_422(admin):
    generator, _ = make_generator()
    body = {"name": "late", "generator_id": str(generator.id)}
    with transaction.atomic():
        lock_generator(generator.id)
        deleting = Running([call(admin, "DELETE", f"/generators/{generator.id}")])
        wait_until_blocked(1)
        creating = Running([call(admin, "POST", "/stacks", body)])
        wait_until_blocked(2)
    assert statuses(deleting.join()) == [204]
    refused(creating.join()[0], 422, "foreign_key_violation")


def test_a_stack_and_its_generator_deleted_at_once_leave_one_marker(admin):
    for _ in range(3):
        generator, _ = make_generator()
        stack = make_stack(generator)
        of_stack, of_generator = together(
            call(admin, "DELETE", f"/stacks/{stack.id}"),
            call(admin, "DELETE", f"/generators/{generator.id}"),
        )
        assert of_stack.status_code in {204, 404}
        assert of_generator.status_code == 204
        only_its_marker_lives(stack)
        assert DeploymentObject.objects.filter(stack=stack).count() == 1


def test_a_first_report_beside_the_deletion_of_the_stack_still_earns_the_marker(admin):
    for _ in range(4):
        agent, api = make_agent(labels=["a"])
        stack = make_stack(labels=["a"])
        obj = make_object(stack)
        reported, deleted = together(
            call(api, "POST", f"/agents/{agent.id}/events", report(obj)),
            call(admin, "DELETE", f"/stacks/{stack.id}"),
        )
        assert (reported.status_code, deleted.status_code) == (201, 204)
        state = api.get(f"/agents/{agent.id}/target-state").json()
        assert [row["id"] for row in state] == [str(only_its_marker_lives(stack).id)]
        admin.delete(f"/agents/{agent.id}")


@pytest.mark.parametrize("first", ["report", "deletion"])
def test_whichever_of_first_report_and_deletion_waits_the_marker_is_due(admin, first):
    agent, api = make_agent(labels=["a"])
    stack = make_stack(labels=["a"])
    obj = make_object(stack)
    jobs = {
        "report": call(api, "POST", f"/agents/{agent.id}/events", report(obj)),
        "deletion": call(admin, "DELETE", f"/stacks/{stack.id}"),
    }
    with transaction.atomic():
        lock_stack(stack.id)
        earlier = Running([jobs.pop(first)])
        wait_until_blocked(1)
        later = Running([*jobs.values()])
        wait_until_blocked(2)
    assert {earlier.join()[0].status_code, later.join()[0].status_code} == {201, 204}
    (row,) = api.get(f"/agents/{agent.id}/target-state").json()
    assert row["id"] == str(only_its_marker_lives(stack).id)


def test_what_an_agent_says_beside_its_deletion_leaves_nothing_alive(admin):
    for _ in range(3):
        agent, api = make_agent(labels=["a"])
        obj = make_object(make_stack(labels=["a"]))
        base = f"/agents/{agent.id}"

        reports, beats, deleted = together(
            calls(3, api, "POST", f"{base}/events", report(obj)),
            calls(3, api, "POST", f"{base}/heartbeat"),
            calls(1, admin, "DELETE", base),
        )
        assert statuses(deleted) == [204]
        assert set(statuses(reports)) <= {201, 401, 404}
        assert set(statuses(beats)) <= {204, 401, 404}
        assert not AgentEvent.objects.active().filter(agent=agent).exists()
        for rows in (StackReport, MarkerDelivery, AgentTarget, Registration):
            assert not rows.objects.filter(agent=agent).exists()


def test_a_report_that_waited_for_the_deletion_of_its_agent_is_404(admin):
    agent, api = make_agent()
    obj = make_object(make_stack())
    make_event(agent, obj)
    with transaction.atomic():
        lock_agent(agent.id)
        deleting = Running([call(admin, "DELETE", f"/agents/{agent.id}")])
        wait_until_blocked(1)
        reporting = Running([call(api, "POST", f"/agents/{agent.id}/events", report(obj))])
        wait_until_blocked(2)
    assert statuses(deleting.join()) == [204]
    refused(reporting.join()[0], 404, "agent_not_found")
    assert not StackReport.objects.filter(agent=agent).exists()


def test_a_target_written_beside_the_deletion_of_agent_or_stack_does_not_stay(admin):
    for kind in ("agents", "stacks") * 2:
        agent, _ = make_agent()
        stack = make_stack()
        path = f"/agents/{agent.id}/targets"
        doomed = f"/{kind}/{agent.id if kind == 'agents' else stack.id}"
        added, deleted = together(
            call(admin, "POST", path, {"stack_id": str(stack.id)}),
            call(admin, "DELETE", doomed),
        )
        assert deleted.status_code == 204
        assert added.status_code in {201, 404}
        assert not AgentTarget.objects.filter(agent=agent).exists()


def test_two_deletions_of_a_generator_are_one(admin):
    generator, _ = make_generator()
    stacks = [make_stack(generator) for _ in range(3)]
    responses = together(*(call(admin, "DELETE", f"/generators/{generator.id}") for _ in range(3)))
    assert statuses(responses)[0] == 204
    assert statuses(responses)[1:] == [404, 404]
    assert DeploymentObject.objects.filter(stack__in=stacks).count() == len(stacks)
    assert Generator.objects.get(id=generator.id).deleted_at is not None


def test_an_agent_and_the_generator_whose_stacks_it_serves_deleted_at_once(admin):
    for _ in range(3):
        generator, _ = make_generator()
        agent, _ = make_agent()
        make_registration(agent, generator)
        for _ in range(3):
            stack = make_stack(generator)
            make_target(agent, stack)
            make_event(agent, make_object(stack))
        responses = together(
            call(admin, "DELETE", f"/agents/{agent.id}"),
            call(admin, "DELETE", f"/generators/{generator.id}"),
        )
        assert statuses(responses) == [204, 204]
        assert not AgentTarget.objects.filter(agent=agent).exists()
        assert not Registration.objects.filter(agent=agent).exists()

"""Registering, withdrawing and targeting at the same time."""

import pytest
from django.db import transaction

from agents.models import AgentTarget, Registration
from agents.services.agents import lock_agent
from tests.factories import make_agent, make_generator, make_registration, make_stack
from tests.support.api import refused
from tests.support.threads import Running, call, statuses, together, wait_until_blocked

pytestmark = [pytest.mark.requires_postgres, pytest.mark.django_db(transaction=True)]


def test_one_of_several_registrations_is_201_and_the_others_409():
    for _ in range(4):
        generator, _ = make_generator()
        agent, api = make_agent()
        path = f"/generators/{generator.id}/register"
        responses = together(*(call(api, "POST", path) for _ in range(3)))
        assert statuses(responses) == [201, 409, 409]
        for response in responses:
            if response.status_code == 409:
                refused(response, 409, "already_registered")
        assert Registration.objects.filter(agent=agent, generator=generator).count() == 1


def test_registering_and_withdrawing_at_once_end_in_one_of_the_two_states():
    generator, _ = make_generator()
    agent, api = make_agent()
    path = f"/generators/{generator.id}/register"
    for _ in range(10):
        before = Registration.objects.filter(agent=agent, generator=generator).count()
        registered, withdrawn = together(call(api, "POST", path), call(api, "DELETE", path))
        after = Registration.objects.filter(agent=agent, generator=generator).count()
        assert withdrawn.status_code == 204
        if registered.status_code == 409:
            assert (before, after) == (1, 0)
        else:
            assert registered.status_code == 201
            assert after in {0, 1}


def test_no_registration_survives_its_generator(admin):
    for _ in range(3):
        generator, _ = make_generator()
        _, api = make_agent()
        registered, deleted = together(
            call(api, "POST", f"/generators/{generator.id}/register"),
            call(admin, "DELETE", f"/generators/{generator.id}"),
        )
        assert deleted.status_code == 204
        assert registered.status_code in {201, 404}
        assert not Registration.objects.filter(generator=generator).exists()


def test_no_registration_survives_its_agent(admin):
    for _ in range(3):
        generator, _ = make_generator()
        agent, _ = make_agent()
        registered, deleted = together(
            call(admin, "POST", f"/generators/{generator.id}/register", {"agent_id": str(agent.id)}),
            call(admin, "DELETE", f"/agents/{agent.id}"),
        )
        assert deleted.status_code == 204
        assert registered.status_code in {201, 422}
        assert not Registration.objects.filter(agent=agent).exists()


def test_where_registration_is_required_no_target_outlives_it(admin, settings):
    settings.REQUIRE_REGISTRATION = True
    for _ in range(4):
        generator, _ = make_generator()
        agent, api = make_agent()
        make_registration(agent, generator)
        stack = make_stack(generator)
        targeted, withdrawn = together(
            call(admin, "POST", f"/agents/{agent.id}/targets", {"stack_id": str(stack.id)}),
            call(api, "DELETE", f"/generators/{generator.id}/register"),
        )
        assert withdrawn.status_code == 204
        assert targeted.status_code in {201, 403}
        assert not AgentTarget.objects.filter(agent=agent).exists()


def test_a_target_that_is_being_written_goes_with_the_registration(admin, settings):
    settings.REQUIRE_REGISTRATION = True
    generator, _ = make_generator()
    agent, api = make_agent()
    make_registration(agent, generator)
    stack = make_stack(generator)
    body = {"stack_id": str(stack.id)}
    with transaction.atomic():
        lock_agent(agent.id)
        targeting = Running([call(admin, "POST", f"/agents/{agent.id}/targets", body)])
        wait_until_blocked(1)
        withdrawing = Running([call(api, "DELETE", f"/generators/{generator.id}/register")])
        wait_until_blocked(2)
    assert statuses(targeting.join()) == [201]
    assert statuses(withdrawing.join()) == [204]
    assert not AgentTarget.objects.exists()

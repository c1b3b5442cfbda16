"""Which version an agent should have while the newest is held, and how holds end."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command

from agents.attention import pending
from agents.deployments import of_agent, of_stack
from agents.errors import VersionSuperseded
from agents.models import HoldReason, VersionHold
from agents.services.holds import (
    hold,
    lift,
    lift_all,
    release,
    replace_reason,
    require_releasable,
)
from agents.unending_holds import register_owners, unending_holds
from agents.wanted.standing import Standing
from agents.wanted.versions import held_versions, holders_of_unproven, newest_unheld
from tests.factories import make_agent, make_event, make_object, make_stack

pytestmark = pytest.mark.django_db


@pytest.fixture
def stack():
    return make_stack(labels=["prod"])


@pytest.fixture
def pair(stack):
    return make_agent(labels=["prod"], active=True, heard=True)[0], stack


def held(stack, reason: HoldReason = HoldReason.ROLLOUT):
    version = make_object(stack)
    hold(version=version, reason=reason)
    return version


def offered(agent, api) -> list[int]:
    return [row["sequence_id"] for row in api.get(f"/agents/{agent.id}/target-state").json()]


def test_a_held_version_is_for_those_alone_it_is_released_to(stack):
    (one, one_api), (two, two_api) = (make_agent(labels=["prod"]) for _ in range(2))
    old = make_object(stack)
    new = held(stack)
    assert offered(one, one_api) == offered(two, two_api) == [old.pk]
    assert release(version=new, agent_ids=[one.pk, one.pk]) == 1
    assert release(version=new, agent_ids=[one.pk]) == 0
    assert (offered(one, one_api), offered(two, two_api)) == ([new.pk], [old.pk])
    assert newest_unheld(stack.pk) == old
    assert list(holders_of_unproven(stack.pk, old.pk)) == [one.pk]
    assert list(holders_of_unproven(stack.pk, new.pk)) == []
    lift(version=new, reason=HoldReason.ROLLOUT)
    assert offered(two, two_api) == [new.pk]
    assert list(held_versions(stack.pk)) == []


def test_where_every_version_is_held_the_agent_is_held_back_not_pending(pair):
    agent, stack = pair
    version = held(stack)
    assert of_agent(agent, [stack])[0].standing == of_stack(stack, [agent])[0].standing == Standing.HELD
    assert pending(limit=5) == []
    release(version=version, agent_ids=[agent.pk])
    assert of_agent(agent, [stack])[0].standing == of_stack(stack, [agent])[0].standing == Standing.PENDING
    assert [each.newest for each in pending(limit=5)] == [version.pk]


def test_one_held_publish_makes_nobody_pending(pair):
    agent, stack = pair
    make_event(agent, make_object(stack))
    held(stack)
    assert of_agent(agent, [stack])[0].standing == Standing.APPLIED
    assert pending(limit=5) == []


def test_a_report_on_another_version_than_the_wanted_says_nothing_of_it(pair):
    agent, stack = pair
    make_object(stack)
    make_event(agent, held(stack))
    assert of_agent(agent, [stack])[0].standing == Standing.PENDING
    assert [each.stack for each in pending(limit=5)] == [stack]


def test_a_version_is_held_until_its_last_reason_ends(stack):
    version = held(stack)
    hold(version=version, reason=HoldReason.FREEZE)
    lift(version=version, reason=HoldReason.FREEZE)
    assert newest_unheld(stack.pk) is None
    replace_reason(version=version, old=HoldReason.ROLLOUT, new=HoldReason.SUPERSEDED)
    assert [row.reason for row in VersionHold.objects.all()] == [HoldReason.SUPERSEDED]
    lift_all(version=version)
    assert newest_unheld(stack.pk) == version


def test_a_version_for_everybody_ends_the_holds_of_the_older_ones(stack):
    old, new = held(stack), held(stack, HoldReason.FREEZE)
    other = held(make_stack())
    require_releasable(version=old)
    lift(version=new, reason=HoldReason.FREEZE)
    assert [row.version_id for row in VersionHold.objects.all()] == [other.pk]
    with pytest.raises(VersionSuperseded):
        require_releasable(version=old)


def test_a_release_outlives_the_agents_leaving(stack):
    agent, api = make_agent(labels=["prod"])
    make_object(stack)
    version = held(stack)
    release(version=version, agent_ids=[agent.pk])
    agent.labels.all().delete()
    assert offered(agent, api) == []
    agent.labels.create(label="prod")
    assert offered(agent, api) == [version.pk]


def test_holds_that_nobody_will_end_are_listed(stack, anonymous, capsys, monkeypatch):
    monkeypatch.setattr("agents.unending_holds._owners", {})
    mine, overtaken = held(make_stack()), held(stack)
    call_command("check_holds")
    assert unending_holds() == []
    make_object(stack)
    # Publishing has ended it; a fault brings it back.
    hold(version=overtaken, reason=HoldReason.ROLLOUT)
    (found,) = unending_holds()
    assert (found.hold.version, found.why) == (overtaken, "a newer version is for everybody")
    register_owners(HoldReason.ROLLOUT, lambda versions: set(versions) - {mine.pk})
    assert [each.hold.version for each in unending_holds()] == [mine, overtaken]
    with pytest.raises(CommandError, match="2 holds"):
        call_command("check_holds")
    assert f"{mine} of {mine.stack}, held as rollout: nobody answers" in capsys.readouterr().out
    assert "brokkr_unending_holds 2.0" in anonymous.get("/metrics").content.decode()


def test_agents_that_are_held_back_are_counted(stack, anonymous):
    def counted() -> Any:
        text = anonymous.get("/metrics").content
        return next(line for line in text.splitlines() if line.startswith(b"brokkr_agents_held_back "))

    agents = [make_agent(labels=["prod"])[0] for _ in range(3)]
    make_agent(labels=["dev"])
    assert counted() == b"brokkr_agents_held_back 0.0"
    version = held(stack)
    release(version=version, agent_ids=[agents[0].pk])
    assert counted() == b"brokkr_agents_held_back 2.0"
    held(stack, HoldReason.ROLLBACK)
    assert counted() == b"brokkr_agents_held_back 0.0"

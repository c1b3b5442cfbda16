"""What the plan of a job says is what its steps do, on any fleet; and several workers do each row once."""

import random

import pytest

from agents.models import Agent
from audit.models import AuditLog
from bulk.jobs import perform_bulk_jobs
from bulk.models import BulkJob, Outcome, State
from bulk.services import steps
from tests.factories import make_agent, make_object, make_registration, make_stack, make_target
from tests.support.bulk import make_bulk_job
from tests.support.rollouts import make_scene
from tests.support.threads import together

LABELS = ["app", "ring=canary", "ring=broad", "RING=old", "env:prod"]
ACTIONS = [
    ("activate_selected", ""),
    ("pause_selected", ""),
    ("add_label_selected", "app"),
    ("remove_label_selected", "app"),
    ("assign_ring_selected", "ring=broad"),
]


def a_fleet(dice: random.Random) -> list[Agent]:
    """Stacks with and without versions, a rollout under way, and agents with some of the labels and targets."""
    make_scene(agents=2).start()
    stacks = [make_stack(labels=dice.sample(LABELS, 2)) for _ in range(4)]
    for stack in stacks[1:]:
        make_object(stack)
    agents = [
        make_agent(active=dice.random() < 0.5, labels=dice.sample(LABELS, dice.randrange(4)))[0]
        for _ in range(6)
    ]
    for agent in agents[:3]:
        make_target(agent, dice.choice(stacks))
        make_registration(agent, stacks[1].generator)
    return list(Agent.objects.active())


@pytest.mark.django_db
@pytest.mark.parametrize(("action", "word"), ACTIONS)
@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_left_out_while_nobody_else_changes_anything(action, word, seed, settings):
    agents = a_fleet(random.Random(seed))  # noqa: S311  no secret
    settings.REQUIRE_REGISTRATION = seed == 2
    job = make_bulk_job(agents, action, word)
    digests = dict(job.rows.values_list("row_id", "digest"))
    assert any(digests.values()) or settings.REQUIRE_REGISTRATION
    perform_bulk_jobs()
    outcomes = dict(job.rows.values_list("row_id", "outcome"))
    assert set(outcomes.values()) <= {Outcome.DONE, Outcome.UNCHANGED}
    # Who has nothing to change has nothing to expect either.
    assert not any(digests[pk] for pk, outcome in outcomes.items() if outcome == Outcome.UNCHANGED)


@pytest.mark.requires_postgres
@pytest.mark.django_db(transaction=True)
def test_two_workers_do_each_row_once(monkeypatch):
    monkeypatch.setattr(steps, "STEP", 2)
    agents = [make_agent()[0] for _ in range(12)]
    job = make_bulk_job(agents)
    together(perform_bulk_jobs, perform_bulk_jobs)
    perform_bulk_jobs()
    assert BulkJob.objects.get(pk=job.pk).state == State.DONE
    assert set(job.rows.values_list("outcome", flat=True)) == {Outcome.DONE}
    updated = AuditLog.objects.filter(action="agent.updated").values_list("resource_id", flat=True)
    assert sorted(updated) == sorted(agent.pk for agent in agents)

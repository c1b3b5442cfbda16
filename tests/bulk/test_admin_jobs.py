"""From “select all” on a list to a finished bulk job."""

from datetime import timedelta

import pytest

from agents.models import Agent
from audit.models import AuditLog
from bulk.jobs import perform_bulk_jobs
from bulk.models import BulkJob, Outcome, State
from bulk.services import steps
from bulk.services.jobs import forget_old_jobs
from core.events import SYSTEM
from paks.models import Role
from paks.services import issue_pak, revoke_pak
from rollouts.models import Freeze
from rollouts.services.freezes import begin_freeze
from tests.factories import make_agent, make_object, make_stack, make_target
from tests.support.admin import messages_of, staff

pytestmark = pytest.mark.django_db

LIST = "agents/agent/"
# A browser sends the ticks of the page with it.
ALL = {"select_across": "1", "index": "0", "_selected_action": "0190f000-0000-7000-8000-000000000000"}


@pytest.fixture(autouse=True)
def _narrow(settings):
    settings.CONFIRM_BY_NAME_PERCENT = 100


def chosen(pages, action, path=LIST, **fields):
    """The page of the plan, for all rows that match."""
    return pages.post_once(path, {"action": action, **ALL, **fields})


def begin(pages, plan_page, **fields):
    path = plan_page.request["PATH_INFO"].removeprefix("/admin/")
    digest = plan_page.context["digest"]
    return pages.post_once(path, {"plan": digest, "reason": "it is meant", **fields})


def outcomes(job=None):
    job = job or BulkJob.objects.get()
    return dict(job.rows.values_list("row_id", "outcome"))


def test_all_that_match_are_paused_by_the_worker_and_audited_one_by_one(operator):
    agents = [make_agent(name=f"edge-{number}", active=True)[0] for number in range(3)]
    other, _ = make_agent(name="other", active=True)
    asked = chosen(operator, "pause_selected", f"{LIST}?q=edge")
    assert asked.context["job"].total == 3
    assert "Apply nothing any more, and keep what they have" in asked.content.decode()
    page = begin(operator, asked)
    assert page.context["handled"] == 0
    assert not Agent.objects.filter(status="INACTIVE").exists()
    perform_bulk_jobs()
    assert set(Agent.objects.filter(status="INACTIVE")) == set(agents)
    assert Agent.objects.get(pk=other.pk).status == "ACTIVE"
    job = BulkJob.objects.get()
    done = operator.get(f"bulk/bulkjob/{job.pk}/change/").content.decode()
    assert "The job has ended." in done
    assert "Plan what is left" not in done
    assert (job.state, job.reason, set(outcomes().values())) == (State.DONE, "it is meant", {Outcome.DONE})
    rows = AuditLog.objects.filter(action="agent.updated", actor_label="astrid")
    assert {row.resource_id for row in rows} == {agent.pk for agent in agents}
    begun = AuditLog.objects.get(action="bulk_job.begun")
    assert (begun.resource_id, begun.details["rows"], begun.details["reason"]) == (job.pk, 3, "it is meant")
    assert AuditLog.objects.get(action="bulk_job.finished").details["done"] == 3


def test_a_label_is_asked_for_and_its_plan_says_who_gains_what(operator):
    stack = make_stack(name="shop", labels=["prod"])
    make_object(stack)
    with_label, _ = make_agent(labels=["prod"])
    without, _ = make_agent()
    word = chosen(operator, "add_label_selected")
    assert 'name="word"' in word.content.decode()
    refused = chosen(operator, "add_label_selected", word="two words")
    assert "no white space" in refused.content.decode()
    asked = chosen(operator, "add_label_selected", word=" prod ")
    assert "Now: 1 gains it." in " ".join(asked.content.decode().split())
    assert not without.labels.exists()
    begin(operator, asked)
    perform_bulk_jobs()
    assert outcomes() == {with_label.pk: Outcome.UNCHANGED, without.pk: Outcome.DONE}
    assert without.labels.get().label == "prod"


def test_a_ring_is_one_label_instead_of_another(operator):
    agent, _ = make_agent(labels=["ring=canary", "prod", "RING=x"])
    there, _ = make_agent(labels=["ring=broad"])
    begin(operator, chosen(operator, "assign_ring_selected", word="broad"))
    perform_bulk_jobs()
    assert set(agent.labels.values_list("label", flat=True)) == {"RING=x", "prod", "ring=broad"}
    assert outcomes() == {agent.pk: Outcome.DONE, there.pk: Outcome.UNCHANGED}


def test_a_label_is_taken_from_all_only_after_a_wide_loss_is_typed(operator, settings):
    settings.CONFIRM_BY_NAME_PERCENT = 10
    make_object(make_stack(labels=["prod"]))
    agents = [make_agent(labels=["prod"])[0] for _ in range(2)]
    asked = chosen(operator, "remove_label_selected", word="prod")
    assert "2 of them lose a stack" in " ".join(asked.content.decode().split())
    for typed in ("", "3 agents"):
        assert any("Nothing is changed" in text for text in messages_of(begin(operator, asked, typed=typed)))
    assert BulkJob.objects.get().state == State.DRAFT
    begin(operator, asked, typed="2 agents")
    perform_bulk_jobs()
    assert not any(agent.labels.exists() for agent in agents)
    assert AuditLog.objects.get(action="bulk_job.begun").details["losing_agents"] == 2


def test_a_plan_that_is_out_of_date_begins_nothing(operator):
    make_agent()
    asked = chosen(operator, "add_label_selected", word="prod")
    make_object(make_stack(labels=["prod"]))
    assert any("ask for a new plan" in text for text in messages_of(begin(operator, asked)))
    assert BulkJob.objects.get().state == State.DRAFT


def test_an_agent_to_which_something_else_would_happen_is_named_and_left_as_it_is(operator):
    stack = make_stack(name="shop", labels=["prod"])
    make_object(stack)
    agents = [make_agent(name=f"edge-{number}")[0] for number in range(3)]
    begin(operator, chosen(operator, "add_label_selected", word="prod"))
    # It has the stack already, so the label would give it nothing, which is not what was shown.
    make_target(agents[1], stack)
    perform_bulk_jobs()
    assert outcomes() == {
        agents[0].pk: Outcome.DONE,
        agents[1].pk: Outcome.STALE,
        agents[2].pk: Outcome.DONE,
    }
    assert not agents[1].labels.exists()
    job = BulkJob.objects.get()
    page = operator.get(f"bulk/bulkjob/{job.pk}/change/").content.decode()
    assert "edge-1" in page
    assert "changed meanwhile" in page
    rest = operator.post_once(f"bulk/bulkjob/{job.pk}/rest/", {"confirmed": "yes"})
    assert rest.context["job"].selection == [str(agents[1].pk)]


def test_a_freeze_is_told_before_and_holds_while_the_job_runs(operator, now):
    agent, _ = make_agent()
    asked = chosen(operator, "add_label_selected", word="prod")
    begin(operator, asked)
    begin_freeze(scope=Freeze.Scope.FLEET, reason="the fair", actor=SYSTEM, now=now)
    perform_bulk_jobs()
    assert outcomes() == {agent.pk: Outcome.REFUSED}
    assert "freeze holds" in BulkJob.objects.get().rows.get().message
    again = chosen(operator, "add_label_selected", word="prod")
    assert "It would be refused now" in again.content.decode()
    assert not agent.labels.exists()


def test_a_job_is_stopped_and_resumed_where_it_was(operator, monkeypatch):
    monkeypatch.setattr(steps, "STEP", 2)
    for _ in range(5):
        make_agent()
    begin(operator, chosen(operator, "activate_selected"))
    job = BulkJob.objects.get()
    steps.perform_step(now=job.begun_at)
    operator.post_once(f"bulk/bulkjob/{job.pk}/stop/", {"confirmed": "yes"})
    perform_bulk_jobs()
    assert Agent.objects.working().count() == 2
    live = operator.get(f"bulk/bulkjob/{job.pk}/live/")
    assert (live.status_code, live.context["handled"]) == (286, 2)
    operator.post_once(f"bulk/bulkjob/{job.pk}/resume/", {"confirmed": "yes"})
    perform_bulk_jobs()
    assert Agent.objects.working().count() == 5
    actions = AuditLog.objects.filter(action__startswith="bulk_job.").order_by("sequence")
    assert list(actions.values_list("action", flat=True)) == [
        "bulk_job.begun",
        "bulk_job.stopped",
        "bulk_job.resumed",
        "bulk_job.finished",
    ]


def test_a_step_that_is_cut_off_is_done_again_as_a_whole(operator, monkeypatch):
    agents = [make_agent()[0] for _ in range(3)]
    begin(operator, chosen(operator, "activate_selected"))

    def cut_off(**_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(steps, "end_if_finished", cut_off)
        with pytest.raises(KeyboardInterrupt):
            steps.perform_step(now=agents[0].created_at)
    assert not Agent.objects.working().exists()
    assert set(outcomes().values()) == {Outcome.PENDING}
    perform_bulk_jobs()
    assert Agent.objects.working().count() == 3


def test_rows_of_other_lists_are_done_by_their_own_service(operator):
    keys = [
        issue_pak(role=Role.ADMIN, subject_id=None, name=f"laptop-{number}", actor=SYSTEM)[0]
        for number in range(2)
    ]
    asked = chosen(operator, "revoke_selected", "paks/pak/")
    assert asked.context["has_plan"] is False
    revoke_pak(pak_id=keys[0].pk, actor=SYSTEM)
    begin(operator, asked)
    perform_bulk_jobs()
    assert outcomes() == {keys[0].pk: Outcome.REFUSED, keys[1].pk: Outcome.DONE}


def test_the_plan_of_a_job_is_its_makers_alone(operator):
    make_agent()
    asked = chosen(operator, "activate_selected")
    path = asked.request["PATH_INFO"].removeprefix("/admin/")
    other = staff("agents.change_agent", "agents.view_agent", "bulk.view_bulkjob", name="birk")
    assert other.get(path).status_code == 302
    begin(operator, asked)
    job = BulkJob.objects.get()
    assert other.get(f"bulk/bulkjob/{job.pk}/change/").status_code == 200
    assert other.get(f"bulk/bulkjob/{job.pk}/stop/").status_code == 403


def test_only_who_may_use_the_action_resumes_its_job(operator):
    make_agent()
    begin(operator, chosen(operator, "activate_selected"))
    job = BulkJob.objects.get()
    other = staff("bulk.change_bulkjob", "bulk.view_bulkjob", "agents.view_agent", name="birk")
    assert other.post(f"bulk/bulkjob/{job.pk}/stop/", {"confirmed": "yes"}).status_code == 200
    assert other.post(f"bulk/bulkjob/{job.pk}/resume/", {"confirmed": "yes"}).status_code == 403


def test_more_rows_than_a_list_counts_are_refused(operator, monkeypatch):
    monkeypatch.setattr("core.admin.bulk.MAX_ROWS", 1)
    make_agent(), make_agent()
    assert "More than 1 match" in messages_of(chosen(operator, "activate_selected"))[0]
    assert not BulkJob.objects.exists()


def test_what_matches_no_row_any_more_makes_no_job(operator):
    make_agent()
    page = chosen(operator, "activate_selected", f"{LIST}?q=nothing-like-it")
    assert messages_of(page) == ["Nothing matches any more."]
    assert not BulkJob.objects.exists()


def test_old_drafts_and_old_jobs_are_forgotten(operator, now):
    make_agent()
    chosen(operator, "activate_selected")
    begin(operator, chosen(operator, "activate_selected"))
    perform_bulk_jobs()
    assert forget_old_jobs(now=now) == 0
    assert forget_old_jobs(now=now + timedelta(days=2)) == 1
    assert BulkJob.objects.get().state == State.DONE
    assert forget_old_jobs(now=now + timedelta(days=100)) == 1
    assert not BulkJob.objects.exists()

"""From an action on a list to the plan of its job, and from there to its beginning."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.admin import site
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from bulk.admin.rows import names_of, number_of_rows
from bulk.errors import BulkJobNotFound
from bulk.models import BulkJob, State
from bulk.preview import JobPlan, plan_job
from bulk.services.jobs import begin_job, draft_job
from core import clock
from core.admin import BaseAdmin, admin_actor, given_reason
from core.admin.bulk import ListAction, list_action_of
from core.admin.planning import PLAN, TYPED
from core.errors import DomainError
from plans.admin.planner import is_wide, shown_plan
from plans.errors import NotConfirmed, PlanStale
from rollouts.errors import ReasonRequired

# So many rows are named before the job begins.
NAMED = 100


def start_job(
    request: HttpRequest, model_admin: BaseAdmin, action: ListAction, *, ids: Sequence[UUID], word: str
) -> HttpResponse:
    """Note the chosen rows, and show the plan on a page that can be loaded again."""
    job = draft_job(
        model=model_admin.opts.label_lower,
        action=action.name,
        word=word,
        ids=ids,
        actor=admin_actor(request),
    )
    return HttpResponseRedirect(reverse("admin:bulk_bulkjob_plan", args=[job.pk]))


def may_use(request: HttpRequest, job: BulkJob) -> bool:
    """Whether the user may use the action of the job at all."""
    model_admin, action = list_action_of(job.model, job.action)
    return action.name in model_admin.get_actions(request)


def plan_view(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """The plan of a draft; its button begins the job. Only who made the draft sees it."""
    job = BulkJob.objects.filter(pk=job_id, state=State.DRAFT).first()
    if job is None or job.actor["label"] != request.user.get_username() or not may_use(request, job):
        messages.warning(request, BulkJobNotFound.message)
        return HttpResponseRedirect(reverse("admin:bulk_bulkjob_changelist"))
    model_admin, action = list_action_of(job.model, job.action)
    try:
        plan = plan_job(job, _ids(job), actor=admin_actor(request), now=clock.now())
        if request.method == "POST":
            _begin(request, job, plan, phrase=_phrase(model_admin, job))
            messages.success(request, f"Begun: {action.question.title}.")
            return HttpResponseRedirect(reverse("admin:bulk_bulkjob_change", args=[job.pk]))
    except DomainError as refusal:
        model_admin.tell_refusal(request, refusal)
        return HttpResponseRedirect(request.path if request.method == "POST" else model_admin.list_url)
    return TemplateResponse(request, "bulk/admin/plan.html", _context(request, job, plan))


def _begin(request: HttpRequest, job: BulkJob, plan: JobPlan | None, *, phrase: str) -> None:
    reason = given_reason(request)
    if not reason:
        raise ReasonRequired
    details: dict[str, object] = {}
    if plan is not None:
        if plan.refusals:
            raise plan.refusals[0]
        if request.POST.get(PLAN) != plan.plan.digest:
            raise PlanStale
        if is_wide(plan.plan.losing_percent) and request.POST.get(TYPED, "").strip() != phrase:
            raise NotConfirmed
        details = {"losing_agents": plan.plan.losing_agents, "losing_percent": plan.plan.losing_percent}
    begin_job(
        job_id=job.pk,
        digests=plan.digests if plan is not None else {},
        reason=reason,
        actor=admin_actor(request),
        details=details,
        now=clock.now(),
    )


def _context(request: HttpRequest, job: BulkJob, plan: JobPlan | None) -> dict[str, Any]:
    model_admin, action = list_action_of(job.model, job.action)
    shown = None
    if plan is not None and not plan.plan.is_empty:
        shown = shown_plan(plan.plan, phrase=_phrase(model_admin, job))
    return {
        **site.each_context(request),
        "title": action.question.title,
        "job": job,
        "question": action.question,
        "rows": list(names_of(model_admin, _ids(job)[:NAMED]).values()),
        "unnamed": max(0, job.total - NAMED),
        "rows_line": number_of_rows(job),
        "plan": shown,
        "digest": plan.plan.digest if plan is not None else "",
        "has_plan": plan is not None,
        "refusals": plan.refusals if plan is not None else (),
        "opts": BulkJob._meta,
        "back": model_admin.list_url,
        "media": model_admin.media,
    }


def _ids(job: BulkJob) -> list[UUID]:
    return [UUID(text) for text in job.selection]


def _phrase(model_admin: BaseAdmin, job: BulkJob) -> str:
    return f"{job.total} {model_admin.opts.verbose_name_plural}"

"""Bulk jobs: the list, and the page of one with its progress and its buttons."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from bulk.admin.rows import names_of, number_of_rows
from bulk.admin.starting import may_use, plan_view
from bulk.models import BulkJob, BulkJobRow, Outcome, State
from bulk.services.jobs import counts_of, draft_job, resume_job, stop_job
from core import clock
from core.admin import (
    BaseAdmin,
    OverviewAdmin,
    Question,
    admin_actor,
    badge,
    detail_action,
    moment,
    page_of,
)
from core.admin.bulk import list_action_of
from core.admin.live import live_view

VIEW = "bulk.view_bulkjob"
_STATES = {
    State.RUNNING: ("running", "wait"),
    State.STOPPED: ("stopped", "bad"),
    State.DONE: ("done", "good"),
}
_OUTCOMES = {
    Outcome.DONE: "changed",
    Outcome.UNCHANGED: "had nothing to change",
    Outcome.STALE: "changed meanwhile",
    Outcome.REFUSED: "refused",
    Outcome.PENDING: "to do",
}
_LEFT = (Outcome.STALE, Outcome.REFUSED)
STOP = Question(
    title="Stop the job",
    consequence="The step that is under way ends, and no other begins. What is done stays; the job can be resumed.",
    button="Stop",
)
RESUME = Question(
    title="Resume the job",
    consequence="The worker goes on with the rows that are left. What changed since the plan was shown is left out.",
    button="Resume",
)


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(state.value, words) for state, (words, _) in _STATES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(state=self.value()) if self.value() else queryset


@admin.register(BulkJob)
class BulkJobAdmin(OverviewAdmin):
    empty_hint = (
        "A bulk job does one action to all rows of a list that match. Tick the rows of a page, choose “Select all” "
        "and then an action."
    )
    list_display = ("what", "rows_line", "state_line", "progress_line", "author", "begun")
    list_filter = (StateFilter,)
    search_fields = ("word", "reason")
    search_help_text = "Word or reason"
    ordering = ("-begun_at", "-id")
    actions_detail = ("stop", "resume", "rest")

    def get_queryset(self, request: HttpRequest) -> QuerySet[BulkJob]:
        rows: QuerySet[BulkJob] = super().get_queryset(request)
        # For each job that is listed, in an index; a job that is done has none, so old jobs cost nothing.
        pending = BulkJobRow.objects.filter(job=OuterRef("pk"), outcome=Outcome.PENDING).values("job")
        number = Subquery(pending.annotate(number=Count("pk")).values("number"))
        return rows.exclude(state=State.DRAFT).annotate(pending=Coalesce(number, 0))

    def name_of(self, row: BulkJob) -> str:
        title = _title(row)
        return f"{title}: {row.word}" if row.word else title

    @admin.display(description="action")
    def what(self, job: BulkJob) -> str:
        return self.name_of(job)

    @admin.display(description="rows")
    def rows_line(self, job: BulkJob) -> str:
        return number_of_rows(job)

    @admin.display(description="state", ordering="state")
    def state_line(self, job: BulkJob) -> SafeString:
        return badge(*_STATES[State(job.state)])

    @admin.display(description="handled")
    def progress_line(self, job: Any) -> str:
        return f"{job.total - job.pending:,} of {job.total:,}"

    @admin.display(description="by")
    def author(self, job: BulkJob) -> str:
        return str(job.actor["label"])

    @admin.display(description="begun", ordering="begun_at")
    def begun(self, job: BulkJob) -> SafeString | None:
        return moment(job.begun_at)

    def get_urls(self) -> list[URLPattern]:
        return [
            path("<uuid:job_id>/plan/", self.admin_site.admin_view(plan_view), name="bulk_bulkjob_plan"),
            path("<uuid:pk>/live/", live_view(self, VIEW, self._part), name="bulk_bulkjob_live"),
            *super().get_urls(),
        ]

    def overview(self, request: HttpRequest, row: BulkJob) -> HttpResponse:
        left = page_of(request, row.rows.filter(outcome__in=_LEFT).order_by("outcome", "id"))
        pages, _ = list_action_of(row.model, row.action)
        context = {
            **self._progress(row),
            "left": _left(pages, list(left)) if pages.has_view_permission(request) else [],
            "page": left,
        }
        return self.render_page(request, row, "bulk/admin/job.html", context)

    def _part(self, request: HttpRequest, pk: UUID) -> tuple[str, dict[str, Any], bool] | None:
        row = self.get_object(request, str(pk))
        if row is None:
            return None
        context = {**self._progress(row), "is_part": True}
        return "bulk/admin/progress.html", context, row.state == State.RUNNING

    def _progress(self, job: BulkJob) -> dict[str, Any]:
        counts = counts_of(job)
        return {
            "job": job,
            "what": self.name_of(job),
            "rows_line": number_of_rows(job),
            "state": self.state_line(job),
            "is_running": job.state == State.RUNNING,
            "handled": job.total - counts[Outcome.PENDING],
            "has_left": any(counts[outcome] for outcome in _LEFT),
            "figures": [(counts[outcome], words) for outcome, words in _OUTCOMES.items() if counts[outcome]],
            "now": clock.now(),
        }

    def has_stop_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, obj, State.RUNNING)

    def has_resume_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, obj, State.STOPPED)

    def has_repeat_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        row = self.row_of(request, obj)
        return self._may(request, row, State.DONE) and row.rows.filter(outcome__in=_LEFT).exists()

    def _may(self, request: HttpRequest, obj: Any, state: State) -> bool:
        row = self.row_of(request, obj)
        return (
            request.user.has_perm("bulk.change_bulkjob")
            and row is not None
            and row.state == state
            and (state == State.RUNNING or may_use(request, row))
        )

    @detail_action(description="Stop", icon="stop", question=STOP, done="Stopped", permission="stop")
    def stop(self, request: HttpRequest, row: BulkJob) -> None:
        stop_job(job_id=row.pk, actor=admin_actor(request))

    @detail_action(
        description="Resume", icon="play_arrow", question=RESUME, done="Resumed", permission="resume"
    )
    def resume(self, request: HttpRequest, row: BulkJob) -> None:
        resume_job(job_id=row.pk, actor=admin_actor(request))

    @detail_action(
        description="Plan what is left",
        icon="replay",
        question=Question(
            title="Plan what is left",
            consequence="The next page shows what the action does now to the rows that it was not done to.",
            button="Show the plan",
        ),
        permission="repeat",
    )
    def rest(self, request: HttpRequest, row: BulkJob) -> HttpResponse | None:
        ids = list(row.rows.filter(outcome__in=_LEFT).order_by("id").values_list("row_id", flat=True))
        job = draft_job(
            model=row.model, action=row.action, word=row.word, ids=ids, actor=admin_actor(request)
        )
        return HttpResponseRedirect(reverse("admin:bulk_bulkjob_plan", args=[job.pk]))


def _title(job: BulkJob) -> str:
    return list_action_of(job.model, job.action)[1].question.title


def _left(pages: BaseAdmin, rows: list[BulkJobRow]) -> list[dict[str, Any]]:
    names = names_of(pages, [row.row_id for row in rows])
    url = f"admin:{pages.opts.app_label}_{pages.opts.model_name}_change"
    return [
        {
            "id": row.pk,
            "name": names[row.row_id],
            "url": reverse(url, args=[row.row_id]),
            "words": _OUTCOMES[Outcome(row.outcome)],
            "message": row.message,
        }
        for row in rows
    ]

"""Making, beginning, stopping and resuming jobs, and forgetting old ones."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q

from bulk.errors import BulkJobNotFound, BulkJobNotInState
from bulk.event_kinds import BulkEventKind
from bulk.models import BulkJob, BulkJobRow, Outcome, State
from core.events import Actor, Event, emit

_DRAFTS_KEPT_FOR = timedelta(days=1)
_KEPT_FOR = timedelta(days=90)
# Each has up to 10,000 rows, which are deleted in one transaction.
_FORGOTTEN_AT_ONCE = 20


def draft_job(*, model: str, action: str, word: str, ids: Sequence[UUID], actor: Actor) -> BulkJob:
    """Note which rows somebody chose, so that its plan can be shown. Nothing else happens yet."""
    return BulkJob.objects.create(
        model=model,
        action=action,
        word=word,
        actor=asdict(actor),
        selection=[str(pk) for pk in ids],
        total=len(ids),
    )


@transaction.atomic
def begin_job(
    *,
    job_id: UUID,
    digests: Mapping[UUID, str],
    reason: str,
    actor: Actor,
    details: Mapping[str, object],
    now: datetime,
) -> None:
    """Let the worker perform a draft. `digests` says, by row, what the plan told; `details` is for the audit log.

    Raises BulkJobNotFound.
    """
    job = BulkJob.objects.select_for_update().filter(pk=job_id, state=State.DRAFT).first()
    if job is None:
        raise BulkJobNotFound(id=job_id)
    BulkJobRow.objects.bulk_create(
        [
            BulkJobRow(job=job, row_id=pk, digest=digests.get(pk, ""))
            for pk in (UUID(text) for text in job.selection)
        ],
        batch_size=1_000,
    )
    job.state, job.begun_at, job.reason, job.selection = State.RUNNING, now, reason, []
    job.actor = asdict(actor)
    job.save(update_fields=["state", "begun_at", "reason", "selection", "actor"])
    _tell(BulkEventKind.BULK_JOB_BEGUN, job, actor, {"reason": reason, **details}, reason=reason)


def stop_job(*, job_id: UUID, actor: Actor) -> None:
    """Let the step that is under way end, and begin no other. Raises BulkJobNotInState."""
    _move(job_id, State.RUNNING, State.STOPPED, BulkEventKind.BULK_JOB_STOPPED, actor)


def resume_job(*, job_id: UUID, actor: Actor) -> None:
    """Go on where the job was stopped. Raises BulkJobNotInState."""
    _move(job_id, State.STOPPED, State.RUNNING, BulkEventKind.BULK_JOB_RESUMED, actor)


@transaction.atomic
def end_if_finished(*, job: BulkJob, actor: Actor, now: datetime) -> None:
    """End a locked running job that has no row left."""
    if job.rows.filter(outcome=Outcome.PENDING).exists():
        return
    job.state, job.ended_at = State.DONE, now
    job.save(update_fields=["state", "ended_at"])
    _tell(BulkEventKind.BULK_JOB_FINISHED, job, actor, dict(counts_of(job)))


def counts_of(job: BulkJob) -> dict[str, int]:
    """The number of rows of a job by outcome; all rows of a draft are pending."""
    found = job.rows.values_list("outcome").annotate(number=Count("pk"))
    return dict.fromkeys(Outcome.values, 0) | dict(found)


def author_of(job: BulkJob) -> Actor:
    """Who began the job, and from where: the author of all that it does."""
    return Actor(**job.actor)


def forget_old_jobs(*, now: datetime) -> int:
    """Delete old drafts, and what jobs that ended long ago did with their rows. Returns the number of jobs."""
    is_old = Q(state=State.DRAFT, created_at__lt=now - _DRAFTS_KEPT_FOR) | Q(
        state=State.DONE, created_at__lt=now - _KEPT_FOR
    )
    old = BulkJob.objects.filter(is_old).order_by("created_at", "id").values_list("pk", flat=True)
    ids = list(old[:_FORGOTTEN_AT_ONCE])
    for pk in ids:
        BulkJob.objects.filter(pk=pk).delete()
    return len(ids)


@transaction.atomic
def _move(job_id: UUID, old: State, new: State, kind: BulkEventKind, actor: Actor) -> None:
    if not BulkJob.objects.filter(pk=job_id, state=old).update(state=new):
        raise BulkJobNotInState(id=job_id)
    _tell(kind, BulkJob.objects.get(pk=job_id), actor, {})


def _tell(
    kind: BulkEventKind, job: BulkJob, actor: Actor, details: Mapping[str, object], *, reason: str = ""
) -> None:
    what: dict[str, object] = {"model": job.model, "action": job.action, "rows": job.total}
    if job.word:
        what["word"] = job.word
    emit(
        Event(
            kind=kind,
            resource_type=BulkJob.NOUN,
            resource_id=job.pk,
            actor=actor,
            details={**what, **details},
            reason=reason,
        )
    )

"""Bulk jobs for tests."""

from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone

from agents.models import Agent
from bulk.models import BulkJob
from bulk.preview import plan_job
from bulk.services.jobs import begin_job, draft_job
from core.events import ADMIN_TYPE, Actor

ASTRID = Actor(type=ADMIN_TYPE, label="astrid")


def make_bulk_job(
    agents: Sequence[Agent],
    action: str = "activate_selected",
    word: str = "",
    *,
    now: datetime | None = None,
    actor: Actor = ASTRID,
) -> BulkJob:
    """A job that has begun and done nothing yet, with what its plan told."""
    now = now or timezone.now()
    ids = [agent.pk for agent in agents]
    job = draft_job(model="agents.agent", action=action, word=word, ids=ids, actor=actor)
    plan = plan_job(job, ids, actor=actor, now=now)
    assert plan is not None
    begin_job(job_id=job.pk, digests=plan.digests, reason="it is meant", actor=actor, details={}, now=now)
    return BulkJob.objects.get(pk=job.pk)

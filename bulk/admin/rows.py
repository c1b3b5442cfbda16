"""What pages say about the rows of a job."""

from collections.abc import Sequence
from uuid import UUID

from bulk.models import BulkJob
from core.admin import BaseAdmin
from core.admin.bulk import list_action_of


def names_of(pages: BaseAdmin, ids: Sequence[UUID]) -> dict[UUID, str]:
    """What the pages call their rows, in the order of the ids; of rows that are gone, the id."""
    rows = pages.model._default_manager.in_bulk(ids)
    pages.prepare(list(rows.values()))
    return {pk: pages.name_of(rows[pk]) if pk in rows else str(pk) for pk in ids}


def number_of_rows(job: BulkJob) -> str:
    """How many rows the job has, with the word for them."""
    opts = list_action_of(job.model, job.action)[0].opts
    return f"{job.total:,} {opts.verbose_name if job.total == 1 else opts.verbose_name_plural}"

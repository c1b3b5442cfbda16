"""Pages of bulk jobs: the plan before one begins, its progress, and what it could not do."""

from bulk.admin.jobs import BulkJobAdmin
from bulk.admin.starting import start_job
from core.admin.bulk import register_job_starter

register_job_starter(start_job)

__all__ = ["BulkJobAdmin"]

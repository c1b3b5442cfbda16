"""Refusals about bulk jobs."""

from core.errors import Conflict, NotFound


class BulkJobNotFound(NotFound):
    code = "bulk_job_not_found"
    message = "There is no such plan of a bulk job any more; choose the rows again."


class BulkJobNotInState(Conflict):
    code = "bulk_job_not_in_state"
    message = "The bulk job has been stopped, resumed or finished meanwhile."

from core.events import EventKind


class BulkEventKind(EventKind):
    BULK_JOB_BEGUN = "bulk_job.begun"
    BULK_JOB_FINISHED = "bulk_job.finished"
    BULK_JOB_RESUMED = "bulk_job.resumed"
    BULK_JOB_STOPPED = "bulk_job.stopped"

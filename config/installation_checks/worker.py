"""Whether a worker runs anywhere."""

from collections.abc import Iterator

from django.core.checks import CheckMessage, Error

from config.worker_mark import seconds_since_worker
from core import clock
from core.installation_checks import register_database_check

_SILENT_SECONDS = 60


@register_database_check
def worker() -> Iterator[CheckMessage]:
    """The mark that every worker renews while it runs."""
    age = seconds_since_worker(now=clock.now())
    if age is None or age > _SILENT_SECONDS:
        yield Error(
            "No worker was ever seen." if age is None else f"No worker was seen for {age:.0f} s.",
            hint="Start `manage.py run_worker`: without it nothing expires, no webhook is sent, no rollout goes on.",
            id="brokkr.worker",
        )

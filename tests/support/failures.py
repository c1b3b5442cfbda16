"""When the failures began that tests make."""

from datetime import timedelta

from django.utils import timezone

from agents.models import StackReport


def put_failures_into_one_hour() -> None:
    """Let all failures so far begin within the same hour, in their order.

    They are listed by hours, so that after the turn of an hour the newest would come first, on however few agents.
    """
    began = (timezone.now() - timedelta(hours=1)).replace(minute=30, second=0)
    for number, report in enumerate(StackReport.objects.order_by("since", "id")):
        report.since = began + timedelta(seconds=number)
        report.save(update_fields=["since"])

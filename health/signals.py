"""What the apps above may hear."""

from django.dispatch import Signal

# Argument: object_ids, the ids of the deployment objects that were spoken of. Sent inside the transaction.
health_reported = Signal()

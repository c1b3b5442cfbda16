"""Signals for the apps above."""

from django.dispatch import Signal

# Arguments: generator, actor. Sent inside the deleting transaction, before the keys are revoked.
generator_deleted = Signal()

"""Signals for the apps above."""

from django.dispatch import Signal

# Arguments: stack, marker (its deletion marker), actor. Sent inside the deleting transaction.
stack_deleted = Signal()

"""Signals for the apps above."""

from django.dispatch import Signal

# Arguments: stack, marker (its deletion marker), actor. Sent inside the deleting transaction.
stack_deleted = Signal()

# Arguments: stack (locked), version, objects (of its manifest; None if they are not known), actor, options, is_unusual
# (whether a condition of `stacks.unusual_publish` holds). Sent inside the publishing transaction, before the event is
# told. A receiver may return warnings for whoever publishes.
version_published = Signal()

# Arguments: stack (which has its new owner), old_generator_id. Sent inside the changing transaction.
stack_moved = Signal()

"""The signals that this app sends to the apps above."""

from django.dispatch import Signal

# Arguments: agent, actor. Sent inside the deleting transaction.
agent_deleted = Signal()

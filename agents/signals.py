"""What the apps above may hear."""

from django.dispatch import Signal

# Arguments: agent, actor. Sent inside the deleting transaction.
agent_deleted = Signal()

"""The operator's pages about agents, their registrations and their reports; one module per resource.

The stacks app does not import agents, so the pages that show the agents of a stack are here too.
"""

from agents.admin import deletion_impact, finders, list_filters, outcomes, pages, recipients, state_bar
from agents.admin.agents import AgentAdmin
from agents.admin.events import AgentEventAdmin
from agents.admin.registrations import RegistrationAdmin

__all__ = [
    "AgentAdmin",
    "AgentEventAdmin",
    "RegistrationAdmin",
    "deletion_impact",
    "finders",
    "list_filters",
    "outcomes",
    "pages",
    "recipients",
    "state_bar",
]

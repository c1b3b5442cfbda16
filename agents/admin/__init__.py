"""The operator's pages of agents, their registrations and what they report; one module per resource.

Stacks know no agents, so the pages of a stack about agents are here too.
"""

from agents.admin import deletion_impact, outcomes, pages, recipients
from agents.admin.agents import AgentAdmin
from agents.admin.events import AgentEventAdmin
from agents.admin.registrations import RegistrationAdmin

__all__ = [
    "AgentAdmin",
    "AgentEventAdmin",
    "RegistrationAdmin",
    "deletion_impact",
    "outcomes",
    "pages",
    "recipients",
]

"""The operator's pages of agents, their registrations and what they report; one module per resource.

Stacks know no agents, so their pages about agents are here too.
"""

from agents.admin.agents import AgentAdmin
from agents.admin.events import AgentEventAdmin
from agents.admin.outcomes import outcomes
from agents.admin.reach import reach
from agents.admin.registrations import RegistrationAdmin
from core.admin import register_page
from stacks.models import Stack

__all__ = ["AgentAdmin", "AgentEventAdmin", "RegistrationAdmin"]

register_page(Stack, "outcomes", "Outcomes", outcomes, "agents.view_agent")
register_page(Stack, "reach", "Who gets this?", reach, "agents.view_agent")

"""The operator's pages of agents, their registrations and what they report; one module per resource."""

from agents.admin import pages, reach
from agents.admin.agents import AgentAdmin
from agents.admin.events import AgentEventAdmin
from agents.admin.registrations import RegistrationAdmin

__all__ = ["AgentAdmin", "AgentEventAdmin", "RegistrationAdmin", "pages", "reach"]

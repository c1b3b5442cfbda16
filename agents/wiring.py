"""What this app gives to the apps below: the name of an agent's id, and which stacks an agent may read."""

from agents.access import agent_may_read
from agents.services.agents import names_of
from paks.models import Role
from paks.subjects import register_names
from stacks.access import register_scope

register_names(Role.AGENT, names_of)
register_scope(Role.AGENT, agent_may_read)

from paks.api.permissions import HasRole
from paks.models import Role
from webhooks.errors import AgentPakRequired


class IsAgent(HasRole):
    roles = frozenset({Role.AGENT})
    refusal = AgentPakRequired

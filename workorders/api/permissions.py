from agents.errors import AgentPakMismatch
from paks.api.permissions import HasRole
from paks.models import Role
from workorders.errors import WorkOrderNotClaimedByAgent


class MayClaim(HasRole):
    roles = frozenset({Role.ADMIN, Role.AGENT})
    refusal = AgentPakMismatch


class MayComplete(HasRole):
    roles = frozenset({Role.ADMIN, Role.AGENT})
    refusal = WorkOrderNotClaimedByAgent

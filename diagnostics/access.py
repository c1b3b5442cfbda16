"""Which callers may see and answer which diagnostic request."""

from uuid import UUID

from diagnostics.errors import DiagnosticNotFound, DiagnosticNotOwned
from diagnostics.models import DiagnosticRequest
from paks.principals import Principal


def find_diagnostic(diagnostic_id: UUID) -> DiagnosticRequest:
    """The request, with its result if there is one. Raises DiagnosticNotFound."""
    request = DiagnosticRequest.objects.select_related("result").filter(id=diagnostic_id).first()
    if request is None:
        raise DiagnosticNotFound(id=diagnostic_id)
    return request


def require_agent(principal: Principal, request: DiagnosticRequest) -> None:
    """Only the agent that is asked, not even an admin. Raises DiagnosticNotOwned."""
    if not principal.is_agent(request.agent_id):
        raise DiagnosticNotOwned


def require_admin_or_agent(principal: Principal, request: DiagnosticRequest) -> None:
    """An admin or the agent that is asked. Raises DiagnosticNotOwned."""
    if not principal.is_admin:
        require_agent(principal, request)

"""Refusals about diagnostics."""

from core.errors import Conflict, Forbidden, Invalid, NotFound


class DiagnosticNotFound(NotFound):
    code = "diagnostic_not_found"
    message = "There is no such diagnostic request."


class DiagnosticNotOwned(Forbidden):
    code = "diagnostic_not_owned"
    message = "The diagnostic request is for another agent."


class DiagnosticAlreadyClaimed(Conflict):
    code = "diagnostic_already_claimed"
    message = "The diagnostic request is not pending any more."


class DiagnosticExpired(Conflict):
    code = "diagnostic_expired"
    message = "The diagnostic request has expired."


class DiagnosticNotClaimed(Conflict):
    code = "diagnostic_not_claimed"
    message = "The diagnostic request is not claimed, so it takes no result."


class InvalidDiagnosticRequest(Invalid):
    code = "invalid_diagnostic_request"
    message = "A diagnostic request is kept for 1 to 1440 minutes; who asks has at most 255 characters."


class InvalidDiagnosticResult(Invalid):
    code = "invalid_diagnostic_result"
    message = "A diagnostic result needs pod statuses and events."

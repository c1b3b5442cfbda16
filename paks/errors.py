"""Refusals about keys."""

from core.errors import Conflict, Forbidden, Invalid, NotFound


class AdminRequired(Forbidden):
    code = "admin_required"
    message = "Only an admin key may do that."


class PakNotFound(NotFound):
    code = "pak_not_found"
    message = "There is no such key."


class PakAlreadyRevoked(Conflict):
    code = "pak_already_revoked"
    message = "The key has been revoked already."


class InvalidPak(Invalid):
    code = "invalid_pak"
    message = "A key needs a name of 1 to 255 characters."

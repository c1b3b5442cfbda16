"""Refusals about keys."""

from core.errors import Conflict, Forbidden, Invalid, NotFound, Unprocessable


class AdminRequired(Forbidden):
    code = "admin_required"
    message = "Only an admin key may do that."


class PakReadOnly(Forbidden):
    code = "pak_read_only"
    message = "This admin key only reads; it may change nothing."


class PakLimited(Forbidden):
    code = "pak_limited"
    message = "This key is limited to some stacks of its generator; only a key without limits may do that."


class InvalidKeyOverlap(Unprocessable):
    code = "invalid_key_overlap"
    message = "An old key works on for 0 to 604800 seconds, which are 7 days."


class InvalidKeyExpiry(Unprocessable):
    code = "invalid_key_expiry"
    message = "A key's end must be in the future, and within ten years."


class InvalidKeyLimits(Unprocessable):
    code = "invalid_key_limits"
    message = "A key is limited to stacks of its own generator or to labels, and only a generator's is."


class PakNotFound(NotFound):
    code = "pak_not_found"
    message = "There is no such key."


class PakAlreadyRevoked(Conflict):
    code = "pak_already_revoked"
    message = "The key has been revoked already."


class InvalidPak(Invalid):
    code = "invalid_pak"
    message = "A key needs a name of 1 to 255 characters."


class PakConfigured(Conflict):
    code = "pak_configured"
    message = (
        "This key is configured by its hash and cannot be rotated here; "
        "change BROKKR__BROKER__PAK_HASH and start the broker again."
    )


class LastAdminPak(Conflict):
    code = "last_admin_pak"
    message = "This is the last usable admin key; without it nobody could administer the broker over the API."


class AmbiguousPak(Conflict):
    code = "ambiguous_pak"
    message = "More than one key fits; name the one you mean by its id."

"""Who a key identifies, and the note that the key was used."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import orjson
from django.db import Error

from core import clock
from core.database_errors import unavailable
from core.prepared import as_time, as_uuid, is_postgresql, time_parameter, uuid_parameter
from core.prepared_rows import AskedRow, fetch_with, update
from paks.key_check import GOOD_KEY, key_parameters
from paks.limits import Limits
from paks.models import Pak, Role
from paks.principals import Principal
from paks.tokens import Token, split_token

logger = logging.getLogger(__name__)

# The last use tells people whether a key is still in use, and where. A write per request would cost too much.
LAST_USED_PRECISION = timedelta(hours=1)

# Every request asks it.
_COLUMNS = ", ".join(
    f"paks.{column}"
    for column in ("id", "role", "subject_id", "name", "last_used_at", "is_read_only", "limits", "ends_at")
)

_USE = "last_used_at = %(now)s, last_used_address = %(address)s"
# A row that somebody else has locked is not waited for.
_STALE = """id IN (
    SELECT id FROM paks WHERE id = %(id)s AND (last_used_at IS NULL OR last_used_at < %(noted_until)s) {free}
)"""

# Where the caller is. It is asked only when the use is to be noted.
Address = Callable[[], str | None]


def principal_for(key: str, address: Address, asked: AskedRow | None = None) -> Principal | None:
    """Whom a key's text identifies, None for nobody. `paks.key_check` says which keys are good.

    The statement that checks a good key also reads what is asked.
    """
    token = split_token(key)
    return None if token is None else principal_of(token, address, asked)


def principal_of(token: Token, address: Address, asked: AskedRow | None = None) -> Principal | None:
    """The same for a text that has been split."""
    row = fetch_with(asked, _COLUMNS, "paks", GOOD_KEY, key_parameters(token))
    if row is None:
        return None
    key_id, role, subject_id, name, last_used_at, is_read_only, limits, ends_at = row
    key_id = as_uuid(key_id)
    mark_used(key_id, as_time(last_used_at), address)
    return Principal(
        role=Role(role),
        subject_id=None if subject_id is None else as_uuid(subject_id),
        key_id=key_id,
        key_name=name,
        is_read_only=bool(is_read_only),
        # SQLite returns JSON as text.
        limits=Limits.from_json(orjson.loads(limits) if isinstance(limits, str) else limits)
        if limits
        else None,
        ends_at=as_time(ends_at),
    )


def mark_used(pak_id: UUID, last_used_at: datetime | None, address: Address) -> None:
    """Note that the key is in use, given when it was last noted; written at most once per LAST_USED_PRECISION.

    A database that cannot write it now is no reason to refuse the caller.
    """
    now = clock.now()
    if last_used_at is not None and last_used_at >= now - LAST_USED_PRECISION:
        return
    parameters = {
        "id": uuid_parameter(pak_id),
        "now": time_parameter(now),
        "noted_until": time_parameter(now - LAST_USED_PRECISION),
        "address": address() or "",
    }
    try:
        update(Pak, _USE, _STALE.format(free="FOR UPDATE SKIP LOCKED" if is_postgresql() else ""), parameters)
    except Error as error:
        if unavailable(error) is None:
            raise
        logger.warning("the use of a key was not noted: %s", error)

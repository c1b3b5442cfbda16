"""Marking members that have proven the version. They stay proven even if their health status becomes stale."""

from datetime import datetime
from typing import Any, cast

from django.db import connection

from rollouts.counts import gate_of, proof_parameters, proven_sql
from rollouts.models import Rollout

# A proven member is no longer an accepted failure, so its next failure counts.
_MARK = """
UPDATE rollout_members SET proven_at = %(now)s, is_accepted = FALSE
WHERE rollout_id = %(rollout)s AND wave = %(wave)s AND proven_at IS NULL AND NOT is_deferred AND agent_id IN ({proven})
"""


def mark_proven(rollout: Rollout, *, now: datetime) -> int:
    """Mark the members of the newest released wave that have been good for the whole soak; the number marked."""
    rule = rollout.strategy.wave(rollout.wave)
    sql = _MARK.format(proven=proven_sql(gate_of(rollout, rule)))
    with connection.cursor() as cursor:
        cursor.execute(sql, cast(Any, proof_parameters(rollout, rule, now=now)))
        return int(cursor.rowcount)

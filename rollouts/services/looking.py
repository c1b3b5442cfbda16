"""Making the worker look at rollouts earlier than planned."""

from collections.abc import Collection
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from django.db import transaction

from core.prepared import as_uuid, fetch_all, time_parameter
from core.prepared_rows import among, list_parameter
from rollouts.models import Rollout

# The states are those of `RolloutQuerySet.moving`, and of the index `rollouts_due`.
_NOT_YET_DUE: Final = """
SELECT r.id FROM rollouts r JOIN deployment_objects o ON o.sequence_id = r.version_id
WHERE r.state IN ('waiting_for_approval', 'progressing') AND r.next_look_at > %(now)s AND {among}"""


def look_again_after_commit(rollout_ids: Collection[UUID], *, now: datetime) -> None:
    """Make these rollouts due, after the transaction.

    It is not done inside the transaction, because a report locks its agent and must not wait for a rollout.
    """
    transaction.on_commit(partial(_look_again, rollout_ids, now))


def look_at_versions_after_commit(object_ids: Collection[UUID], *, now: datetime) -> None:
    """Make the rollouts of these versions due, after the transaction. One statement if there are none."""
    transaction.on_commit(partial(_look_at_versions, object_ids, now))


def _look_at_versions(object_ids: Collection[UUID], now: datetime) -> None:
    parameters = {"now": time_parameter(now), "objects": list_parameter(object_ids)}
    rows = fetch_all(_NOT_YET_DUE.format(among=among("o.id", "objects")), parameters)
    _look_again([as_uuid(rollout_id) for (rollout_id,) in rows], now)


def _look_again(rollout_ids: Collection[UUID], now: datetime) -> None:
    # On SQLite, even a write that changes no row waits for other writes.
    if rollout_ids:
        Rollout.objects.moving().filter(pk__in=rollout_ids, next_look_at__gt=now).update(next_look_at=now)

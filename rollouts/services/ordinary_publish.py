"""The ordinary publish, by which all agents get the version at once and nothing else changes."""

from typing import Final
from uuid import UUID

from core.prepared import fetch_one, uuid_parameter
from core.prepared_rows import among, list_parameter
from rollouts.models.rollout import UNFINISHED

_UNUSUAL: Final = """
SELECT EXISTS (SELECT 1 FROM stack_rollout_strategies WHERE stack_id = %(stack)s)
    OR EXISTS (SELECT 1 FROM freezes WHERE lifted_at IS NULL)
    OR EXISTS (SELECT 1 FROM rolled_back_contents WHERE stack_id = %(stack)s)
    OR EXISTS (SELECT 1 FROM rollouts WHERE stack_id = %(stack)s AND {unfinished})
    OR EXISTS (
        SELECT 1 FROM object_holds h JOIN deployment_objects o ON o.sequence_id = h.version_id
        WHERE o.stack_id = %(stack)s
    )"""


def is_ordinary(stack_id: UUID) -> bool:
    """Whether a version of the locked stack that names no strategy reaches all agents at once and changes nothing else.

    That is so if the stack has no strategy, no unfinished rollout, no hold and no content that was rolled back, and
    no freeze holds, of whatever scope.
    """
    parameters = {
        "stack": uuid_parameter(stack_id),
        "unfinished": list_parameter([state.value for state in UNFINISHED]),
    }
    row = fetch_one(_UNUSUAL.format(unfinished=among("state", "unfinished")), parameters)
    return row is not None and not row[0]

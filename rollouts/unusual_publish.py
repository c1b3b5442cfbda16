"""When a version that is published may not simply reach all agents at once, with nothing else to change."""

from typing import Final

from rollouts.models.rollout import UNFINISHED

_UNFINISHED: Final = ", ".join(f"'{state.value}'" for state in UNFINISHED)
# The stack has a strategy, an unfinished rollout, a hold or a content that was rolled back; or a freeze holds, of
# whatever scope.
MAY_BE_HELD: Final = f"""(
    EXISTS (SELECT 1 FROM stack_rollout_strategies WHERE stack_id = %(stack)s)
    OR EXISTS (SELECT 1 FROM freezes WHERE lifted_at IS NULL)
    OR EXISTS (SELECT 1 FROM rolled_back_contents WHERE stack_id = %(stack)s)
    OR EXISTS (SELECT 1 FROM rollouts WHERE stack_id = %(stack)s AND state IN ({_UNFINISHED}))
    OR EXISTS (
        SELECT 1 FROM object_holds h JOIN deployment_objects o ON o.sequence_id = h.version_id
        WHERE o.stack_id = %(stack)s
    )
)"""  # noqa: S608  no input in it

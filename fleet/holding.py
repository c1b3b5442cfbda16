"""Two checks of the chain: whether a freeze or a rollout keeps a newer version from the agent. Pure."""

from fleet.checks import Check, CheckName, Verdict, blocked, ok, unknown
from fleet.facts import Facts


def freeze_check(facts: Facts) -> Check:
    name, freeze = CheckName.FREEZE, facts.freeze
    if facts.stack.deleted_at is not None:
        return unknown(name, "What is owed of a deleted stack goes on while a freeze holds.")
    is_held = facts.held is not None and facts.held.is_frozen
    if freeze is None:
        if is_held:
            # The end of the freeze is under way.
            return blocked(name, Verdict.FROZEN, "A version that a freeze held is about to start.")
        return ok(name, "No freeze covers the stack.", freeze_id=None)
    details = {
        "freeze_id": str(freeze.pk),
        "scope": freeze.scope,
        "reason": freeze.reason,
        "created_by": freeze.created_by,
        "until": freeze.until,
    }
    until = f" until {freeze.until:%Y-%m-%d %H:%M} UTC" if freeze.until is not None else ""
    said = f"Frozen by {freeze.created_by}{until}: {freeze.reason.rstrip('.')}"
    if is_held:
        return blocked(
            name, Verdict.FROZEN, f"{said}. A newer version waits for the end of the freeze.", **details
        )
    return ok(name, f"{said}. What the agent should have stays as it is.", **details)


def rollout_check(facts: Facts) -> Check:
    name, held, released = CheckName.ROLLOUT, facts.held, facts.released
    if facts.stack.deleted_at is not None:
        return unknown(name, "Nothing of a deleted stack is rolled out.")
    if held is not None:
        rollout = held.rollout
        details = {
            "sequence_id": held.sequence_id,
            "reasons": sorted(held.reasons),
            "rollout_id": str(rollout.pk) if rollout is not None else None,
            "state": rollout.state if rollout is not None else None,
            "wave": rollout.wave if rollout is not None else None,
            "wave_count": len(rollout.strategy.waves) if rollout is not None else None,
        }
        return blocked(name, Verdict.HELD_BACK, held.sentence, **details)
    if released is None:
        return ok(name, "No newer version is held back from the agent.", rollout_id=None)
    return ok(
        name,
        f"Version #{released.sequence_id} came to the agent with wave {released.number} of {released.count}.",
        rollout_id=str(released.rollout_id),
        wave=released.number,
        wave_count=released.count,
    )

"""The buttons of a rollout: who sees which, and in which states it makes sense."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from rollouts.models import Rollout, RolloutState
from rollouts.models.rollout import MOVING, RUNNING, UNFINISHED

DRIVE, APPROVE, BYPASS = "rollouts.change_rollout", "rollouts.approve", "rollouts.bypass"


@dataclass(frozen=True, slots=True)
class Button:
    """Services decide what is possible; `states` only leaves out what they would refuse."""

    name: str
    title: str
    icon: str
    right: str
    states: Collection[RolloutState]
    look: str = "default"


APPROVE_BUTTON = Button(
    "approve",
    "Approve the next wave",
    "check",
    APPROVE,
    (RolloutState.WAITING_FOR_APPROVAL,),
    look="primary",
)
PAUSE_BUTTON = Button("pause", "Pause", "pause", DRIVE, MOVING)
RESUME_BUTTON = Button("resume", "Resume", "play_arrow", DRIVE, (RolloutState.PAUSED,))
ROLL_BACK_BUTTON = Button(
    "roll_back",
    "Roll back",
    "undo",
    DRIVE,
    (*RUNNING, RolloutState.ABORTED, RolloutState.SUCCEEDED),
    look="danger",
)
SKIP_BUTTON = Button("skip", "Skip all waves", "skip_next", BYPASS, RUNNING, look="danger")
ABORT_BUTTON = Button("abort", "Abort", "stop", DRIVE, UNFINISHED, look="danger")
_ALL = (APPROVE_BUTTON, PAUSE_BUTTON, RESUME_BUTTON, ROLL_BACK_BUTTON, SKIP_BUTTON, ABORT_BUTTON)


def buttons_of(rollout: Rollout, user: Any) -> list[tuple[Button, str]]:
    """The buttons that the user sees on the rollout now, each with its address."""
    return [
        (button, reverse(f"admin:rollouts_rollout_{button.name}", args=[rollout.pk]))
        for button in _ALL
        if rollout.state in button.states and user.has_perm(button.right)
    ]

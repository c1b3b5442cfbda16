"""The periodic jobs about rollouts and freezes."""

from datetime import timedelta

from core import clock
from core.jobs import periodic
from rollouts.services.endings import forget_deleted_members
from rollouts.services.freezes import end_expired_freezes, thaw_stacks
from rollouts.services.ticking import tick_due


@periodic(every=timedelta(seconds=1))
def tick_rollouts() -> int:
    return tick_due(now=clock.now())


@periodic(every=timedelta(seconds=10))
def watch_freezes() -> int:
    now = clock.now()
    return end_expired_freezes(now=now) + thaw_stacks(now=now)


@periodic(every=timedelta(seconds=10))
def forget_deleted_rollout_members() -> int:
    return forget_deleted_members(now=clock.now())

"""Periodic jobs of stacks."""

from datetime import timedelta

from core import clock
from core.jobs import periodic
from stacks.services import delete_old_associations


@periodic(every=timedelta(hours=6))
def forget_old_stack_associations() -> int:
    return delete_old_associations(now=clock.now())

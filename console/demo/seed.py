"""The demonstration from beginning to end."""

from collections.abc import Callable
from random import Random

from django.db import transaction

from console.demo.contents import fill_inventory
from console.demo.context import DemoContext, Size
from console.demo.fleet import add_agents, add_generators, add_stacks
from console.demo.history import (
    add_reports,
    add_templates,
    add_versions,
    add_work_orders,
    delete_one,
)
from console.demo.observers import add_diagnostics, add_health, add_webhooks
from console.demo.past import add_silences, date_history
from console.demo.past_rollouts import add_past_rollouts
from console.demo.rollouts import add_rollouts
from console.demo.timestamps import backdate_audit_log, backdate_keys, finish_deliveries, note_work_times
from core import clock
from core.events import Actor

_STEPS: tuple[tuple[str, Callable[[DemoContext], None]], ...] = (
    ("generators", add_generators),
    ("agents", add_agents),
    ("stacks", add_stacks),
    ("versions", add_versions),
    ("reports", add_reports),
    ("health", add_health),
    ("webhooks", add_webhooks),
    ("templates", add_templates),
    ("work orders", add_work_orders),
    ("diagnostics", add_diagnostics),
    ("deletion", delete_one),
    ("rollouts", add_rollouts),
    ("past rollouts", add_past_rollouts),
    ("silences", add_silences),
    ("inventory", fill_inventory),
    ("keys", backdate_keys),
    ("times", note_work_times),
    ("deliveries", finish_deliveries),
    ("audit log", backdate_audit_log),
    ("history", date_history),
)
LAST_PHASE = _STEPS[-1][0]


@transaction.atomic
def seed(
    *, size: Size, chance_seed: int, actor: Actor, progress: Callable[[str, float], None]
) -> DemoContext:
    """Build the fleet; the same seed gives the same fleet. `progress` gets the phase and its share that is done."""
    context = DemoContext(
        size=size,
        actor=actor,
        chance=Random(chance_seed),  # noqa: S311  chance, not secrecy
        now=clock.now(),
        progressed=lambda _: None,
    )
    for phase, step in _STEPS:
        progress(phase, 0)
        context.progressed = lambda share, phase=phase: progress(phase, share)  # type: ignore[misc]  # bound now
        step(context)
        progress(phase, 1)
    return context

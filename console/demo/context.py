"""What the parts of the demonstration share: chance, the clock, and the rows there are so far."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from agents.models import Agent
from console.demo import samples
from core.events import Actor
from generators.models import Generator
from stacks.models import DeploymentObject, Stack
from webhooks.models import Subscription

HISTORY = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Size:
    agents: int
    stacks: int
    versions: int
    work_orders: int


@dataclass
class DemoContext:
    size: Size
    actor: Actor
    chance: Random
    now: datetime
    # Called with the share of the present phase that is done.
    progressed: Callable[[float], None]
    generators: dict[str, Generator] = field(default_factory=dict)
    agents: list[Agent] = field(default_factory=list)
    stacks: list[Stack] = field(default_factory=list)
    # The tenant and the name of what each stack runs, and its versions, the oldest first.
    apps: dict[Stack, tuple[str, str]] = field(default_factory=dict)
    objects: dict[Stack, list[DeploymentObject]] = field(default_factory=dict)
    webhooks: list[Subscription] = field(default_factory=list)
    orders: list[UUID] = field(default_factory=list)
    # Since when things are there, by their ids.
    created_at_by_id: dict[UUID | None, datetime] = field(default_factory=dict)
    # When what an audit row tells of happened: by action, what it is about and, of two, the other.
    moments: dict[tuple[str, UUID | None, str | None], datetime] = field(default_factory=dict)

    def happens(self, share: float) -> bool:
        return self.chance.random() < share

    def environment(self) -> str:
        return self.chance.choices(samples.ENVIRONMENTS, weights=(5, 2, 1))[0]

    def between(self, start: datetime, end: datetime) -> datetime:
        return start + (end - start) * self.chance.random()

    def ago(self, *, hours: float = 0, minutes: float = 0) -> datetime:
        return self.now - timedelta(hours=hours, minutes=minutes)

"""What the parts of the demonstration share: the random source, the clock, and the rows made so far."""

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
    # Called with the share of the current phase that is done, 0 to 1.
    progressed: Callable[[float], None]
    generators: dict[str, Generator] = field(default_factory=dict)
    agents: list[Agent] = field(default_factory=list)
    stacks: list[Stack] = field(default_factory=list)
    # The generator's name and the application that each stack runs, and its versions, oldest first.
    apps: dict[Stack, tuple[str, str]] = field(default_factory=dict)
    objects: dict[Stack, list[DeploymentObject]] = field(default_factory=dict)
    webhooks: list[Subscription] = field(default_factory=list)
    orders: list[UUID] = field(default_factory=list)
    # When each row was created, by its id.
    created_at_by_id: dict[UUID | None, datetime] = field(default_factory=dict)
    # When the change of an audit row happened, by action, resource id and the id of a second resource, if any.
    moments: dict[tuple[str, UUID | None, str | None], datetime] = field(default_factory=dict)

    def happens(self, share: float) -> bool:
        return self.chance.random() < share

    def environment(self) -> str:
        return self.chance.choices(samples.ENVIRONMENTS, weights=(5, 2, 1))[0]

    def between(self, start: datetime, end: datetime) -> datetime:
        return start + (end - start) * self.chance.random()

    def ago(self, *, hours: float = 0, minutes: float = 0) -> datetime:
        return self.now - timedelta(hours=hours, minutes=minutes)

"""A small fleet that changes step by step in every way that changes what its agents should have."""

import random
import time
from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from agents.errors import AgentNotRegistered
from agents.models import Agent, AgentTarget, HoldReason, MarkerDelivery, Registration
from agents.services.agents import delete_agent, lock_agent
from agents.services.holds import forget_older_holds, hold, lift_all, release
from agents.services.registrations import deregister_agent
from agents.services.targets import remove_target
from core.events import SYSTEM, Actor
from core.labels.services import add_annotation, add_label, remove_annotation, remove_label
from generators.models import Generator
from paks.actors import ActorType
from stacks.models import DeploymentObject, Stack
from stacks.services import delete_stack, lock_stack, update_stack
from tests.factories import (
    make_agent,
    make_event,
    make_generator,
    make_object,
    make_registration,
    make_stack,
    make_target,
    manifest,
)
from tests.support.api import Api

ADMIN = Actor(type=ActorType.ADMIN, label="test admin")


def quiet_moment() -> datetime:
    """A moment after every write so far and before every later one. SQLite's clock has milliseconds."""
    before = timezone.now()
    while timezone.now().timestamp() - before.timestamp() < 0.002:
        time.sleep(0.001)
    moment = timezone.now()
    while timezone.now().timestamp() - moment.timestamp() < 0.002:
        time.sleep(0.001)
    return moment


class ChangingFleet:
    """Agents, generators and stacks, and a `step` that does one random change through the services."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311  # no secret
        self.keys: dict[Agent, Api] = {}
        self.everybody: list[Agent] = []
        self.generators: list[Generator] = [make_generator()[0] for _ in range(2)]
        self.stacks: list[Stack] = []
        self.published = 0
        for _ in range(3):
            self._new_agent()
            self._new_stack()

    def step(self) -> None:
        """One change. Some try what is there already, and then change nothing."""
        likely: list[Callable[[], object]] = [
            self._label_agent,
            self._label_stack,
            self._annotate_agent,
            self._annotate_stack,
            self._publish,
            self._publish,
            self._target,
            self._register,
            self._report,
            self._report,
            self._release,
            self._lift,
            self._move,
        ]
        seldom = [self._delete_stack, self._delete_agent]
        self._pick(seldom if self._random.random() < 0.04 else likely)()

    def _pick(self, among):
        return self._random.choice(list(among))

    def _new_agent(self) -> None:
        agent, api = make_agent(active=True, labels=["a"])
        for generator in self.generators:
            make_registration(agent, generator)
        self.keys[agent] = api
        self.everybody.append(agent)

    def _new_stack(self) -> None:
        stack = make_stack(self._pick(self.generators), labels=[self._pick("ab")])
        self.stacks.append(stack)
        self.published += 1
        make_object(stack, manifest(self.published))

    def _label_agent(self) -> None:
        self._label(self._pick(self.keys))

    def _label_stack(self) -> None:
        self._label(self._pick(self.stacks))

    def _label(self, owner) -> None:
        label = self._pick("ab")
        if not remove_label(owner=owner, label=label, actor=SYSTEM):
            add_label(owner=owner, label=label, actor=SYSTEM)

    def _annotate_agent(self) -> None:
        self._annotate(self._pick(self.keys))

    def _annotate_stack(self) -> None:
        self._annotate(self._pick(self.stacks))

    def _annotate(self, owner) -> None:
        if not remove_annotation(owner=owner, key="k", actor=SYSTEM):
            add_annotation(owner=owner, key="k", value=self._pick("12"), actor=SYSTEM)

    @transaction.atomic
    def _publish(self) -> None:
        self.published += 1
        is_marker = self._random.random() < 0.15
        stack = self._pick(self.stacks)
        version = make_object(
            stack, "" if is_marker else manifest(self.published), is_deletion_marker=is_marker
        )
        if self._random.random() < 0.4:
            hold(version=version, reason=self._pick([HoldReason.ROLLOUT, HoldReason.FREEZE]))
        forget_older_holds(version=version)

    def _target(self) -> None:
        agent, stack = self._pick(self.keys), self._pick(self.stacks)
        if AgentTarget.objects.filter(agent=agent, stack=stack).exists():
            remove_target(agent_id=agent.pk, stack=stack, actor=SYSTEM)
        else:
            try:
                make_target(agent, stack)
            except AgentNotRegistered:
                make_registration(agent, stack.generator)

    def _register(self) -> None:
        agent, generator = self._pick(self.keys), self._pick(self.generators)
        if Registration.objects.filter(agent=agent, generator=generator).exists():
            deregister_agent(agent_id=agent.pk, generator=generator, actor=SYSTEM)
        else:
            make_registration(agent, generator)

    def _report(self) -> None:
        """About what a poll gives, a marker for choice."""
        agent = self._pick(self.keys)
        rows = self.keys[agent].get(f"/agents/{agent.pk}/target-state?mode=full").json()
        owed = set(MarkerDelivery.objects.filter(agent=agent).values_list("marker__id", flat=True))
        objects = list(DeploymentObject.objects.filter(id__in=[row["id"] for row in rows]).order_by("pk"))
        markers = [obj for obj in objects if obj.id in owed]
        if objects:
            make_event(agent, self._pick(markers or objects), self._pick(["SUCCESS", "SUCCESS", "FAILURE"]))

    def _held(self) -> list[DeploymentObject]:
        return list(DeploymentObject.objects.versions().filter(holds__isnull=False).distinct().order_by("pk"))

    def _release(self) -> None:
        if held := self._held():
            release(version=self._pick(held), agent_ids=[self._pick(self.keys).pk])

    @transaction.atomic
    def _lift(self) -> None:
        if held := self._held():
            lift_all(version=self._pick(held))

    @transaction.atomic
    def _move(self) -> None:
        stack = self._pick(self.stacks)
        owner = self._pick(self.generators)
        update_stack(stack=lock_stack(stack.pk), changes={"generator_id": owner.pk}, actor=ADMIN)
        stack.refresh_from_db()

    @transaction.atomic
    def _delete_stack(self) -> None:
        stack = self._pick(self.stacks)
        self.stacks.remove(stack)
        delete_stack(stack=lock_stack(stack.pk), actor=SYSTEM)
        self._new_stack()

    @transaction.atomic
    def _delete_agent(self) -> None:
        agent = self._pick(self.keys)
        del self.keys[agent]
        delete_agent(agent=lock_agent(agent.pk), actor=SYSTEM)
        self._new_agent()

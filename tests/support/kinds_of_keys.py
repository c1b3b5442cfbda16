"""Callers whose keys have ends, limits or only read, in the world that tests of all routes share."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from core.events import SYSTEM
from generators.models import Generator
from generators.services import issue_generator_pak
from paks.limits import Limits
from paks.models import Pak, Role
from paks.services import issue_pak, replace_pak
from rollouts.models import Rollout
from stacks.models import DeploymentObject, Stack, StackLabel
from tests.factories import make_admin_key, make_stack
from tests.support.api import Api
from tests.support.world import World, make_world

LABEL = "of-the-limited-key"


def make_world_of_keys() -> World:
    """The world with these callers in place of its own:

    `reader` has an admin key that only reads. `stacks` and `labels` have keys of the owner that are limited to the
    stacks which the routes name, by id and by a label; `beyond` has one that is limited to another stack of the owner.
    `old` and `old_agent` have keys of the owner and of the agent in the path that have been replaced and still work.
    `ended` and `ended_agent` have such keys whose overlap is over. `expired` has a key of the owner with an end.
    """
    world = make_world()
    generator = Generator.objects.get(pk=world.ids["generator_id"])
    named = stacks_of_routes(world)
    StackLabel.objects.bulk_create(StackLabel(stack_id=pk, label=LABEL) for pk in named)
    elsewhere = make_stack(generator)
    agent_id = UUID(world.ids["agent_id"])
    callers = {
        "reader": make_admin_key("reader", is_read_only=True),
        "stacks": _limited(generator, Limits(stack_ids=named)),
        "labels": _limited(generator, Limits(labels=frozenset({LABEL}))),
        "beyond": _limited(generator, Limits(stack_ids=frozenset({elsewhere.pk}))),
        "old": _replaced(Role.GENERATOR, generator.pk),
        "old_agent": _replaced(Role.AGENT, agent_id),
        "ended": _ended(*_replaced(Role.GENERATOR, generator.pk)),
        "ended_agent": _ended(*_replaced(Role.AGENT, agent_id)),
        "expired": _ended(
            *issue_generator_pak(
                generator=generator, actor=SYSTEM, expires_at=timezone.now() + timedelta(days=1)
            )
        ),
    }
    return replace(world, callers={name: Api(key) for name, (_, key) in callers.items()})


def stacks_of_routes(world: World) -> frozenset[UUID]:
    """The owner's stacks that the ids of the world lead to."""
    ids = {UUID(world.ids[name]) for name in ("stack_id", "given_stack_id", "rolled_out_stack_id")}
    rollouts = Rollout.objects.filter(pk__in=[world.ids["rollout_id"], world.ids["paused_rollout_id"]])
    objects = DeploymentObject.objects.filter(id__in=[world.ids["object_id"], world.ids["held_object_id"]])
    for rows in (rollouts.values_list("stack", flat=True), objects.values_list("stack", flat=True)):
        ids |= set(rows)
    assert Stack.objects.owned_by(UUID(world.ids["generator_id"])).filter(pk__in=ids).count() == len(ids)
    return frozenset(ids)


def _limited(generator: Generator, limits: Limits) -> tuple[Pak, str]:
    return issue_generator_pak(generator=generator, actor=SYSTEM, name="limited", limits=limits)


def _replaced(role: Role, owner_id: UUID) -> tuple[Pak, str]:
    old, key = issue_pak(role=role, subject_id=owner_id, name="old", actor=SYSTEM)
    replace_pak(pak_id=old.pk, actor=SYSTEM, overlap=timedelta(days=1))
    return old, key


def _ended(pak: Pak, key: str) -> tuple[Pak, str]:
    Pak.objects.filter(pk=pak.pk).update(ends_at=timezone.now() - timedelta(hours=1))
    return pak, key

"""What must hold of rollouts after every step, in plain Python over the rows of the tables."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from agents.models import HoldReason, MarkerDelivery, VersionHold, VersionRelease
from rollouts.models import Freeze, Rollout, RolloutCheck, RolloutMember, RolloutState, RolloutWave
from rollouts.models.rollout import FINAL, RUNNING
from rollouts.strategies import HealthGate
from stacks.models import DeploymentObject
from tests.support.rollout_fleet import Fleet, Pair, Published, Told, Violation


@dataclass
class Seen:
    """The tables at one moment. Agents and stacks by their names, versions by their numbers, newest first."""

    at: datetime
    versions: dict[str, list[Published]]
    holds: dict[int, set[str]]
    releases: set[tuple[int, str]]
    owed: dict[str, set[int]]
    # Which agent must remove which stack that lives on.
    removals: set[Pair]
    rollouts: dict[UUID, Rollout]
    waves: dict[tuple[UUID, int], RolloutWave]
    members: dict[UUID, dict[str, RolloutMember]]
    # By rollout and wave, the names of the checks that have passed.
    passed: dict[tuple[UUID, int], set[str]]
    freezes: list[Freeze]
    serving: dict[str, set[str]]
    wanted: dict[Pair, Published | None] = field(default_factory=dict)

    def newest_unheld(self, stack: str) -> Published | None:
        return next((each for each in self.versions[stack] if not self.holds.get(each.seq)), None)

    def failing(self, rollout: Rollout, stack: str, told: Told) -> set[str]:
        """Released members whose failure nobody has accepted."""
        return {
            name
            for name, member in self.members[rollout.pk].items()
            if not member.is_deferred
            and not member.is_accepted
            and name in self.serving[stack]
            and told.is_failing(name, stack, rollout.version_id)
        }


def look(fleet: Fleet) -> Seen:
    """The tables now."""
    versions: dict[str, list[Published]] = defaultdict(list)
    rows = DeploymentObject.objects.versions().newest_first().values_list("id", flat=True)
    for object_id in rows.filter(stack__in=list(fleet.stacks.values())):
        version = fleet.version(object_id.hex)
        versions[version.stack].append(version)
    holds: dict[int, set[str]] = defaultdict(set)
    for seq, reason in VersionHold.objects.values_list("version_id", "reason"):
        holds[seq].add(reason)
    members: dict[UUID, dict[str, RolloutMember]] = defaultdict(dict)
    for member in RolloutMember.objects.all():
        members[member.rollout_id][fleet.name_of_agent(member.agent_id)] = member
    passed: dict[tuple[UUID, int], set[str]] = defaultdict(set)
    for check in RolloutCheck.objects.filter(verdict=RolloutCheck.Verdict.PASSED):
        passed[check.rollout_id, check.wave].add(check.name)
    owed: dict[str, set[int]] = defaultdict(set)
    removals: set[Pair] = set()
    for delivery in MarkerDelivery.objects.select_related("marker"):
        name = fleet.name_of_agent(delivery.agent_id)
        owed[name].add(delivery.marker_id)
        if delivery.marker.recipient_id is not None:
            removals.add((name, fleet.name_of_stack(delivery.marker.stack_id)))
    seen = Seen(
        at=fleet.clock.now,
        versions=versions,
        holds=holds,
        releases={
            (seq, fleet.name_of_agent(agent_id))
            for seq, agent_id in VersionRelease.objects.values_list("version_id", "agent_id")
        },
        owed=owed,
        removals=removals,
        rollouts={row.pk: row for row in Rollout.objects.order_by("version")},
        waves={(row.rollout_id, row.number): row for row in RolloutWave.objects.all()},
        members=members,
        passed=passed,
        freezes=list(Freeze.objects.holding()),
        serving={stack: set(fleet.serving(stack)) for stack in fleet.stacks},
    )
    for stack in fleet.stacks:
        for agent in fleet.agents:
            seen.wanted[agent, stack] = _wanted(fleet, seen, agent, stack)
    return seen


def covered(fleet: Fleet, freeze: Freeze) -> list[str]:
    """The stacks that a freeze fixes."""
    return [
        name
        for name, stack in fleet.stacks.items()
        if name not in fleet.deleted_stacks
        and (
            freeze.scope == Freeze.Scope.FLEET
            or (
                freeze.scope == Freeze.Scope.GENERATOR
                and fleet.generators["red" if name == "shop" else "blue"].pk == freeze.generator_id
            )
            or any(freeze.label in fleet.agents[agent].labels for agent in fleet.serving(name))
        )
    ]


def _wanted(fleet: Fleet, seen: Seen, agent: str, stack: str) -> Published | None:
    if not fleet.serves(agent, stack):
        return None
    return next(
        (
            each
            for each in seen.versions[stack]
            if not seen.holds.get(each.seq) or (each.seq, agent) in seen.releases
        ),
        None,
    )


@dataclass
class Rules:
    """Compares what is seen after a step with what was seen before it. `check` raises Violation."""

    fleet: Fleet
    before: Seen
    # What the broker had been told when the step began, and whenever something came between.
    moments: list[tuple[datetime, Told]] = field(default_factory=list)
    # Versions that somebody who may has published or released for everybody.
    open: set[int] = field(default_factory=set)
    wanted: dict[Pair, int] = field(default_factory=dict)
    frozen: dict[UUID, dict[Pair, int | None]] = field(default_factory=dict)

    def remember(self) -> None:
        """Something is about to be told, or to be done."""
        self.moments.append((self.fleet.clock.now, self.fleet.told.copy()))

    def check(self) -> Seen:
        """Look, compare, and begin the next step from here."""
        self.remember()
        seen = look(self.fleet)
        self._answers(seen)
        self._holds(seen)
        self._order(seen)
        self._removals(seen)
        self._freezes(seen)
        for rollout in seen.rollouts.values():
            self._members(seen, rollout)
            self._proofs(seen, rollout)
            self._releases(seen, rollout)
            self._ends(rollout)
        self.before, self.moments = seen, []
        return seen

    def _answers(self, seen: Seen) -> None:
        """Nobody is offered a version that is held and not released to it; in full mode exactly what it should have."""
        for agent in self.fleet.agents.values():
            if agent.is_deleted:
                continue
            answer = self.fleet.ask(agent)
            wanted = {each.seq for stack in self.fleet.stacks if (each := seen.wanted[agent.name, stack])}
            offered = {each.seq for each in answer}
            strange = offered - wanted - seen.owed[agent.name]
            if strange or (not agent.is_incremental and wanted - offered):
                raise Violation(f"{agent.name} should have {wanted}, and is offered {offered}")

    def _holds(self, seen: Seen) -> None:
        """What is for everybody is so because a rollout succeeded, or somebody let it."""
        succeeded = {
            each.version_id for each in seen.rollouts.values() if each.state == RolloutState.SUCCEEDED
        }
        for stack in self.fleet.stacks:
            newest = None if stack in self.fleet.deleted_stacks else seen.newest_unheld(stack)
            if newest is not None and newest.seq not in succeeded | self.open:
                raise Violation(f"#{newest.seq} of {stack} is for everybody, and nobody said so")
            for version in seen.versions[stack]:
                its = seen.holds.get(version.seq)
                if its and newest is not None and version.seq < newest.seq:
                    raise Violation(f"#{version.seq} is held, {its}, though #{newest.seq} is for everybody")

    def _order(self, seen: Seen) -> None:
        """While an agent serves a stack, what it wants goes never back and becomes never nothing."""
        for pair, version in seen.wanted.items():
            if not self.fleet.serves(*pair):
                self.wanted.pop(pair, None)
                continue
            was = self.wanted.get(pair)
            if was is not None and (version is None or version.seq < was):
                raise Violation(f"what {pair} wants went back from #{was} to {version}")
            if version is not None:
                self.wanted[pair] = version.seq

    def _removals(self, seen: Seen) -> None:
        """Nobody must remove what it serves."""
        for pair in seen.removals:
            if self.fleet.serves(*pair):
                raise Violation(f"{pair} is served, and its removal is owed")

    def _freezes(self, seen: Seen) -> None:
        """Under a freeze nothing changes of what is wanted."""
        holding = {freeze.pk: freeze for freeze in seen.freezes}
        self.frozen = {pk: fixed for pk, fixed in self.frozen.items() if pk in holding}
        now = {pair: version.seq if version else None for pair, version in seen.wanted.items()}
        for pk, fixed in self.frozen.items():
            stacks = covered(self.fleet, holding[pk])
            for pair, was in fixed.items():
                agent, stack = pair
                is_there = stack in stacks and not self.fleet.agents[agent].is_deleted
                if is_there and now[pair] != was:
                    raise Violation(f"a freeze holds, and what {pair} wants went from {was} to {now[pair]}")
        for pk, freeze in holding.items():
            stacks = covered(self.fleet, freeze)
            self.frozen[pk] = {pair: was for pair, was in now.items() if pair[1] in stacks}

    def _members(self, seen: Seen, rollout: Rollout) -> None:
        """Members stay in their wave; released are those of released waves, and of a wave no more than it allows."""
        members = seen.members[rollout.pk]
        for name, member in self.before.members.get(rollout.pk, {}).items():
            if name in members and members[name].wave != member.wave:
                raise Violation(f"{name} went from wave {member.wave} to {members[name].wave}")
        for name, member in members.items():
            if member.wave > rollout.wave:
                raise Violation(f"{name} is in wave {member.wave}, which is not released")
            if (rollout.version_id, name) not in seen.releases and not member.is_deferred:
                raise Violation(f"{name} is a member, is not deferred, and has no release")
        # Who got the version by a rollout of it that was aborted keeps it.
        same = [each.pk for each in seen.rollouts.values() if each.version_id == rollout.version_id]
        for seq, name in seen.releases:
            if seq == rollout.version_id and not any(name in seen.members[pk] for pk in same):
                raise Violation(f"#{seq} is released to {name}, which is in no wave")

    def _proofs(self, seen: Seen, rollout: Rollout) -> None:
        """Who counts as proven has been good for the soak, and so has a wave."""
        strategy, stack = rollout.strategy, self.fleet.name_of_stack(rollout.stack_id)
        before = self.before.members.get(rollout.pk, {})
        for name, member in seen.members[rollout.pk].items():
            was = before.get(name)
            is_new = member.proven_at is not None and (was is None or was.proven_at is None)
            if is_new and not self._ever(self._good(rollout, stack, name, member.wave)):
                raise Violation(f"{name} counts as proven with #{rollout.version_id}, and is not")
        for number in range(1, rollout.wave + 1):
            wave, old = seen.waves[rollout.pk, number], self.before.waves.get((rollout.pk, number))
            if wave.proven_at is None or (old is not None and old.proven_at is not None):
                continue
            has_checks = set(strategy.wave(number).checks) <= seen.passed[rollout.pk, number]
            if has_checks and self._is_wave_good(seen, rollout, stack, number):
                continue
            raise Violation(f"wave {number} of #{rollout.version_id} ({strategy.name}) counts as proven")

    def _is_wave_good(self, seen: Seen, rollout: Rollout, stack: str, number: int) -> bool:
        members = seen.members[rollout.pk]
        # Who left in this very step may have counted, or not.
        present = seen.serving[stack] | self.before.serving[stack]
        inside = {name for name, member in members.items() if member.wave == number and name in present}
        counted = {name for name in inside if not members[name].is_deferred}
        matched = seen.waves[rollout.pk, number].matched
        released = {name for name, member in members.items() if not member.is_deferred}
        budget = rollout.strategy.wave(number).max_failures.of(len(released))
        stayed = released & seen.serving[stack] & self.before.serving[stack]

        def is_good(told: Told, now: datetime) -> bool:
            proven = {
                name
                for name in counted
                if members[name].proven_at is not None or self._good(rollout, stack, name, number)(told, now)
            }
            failing = {name for name in counted if told.is_failing(name, stack, rollout.version_id)}
            accepted = {name for name in failing if members[name].is_accepted}
            gone = counted - seen.serving[stack] | counted - self.before.serving[stack]
            waiting = counted - proven - failing - gone
            bad = {name for name in stayed if told.is_failing(name, stack, rollout.version_id)}
            bad = {name for name in bad if not members[name].is_accepted}
            return not waiting and bool(proven - failing or accepted) and len(bad) <= budget

        has_nobody = not inside & seen.serving[stack] or not inside & self.before.serving[stack]
        return not matched or has_nobody or self._ever(is_good)

    def _good(self, rollout: Rollout, stack: str, name: str, number: int) -> Callable[[Told, datetime], bool]:
        rule = rollout.strategy.wave(number)
        is_marker = any(
            each.is_marker for each in self.before.versions[stack] if each.seq == rollout.version_id
        )
        gate = HealthGate.IGNORED if is_marker else rule.health

        def is_proof(told: Told, now: datetime) -> bool:
            return told.is_proof(name, stack, rollout.version_id, soak=rule.soak_seconds, gate=gate, now=now)

        return is_proof

    def _ever(self, question: Callable[[Told, datetime], bool]) -> bool:
        return any(question(told, now) for now, told in self.moments)

    def _releases(self, seen: Seen, rollout: Rollout) -> None:
        """A wave is released only after the proof of the wave before, within the budget, with approval and checks."""
        stack = self.fleet.name_of_stack(rollout.stack_id)
        for number in range(1, rollout.wave + 1):
            wave, old = seen.waves[rollout.pk, number], self.before.waves.get((rollout.pk, number))
            if wave.released_at is None:
                raise Violation(f"wave {number} is behind, and was never released")
            if old is not None and old.released_at is not None:
                continue
            rule = rollout.strategy.wave(number)
            if rule.needs_approval and wave.approved_at is None:
                raise Violation(f"wave {number} was released without approval")
            size = sum(member.wave == number for member in seen.members[rollout.pk].values())
            is_last = number == len(rollout.strategy.waves)
            if size > rule.size(wave.matched) and not is_last:
                raise Violation(f"wave {number} took {size} of {wave.matched}")
            if number == 1:
                continue
            previous = seen.waves[rollout.pk, number - 1]
            if previous.proven_at is None or previous.proven_at > wave.released_at:
                raise Violation(f"wave {number} was released before wave {number - 1} was proven")
            known = self.before.rollouts.get(rollout.pk, rollout)
            released = [each for each in seen.members[rollout.pk].values() if not each.is_deferred]
            budget = rollout.strategy.wave(number - 1).max_failures.of(len(released))
            if all(len(self.before.failing(known, stack, told)) > budget for _, told in self.moments):
                raise Violation(f"wave {number} was released although more than {budget} failed")

    def _ends(self, rollout: Rollout) -> None:
        was = self.before.rollouts.get(rollout.pk)
        # A success may be rolled back, and so may an abort.
        reopens = {RolloutState.SUCCEEDED, RolloutState.ABORTED}
        if was is None or was.state not in FINAL or was.state == rollout.state:
            return
        if was.state not in reopens or rollout.state != RolloutState.ROLLED_BACK:
            raise Violation(f"a rollout went from {was.state} to {rollout.state}")


def running(seen: Seen, fleet: Fleet, stack: str) -> Rollout | None:
    return next(
        (
            each
            for each in seen.rollouts.values()
            if each.stack_id == fleet.stacks[stack].pk and each.state in RUNNING
        ),
        None,
    )


def held_for(seen: Seen, stack: str, reason: HoldReason) -> list[Published]:
    """The versions of the stack that are held for the reason, newest first."""
    return [each for each in seen.versions[stack] if reason in seen.holds.get(each.seq, ())]

"""One run of the state machine of rollouts: what its rules do, and how it must end."""

from collections.abc import Callable
from contextlib import nullcontext, suppress
from datetime import timedelta
from functools import partial
from itertools import count

from django.db import transaction

from agents.models import HoldReason
from agents.services.agents import delete_agent, lock_agent
from agents.unending_holds import unending_holds
from core.errors import DomainError
from core.events import Actor
from core.labels.services import add_label, remove_label
from generators.services import delete_generator, lock_generator
from paks.actors import ActorType
from rollouts.models import Freeze, Rollout, RolloutCheck, RolloutState
from rollouts.models.rollout import UNFINISHED
from rollouts.services.control import abort, approve, report_check, resume
from rollouts.services.freezes import begin_freeze, end_expired_freezes, lift_freeze, thaw_stacks
from rollouts.services.person_releases import release_version
from rollouts.services.rollbacks import roll_back
from rollouts.services.strategies import set_stack_strategy
from rollouts.services.ticking import tick_due
from stacks.models import DeploymentObject
from stacks.services import PublishOptions, delete_stack, lock_stack, publish
from tests.factories import manifest
from tests.support.interruptions import killed_after, meanwhile, run_commit_hooks
from tests.support.rollout_fleet import WORD, Fleet, Published, Violation
from tests.support.rollout_rules import Rules, held_for, look, running
from tests.support.rollouts import ADMIN

# Enough for three rollouts of three waves, one after another.
_ROUNDS_TO_THE_END = 40


class RolloutRun:
    """A fleet in which both stacks have a first version. What is refused is not done, and is no mistake."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.rules = Rules(fleet, look(fleet))
        self.seen = self.rules.before
        self.steps = 0
        self._serials = count(1)
        self._published: DeploymentObject | None = None

    def begin(self) -> None:
        for stack in self.fleet.stacks:
            self.do(partial(self.publish, stack, "good", strategy="none"))
        self.go_round()

    def do(self, act: Callable[[], object], *, dies: int | None = None) -> bool:
        """One step; whether it came to its end. It may die after so many statements. All rules must hold then."""
        done = self._try(act, dies)
        self.look()
        return done

    def look(self) -> None:
        self.steps += 1
        self.seen = self.rules.check()

    def _try(self, act: Callable[[], object], dies: int | None = None) -> bool:
        done = False
        self.rules.remember()
        try:
            with killed_after(dies) if dies else nullcontext():
                act()
                done = True
        except DomainError:
            pass
        if self._published is not None:
            self._note(self._published)
        run_commit_hooks()
        return done

    def _note(self, version: DeploymentObject) -> None:
        """Remember a new version that everybody may have. Not in the act: nobody dies at a question of the test."""
        self._published = None
        is_free = not Rollout.objects.filter(version=version).exists()
        if is_free and HoldReason.ROLLED_BACK_CONTENT not in version.holds.values_list("reason", flat=True):
            self.rules.open.add(version.pk)

    # People and pipelines.

    def publish(
        self, stack: str, outcome: str, *, strategy: str | None = None, as_generator: bool = False
    ) -> None:
        """`outcome` says what the version does to agents."""
        is_marker = outcome == "marker"
        content = "" if is_marker else manifest(f"{outcome}-{next(self._serials)}")
        self.publish_content(stack, content, strategy=strategy, as_generator=as_generator)

    def publish_content(
        self, stack: str, content: str, *, strategy: str | None = None, as_generator: bool = False
    ) -> None:
        row = self.fleet.stacks[stack]
        actor = Actor(type=ActorType.GENERATOR, id=row.generator_id) if as_generator else ADMIN
        self._published = publish(
            stack_id=row.pk,
            yaml_content=content,
            is_deletion_marker=not content,
            actor=actor,
            options=PublishOptions(strategy=strategy, reason="x" if strategy else ""),
        )

    def choose_strategy(self, stack: str, name: str) -> None:
        with transaction.atomic():
            row = lock_stack(self.fleet.stacks[stack].pk)
            set_stack_strategy(stack=row, name_or_id=name, reason="x", actor=ADMIN)

    def running(self, stack: str) -> Rollout | None:
        return running(self.seen, self.fleet, stack)

    def roll_back(self, rollout: Rollout) -> None:
        was = Rollout.objects.get(pk=rollout.pk).state
        version = roll_back(rollout_id=rollout.pk, reason="x", actor=ADMIN, now=self.fleet.clock.now)
        if was == RolloutState.SUCCEEDED:
            self.rules.open.add(version.pk)

    def approve(self, rollout: Rollout) -> None:
        approve(
            rollout_id=rollout.pk, wave=rollout.wave + 1, reason="", actor=ADMIN, now=self.fleet.clock.now
        )

    def check(self, rollout: Rollout, verdict: RolloutCheck.Verdict) -> None:
        report_check(
            rollout_id=rollout.pk,
            wave=rollout.wave,
            name="smoke",
            verdict=verdict,
            note="",
            actor=ADMIN,
            now=self.fleet.clock.now,
        )

    def release_held(self, stack: str) -> None:
        """A person lets the newest version go that somebody's rollback or abort holds."""
        found = held_for(self.seen, stack, HoldReason.ROLLED_BACK_CONTENT)
        found = found or held_for(self.seen, stack, HoldReason.ROLLOUT)
        if found:
            version = DeploymentObject.objects.get(pk=found[0].seq)
            rollout = release_version(version=version, reason="x", actor=ADMIN, now=self.fleet.clock.now)
            if rollout is None:
                self.rules.open.add(version.pk)

    def freeze(self, scope: Freeze.Scope, label: str, seconds: int | None) -> None:
        now = self.fleet.clock.now
        begin_freeze(
            scope=scope,
            reason="x",
            actor=ADMIN,
            now=now,
            generator_id=self.fleet.generators["red"].pk if scope == Freeze.Scope.GENERATOR else None,
            label=label if scope == Freeze.Scope.LABEL else "",
            until=now + timedelta(seconds=seconds) if seconds else None,
        )

    def lift(self) -> None:
        for freeze in self.seen.freezes[:1]:
            lift_freeze(freeze_id=freeze.pk, actor=ADMIN, now=self.fleet.clock.now)

    # Who serves what.

    def change_label(self, agent: str, label: str, dies: int | None = None) -> None:
        """Add it or remove it."""
        its = self.fleet.agents[agent]
        change = remove_label if label in its.labels else add_label
        if not its.is_deleted and self._try(lambda: change(owner=its.row, label=label, actor=ADMIN), dies):
            its.labels ^= {label}
        self.look()

    def change_label_of_stack(self, stack: str) -> None:
        labels, word, row = self.fleet.stack_labels[stack], WORD[stack], self.fleet.stacks[stack]
        change = remove_label if word in labels else add_label
        if stack not in self.fleet.deleted_stacks and self._try(
            lambda: change(owner=row, label=word, actor=ADMIN)
        ):
            labels ^= {word}
        self.look()

    def delete_agent(self, name: str, dies: int | None) -> None:
        agent = self.fleet.agents[name]

        def delete() -> None:
            with transaction.atomic():
                delete_agent(agent=lock_agent(agent.row.pk), actor=ADMIN)

        agent.is_deleted = agent.is_deleted or self._try(delete, dies)
        self.look()

    def delete_stack(self, stack: str, *, with_generator: str = "", dies: int | None = None) -> None:
        """With the generator of that name when there is one."""

        def delete() -> None:
            with transaction.atomic():
                if with_generator:
                    row = lock_generator(self.fleet.generators[with_generator].pk)
                    delete_generator(generator=row, actor=ADMIN)
                else:
                    delete_stack(stack=lock_stack(self.fleet.stacks[stack].pk), actor=ADMIN)

        if self._try(delete, dies):
            self.fleet.deleted_stacks.add(stack)
        self.look()

    # Agents and workers.

    def poll(self, agent: str) -> None:
        wanted: dict[str, Published | None] = {
            stack: self.seen.wanted[agent, stack] for stack in self.fleet.stacks
        }
        self.fleet.poll(agent, wanted)

    def work(self) -> None:
        """All that the worker does of this: the jobs of the app `rollouts`."""
        now = self.fleet.clock.now
        end_expired_freezes(now=now)
        thaw_stacks(now=now)
        tick_due(now=now)

    def work_while(self, after: int, act: Callable[[], object]) -> None:
        """Something happens when the worker has made so many statements, between two transactions."""

        def other() -> None:
            self.rules.remember()
            with suppress(DomainError):
                act()
            self.rules.remember()

        self.rules.remember()
        with meanwhile(after, other):
            self.work()
        run_commit_hooks()
        self.look()

    def go_round(self) -> None:
        """A minute of everybody: polls, reports, and the worker."""
        for agent in self.fleet.agents:
            self.poll(agent)
        while self.fleet.queue:
            self._try(partial(self.fleet.deliver, 0))
        self.fleet.clock.advance(61)
        self.do(self.work)

    # The end.

    def settle(self, *, with_rollback: bool) -> None:
        """Nothing is bad any more, everybody is there, and people do what is asked of them: then all must end."""
        self.fleet.is_healed = True
        for agent in self.fleet.agents.values():
            agent.is_silent = False
        while self.seen.freezes:
            self.do(self.lift)
        self.do(self.work)
        if with_rollback:
            for stack in self.fleet.stacks:
                if rollout := self.running(stack):
                    self.do(partial(self.roll_back, rollout))
        for _ in range(_ROUNDS_TO_THE_END):
            self._help()
            self.go_round()
            if not self._unfinished():
                break
        self.go_round()
        self.go_round()
        self._must_be_over()

    def _help(self) -> None:
        """Resume, approve and say that checks passed, wherever somebody waits for it."""
        for rollout in self._unfinished():
            now = self.fleet.clock.now
            if rollout.state == RolloutState.PAUSED:
                self.do(partial(resume, rollout_id=rollout.pk, reason="x", actor=ADMIN, now=now))
            if rollout.state == RolloutState.WAITING_FOR_APPROVAL:
                self.do(partial(self.approve, rollout))
            if rollout.wave and rollout.strategy.wave(rollout.wave).checks:
                self.do(partial(self.check, rollout, RolloutCheck.Verdict.PASSED))

    def _unfinished(self) -> list[Rollout]:
        return [each for each in self.seen.rollouts.values() if each.state in UNFINISHED]

    def _must_be_over(self) -> None:
        if endless := self._unfinished():
            raise Violation(f"{[(each.strategy_name, each.state, each.wave) for each in endless]} never ends")
        if found := unending_holds():
            raise Violation(f"held for ever: {found}")
        for stack in self.fleet.stacks:
            if stack not in self.fleet.deleted_stacks:
                self._must_agree(stack)

    def _must_agree(self, stack: str) -> None:
        serving = self.fleet.serving(stack)
        contents = {(each.content if (each := self.seen.wanted[agent, stack]) else None) for agent in serving}
        ids = self.fleet.stacks[stack].pk
        last = [each for each in self.seen.rollouts.values() if each.stack_id == ids]
        # After an abort who has the version keeps it, and nobody else gets it.
        if len(contents) > 1 and last[-1].state != RolloutState.ABORTED:
            raise Violation(f"agents of {stack} want different contents at the end: {contents}")
        for agent in serving:
            wanted, runs = self.seen.wanted[agent, stack], self.fleet.agents[agent].runs.get(stack)
            should = None if wanted is None or wanted.is_marker else wanted.content
            if should != (runs.content if runs else None):
                raise Violation(f"{agent} should have {wanted}, and runs {runs}")
        for agent in self.fleet.agents:
            its = self.fleet.agents[agent]
            if (
                agent not in serving
                and not its.is_deleted
                and stack in its.runs
                and not self.seen.owed[agent]
            ):
                raise Violation(f"{agent} has left {stack}, and keeps {its.runs[stack]}")

    def abort_any(self, stack: str) -> None:
        if rollout := self.running(stack):
            abort(rollout_id=rollout.pk, reason="x", actor=ADMIN, now=self.fleet.clock.now)

"""Rollouts: how one version reaches the agents of its stack, wave by wave."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from agents.models import Agent
from core.moments import MomentField
from rollouts.querysets import RolloutQuerySet
from rollouts.strategies import Strategy, strategy_from_json
from stacks.models import DeploymentObject, Stack


class RolloutState(models.TextChoices):
    """The state of a rollout. `RUNNING`, `UNSTARTED` and `FINAL` below are groups of states."""

    # It waits until the rollout before it has ended.
    QUEUED = "queued"
    # The version was published during a freeze.
    FROZEN = "frozen"
    WAITING_FOR_APPROVAL = "waiting_for_approval"
    PROGRESSING = "progressing"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    ABORTED = "aborted"
    ROLLED_BACK = "rolled_back"
    SUPERSEDED = "superseded"


UNSTARTED = (RolloutState.QUEUED, RolloutState.FROZEN)
# The worker looks at rollouts in these states.
MOVING = (RolloutState.WAITING_FOR_APPROVAL, RolloutState.PROGRESSING)
RUNNING = (*MOVING, RolloutState.PAUSED)
UNFINISHED = (*UNSTARTED, *RUNNING)
FINAL = (
    RolloutState.SUCCEEDED,
    RolloutState.ABORTED,
    RolloutState.ROLLED_BACK,
    RolloutState.SUPERSEDED,
)


class Rollout(models.Model):
    """The release of one version in waves. Waves are numbered from 1."""

    NOUN: ClassVar[str] = "rollout"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = MomentField(editable=False)
    stack = models.ForeignKey(Stack, on_delete=models.PROTECT, related_name="rollouts", db_index=False)
    version = models.ForeignKey(DeploymentObject, on_delete=models.PROTECT, related_name="rollouts")
    # The version that all agents should have had when the rollout started. A rollback brings it back.
    previous = models.ForeignKey(
        DeploymentObject, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    # It decides the order in which waves take agents. It is the id of the first of the rollouts that superseded each
    # other, or of the first of the same version.
    chain_id = models.UUIDField(default=uuid7, editable=False)
    strategy_name = models.CharField(max_length=255)
    # A copy of the strategy, as `strategies.strategy_to_json` writes it.
    definition = models.JSONField()

    state = models.CharField(max_length=20, choices=RolloutState.choices)
    state_since = MomentField()
    # Why the rollout is in this state, if there is more to say: a value of `StopReason` or
    # `services.transitions.Cause`, the reason that a person gave, and the name of that person.
    cause = models.CharField(max_length=40, blank=True)
    reason = models.TextField(blank=True)
    changed_by = models.CharField(max_length=255, blank=True)
    is_skipped = models.BooleanField(default=False)
    # The number of the newest released wave; 0 before the first.
    wave = models.PositiveSmallIntegerField(default=0)
    started_at = models.DateTimeField(null=True)
    # When it gave the version to everybody; null until then, and when it ended otherwise.
    unheld_at = models.DateTimeField(null=True)
    # When the worker looks again, although nothing is reported. A report sets it to now.
    next_look_at = models.DateTimeField(null=True)

    publisher_role = models.CharField(max_length=20)
    publisher_id = models.UUIDField(null=True)
    publisher_key_id = models.UUIDField(null=True)
    publisher_label = models.CharField(max_length=255, blank=True)

    objects = RolloutQuerySet.as_manager()

    class Meta:
        db_table = "rollouts"
        permissions = [("approve", "Can approve the waves of rollouts")]
        constraints = [
            models.UniqueConstraint(
                fields=["stack"],
                condition=Q(state__in=["waiting_for_approval", "progressing", "paused"]),
                name="one_running_rollout",
            ),
            models.UniqueConstraint(fields=["stack"], condition=Q(state="queued"), name="one_queued_rollout"),
        ]
        indexes = [
            models.Index(
                fields=["next_look_at"],
                name="rollouts_due",
                condition=Q(state__in=["waiting_for_approval", "progressing"]),
            ),
            models.Index(fields=["stack", "-created_at", "-id"], name="rollouts_of_stack"),
            models.Index(fields=["-created_at", "-id"], name="rollouts_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.strategy_name} #{self.version_id}"

    @property
    def strategy(self) -> Strategy:
        """The rollout's copy of the strategy."""
        return strategy_from_json(self.strategy_name, self.definition)

    @property
    def is_final(self) -> bool:
        return self.state in FINAL


class RolloutWave(models.Model):
    """The state of one wave. The rows of all waves are written when the rollout starts."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    rollout = models.ForeignKey(Rollout, on_delete=models.CASCADE, related_name="waves", db_index=False)
    number = models.PositiveSmallIntegerField()
    released_at = models.DateTimeField(null=True)
    # When the deadline began to run: at the release, at the latest resume or at the end of a freeze.
    running_since = models.DateTimeField(null=True)
    # How many agents matched the wave when it was released.
    matched = models.PositiveIntegerField(default=0)
    proven_at = models.DateTimeField(null=True)
    approved_at = models.DateTimeField(null=True)
    approved_by = models.CharField(max_length=255, blank=True)
    approval_reason = models.TextField(blank=True)

    class Meta:
        db_table = "rollout_waves"
        constraints = [models.UniqueConstraint(fields=["rollout", "number"], name="unique_rollout_wave")]

    def __str__(self) -> str:
        return f"wave {self.number}"


class RolloutMember(models.Model):
    """An agent in a wave. The row is written when the wave is released."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    rollout = models.ForeignKey(Rollout, on_delete=models.CASCADE, related_name="members", db_index=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="rollout_members")
    wave = models.PositiveSmallIntegerField()
    # The agent was silent or inactive when the wave was released. It has not got the version, and the wave does not
    # wait for it.
    is_deferred = models.BooleanField(default=False)
    # A person who resumed the rollout accepted the agent's failure.
    is_accepted = models.BooleanField(default=False)
    proven_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "rollout_members"
        constraints = [models.UniqueConstraint(fields=["rollout", "agent"], name="unique_rollout_member")]
        # The index has the order of writing, so that counting the members of a rollout reads each page once.
        indexes = [models.Index(fields=["rollout", "wave"], name="rollout_members_of_wave")]

    def __str__(self) -> str:
        return f"{self.agent_id} in wave {self.wave}"


class RolloutCheck(models.Model):
    """The latest verdict of an outside check on a wave."""

    class Verdict(models.TextChoices):
        PASSED = "passed"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    rollout = models.ForeignKey(Rollout, on_delete=models.CASCADE, related_name="checks", db_index=False)
    wave = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=64)
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    note = models.TextField(blank=True)
    reported_by = models.CharField(max_length=255, blank=True)
    reported_at = MomentField()

    class Meta:
        db_table = "rollout_checks"
        constraints = [
            models.UniqueConstraint(fields=["rollout", "wave", "name"], name="unique_rollout_check")
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.verdict}"

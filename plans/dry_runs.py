"""Runs a write in a transaction that is rolled back, and says what agents should have before and after it."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.models.functions import Length

from core.errors import DomainError
from core.refusals import noting_refusals
from inventory.conflicts import Conflict, conflicts_of_pairs
from plans.changes import Changes, Kind, TouchedPair, compare
from plans.errors import PlanTooLong
from plans.scopes import Scope
from plans.snapshots import Snapshot, take
from stacks.models import DeploymentObject

_Answer = TypeVar("_Answer")

# On PostgreSQL: how long the write may wait for a lock, and how long one statement may take.
_LOCK_TIMEOUT: Final = "1s"
_STATEMENT_TIMEOUT: Final = "5s"
_ATTEMPTS: Final = 3
# On SQLite all writers wait meanwhile. The database asks every so many steps whether to go on. A fleet is too large if
# this computes for longer; where the machine has much else to do, the same may take several times as long.
_SQLITE_SECONDS: Final = 0.5
_SQLITE_SLOWNESS: Final = 4
_SQLITE_STEPS: Final = 10_000
# The manifests that are compared: so many pairs of versions, and so many characters of text.
MAX_COMPARED: Final = 50
MAX_CHARACTERS: Final = 8_000_000

# The sequence ids of a stack's version before and after; None where there is none.
VersionStep = tuple[UUID, int | None, int | None]


@dataclass(frozen=True, slots=True)
class DryRun(Generic[_Answer]):
    """What a write would do. `answer` is what it returned, `refused_by` what would refuse it.

    `steps` are the versions that agents go between, the most frequent first, with the number of agents, without those
    that are deleted; `texts` has the manifests of as many of their versions as may be compared. `made` are the versions
    that the write would make. `conflicts` are those of the versions that agents gain or change to.
    """

    before: Snapshot
    after: Snapshot
    changes: Changes
    answer: _Answer
    refused_by: list[DomainError]
    steps: list[tuple[VersionStep, int]]
    texts: Mapping[int, str]
    made: frozenset[int]
    conflicts: Sequence[Conflict]


def dry_run(
    scope: Callable[[], Scope], change: Callable[[], _Answer], *, patience: float | None = None
) -> DryRun[_Answer]:
    """Run the change and undo it. `scope` is asked inside the transaction, before the change.

    On SQLite it computes for at most `patience` seconds, or half a second, and takes at most four times as long.

    Raises what the change refuses, but for refusals that a plan notes; PlanTooLong, and Django's database errors.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return _run(scope, change, _SQLITE_SECONDS if patience is None else patience)
        except OperationalError as error:
            if _was_interrupted(error):
                raise PlanTooLong from error
            if not _must_repeat(error) or connection.in_atomic_block or attempt == _ATTEMPTS:
                raise
    raise AssertionError("unreachable")


def _run(scope: Callable[[], Scope], change: Callable[[], _Answer], patience: float) -> DryRun[_Answer]:
    is_nested = connection.in_atomic_block
    with transaction.atomic(), _bounded(patience, is_nested=is_nested), noting_refusals() as refusals:
        near = scope()
        before = take(near, is_before=True)
        newest = _newest_id()
        answer = change()
        after = take(near, is_before=False)
        changes = compare(before, after)
        steps = _steps(changes)
        texts = _texts(step for step, _ in steps[:MAX_COMPARED])
        conflicts = _conflicts(changes)
        transaction.set_rollback(True)
    made = frozenset(pk for pk in after.versions if pk > newest)
    return DryRun(before, after, changes, answer, refusals, steps, texts, made, conflicts)


@contextmanager
def _bounded(patience: float, *, is_nested: bool) -> Iterator[None]:
    """Bound the time. On PostgreSQL, also read everything from one snapshot, unless a transaction is under way."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            if not is_nested:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
            cursor.execute(f"SET LOCAL statement_timeout = '{_STATEMENT_TIMEOUT}'")
        yield
        return
    began, computed = time.monotonic(), time.thread_time()

    def is_over() -> bool:
        return (
            time.thread_time() - computed > patience or time.monotonic() - began > _SQLITE_SLOWNESS * patience
        )

    raw: Any = connection.connection
    raw.set_progress_handler(is_over, _SQLITE_STEPS)
    try:
        yield
    finally:
        raw.set_progress_handler(None, 0)


def _was_interrupted(error: OperationalError) -> bool:
    return getattr(error.__cause__, "sqlite_errorname", "") == "SQLITE_INTERRUPT"


def _must_repeat(error: OperationalError) -> bool:
    # serialization_failure: somebody changed a row after the snapshot was taken.
    return getattr(error.__cause__, "sqlstate", "") == "40001"


def _newest_id() -> int:
    newest = DeploymentObject.objects.order_by("-pk").values_list("pk", flat=True).first()
    return newest or 0


def _steps(changes: Changes) -> list[tuple[VersionStep, int]]:
    # An agent that is deleted goes to no version: what it has deployed stays in its cluster.
    leaving = set(changes.leaving)
    return Counter(_step(pair) for pair in changes.pairs if pair.agent_id not in leaving).most_common()


def _step(pair: TouchedPair) -> VersionStep:
    return pair.stack_id, pair.before, pair.eventually


def _conflicts(changes: Changes) -> list[Conflict]:
    """Also of versions that the write makes: their inventory is there only until it is undone."""
    return conflicts_of_pairs(
        {
            (pair.agent_id, pair.stack_id): pair.eventually
            for pair in changes.pairs
            if pair.eventually is not None and pair.kind_eventually in {Kind.GAINING, Kind.CHANGING}
        }
    )


def _texts(steps: Iterator[VersionStep]) -> dict[int, str]:
    """The manifests, until there are too many characters of them."""
    wanted = dict.fromkeys(pk for _, *ends in steps for pk in ends if pk is not None)
    rows = DeploymentObject.objects.filter(pk__in=wanted).annotate(size=Length("yaml_content"))
    sizes = dict(rows.values_list("pk", "size"))
    fitting, left = [], MAX_CHARACTERS
    for pk in wanted:
        left -= sizes[pk]
        if left < 0:
            break
        fitting.append(pk)
    return dict(DeploymentObject.objects.filter(pk__in=fitting).values_list("pk", "yaml_content"))

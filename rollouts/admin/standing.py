"""How a rollout stands: what its page shows and refreshes, and the rows of lists of rollouts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Q
from django.utils.safestring import SafeString

from agents.report_texts import essence
from core.admin import badge
from rollouts.admin.buttons import buttons_of
from rollouts.admin.words import is_live, members_words, rules_of, state_badge, wave_of
from rollouts.models import Rollout, RolloutCheck, RolloutMember, RolloutState, RolloutWave
from rollouts.progress import WaveProgress, failing_members, held_back, progress_of_waves
from rollouts.sentences import reason_of, waits_for
from rollouts.strategies import Wave
from stacks.secret_values import without_secrets

# More failing agents are not read; a rollout stops long before.
_FAILURES_READ = 1_000
_AGENTS_NAMED = 5


@dataclass(frozen=True, slots=True)
class Segment:
    """So many members of a wave are in that state. In a bar, the members before them are `start`."""

    name: str
    count: int
    start: int = 0


@dataclass(frozen=True, slots=True)
class Column:
    """One wave. `figures` say how many members are in which state; `bar` has those that are not 0, side by side."""

    number: int
    name: str
    who: str
    rules: Sequence[str]
    state: SafeString
    is_current: bool
    members: int
    proven: int
    figures: Sequence[Segment]
    bar: Sequence[Segment]
    notes: Sequence[str]


@dataclass(slots=True)
class FailureGroup:
    """Agents that fail alike. `named` are the first of them."""

    message: str
    count: int = 0
    named: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def more(self) -> int:
        return self.count - len(self.named)


def standing_context(rollout: Rollout, *, user: Any, now: datetime) -> dict[str, Any]:
    """What rollouts/admin/standing.html shows to the user. A fixed number of queries."""
    progress = {} if rollout.is_final else progress_of_waves(rollout, now=now)
    failures, is_cut = ([], False) if rollout.is_final else _failures(rollout)
    return {
        "rollout": rollout,
        "state": state_badge(rollout.state),
        "sentence": waits_for(rollout, now=now),
        "tone": _tone(rollout),
        "columns": _columns(rollout, progress),
        "held_back": None if rollout.is_final else held_back(rollout),
        "failures": failures,
        "is_cut": is_cut,
        "is_live": is_live(rollout),
        "buttons": buttons_of(rollout, user),
        "now": now,
    }


def _tone(rollout: Rollout) -> str:
    if rollout.state in {RolloutState.PAUSED, RolloutState.FROZEN, RolloutState.ROLLED_BACK}:
        return "bad"
    return "good" if rollout.state == RolloutState.SUCCEEDED else "wait"


def _columns(rollout: Rollout, progress: Mapping[int, WaveProgress]) -> list[Column]:
    rows = {wave.number: wave for wave in rollout.waves.all()}
    checks: dict[int, list[RolloutCheck]] = {}
    for check in rollout.checks.all():
        checks.setdefault(check.wave, []).append(check)
    proven = _proven(rollout) if rollout.is_final else {}
    found = []
    for number, rule in enumerate(rollout.strategy.waves, start=1):
        row = rows.get(number)
        counts = proven.get(number) or progress.get(number) or WaveProgress()
        is_released = row is not None and row.released_at is not None
        figures = _figures(counts, is_final=rollout.is_final) if is_released else []
        found.append(
            Column(
                number=number,
                name=rule.name,
                who=members_words(rule),
                rules=rules_of(rule),
                state=_state(rollout, number, row),
                is_current=number == rollout.wave and not rollout.is_final,
                members=counts.members,
                proven=counts.proven,
                figures=figures,
                bar=_bar(counts, figures),
                notes=_notes(rule, row, checks.get(number, [])) if is_released else [],
            )
        )
    return found


def _proven(rollout: Rollout) -> dict[int, WaveProgress]:
    """Of one that has ended: later versions have taken the place of what its members reported."""
    rows = RolloutMember.objects.filter(rollout=rollout).order_by().values("wave")
    counted = rows.annotate(
        members=Count("pk"),
        proven=Count("pk", filter=Q(proven_at__isnull=False)),
        deferred=Count("pk", filter=Q(is_deferred=True)),
    )
    return {
        row["wave"]: WaveProgress(members=row["members"], proven=row["proven"], deferred=row["deferred"])
        for row in counted
    }


def _figures(counts: WaveProgress, *, is_final: bool) -> list[Segment]:
    if is_final:
        return [Segment("proven", counts.proven), Segment("deferred", counts.deferred)]
    return [
        Segment("applied", counts.applied),
        Segment("healthy", counts.healthy),
        Segment("failing", counts.failing),
        Segment("waiting", counts.waiting),
        Segment("deferred", counts.deferred),
    ]


def _bar(counts: WaveProgress, figures: Sequence[Segment]) -> list[Segment]:
    """The figures side by side and without overlap: who is healthy has applied it."""
    start, found = 0, []
    for figure in sorted(figures, key=lambda figure: figure.name != "healthy"):
        count = counts.applied - counts.healthy if figure.name == "applied" else figure.count
        if count:
            found.append(Segment(figure.name, count, start))
        start += count
    return found


def _state(rollout: Rollout, number: int, row: RolloutWave | None) -> SafeString:
    if row is not None and row.proven_at is not None:
        return badge("proven", "good")
    if row is not None and row.released_at is not None:
        return badge("not proven") if rollout.is_final else badge("released", "wait")
    if rollout.state == RolloutState.WAITING_FOR_APPROVAL and number == rollout.wave + 1:
        return badge("waits for approval", "wait")
    return badge("skipped" if rollout.is_skipped else "not released")


def _notes(rule: Wave, row: RolloutWave | None, checks: Iterable[RolloutCheck]) -> list[str]:
    """Who approved it, and what its checks say."""
    notes = []
    if row is not None and row.approved_at is not None:
        why = f": {row.approval_reason}" if row.approval_reason else ""
        notes.append(f"Approved by {row.approved_by}{why}")
    said = {check.name: check for check in checks}
    for name in rule.checks:
        check = said.get(name)
        if check is None:
            notes.append(f"Check {name} has not reported yet")
        else:
            notes.append(f"Check {name} {check.verdict}" + (f": {check.note}" if check.note else ""))
    return notes


def _failures(rollout: Rollout) -> tuple[list[FailureGroup], bool]:
    """The failing agents by what they say, the largest group first, and whether there are more than were read."""
    rows = list(failing_members(rollout)[: _FAILURES_READ + 1])
    groups: dict[str, FailureGroup] = {}
    said = without_secrets((rollout.version_id, row["message"]) for row in rows[:_FAILURES_READ])
    for row, message in zip(rows[:_FAILURES_READ], said, strict=True):
        group = groups.setdefault(essence(message), FailureGroup(message))
        group.count += 1
        if len(group.named) < _AGENTS_NAMED:
            group.named.append(row)
    ordered = sorted(groups.values(), key=lambda group: -group.count)
    return ordered, len(rows) > _FAILURES_READ


def describe(rollouts: Sequence[Any]) -> None:
    """Give rollouts `state_badge`, `wave_words`, `why`, `members_count` and `proven_count`. One query."""
    rows = RolloutMember.objects.filter(rollout__in=[rollout.pk for rollout in rollouts]).order_by()
    counts = {
        row["rollout"]: (row["members"], row["proven"])
        for row in rows.values("rollout").annotate(
            members=Count("pk"), proven=Count("pk", filter=Q(proven_at__isnull=False))
        )
    }
    for rollout in rollouts:
        rollout.state_badge = state_badge(rollout.state)
        rollout.wave_words = wave_of(rollout)
        rollout.why = reason_of(rollout)
        rollout.members_count, rollout.proven_count = counts.get(rollout.pk, (0, 0))

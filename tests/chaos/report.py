"""What a chaos run showed: what the database holds of what was acknowledged, and for how long nothing was answered."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg

from tests.chaos.witnesses import Notes

LONGEST_SECONDS = 15.0

# Acknowledged versions without a row, and those that have not exactly one entry and one delivery.
_MISSING = """
SELECT count(*) FROM unnest(%(versions)s::uuid[]) v(id)
WHERE NOT EXISTS (SELECT 1 FROM deployment_objects o WHERE o.id = v.id)
"""
_ENTRIES = """
SELECT count(*) FROM (
    SELECT o.id FROM deployment_objects o
    LEFT JOIN audit_logs a ON a.resource_id = o.id AND a.action = 'deployment.created'
    WHERE NOT o.is_deletion_marker AND o.created_at > %(since)s GROUP BY o.id HAVING count(a.id) <> 1
) wrong
"""
_DELIVERIES = """
WITH told AS (
    SELECT payload::json -> 'data' ->> 'deployment_object_id' AS id FROM webhook_deliveries
    WHERE subscription_id = %(webhook)s AND event_type = 'deployment.created'
)
SELECT count(*) FROM (
    SELECT o.id FROM deployment_objects o LEFT JOIN told ON told.id = o.id::text
    WHERE NOT o.is_deletion_marker AND o.created_at > %(since)s GROUP BY o.id HAVING count(told.id) <> 1
) wrong
"""
_PUBLISHED_TWICE = """
SELECT count(*) FROM (
    SELECT yaml_content FROM deployment_objects WHERE yaml_content LIKE '%%name: chaos-%%'
    GROUP BY yaml_content HAVING count(*) > 1
) twice
"""
_ORDERED_TWICE = """
SELECT count(*) FROM (
    SELECT yaml_content FROM (
        SELECT yaml_content FROM work_orders UNION ALL SELECT yaml_content FROM work_order_log
    ) each WHERE yaml_content LIKE 'name: chaos-%%' GROUP BY yaml_content HAVING count(*) > 1
) twice
"""
_LOST_ORDERS = """
SELECT count(*) FROM unnest(%(orders)s::uuid[]) w(id)
WHERE NOT EXISTS (SELECT 1 FROM work_orders o WHERE o.id = w.id)
AND NOT EXISTS (SELECT 1 FROM work_order_log l WHERE l.id = w.id)
"""
_ANNOUNCED = """
SELECT count(*) FROM audit_logs WHERE action = 'agent.silent' AND timestamp < %(until)s
"""
_LOST_COMPLETIONS = """
SELECT count(*) FROM unnest(%(completed)s::uuid[]) w(id)
WHERE NOT EXISTS (SELECT 1 FROM work_order_log l WHERE l.id = w.id)
"""


@dataclass(frozen=True)
class Happened:
    """A fault: its name, and moments of the monotonic clock. The next one began at `until`."""

    name: str
    began: float
    over: float
    until: float


@dataclass
class Report:
    """All counts but those of what was done must be 0, and `unavailable` no more than LONGEST_SECONDS."""

    seed: int
    seconds: float
    versions: int = 0
    orders: int = 0
    calls: int = 0
    fleet_calls: int = 0
    lost: dict[str, int] = field(default_factory=dict)
    doubled: dict[str, int] = field(default_factory=dict)
    # Agents that were announced silent, although none was.
    announced: int = 0
    wrong: list[str] = field(default_factory=list)
    # The name of each fault, how long it lasted, how long anything was unavailable afterwards, and what was last.
    faults: list[tuple[str, float, float, str]] = field(default_factory=list)

    @property
    def is_right(self) -> bool:
        """Whether everything acknowledged is there, once, and no answer was wrong, however long anything took."""
        return not (any(self.lost.values()) or any(self.doubled.values()) or self.announced or self.wrong)

    @property
    def is_good(self) -> bool:
        """Whether it is right, and everything was available again soon after each fault."""
        return self.is_right and all(after <= LONGEST_SECONDS for _, _, after, _ in self.faults)

    def as_text(self) -> str:
        lines = [
            f"chaos with seed {self.seed}: {len(self.faults)} faults in {self.seconds:.0f} s",
            f"acknowledged: {self.versions} versions, {self.orders} orders",
            f"calls: {self.calls} by witnesses, {self.fleet_calls} by the fleet",
            f"{'fault':<28}{'lasted s':>10}{'unavailable after it s':>26}  what was last",
        ]
        lines += [
            f"{name:<28}{lasted:>10.1f}{after:>26.1f}  {last}" for name, lasted, after, last in self.faults
        ]
        for title, counts in (("lost", self.lost), ("doubled", self.doubled)):
            lines.append(f"{title}: " + ", ".join(f"{count} {name}" for name, count in counts.items()))
        lines.append(f"announced silent: {self.announced}")
        lines.append(f"wrong answers: {len(self.wrong)}")
        lines += [f"  {each}" for each in self.wrong[:20]]
        longest = max((after for _, _, after, _ in self.faults), default=0.0)
        lines.append(f"longest unavailability after a fault: {longest:.1f} s (bound {LONGEST_SECONDS:g} s)")
        lines.append("nothing is wrong" if self.is_good else "SOMETHING IS WRONG")
        return "\n".join(lines)


def judge(
    report: Report,
    notes: Notes,
    happened: list[Happened],
    fleet: dict[str, Any],
    database: psycopg.Connection,
    *,
    webhook_id: str,
    since: datetime,
) -> None:
    """Fill the report. `since` is the database's time at which the webhook was there; the fleet lived longer than the
    report's seconds after it.
    """
    parameters = {
        "versions": notes.versions,
        "orders": notes.orders,
        "completed": list(notes.completions),
        "webhook": webhook_id,
        "since": since,
        "until": since + timedelta(seconds=report.seconds),
    }

    def count(statement: str) -> int:
        row = database.execute(statement.encode(), parameters).fetchone()
        return int(row[0]) if row else 0

    report.versions, report.orders = len(notes.versions), len(notes.orders)
    report.calls = sum(map(len, notes.attempts.values()))
    report.fleet_calls = sum(call["count"] for call in fleet["calls"].values())
    report.lost = {
        "versions": count(_MISSING),
        "orders": count(_LOST_ORDERS),
        "completions": count(_LOST_COMPLETIONS),
        "audit entries of any version": count(_ENTRIES),
        "deliveries of any version": count(_DELIVERIES),
    }
    report.doubled = {
        "versions": count(_PUBLISHED_TWICE),
        "orders": count(_ORDERED_TWICE),
        "claims": sum(len(tokens) > 1 for tokens in notes.claims.values()),
    }
    report.announced = count(_ANNOUNCED)
    report.wrong = [*notes.wrong, *(str(each) for each in fleet["violations"])]
    report.faults = [
        (each.name, each.over - each.began, *notes.unavailable(after=each.over, before=each.until))
        for each in happened
    ]

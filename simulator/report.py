"""The results of a run of the fleet, for machines and for people."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.outcomes import Outcome
from simulator.plan import Plan
from simulator.rollout_rules import RolloutRun, are_enough, bound_of, percentile, wave_times
from simulator.stats import Calls

# The calls that agents make most often; the other calls are those of publishers and of the setup.
AGENT_CALLS = ("sync", "sync with reports", "poll", "heartbeat", "look for work", "report one", "report many")
_SHOWN = 20
# A broker that takes longer for half of the agents' calls does not keep up with them.
_OVERLOADED_SECONDS = 1.0


@dataclass
class Report:
    """The results of a run.

    `seconds` is how long all agents lived. `calls` has only the calls of this time, not those while agents joined.
    `overloaded` is how many of these seconds had passed when the broker was last overloaded.
    """

    plan: Plan
    seconds: float = 0.0
    overloaded: float = 0.0
    calls: dict[str, Calls] = field(default_factory=dict)
    joining: dict[str, Calls] = field(default_factory=dict)
    around: dict[str, Calls] = field(default_factory=dict)
    violations: list[dict[str, str]] = field(default_factory=list)
    troubles: Counter[str] = field(default_factory=Counter)
    client_cpu: float = 0.0
    server_cpu: float | None = None
    kills: int = 0
    rollouts: dict[str, Any] | None = None

    def count(self, calls: Mapping[str, Calls], *, after: float) -> None:
        """Count calls of about one second, which ended `after` so many seconds in which all agents lived."""
        of_agents = Calls()
        for kind, each in calls.items():
            self.calls.setdefault(kind, Calls()).add(each)
            if kind in AGENT_CALLS:
                of_agents.add(each)
        if of_agents.errors or of_agents.percentile(0.5) > _OVERLOADED_SECONDS:
            self.overloaded = after

    @property
    def errors(self) -> int:
        periods = (self.joining, self.calls, self.around)
        return sum(calls.errors.total() for period in periods for calls in period.values())

    def as_data(self) -> dict[str, Any]:
        """All results for a machine, without the key."""
        agents, minutes = self.plan.agents, self.seconds / 60
        traffic = [self.calls[kind] for kind in AGENT_CALLS if kind in self.calls]
        data: dict[str, Any] = {
            "agents": agents,
            "interval_seconds": self.plan.interval,
            "stacks": self.plan.stacks,
            "matched": self.plan.matched,
            "faults": list(self.plan.faults),
            "protocol": self.plan.protocol,
            "seconds": round(self.seconds, 1),
            "overloaded_until_second": round(self.overloaded, 1),
            "requests_per_second": round(sum(each.count for each in self.calls.values()) / self.seconds, 1),
            "calls": {kind: _numbers(calls, self.seconds) for kind, calls in sorted(self.calls.items())},
            "while_joining": {kind: _numbers(calls, None) for kind, calls in sorted(self.joining.items())},
            "before_and_after": {kind: _numbers(calls, None) for kind, calls in sorted(self.around.items())},
            "bytes_per_agent_and_minute": {
                "sent": round(sum(each.sent for each in traffic) / agents / minutes),
                "received": round(sum(each.received for each in traffic) / agents / minutes),
            },
            "client_cpu_ms_per_agent_and_minute": round(self.client_cpu * 1000 / agents / minutes, 3),
            "kills": self.kills,
            "errors": self.errors,
            "troubles": dict(self.troubles.most_common(_SHOWN)),
            "violation_count": len(self.violations),
            "violations": self.violations[:_SHOWN],
        }
        if self.rollouts is not None:
            data["rollouts"] = self.rollouts
        if self.server_cpu is not None:
            data["server_cpu_ms_per_agent_and_minute"] = round(self.server_cpu * 1000 / agents / minutes, 3)
            data["server_cores_used"] = round(self.server_cpu / self.seconds, 3)
        return data

    def as_text(self) -> str:
        """The results for people."""
        data = self.as_data()
        head = f"{data['agents']} agents, every {data['interval_seconds']:g} s, for {data['seconds']:g} s"
        lines = [
            f"{head}: {data['requests_per_second']} requests/s",
            "",
            f"{'call':<18}{'count':>9}{'per s':>9}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'errors':>8}  statuses",
        ]
        for kind, row in data["calls"].items():
            statuses = ", ".join(f"{status}: {count}" for status, count in sorted(row["statuses"].items()))
            lines.append(
                f"{kind:<18}{row['count']:>9}{row['per_second']:>9}{row['p50_ms']:>9}{row['p95_ms']:>9}"
                f"{row['p99_ms']:>9}{sum(row['errors'].values()):>8}  {statuses}"
            )
        traffic = data["bytes_per_agent_and_minute"]
        costs = [
            f"{traffic['sent']} bytes sent",
            f"{traffic['received']} received",
            f"{data['client_cpu_ms_per_agent_and_minute']} ms CPU in the simulator",
        ]
        if self.server_cpu is not None:
            costs.append(f"{data['server_cpu_ms_per_agent_and_minute']} ms CPU in the server")
        outcome = [
            f"faults: {', '.join(data['faults']) or 'none'}",
            f"processes killed and restarted: {data['kills']}",
            f"errors: {data['errors']}",
            f"violations: {data['violation_count']}",
        ]
        lines += ["", f"per agent and minute: {', '.join(costs)}", "; ".join(outcome)]
        if self.joining:
            slowest = max(row["p99_ms"] for row in data["while_joining"].values())
            lines.append(f"while agents joined, apart from that: p99 of the slowest call {slowest} ms")
            lines.append(f"overloaded until {data['overloaded_until_second']:g} s after the last had joined")
        if self.rollouts is not None:
            lines += _rollout_lines(self.rollouts)
        lines += [f"  trouble ({count}x): {text}" for text, count in data["troubles"].items()]
        lines += [
            f"  VIOLATION {each['rule']}: {each['detail']} (agent {each['agent_id'] or '-'})"
            for each in data["violations"]
        ]
        return "\n".join(lines)


def _numbers(calls: Calls, seconds: float | None) -> dict[str, Any]:
    numbers: dict[str, Any] = {
        "count": calls.count,
        "p50_ms": round(calls.percentile(0.50) * 1000, 1),
        "p95_ms": round(calls.percentile(0.95) * 1000, 1),
        "p99_ms": round(calls.percentile(0.99) * 1000, 1),
        "faulty_on_purpose": calls.on_purpose,
        "statuses": dict(calls.statuses),
        "errors": dict(calls.errors),
    }
    if seconds is not None:
        numbers["per_second"] = round(calls.count / seconds, 1)
    return numbers


def summary_of(run: RolloutRun) -> dict[str, Any]:
    """What became of the versions, and how many seconds their waves took beyond the soak."""
    times = wave_times(run)
    bad = [story for story in run.stories if story.outcome != Outcome.GOOD]
    calm = times.all_calm()
    return {
        "published": len(run.stories),
        "bad": len(bad),
        "bad_that_reached_everybody": sum(story.state == "succeeded" for story in bad),
        "ended": dict(Counter(story.state for story in run.stories)),
        "waves": {name: _times(rows) for name, rows in sorted(times.calm.items())},
        "disturbed_waves": {name: _times(rows) for name, rows in sorted(times.disturbed.items())},
        "undisturbed": _times(calm),
        "bound_s": bound_of(run),
        "is_judged": are_enough(calm),
    }


def _times(values: Iterable[float]) -> dict[str, float]:
    rows = sorted(values)
    return {
        "count": len(rows),
        "p50_s": round(percentile(rows, 0.5), 1),
        "p95_s": round(percentile(rows, 0.95), 1),
        "max_s": round(percentile(rows, 1.0), 1),
    }


def _rollout_lines(rollouts: dict[str, Any]) -> list[str]:
    ended = ", ".join(f"{count} {state}" for state, count in sorted(rollouts["ended"].items()))
    lines = [
        "",
        f"rollouts: {rollouts['published']} versions, {rollouts['bad']} of them bad; {ended}",
        f"{'wave: seconds beyond its soak':<32}{'count':>7}{'p50':>8}{'p95':>8}{'max':>8}",
    ]
    rows = [*rollouts["waves"].items(), ("all undisturbed", rollouts["undisturbed"])]
    rows += [(f"{name}, disturbed", row) for name, row in rollouts["disturbed_waves"].items()]
    lines += [
        f"{name:<32}{row['count']:>7}{row['p50_s']:>8}{row['p95_s']:>8}{row['max_s']:>8}"
        for name, row in rows
    ]
    verdict = (
        "judged" if rollouts["is_judged"] else "not judged, because there were too few undisturbed waves"
    )
    lines.append(f"bound on the p95 of all undisturbed: {rollouts['bound_s']:g} s, {verdict}")
    return lines

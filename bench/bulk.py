"""Bulk jobs on 10,000 agents that serve 20 stacks each: `make bench-bulk`.

The plan is two whole requests in one process, the choice of all agents and the page that shows their plan; CPU is that
of the process and of PostgreSQL together. The steps are those of the worker.
"""

import argparse
import re
import statistics
import time

from bench import data, environment
from bench.plan_world import fleet_with_labels

_DIGEST = re.compile(r'name="plan" value="([0-9a-f]{64})"')


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with fleet_with_labels(["everybody", "ring=broad"]):
        rows = _measure(options.rounds)
        notes = environment.machine()
    print(f"\n{notes}\n\n{'':<52}{'agents':>8}{'CPU ms':>10}{'ms':>10}")
    for label, row in rows.items():
        print(f"{label:<52}{row['agents']:>8}{row['cpu_ms']:>10.1f}{row['ms']:>10.1f}")
    environment.save("bulk", {"machine": notes, "options": vars(options), "rows": rows})
    return 0


def _measure(rounds: int) -> dict[str, dict[str, float]]:
    from django.contrib.auth.models import User

    from core.events import SYSTEM
    from stacks.services import publish
    from tests.factories import make_stack, manifest
    from tests.support.admin import AdminPages

    for labels in (["everybody"], ["new"], ["ring=broad"]):
        stack = make_stack(name=f"bench of {labels[0]}", labels=labels)
        publish(stack_id=stack.pk, yaml_content=manifest(1), is_deletion_marker=False, actor=SYSTEM)
    pages = AdminPages(User.objects.create_superuser("bench"))
    asked = {
        "the plan of activating all": {"action": "activate_selected"},
        "the plan of a label that brings a stack": {"action": "add_label_selected", "word": "new"},
        "the plan of a label that takes a stack": {"action": "remove_label_selected", "word": "everybody"},
        "the plan of another ring": {"action": "assign_ring_selected", "word": "canary"},
    }
    rows = {label: _plan(pages, fields, rounds) for label, fields in asked.items()}
    rows["1,000 agents by the worker, a label that brings a stack"] = _perform(pages)
    return rows


def _choose(pages: object, fields: dict[str, str]) -> tuple[str, str]:
    """The path of the plan of all agents, and its digest."""
    across = {"select_across": "1", "index": "0", "_selected_action": data.agent_id(1)}
    page = pages.post_once("agents/agent/", fields | across)  # type: ignore[attr-defined]
    found = _DIGEST.search(page.content.decode())
    assert found is not None, page.content
    return page.request["PATH_INFO"].removeprefix("/admin/"), found[1]


def _plan(pages: object, fields: dict[str, str], rounds: int) -> dict[str, float]:
    found = []
    for _ in range(rounds + 1):
        with _Timed() as timed:
            _choose(pages, fields)
        found.append(timed)
    # The first fills caches.
    return _row(found[1:], agents=data.AGENTS)


def _perform(pages: object) -> dict[str, float]:
    from bulk.models import BulkJob, State
    from bulk.services import steps
    from core import clock

    path, digest = _choose(pages, {"action": "add_label_selected", "word": "new"})
    pages.post_once(path, {"plan": digest, "reason": "bench"})  # type: ignore[attr-defined]
    assert BulkJob.objects.filter(state=State.RUNNING).exists()
    with _Timed() as timed:
        for _ in range(1_000 // steps.STEP):
            steps.perform_step(now=clock.now())
    return _row([timed], agents=1_000)


class _Timed:
    """The time on the clock, and the CPU of this process and of PostgreSQL, in milliseconds."""

    def __enter__(self) -> "_Timed":
        self._server = environment.postmaster()
        self._cpu, self._start = self._used(), time.perf_counter()
        return self

    def __exit__(self, *error: object) -> None:
        self.cpu_ms = self._used() - self._cpu
        self.ms = (time.perf_counter() - self._start) * 1000

    def _used(self) -> float:
        return time.process_time() * 1000 + environment.cpu_ns(self._server) / 1e6


def _row(found: list[_Timed], *, agents: int) -> dict[str, float]:
    return {
        "agents": agents,
        "cpu_ms": statistics.median(each.cpu_ms for each in found),
        "ms": statistics.median(each.ms for each in found),
    }


if __name__ == "__main__":
    raise SystemExit(main())

"""Plans among 10,000 agents that serve 20 stacks each: `make bench-plans`.

Whole requests in one process, on a PostgreSQL of its own. The worst label is one that every agent has; the
usual publish goes to a stack that a few hundred agents serve.
"""

import argparse
import statistics
import time

from bench import data, environment
from bench.plan_world import fleet_with_labels


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with fleet_with_labels(["everybody"]):
        rows = _measure(options.rounds)
        notes = environment.machine()
    print(f"\n{notes}\n\n{'':<52}{'agents':>8}{'median ms':>12}{'queries':>10}")
    for label, row in rows.items():
        print(f"{label:<52}{row['agents']:>8}{statistics.median(row['ms']):>12.1f}{row['queries']:>10}")  # type: ignore[call-overload]
    environment.save("plans", {"machine": notes, "options": vars(options), "rows": rows})
    return 0


def _measure(rounds: int) -> dict[str, dict[str, object]]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from core.events import SYSTEM
    from core.labels.services import add_label
    from stacks.models import Stack
    from stacks.services import publish
    from tests.factories import make_stack, manifest
    from tests.support.api import Api

    admin = Api(environment.admin_key())
    wide, usual = make_stack(name="wide", labels=["everybody"]), Stack.objects.order_by("created_at", "id")[7]
    unlabelled = make_stack(name="unlabelled")
    for stack in (wide, unlabelled):
        publish(stack_id=stack.pk, yaml_content=manifest(1), is_deletion_marker=False, actor=SYSTEM)
    add_label(owner=usual, label="usual", actor=SYSTEM)
    text = {"yaml_content": manifest(2)}
    asked: dict[str, tuple[str, str, object]] = {
        "the worst label, put on a stack": (
            "POST",
            f"/stacks/{unlabelled.pk}/labels",
            {"label": "everybody"},
        ),
        "the worst label, taken off a stack": ("DELETE", f"/stacks/{wide.pk}/labels/everybody", None),
        "publishing to every agent": ("POST", f"/stacks/{wide.pk}/deployment-objects", text),
        "a usual publish": ("POST", f"/stacks/{usual.pk}/deployment-objects", text),
        "a label of one agent": ("DELETE", f"/agents/{data.agent_id(7)}/labels/everybody", None),
        "deleting an agent": ("DELETE", f"/agents/{data.agent_id(7)}", None),
    }
    rows: dict[str, dict[str, object]] = {}
    for label, (method, path, body) in asked.items():
        write = {"method": method, "path": path, "body": body}
        with CaptureQueriesContext(connection) as queries:
            agents = _ask(admin, write)
            count = len(queries)
        times = []
        for _ in range(rounds):
            start = time.perf_counter()
            _ask(admin, write)
            times.append((time.perf_counter() - start) * 1000)
        rows[label] = {"ms": times, "queries": count, "agents": agents}
    return rows


def _ask(admin: object, write: dict[str, object]) -> int:
    response = admin.post("/plans", write)  # type: ignore[attr-defined]
    assert response.status_code == 200, response.content
    return int(response.json()["agent_count"])


if __name__ == "__main__":
    raise SystemExit(main())

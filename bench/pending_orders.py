"""What an agent's question for work costs with 1,000 and with 100,000 orders in the table, on PostgreSQL.

Run from the root of the project: `make bench-pending`, or `python bench/pending_orders.py [requests]`. It starts a
PostgreSQL of its own, prints medians and ratios, and writes bench/results/pending_orders.json. Fails when an agent
with few matches waits more than twice as long among 100,000 orders as among 1,000.
"""

import json
import logging
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.postgres import private_postgres  # the path above comes first

RESULTS = Path(__file__).parent / "results" / "pending_orders.json"
SMALL, LARGE = 1_000, 100_000
ALLOWED_RATIO = 2.0
FEW = 4
WARM_UP = 20
BATCH = 5_000
YAML = (
    "apiVersion: shipwright.io/v1beta1\nkind: Build\nmetadata:\n  name: payments-api\n" + "# filler\n" * 100
)


def main(requests: int) -> int:
    with tempfile.TemporaryDirectory(prefix="brokkr-bench-") as folder, private_postgres() as server:
        os.environ |= {
            "DATABASE_URL": server.url,
            "BROKKR_DATA_DIR": folder,
            "DJANGO_SETTINGS_MODULE": "brokkr_site.settings",
        }
        import django

        django.setup()
        logging.disable(logging.WARNING)
        from django.core.management import call_command
        from django.db import connection

        call_command("migrate", verbosity=0)
        questions = prepare()
        results = {}
        for orders in (SMALL, LARGE):
            fill(orders)
            results[orders] = {name: measure(ask, requests) for name, ask in questions.items()}
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            version = cursor.fetchone()[0]
        connection.close()
    report(results, requests, version)
    few = [name for name in results[SMALL] if name.startswith("few")]
    return int(any(ratio(results, name) > ALLOWED_RATIO for name in few))


def prepare() -> dict[str, Callable[[], Any]]:
    """The questions, by name: whole requests, from the key to the JSON."""
    from tests.factories import make_agent, make_work_order
    from workorders.services import Targeting

    agent, few = make_agent(labels=["rare", "idle", "eu"], annotations={"region": "eu", "tier": "gold"})
    for targeting in (
        Targeting([agent.pk]), Targeting(labels=["rare"]),
        Targeting(annotations={"region": "eu"}), Targeting([agent.pk], ["rare"], {"tier": "gold"}),
    ):  # fmt: skip
        make_work_order(targeting=targeting, yaml_content=YAML)
    idle, none = make_agent(labels=["nobody-asks-for-this"])
    everyone, many = make_agent(labels=["common"])

    def asking(api: Any, path: str, expected: int) -> Callable[[], Any]:
        def ask() -> None:
            response = api.get(path)
            assert response.status_code == 200
            assert len(response.json()) == expected

        return ask

    path = "/agents/{}/work-orders/pending"
    return {
        f"few matches ({FEW})": asking(few, path.format(agent.pk), FEW),
        "few matches, first only": asking(few, path.format(agent.pk) + "?limit=1", 1),
        "few matches, of none": asking(none, path.format(idle.pk), 0),
        "all orders match, first only": asking(many, path.format(everyone.pk) + "?limit=1", 1),
    }


def fill(orders: int) -> None:
    """Bring the table to this many rows with pending orders for everybody's label and one of a hundred agents."""
    from django.db import connection

    from tests.factories import make_agent
    from workorders.models import WorkOrder, WorkOrderLabel, WorkOrderTarget

    others = [make_agent()[0] for _ in range(100)]
    while missing := orders - WorkOrder.objects.count():
        rows = WorkOrder.objects.bulk_create(
            [WorkOrder(work_type="build", yaml_content=YAML) for _ in range(min(missing, BATCH))]
        )
        WorkOrderLabel.objects.bulk_create([WorkOrderLabel(work_order=row, label="common") for row in rows])
        WorkOrderTarget.objects.bulk_create(
            [WorkOrderTarget(work_order=row, agent=others[n % 100]) for n, row in enumerate(rows)]
        )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def measure(ask: Callable[[], Any], requests: int) -> dict[str, float]:
    for _ in range(WARM_UP):
        ask()
    times = []
    for _ in range(requests):
        start = time.perf_counter()
        ask()
        times.append((time.perf_counter() - start) * 1000)
    return {"median_ms": round(median(times), 3), "p95_ms": round(quantiles(times, n=20)[-1], 3)}


def ratio(results: dict[int, dict[str, dict[str, float]]], name: str) -> float:
    return round(results[LARGE][name]["median_ms"] / results[SMALL][name]["median_ms"], 2)


def report(results: dict[int, dict[str, dict[str, float]]], requests: int, version: str) -> None:
    print(f"{'median ms per request':32} {SMALL:>10,} {LARGE:>10,} {'ratio':>7}")
    for name in results[SMALL]:
        small, large = results[SMALL][name]["median_ms"], results[LARGE][name]["median_ms"]
        print(f"{name:32} {small:>10.2f} {large:>10.2f} {ratio(results, name):>7.2f}")
    summary = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "cores": len(os.sched_getaffinity(0)),
            "load": os.getloadavg(),
            "python": platform.python_version(),
            "postgresql": version,
        },
        "requests": requests,
        "results": {str(orders): figures for orders, figures in results.items()},
        "ratios": {name: ratio(results, name) for name in results[SMALL]},
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 300))

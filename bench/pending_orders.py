"""What an agent's question for work costs with 1,000 and with 100,000 orders in the table, on PostgreSQL.

Run from the root of the project: `make bench-pending`, or `python bench/pending_orders.py [rounds]`. It starts a
PostgreSQL of its own, prints medians and ratios, and writes bench/results/pending_orders.json.
"""

import json
import logging
import os
import platform
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.postgres import private_postgres  # the path above comes first

RESULTS = Path(__file__).parent / "results" / "pending_orders.json"
SMALL, LARGE = 1_000, 100_000
DATABASES = {SMALL: "postgres", LARGE: "brokkr_large"}
REQUESTS_A_TURN = 10
MATCHES = 4
FEW = "few matches"
BATCH = 5_000
YAML = (
    "apiVersion: shipwright.io/v1beta1\nkind: Build\nmetadata:\n  name: payments-api\n" + "# filler\n" * 100
)


def main(rounds: int) -> None:
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
        fill(SMALL)
        copy_database()
        fill(LARGE)
        times = measure(questions, rounds)
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            version = cursor.fetchone()[0]
        connection.close()
    medians = {name: [median(times[orders, name]) for orders in (SMALL, LARGE)] for name in questions}
    report(medians, rounds, version)


def copy_database() -> None:
    """Make a database beside the one in use, with what is in it, and use that."""
    from django.db import connection

    use("template1")
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {DATABASES[LARGE]} TEMPLATE {DATABASES[SMALL]}")
    use(DATABASES[LARGE])


def use(name: str) -> None:
    from django.db import connection

    connection.close()
    connection.settings_dict["NAME"] = name


def prepare() -> dict[str, Callable[[], Any]]:
    """The questions, by name: whole requests, from the key to the JSON."""
    from tests.factories import make_agent, make_work_order
    from workorders.services.targeting import Targeting

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
        f"{FEW} ({MATCHES})": asking(few, path.format(agent.pk), MATCHES),
        f"{FEW}, first only": asking(few, path.format(agent.pk) + "?limit=1", 1),
        f"{FEW}: none": asking(none, path.format(idle.pk), 0),
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


def measure(questions: dict[str, Callable[[], Any]], rounds: int) -> dict[tuple[int, str], list[float]]:
    """Milliseconds. The two tables take turns, so that a busy neighbour slows both."""
    times = defaultdict(list)
    for _ in range(rounds):
        for orders, database in DATABASES.items():
            use(database)
            for name, ask in questions.items():
                ask()
                for _ in range(REQUESTS_A_TURN):
                    start = time.perf_counter()
                    ask()
                    times[orders, name].append((time.perf_counter() - start) * 1000)
    return times


def report(medians: dict[str, list[float]], rounds: int, version: str) -> None:
    print(f"{'median ms per request':32} {SMALL:>10,} {LARGE:>10,} {'ratio':>7}")
    for name, (small, large) in medians.items():
        print(f"{name:32} {small:>10.2f} {large:>10.2f} {large / small:>7.2f}")
    summary = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "cores": len(os.sched_getaffinity(0)),
            "load": os.getloadavg(),
            "python": platform.python_version(),
            "postgresql": version,
        },
        "requests": rounds * REQUESTS_A_TURN,
        "median_ms": {
            name: {str(SMALL): round(small, 3), str(LARGE): round(large, 3), "ratio": round(large / small, 2)}
            for name, (small, large) in medians.items()
        },
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)

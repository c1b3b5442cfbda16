"""The poll's statement among ever more stacks, versions and events: `make bench-scale`.

Databases that differ in one number only, asked in turn with the same prepared statement, as the product asks it.
"""

import argparse
import random
import statistics
import tempfile
import time
from pathlib import Path
from uuid import UUID

from bench import data, stand
from tests.support.postgres import private_postgres

STACKS = 2_000
_BOUNDS = {"more stacks": 2.0, "more old versions": 1.3, "more events": 1.15}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stacks", type=int, default=200_000, help="instead of 2,000")
    parser.add_argument("--versions", type=int, default=10_000, help="instead of 10, of twenty stacks")
    parser.add_argument("--events", type=int, default=1_000_000, help="instead of none")
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="brokkr-bench-") as name, private_postgres() as postgres:
        stand.start_django(postgres.url, Path(name))
        print("writing the data …", flush=True)
        # Small objects: the statement reads none of their text.
        data.fill(stacks=STACKS, versions=10, object_bytes=200)
        variants = _variants(options)
        rows = _measure(variants, options.rounds)
        notes = stand.machine()
    base = rows["as it is"]
    print(f"\n{notes}\n\n{'':<20}{'execution us':>14}{'x':>7}{'buffers':>9}{'x':>7}")
    ratios = {}
    for label, row in rows.items():
        execution = statistics.median(one / other for one, other in zip(row["us"], base["us"], strict=True))
        buffers = row["buffers"] / base["buffers"]
        ratios[label] = {"execution": execution, "buffers": buffers}
        print(
            f"{label:<20}{statistics.median(row['us']):>14.0f}{execution:>7.2f}{row['buffers']:>9.0f}{buffers:>7.2f}"
        )
    print()
    for label, bound in _BOUNDS.items():
        held = ratios[label]["execution"] <= bound and ratios[label]["buffers"] <= 1.5
        print(f"{'holds' if held else 'MISSED':<7}{label}: execution <= {bound}, buffers <= 1.5")
    stand.save("scale", {"machine": notes, "options": vars(options), "rows": rows, "ratios": ratios})
    return 0


def _variants(options: argparse.Namespace) -> dict[str, object]:
    """Connections to copies of the database, each with more of one thing."""
    import psycopg
    from django.db import connection

    settings = dict(connection.settings_dict)
    original = settings["NAME"] or "postgres"
    more = {
        "more stacks": lambda: data.add_stacks(
            first=STACKS, end=options.stacks, versions=2, object_bytes=200
        ),
        "more old versions": lambda: data.add_versions(
            first=0, end=20, versions=options.versions, object_bytes=200
        ),
        "more events": lambda: data.add_events(options.events),
    }
    names = {"as it is": original}
    for number, (label, add) in enumerate(more.items()):
        print(f"writing {label} …", flush=True)
        name = f"bench_{number}"
        connection.close()
        with psycopg.connect(_dsn(settings, "template1"), autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name} TEMPLATE {original}")
        connection.settings_dict["NAME"] = name
        add()
        data.settle()
        connection.close()
        connection.settings_dict["NAME"] = original
        names[label] = name
    return {label: psycopg.connect(_dsn(settings, name), autocommit=True) for label, name in names.items()}


def _dsn(settings: dict, name: str) -> str:
    from psycopg.conninfo import make_conninfo

    return make_conninfo(
        dbname=name,
        host=settings["HOST"] or settings["OPTIONS"].get("host"),
        port=settings["PORT"] or None,
        user=settings["USER"],
        options=settings["OPTIONS"]["options"],
    )


def _measure(variants: dict[str, object], rounds: int) -> dict[str, dict[str, object]]:
    import psycopg

    from agents.target_state import _statement

    sql = _statement("postgresql", False, False, with_key=True)
    # Agents of the first groups: they serve the twenty stacks with the long history.
    numbers = [number for number in range(data.AGENTS) if number % (STACKS // 5) < 4]
    rows: dict[str, dict[str, object]] = {label: {"us": [], "buffers": 0.0} for label in variants}
    for label, connection in variants.items():
        touched = []
        for number in numbers[:20]:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", _parameters(number))
                plan = cursor.fetchone()[0][0]["Plan"]
            touched.append(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
        rows[label]["buffers"] = statistics.median(touched)
    for each in range(rounds + 1):
        sample = random.Random(each).sample(numbers, 50)
        for label, connection in variants.items():
            cursor = psycopg.Cursor(connection)
            times = []
            for number in sample:
                began = time.perf_counter()
                cursor.execute(sql, _parameters(number), prepare=True)
                cursor.fetchone()
                times.append((time.perf_counter() - began) * 1e6)
            # The first round only prepares.
            if each:
                rows[label]["us"].append(statistics.median(times))
    return rows


def _parameters(number: int) -> dict[str, object]:
    return {"agent": UUID(data.agent_id(number)), "key_hash": data.key_hash(number)}


if __name__ == "__main__":
    raise SystemExit(main())

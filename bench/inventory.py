"""The inventory with two million rows: `make bench-inventory`.

10,000 agents, 2,000 stacks of 50 versions with 20 resources each. A quarter of the resources name an image. Whole
requests in one process, on a PostgreSQL of its own, then the plans of the searches, and what a publish costs with and
without an inventory.
"""

import argparse
import logging
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from bench import data, environment
from tests.support.postgres import private_postgres

VERSIONS = 50
RESOURCES = 20
IMAGES = 5
# A resource has one name in all versions of its stack. The first one of each stack, a Namespace, is in ten stacks.
DICTIONARIES = """
INSERT INTO inventory_resources (id, object_key, api_group, api_version, kind, namespace, name)
SELECT pg_temp.key('b', s * {resources} + r), pg_temp.key('b', s * {resources} + r), 'apps', 'v1',
       (ARRAY['Deployment', 'ConfigMap', 'Service', 'Secret'])[1 + r % 4], 'team-' || s % 100, 'app-' || s || '-' || r
FROM generate_series(0, {stacks} - 1) s, generate_series(1, {resources} - 1) r;
INSERT INTO inventory_resources (id, object_key, api_group, api_version, kind, namespace, name)
SELECT pg_temp.key('b', s * {resources}), pg_temp.key('b', s * {resources}), '', 'v1', 'Namespace', '', 'shared-' || s
FROM generate_series(0, {stacks} / 10) s;
INSERT INTO inventory_images (id, repository, tag, digest)
SELECT pg_temp.key('c', i), 'registry.example.com/team-' || i / 50 % 100 || '/app-' || i / 50, '1.' || i % 50, ''
FROM generate_series(0, {stacks} * 10 - 1) i;
"""
# In portions: a statement that takes a minute is given up.
_CHUNKS = 10
_ENTRIES = """
INSERT INTO inventory_entries (version_id, stack_id, resource_id, image_id, is_guessed, digest)
SELECT o.sequence_id, o.stack_id,
       pg_temp.key('b', CASE WHEN r = 0 THEN (n.place / 10) * {resources} ELSE n.place * {resources} + r END),
       NULL, false, CASE WHEN r = 0 THEN 0 ELSE o.sequence_id END
FROM deployment_objects o JOIN (
    SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM stacks
) n ON n.id = o.stack_id, generate_series(0, {resources} - 1) r
WHERE o.sequence_id % {chunks} = {chunk} ORDER BY o.sequence_id, r;
INSERT INTO inventory_entries (version_id, stack_id, resource_id, image_id, is_guessed, digest)
SELECT o.sequence_id, o.stack_id, pg_temp.key('b', n.place * {resources} + r * 4),
       pg_temp.key('c', ((n.place * 7 + r * 13) * 50 + o.sequence_id / {stacks}) % ({stacks} * 10)), false, 0
FROM deployment_objects o JOIN (
    SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM stacks
) n ON n.id = o.stack_id, generate_series(1, {images} - 1) r
WHERE o.sequence_id % {chunks} = {chunk} ORDER BY o.sequence_id, r;
"""
_SEARCHES = {
    "an image by name": "?image=registry.example.com/team-21/app-21&agents=true",
    "an image by name and tag": "?image=registry.example.com/team-21/app-21:1.25&agents=true",
    "images that begin so": "?image=registry.example.com/team-7/*&agents=true",
    "a Deployment in a namespace": "?kind=Deployment&namespace=team-7&name=app-107-4&agents=true",
    "names that begin so": "?name=app-107-*",
    "a whole namespace": "?namespace=team-7",
    "all Deployments": "?kind=Deployment",
    "a shared Namespace, with agents": "?kind=Namespace&name=shared-7&agents=true",
    "the history of an image": "?image=registry.example.com/team-21/app-21&versions=all",
    "the history of all Deployments": "?kind=Deployment&versions=all",
    "nothing": "?name=nobody&versions=all",
}
_PUBLISHED = "---\n".join(
    f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: new-{number}, namespace: new}}\n"
    f"spec: {{template: {{spec: {{containers: [{{name: a, image: 'registry.example.com/new/app-{number}'}}]}}}}}}\n"
    for number in range(20)
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--stacks", type=int, default=2_000)
    parser.add_argument("--plans", action="store_true", help="print the plan of each search")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="brokkr-bench-") as name, private_postgres() as postgres:
        environment.start_django(postgres.url, Path(name))
        logging.disable(logging.WARNING)
        print("writing the data …", flush=True)
        sizes = {"stacks": options.stacks, "resources": RESOURCES, "images": IMAGES}
        data.fill(stacks=options.stacks, versions=VERSIONS, object_bytes=200)
        data.run(DICTIONARIES.format(**sizes))
        for chunk in range(_CHUNKS):
            data.run(_ENTRIES.format(**sizes, chunks=_CHUNKS, chunk=chunk))
        data.settle()
        rows = _searches(options.rounds) | _pages(options.rounds) | _publishes(options.rounds)
        plans = _plans() if options.plans else {}
        notes, count = environment.machine(), _count()
    print(f"\n{notes}\n{count:,} rows\n\n{'':<44}{'median ms':>12}{'worst ms':>12}{'CPU ms':>12}")
    for label, row in rows.items():
        print(
            f"{label:<44}{statistics.median(row['ms']):>12.1f}{max(row['ms']):>12.1f}"
            f"{statistics.median(row['cpu']):>12.1f}"
        )
    for label, plan in plans.items():
        print(f"\n== {label}\n{plan}")
    environment.save("inventory", {"machine": notes, "rows_in_table": count, "rows": rows})
    return 0


def _timed(call: Callable[[], object], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each round: on the clock, and of the CPU here and in PostgreSQL."""
    call()
    times, cpu = [], []
    postmaster = environment.postmaster()
    for _ in range(rounds):
        before = environment.cpu_ns(postmaster)
        start, used = time.perf_counter(), time.process_time_ns()
        call()
        used = time.process_time_ns() - used
        times.append((time.perf_counter() - start) * 1000)
        cpu.append((used + environment.cpu_ns(postmaster) - before) / 1e6)
    return {"ms": times, "cpu": cpu}


def _searches(rounds: int) -> dict[str, dict[str, list[float]]]:
    from stacks.models import Stack
    from tests.support.api import Api

    api = Api(environment.admin_key())
    stack = Stack.objects.order_by("id")[107]
    paths = {label: f"/resources{query}" for label, query in _SEARCHES.items()}
    paths["the conflicts of a stack"] = f"/stacks/{stack.id}/conflicts"

    def ask(path: str) -> None:
        response = api.get(path)
        assert response.status_code == 200, response.content

    return {f"GET: {label}": _timed(lambda path=path: ask(path), rounds) for label, path in paths.items()}


def _pages(rounds: int) -> dict[str, dict[str, list[float]]]:
    from django.contrib.auth.models import User

    from tests.support.admin import AdminPages

    pages = AdminPages(User.objects.create_superuser("astrid"))
    queries = {
        "an image": {"image": "registry.example.com/team-21/app-21"},
        "a Deployment": {"kind": "Deployment", "namespace": "team-7", "name": "app-107-4"},
    }
    return {
        f"admin: {label}": _timed(lambda query=query: pages.get("resources/", **query), rounds)
        for label, query in queries.items()
    }


def _publishes(rounds: int) -> dict[str, dict[str, list[float]]]:
    from core.events import SYSTEM
    from stacks.models import Stack
    from stacks.services import publish

    stack = Stack.objects.order_by("id")[107]

    def call() -> None:
        publish(stack_id=stack.pk, yaml_content=_PUBLISHED, is_deletion_marker=False, actor=SYSTEM)

    with mock.patch("inventory.receivers.record_version"):
        without = _timed(call, rounds * 4)
    return {
        "publish 20 Deployments, no inventory": without,
        "publish 20 Deployments": _timed(call, rounds * 4),
    }


def _plans() -> dict[str, str]:
    from django.db import connection
    from django.http import QueryDict

    from inventory.search import Search, found

    plans = {}
    for label, query in _SEARCHES.items():
        asked = QueryDict(query.removeprefix("?"))
        named = {name: asked.get(name, "") for name in ("kind", "namespace", "name", "image")}
        rows = found(Search(**named, is_history=asked.get("versions") == "all"))
        sql, parameters = rows.order_by("-version_id", "-id")[:101].query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {sql}", parameters)
            plans[label] = "\n".join(line for (line,) in cursor.fetchall())
    return plans


def _count() -> int:
    from inventory.models import Entry

    return Entry.objects.count()


if __name__ == "__main__":
    raise SystemExit(main())

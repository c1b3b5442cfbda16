"""Every list of the admin and its first page, in a large world, beside another revision: `make bench-admin`.

10,000 agents, 2,000 stacks, 200,000 versions, 1,000,000 events, 200,000 latest reports. Server time is that of the
whole request in this process, from the first middleware to the last byte. `--against REVISION` measures the pages that
the other revision has in a world of the same size.
"""

import argparse
import logging
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import data, environment
from tests.support.postgres import private_postgres
from tests.support.revision import checkout

BOUND_MS = 300
# A line of what this prints: the page, its first and its median time, its queries and its size.
_LINE = re.compile(r"(/\S*) +(\d+) +(\d+) +(\d+) +(\d+)")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rounds", type=int, default=5, help="requests per page after the first; the median counts"
    )
    parser.add_argument("--stacks", type=int, default=2_000)
    parser.add_argument("--versions", type=int, default=100, help="of each stack")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--only", default="", help="pages whose path contains this")
    parser.add_argument("--against", default="", help="a revision to measure too")
    options = parser.parse_args()
    before = _measure_there(options) if options.against else {}
    with tempfile.TemporaryDirectory(prefix="brokkr-bench-") as name, private_postgres() as postgres:
        environment.start_django(postgres.url, Path(name))
        logging.disable(logging.INFO)
        print("writing the data …", flush=True)
        data.fill(stacks=options.stacks, versions=options.versions, object_bytes=400)
        data.add_events(options.events)
        data.add_history()
        data.settle()
        rows = [_measure(page, options.rounds) for page in _pages() if options.only in page]
        notes = environment.machine()
    print(
        f"\n{notes}\n\n{'page':<64}{'first ms':>10}{'median ms':>11}{'queries':>9}{'KiB':>8}{'there ms':>10}"
    )
    for row in rows:
        print(
            f"{row['page'][:63]:<64}{row['first_ms']:>10.0f}{row['median_ms']:>11.0f}{row['queries']:>9}{row['kib']:>8.0f}"
            f"{before.get(row['page'][:63], '-'):>10}"
        )
    slow = [row for row in rows if row["median_ms"] > BOUND_MS]
    print(
        f"\n{'MISSED: ' + str(len(slow)) + ' pages take' if slow else 'holds: no page takes'} more than {BOUND_MS} ms"
    )
    environment.save("admin-pages", {"machine": notes, "options": vars(options), "rows": rows})
    return 0


def _measure_there(options: argparse.Namespace) -> dict[str, str]:
    """By page, the median in the other revision."""
    sizes = [
        f"--{name}={getattr(options, name)}" for name in ("rounds", "stacks", "versions", "events", "only")
    ]
    with checkout(options.against) as tree:
        command = [sys.executable, "-m", "bench.admin_pages", *sizes]
        print(f"measuring {options.against} …", flush=True)
        said = subprocess.run(command, cwd=tree, check=True, stdout=subprocess.PIPE, text=True).stdout
    return {page: median for page, _, median, _, _ in _LINE.findall(said)}


def _pages() -> list[str]:
    """The first page, the deployments, every list, as it is and searched, and every page of one row of each kind."""
    from django.contrib import admin
    from django.urls import reverse

    from agents.models import Agent
    from core.admin.tabs import pages_of
    from stacks.models import Stack

    pages = [
        reverse("admin:index"),
        *(f"{reverse('admin:deployments')}?state={state}" for state in ("failing", "pending")),
        f"{reverse('admin:deployments')}?q=agent-77",
        *(f"{reverse('admin:search')}?extended=1&s={text}" for text in ("agent-77", "group-7", "broke")),
    ]
    for model in admin.site._registry:
        options = model._meta
        url = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
        pages += [url, f"{url}?q=agent-77", f"{url}?p=3"]
    for model in (Agent, Stack):
        options, row = model._meta, model._default_manager.order_by("name")[7]
        pages.append(reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[row.pk]))
        pages += [
            reverse(f"admin:{options.app_label}_{options.model_name}_{page.url_part}", args=[row.pk])
            for page in pages_of(model)
        ]
        pages.append(reverse(f"admin:{options.app_label}_{options.model_name}_delete", args=[row.pk]))
    return pages


def _measure(page: str, rounds: int) -> dict[str, Any]:
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    user = User.objects.filter(username="bench").first() or User.objects.create_superuser("bench")
    client = Client()
    client.force_login(user)
    times = []
    for _ in range(rounds + 1):
        started = time.perf_counter()
        response = client.get(page, HTTP_HOST="localhost")
        times.append((time.perf_counter() - started) * 1000)
        # A list without a search sends back to itself.
        assert response.status_code in {200, 302}, (page, response.status_code)
    with CaptureQueriesContext(connection) as captured:
        client.get(page, HTTP_HOST="localhost")
    slowest = max(captured.captured_queries, key=lambda query: float(query["time"]))
    return {
        "page": page,
        "first_ms": times[0],
        "median_ms": statistics.median(times[1:]),
        "queries": len(captured),
        "kib": len(response.content) / 1024,
        "slowest_query": slowest,
    }


if __name__ == "__main__":
    raise SystemExit(main())

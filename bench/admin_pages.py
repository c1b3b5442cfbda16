"""Every list of the admin and its first page, in a large world, beside another revision: `make bench-admin`.

10,000 agents, 2,000 stacks, 200,000 versions, 1,000,000 events, 200,000 latest reports; at the end the same on a bad
day, on which 60,000 of these fail. Server time is that of the
whole request in this process, from the first middleware to the last byte; its CPU, with PostgreSQL's, tells more where
the machine does other work. `--against REVISION` measures the pages that the other revision has in such a world.
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
from bench.inventory import DICTIONARIES, RESOURCES
from bench.manifests import DEFINITIONS, DOCUMENTS, manifest
from tests.support.postgres import private_postgres
from tests.support.revision import checkout

BOUND_MS = 300
SEARCH_MS = 200
# The page of a large version, of 5.8 MB as a chart's custom resource definitions are.
OBJECT_MS = 800
LARGE_BYTES = 5_800_000
LARGE_KIB = 1_000
_DEPLOYMENTS = (
    "state=failing",
    "state=failing&by=agent",
    "state=pending",
    "state=removing",
    "q=agent-77",
    "generator=bench&label=group-7&since=24h",
)
# Names, labels, messages of failures and of success, a resource, an image, an id, and nothing.
_SEARCHES = (
    "agent-77",
    "group-7",
    "imagepull",
    "applied",
    "app-107",
    "registry.example.com/team-7",
    "a0000000-0000-7000-8000-0000000003eb",
    "zzzzzz",
)
_SAID = """
UPDATE agent_events
SET message = 'applied 12 objects of ' || left(md5(id::text), 12) || ', the last was Deployment default/web in 3.2 s'
WHERE status = 'SUCCESS' AND created_at > now() - interval '1 day';
INSERT INTO deployment_health
    (id, agent_id, deployment_object_id, status, summary, checked_at, created_at, updated_at, since)
SELECT gen_random_uuid(), r.agent_id, o.id, CASE r.status WHEN 'SUCCESS' THEN 'healthy' ELSE 'failing' END, '{}', now(),
       now(), now(), now()
FROM agent_stack_reports r JOIN deployment_objects o ON o.sequence_id = r.sequence_id;
"""
# A bad day: three reports in ten, 60,000, are of a failure of the newest version that began within four hours. Each
# stack has its own error, and one agent in ten another one; two of three errors have a number or a pod's name in them.
_BAD_DAY = """
UPDATE agent_stack_reports r
SET status = 'FAILURE', sequence_id = n.newest, reported_at = now(),
    since = now() - ('x' || left(md5(r.id::text), 4))::bit(16)::int * interval '0.2 second',
    message = CASE
        WHEN pg_temp.byte(r.stack_id) % 3 = 0 OR pg_temp.byte(r.id) % 10 = 0 THEN
            'pod web-7d9f8b6c5d-' || translate(left(md5(r.id::text), 5), 'aeiou', 'bcdfg')
            || ' is not ready after ' || pg_temp.byte(r.id) || ' s: CrashLoopBackOff'
        WHEN pg_temp.byte(r.stack_id) % 3 = 1 THEN 'Deployment default/web: ImagePullBackOff: 503 from the registry'
        ELSE 'exceeded quota: compute-resources, requested: limits.memory=' || pg_temp.byte(r.id) || 'Mi' END
FROM (SELECT stack_id, max(sequence_id) AS newest FROM deployment_objects GROUP BY stack_id) n
WHERE n.stack_id = r.stack_id AND ('x' || right(md5(r.id::text), 4))::bit(16)::int % 10 < 3
"""
_BYTE = """
CREATE FUNCTION pg_temp.byte(id uuid) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT ('x' || left(md5(id::text), 2))::bit(8)::int $$;
"""
# Agents are silent after five minutes, and this takes longer.
_HEARD = (
    "UPDATE agent_heartbeats SET last_heartbeat = now() WHERE last_heartbeat > now() - interval '12 hours'"
)
_BAD_SEARCHES = ("crashloop", "quota", "agent-77", "zzzzzz")
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
        _add_what_is_found(options.stacks)
        data.run(_HEARD)
        data.settle()
        rows = [_measure(page, options.rounds) for page in _pages() if options.only in page]
        data.run(_BYTE + _BAD_DAY)
        data.run(_HEARD)
        data.settle()
        for page in _pages_of_a_bad_day():
            if options.only in page:
                row = _measure(page, options.rounds)
                rows.append(row | {"page": f"{page} (60,000 fail)"})
        notes = environment.machine()
    print(f"\n{notes}\n")
    print(
        f"{'page':<64}{'first ms':>10}{'median ms':>11}{'queries':>9}{'KiB':>8}{'CPU ms':>9}{'there ms':>10}"
    )
    for row in rows:
        print(
            f"{row['page'][:63]:<64}{row['first_ms']:>10.0f}{row['median_ms']:>11.0f}{row['queries']:>9}{row['kib']:>8.0f}"
            f"{row['cpu_ms']:>9.0f}"
            f"{before.get(row['page'][:63], '-'):>10}"
        )
    slow = [row for row in rows if row["median_ms"] > row["bound_ms"]]
    print(f"\nbounds: {BOUND_MS} ms, a search {SEARCH_MS} ms, the page of a large version {OBJECT_MS} ms")
    print(f"MISSED by {len(slow)} pages:" if slow else "all hold")
    for row in slow:
        print(f"{row['median_ms']:>8.0f} {row['page']}")
    environment.save("admin-pages", {"machine": notes, "options": vars(options), "rows": rows})
    return 0


def _add_what_is_found(stacks: int) -> None:
    """Messages of success, health, names of resources and images, and a large version of a stack that nobody serves."""
    from core.events import SYSTEM
    from generators.models import Generator
    from stacks.services import create_stack, publish

    data.run(_SAID)
    data.run(DICTIONARIES.format(stacks=stacks, resources=RESOURCES))
    generator = Generator.objects.get(name="bench")
    stack = create_stack(name="definitions", description=None, generator_id=generator.pk, actor=SYSTEM)
    text = manifest(DOCUMENTS[DEFINITIONS], LARGE_BYTES)
    publish(stack_id=stack.pk, yaml_content=text, is_deletion_marker=False, actor=SYSTEM)


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
    """The first page, the deployments, the search, every list as it is, searched and filtered, and pages of rows."""
    from django.contrib import admin
    from django.urls import reverse

    deployments, search = reverse("admin:deployments"), reverse("admin:search")
    pages = [
        reverse("admin:index"),
        *(f"{deployments}?{query}" for query in _DEPLOYMENTS),
        *(f"{search}?extended=1&s={text}" for text in _SEARCHES),
        *_filtered_pages(),
    ]
    for model in admin.site._registry:
        options = model._meta
        url = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
        pages += [url, f"{url}?q=agent-77", f"{url}?p=3"]
    return [*pages, *_pages_of_rows()]


def _pages_of_a_bad_day() -> list[str]:
    """The pages that tell what fails, and those of the stack, the agent and the rollout that somebody looks at then."""
    from django.contrib import admin
    from django.urls import reverse

    deployments, search = reverse("admin:deployments"), reverse("admin:search")
    lists = [
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for model in admin.site._registry
        if model._meta.model_name in {"agent", "stack", "agentevent", "rollout"}
    ]
    return [
        reverse("admin:index"),
        *(
            f"{deployments}?{query}"
            for query in (*_DEPLOYMENTS, "page=2", "q=quota", "state=silent", "state=held")
        ),
        *(f"{search}?extended=1&s={text}" for text in _BAD_SEARCHES),
        *lists,
        *_filtered_pages(),
        *_pages_of_rows(),
    ]


def _filtered_pages() -> list[str]:
    """The lists of agents and stacks, by each of their filters."""
    from django.urls import reverse

    from generators.models import Generator
    from stacks.models import Stack

    agents, stacks = reverse("admin:agents_agent_changelist"), reverse("admin:stacks_stack_changelist")
    stack, generator = Stack.objects.order_by("name")[7].pk, Generator.objects.get(name="bench").pk
    return [
        *(f"{agents}?{name}={value}" for name, value in (("label", "group-7"), ("heard", "silent"))),
        f"{agents}?targets__stack__id__exact={stack}",
        f"{agents}?registrations__generator__id__exact={generator}",
        *(f"{agents}?state={state}" for state in ("failing", "pending", "silent")),
        f"{stacks}?label=group-7",
        f"{stacks}?generator__id__exact={generator}",
        *(f"{stacks}?state={state}" for state in ("failing", "pending", "silent", "held")),
    ]


def _pages_of_rows() -> list[str]:
    """Every page of an agent and of a stack, and the pages of a report, of orders and of two versions."""
    from django.urls import reverse

    from agents.models import Agent, AgentEvent
    from core.admin.tabs import pages_of
    from stacks.models import DeploymentObject, Stack
    from workorders.models import WorkOrder, WorkOrderLogEntry

    pages = []
    for model in (Agent, Stack):
        options, row = model._meta, model._default_manager.order_by("name")[7]
        pages.append(_page_of(row))
        pages += [
            reverse(f"admin:{options.app_label}_{options.model_name}_{page.url_part}", args=[row.pk])
            for page in pages_of(model)
        ]
        pages.append(reverse(f"admin:{options.app_label}_{options.model_name}_delete", args=[row.pk]))
    pages += [
        _page_of(model._default_manager.order_by("id")[7])
        for model in (AgentEvent, WorkOrder, WorkOrderLogEntry)
    ]
    pages += [_page_of(row) for row in DeploymentObject.objects.order_by("-pk").defer("yaml_content")[:2]]
    return pages


def _page_of(row: Any) -> str:
    from django.urls import reverse

    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def _bound_ms(page: str, kib: float) -> int:
    if "/search/" in page:
        return SEARCH_MS
    return OBJECT_MS if "/deploymentobject/" in page and kib > LARGE_KIB else BOUND_MS


def _measure(page: str, rounds: int) -> dict[str, Any]:
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    user = User.objects.filter(username="bench").first() or User.objects.create_superuser("bench")
    client = Client()
    client.force_login(user)
    times, cpu = [], []
    postmaster = environment.postmaster()
    for _ in range(rounds + 1):
        before, used = environment.cpu_ns(postmaster), time.process_time_ns()
        started = time.perf_counter()
        response = client.get(page, HTTP_HOST="localhost")
        times.append((time.perf_counter() - started) * 1000)
        cpu.append((time.process_time_ns() - used + environment.cpu_ns(postmaster) - before) / 1e6)
        # A list without a search sends back to itself.
        assert response.status_code in {200, 302}, (page, response.status_code)
    with CaptureQueriesContext(connection) as captured:
        client.get(page, HTTP_HOST="localhost")
    kib = len(response.content) / 1024
    slowest = max(captured.captured_queries, key=lambda query: float(query["time"]))
    return {
        "page": page,
        "first_ms": times[0],
        "median_ms": statistics.median(times[1:]),
        "cpu_ms": statistics.median(cpu[1:]),
        "queries": len(captured),
        "kib": kib,
        "bound_ms": _bound_ms(page, kib),
        "slowest_query": slowest,
    }


if __name__ == "__main__":
    raise SystemExit(main())

"""The fleet at a glance with 10,000 agents, and the job that watches silence: `make bench-fleet`.

20 stacks matched by each agent, of which all but one reported on; a health status for each; pending orders that share a
label with every agent. Whole requests in one process, on a PostgreSQL of its own.
"""

import argparse
import logging
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench import data, environment
from tests.support.postgres import private_postgres

_REPORTS = """
INSERT INTO agent_events (id, created_at, updated_at, event_type, status, count, agent_id, deployment_object_id)
SELECT gen_random_uuid(), now(), now(), 'DEPLOY', 'SUCCESS', 1, s.agent_id, o.id
FROM ({served}) s
JOIN (SELECT DISTINCT ON (stack_id) stack_id, id FROM deployment_objects ORDER BY stack_id, sequence_id DESC) o
  ON o.stack_id = s.stack_id
WHERE s.place > 1;
"""
_HEALTH = """
INSERT INTO deployment_health
    (id, agent_id, deployment_object_id, status, summary, checked_at, created_at, updated_at)
SELECT gen_random_uuid(), agent_id, deployment_object_id,
       CASE WHEN random() < 0.02 THEN 'failing' ELSE 'healthy' END, '{{}}', now(), now(), now()
FROM agent_events;
"""
_SERVED = """
SELECT agent_id, stack_id, row_number() OVER (PARTITION BY agent_id ORDER BY stack_id) AS place FROM (
    SELECT agent_id, stack_id FROM agent_targets
    UNION SELECT al.agent_id, sl.stack_id FROM agent_labels al JOIN stack_labels sl USING (label)
    UNION SELECT aa.agent_id, sa.stack_id FROM agent_annotations aa JOIN stack_annotations sa USING (key, value)
) m
"""
_ORDERS = """
INSERT INTO agent_labels (id, label, agent_id) SELECT gen_random_uuid(), 'everybody', id FROM agents;
INSERT INTO work_orders (id, created_at, updated_at, work_type, yaml_content, status, claim_timeout_seconds,
    max_retries, retry_count, backoff_seconds)
SELECT gen_random_uuid(), now(), now(), 'build', 'kind: Build', 'PENDING', 3600, 3, 0, 60
FROM generate_series(1, {orders});
INSERT INTO work_order_labels (id, work_order_id, label, created_at)
SELECT gen_random_uuid(), id, 'everybody', now() FROM work_orders;
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="brokkr-bench-") as name, private_postgres() as postgres:
        environment.start_django(postgres.url, Path(name))
        logging.disable(logging.WARNING)
        print("writing the data …", flush=True)
        data.fill(stacks=2_000, versions=5, object_bytes=200)
        data.run((_REPORTS + _HEALTH + _ORDERS).format(served=_SERVED, orders=options.orders))
        data.settle()
        rows = _measure(options.rounds)
        notes = environment.machine()
    print(f"\n{notes}\n\n{'':<44}{'median ms':>12}{'queries':>10}")
    for label, row in rows.items():
        print(f"{label:<44}{statistics.median(row['ms']):>12.1f}{row['queries']:>10}")
    environment.save("fleet", {"machine": notes, "options": vars(options), "rows": rows})
    return 0


def _measure(rounds: int) -> dict[str, dict[str, object]]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext
    from django.utils import timezone

    from agents.backlog import pending_object_counts
    from agents.services.silence import announce_recovered_agents, announce_silent_agents
    from tests.support.api import Api
    from workorders.matching import pending_counts

    admin = Api(environment.admin_key())

    def get(path: str, expected: int) -> Callable[[], None]:
        def ask() -> None:
            response = admin.get(path)
            assert response.status_code == 200
            assert len(response.json()) == expected

        return ask

    def watch() -> None:
        now = timezone.now()
        assert announce_recovered_agents(now=now) + announce_silent_agents(now=now) == 0

    asked: dict[str, Callable[[], object]] = {
        "GET /fleet": get("/fleet", data.AGENTS),
        "GET /fleet?limit=100": get("/fleet?limit=100", 100),
        "GET /agents/{id}/fleet-status": get(f"/agents/{data.agent_id(7)}/fleet-status", 2),
        "of it, objects that wait, all agents": pending_object_counts,
        "of it, orders each may claim, all agents": pending_counts,
        "watching silence, nothing to announce": watch,
    }
    rows: dict[str, dict[str, object]] = {}
    for label, ask in asked.items():
        ask()
        with CaptureQueriesContext(connection) as queries:
            ask()
            count = len(queries)
        times = []
        for _ in range(rounds):
            start = time.perf_counter()
            ask()
            times.append((time.perf_counter() - start) * 1000)
        rows[label] = {"ms": times, "queries": count}
    return rows


if __name__ == "__main__":
    raise SystemExit(main())

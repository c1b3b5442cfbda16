"""Behind PgBouncer in transaction mode, where the next statement may meet another session of the server."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.faults.conftest import Cluster, Start
from tests.support.clocked import Clocked, ask, poll_path
from tests.support.live_api import MANIFEST, created, live_client
from tests.support.pgbouncer import OF_TRIXIE, SYSTEM, Release, pgbouncer
from tests.support.proxy import Proxy
from tests.support.server import ROOT, LiveServer
from tests.support.waits import wait_for

pytestmark = pytest.mark.faults

ROLE = "pooled"
AGENTS = 6
CALLS = 180
TIMEOUTS = {
    "lock_timeout": "3s",
    "statement_timeout": "8s",
    "idle_in_transaction_session_timeout": "15s",
}


def give_role(cluster: Cluster, parameters: dict[str, str]) -> None:
    """The pooler's role has these parameters, and the sessions that had others end."""
    with psycopg.connect(cluster.postgres.url, autocommit=True) as connection:
        connection.execute(
            "DO $$ BEGIN CREATE ROLE pooled SUPERUSER LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        )
        connection.execute("ALTER ROLE pooled RESET ALL")
        for name, value in parameters.items():
            connection.execute(
                sql.SQL("ALTER ROLE pooled SET {} = {}").format(sql.Identifier(name), sql.Literal(value))
            )
        connection.execute(
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE usename = 'pooled'"
        )


@dataclass(frozen=True)
class Pooled:
    """A pooler, and the setting that fits it."""

    url: str
    setting: str


@pytest.fixture(
    params=[
        (SYSTEM, "transaction"),
        (OF_TRIXIE, "transaction"),
        (OF_TRIXIE, "transaction-prepared"),
    ],
    ids=lambda each: f"{each[0].name}-{each[1]}",
)
def pooled(request: pytest.FixtureRequest, cluster: Cluster, proxy: Proxy) -> Iterator[Pooled]:
    release: Release
    release, setting = request.param
    if not release.is_here:
        pytest.skip(f"PgBouncer ({release.name}) is not installed here: python -m tests.support.pgbouncer")
    give_role(cluster, TIMEOUTS)
    prepared = setting == "transaction-prepared"
    with pgbouncer(release, postgres_port=proxy.port, role=ROLE, prepared=prepared) as url:
        yield Pooled(url, setting)


@dataclass(frozen=True)
class Served:
    """An agent, and the object that it and no other agent has."""

    agent_id: str
    key: str
    object_id: str


def serve_each_agent_its_own(broker: LiveServer, name: str) -> list[Served]:
    def one(number: int) -> Served:
        label = f"{name}-{number}"
        with live_client(broker, broker.admin_key) as admin:
            generator = created(admin.post("/generators", json={"name": label}))["generator"]["id"]
            stack = created(admin.post("/stacks", json={"name": label, "generator_id": generator}))
            created(admin.post(f"/stacks/{stack['id']}/labels", json={"label": label}))
            path = f"/stacks/{stack['id']}/deployment-objects"
            obj = created(admin.post(path, json={"yaml_content": MANIFEST}))
            agent = created(admin.post("/agents", json={"name": label, "cluster_name": "pooled"}))
            agent_id = agent["agent"]["id"]
            created(admin.post(f"/agents/{agent_id}/labels", json={"label": label}))
        return Served(agent_id, agent["initial_pak"], obj["id"])

    return [one(number) for number in range(AGENTS)]


def test_polls_and_heartbeats_over_two_sessions_are_all_answered_rightly(
    pooled: Pooled, start: Start, request: pytest.FixtureRequest
):
    broker = start(pooled.url, BROKKR_DB_POOLER=pooled.setting)
    served = serve_each_agent_its_own(broker, request.node.callspec.id)

    def call(number: int) -> object:
        agent = served[number % AGENTS]
        if number // AGENTS % 2:
            path = f"/api/v1/agents/{agent.agent_id}/heartbeat"
            return ask(broker, "POST", path, key=agent.key, body={"k8s_reachable": True}).status
        answer = ask(broker, "GET", poll_path(agent.agent_id), key=agent.key)
        return [item["id"] for item in answer.json()] if answer.status == 200 else answer.status

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(call, range(CALLS)))

    for number, answer in enumerate(answers):
        assert answer == (204 if number // AGENTS % 2 else [served[number % AGENTS].object_id])
    # What reads in many steps, too.
    assert ask(broker, "GET", "/metrics").status == 200
    assert "Traceback" not in broker.log.read_text(encoding="utf-8")


def readiness(broker: LiveServer) -> Clocked:
    """The answer as soon as the pooler has noticed which of its sessions have ended."""
    answers: list[Clocked] = []

    def has_noticed() -> bool:
        answers.append(ask(broker, "GET", "/readyz"))
        return answers[-1].body != b"database unavailable"

    wait_for(has_noticed, patience=60)
    return answers[-1]


def test_readiness_says_which_time_outs_the_role_lacks(cluster: Cluster, pooled: Pooled, start: Start):
    broker = start(pooled.url, BROKKR_DB_POOLER=pooled.setting)

    give_role(cluster, {"statement_timeout": "8s"})
    lacking = readiness(broker)
    give_role(cluster, TIMEOUTS | {"lock_timeout": "1min"})
    longer = readiness(broker)
    give_role(cluster, TIMEOUTS)
    complete = readiness(broker)

    assert (lacking.status, lacking.body) == (
        503,
        b"database session without lock_timeout, idle_in_transaction_session_timeout",
    )
    assert (longer.status, longer.body) == (
        503,
        b"database session with lock_timeout 60000 ms instead of 3000 ms",
    )
    assert (complete.status, complete.body) == (200, b"Ready")


def checks_that_found_something(url: str, setting: str, data: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "manage.py", "doctor", "--json"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DATABASE_URL": url,
            "BROKKR_DB_POOLER": setting,
            "BROKKR_DATA_DIR": str(data),
        },
        stdout=subprocess.PIPE,
        check=False,
    )
    return [row["check"] for row in json.loads(done.stdout)]


def test_doctor_tells_a_pooler_from_a_server(pooled, cluster, tmp_path):
    assert "pooler" not in checks_that_found_something(pooled.url, pooled.setting, tmp_path)
    assert "pooler" in checks_that_found_something(cluster.postgres.url, pooled.setting, tmp_path)

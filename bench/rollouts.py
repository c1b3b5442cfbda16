"""What holds and rollouts cost: `make bench-rollouts`.

Polls of this tree beside those of a revision that knew no holds, in pairs of short windows: with no hold anywhere, and
with a hold on each of the twenty stacks of every agent. Then one tick of 100 rollouts with 10,000 members each, and the
release of a wave of 5,000. CPU time is that of the broker's and PostgreSQL's processes. At last the p99 of polls while
a worker releases the wave and all rollouts are due again and again, over that while none is due, of agents that the
wave does not reach.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from bench import data, environment
from bench.agent_calls import Variant, etags_of, measure, polls
from bench.load import generate, request
from tests.support.postgres import private_postgres
from tests.support.revision import checkout
from tests.support.server import ROOT

# The last revision without holds.
BEFORE = "156fee0"
ROLLOUTS = 100
WAVE = 5_000
_BYSTANDERS = 500
# Agents report, and with it make rollouts due, more often than a worker looks.
_REPORTS_SECONDS = 0.5
_HELD = "bench_held"
_OFFERS = """
INSERT INTO agent_offers (id, agent_id, version_id, stack_id, offered_at)
SELECT gen_random_uuid(), t.agent_id, n.newest, n.stack_id, now() FROM (
    SELECT agent_id, stack_id FROM agent_targets
    UNION SELECT a.agent_id, s.stack_id FROM agent_labels a JOIN stack_labels s USING (label)
    UNION SELECT a.agent_id, s.stack_id FROM agent_annotations a JOIN stack_annotations s USING (key, value)
) t JOIN (SELECT stack_id, max(sequence_id) AS newest FROM deployment_objects GROUP BY stack_id) n USING (stack_id)
"""
_HOLDS = """
INSERT INTO object_holds (id, version_id, reason, created_at)
SELECT gen_random_uuid(), max(sequence_id), 'rollout', now() FROM deployment_objects GROUP BY stack_id
"""
_UNHELD = "sequence_id NOT IN (SELECT version_id FROM object_holds)"
# All agents serve each of these stacks. Its newest version is held, released to all, and applied by nearly all of them;
# none has been good for the soak.
_ROLLOUTS = """
INSERT INTO agent_labels (id, label, agent_id) SELECT gen_random_uuid(), 'everywhere', id FROM agents;
INSERT INTO stacks (id, created_at, updated_at, name, generator_id)
SELECT pg_temp.key('6', i), now(), now(), 'wide-' || i, '00000000-0000-7000-8000-0000000000aa'
FROM generate_series(0, {rollouts}) i;
INSERT INTO stack_labels (id, label, stack_id)
SELECT gen_random_uuid(), 'everywhere', pg_temp.key('6', i) FROM generate_series(0, {rollouts}) i;
INSERT INTO deployment_objects
    (id, created_at, updated_at, yaml_content, yaml_checksum, submitted_at, is_deletion_marker, stack_id)
SELECT gen_random_uuid(), now(), now(), 'a: ' || v, repeat('0', 64), now(), false, pg_temp.key('6', i)
FROM generate_series(1, 2) v, generate_series(0, {rollouts}) i;
INSERT INTO object_holds (id, version_id, reason, created_at)
SELECT gen_random_uuid(), max(sequence_id), 'rollout', now() FROM deployment_objects
WHERE stack_id::text LIKE '6%' GROUP BY stack_id;
INSERT INTO rollouts (id, created_at, stack_id, version_id, previous_id, chain_id, strategy_name, definition, state,
    state_since, cause, reason, changed_by, is_skipped, wave, started_at, next_look_at, publisher_role,
    publisher_label)
SELECT pg_temp.key('7', i), now(), pg_temp.key('6', i), n.newest, n.oldest, pg_temp.key('7', i), 'wide',
    CASE WHEN i < {rollouts} THEN '{{"waves": [{{"name": "rest", "soak_seconds": 43200}}]}}'
    ELSE '{{"waves": [{{"name": "half", "percent": 50, "soak_seconds": 43200}}, {{"name": "rest"}}]}}' END::jsonb,
    'progressing', now(), '', '', '', false, CASE WHEN i < {rollouts} THEN 1 ELSE 0 END, now(),
    now() + interval '1 day', 'admin', ''
FROM generate_series(0, {rollouts}) i JOIN (
    SELECT stack_id, max(sequence_id) AS newest, min(sequence_id) AS oldest FROM deployment_objects GROUP BY stack_id
) n ON n.stack_id = pg_temp.key('6', i);
INSERT INTO rollout_waves (id, rollout_id, number, released_at, running_since, matched, approved_by, approval_reason)
SELECT gen_random_uuid(), pg_temp.key('7', i), w, CASE WHEN i < {rollouts} THEN now() END,
    CASE WHEN i < {rollouts} THEN now() END, CASE WHEN i < {rollouts} THEN {agents} ELSE 0 END, '', ''
FROM generate_series(0, {rollouts}) i, generate_series(1, 2) w WHERE w = 1 OR i = {rollouts};
"""
# Of a few rollouts: a statement that takes a minute is given up.
_MEMBERS = """
INSERT INTO rollout_members (id, rollout_id, agent_id, wave, is_deferred, is_accepted)
SELECT gen_random_uuid(), r.id, a.id, 1, false, false FROM rollouts r CROSS JOIN agents a WHERE {which};
INSERT INTO object_releases (id, version_id, agent_id, created_at)
SELECT gen_random_uuid(), r.version_id, a.id, now() FROM rollouts r CROSS JOIN agents a WHERE {which};
INSERT INTO agent_stack_reports (id, agent_id, stack_id, sequence_id, status, since, reported_at)
SELECT gen_random_uuid(), a.id, r.stack_id, r.version_id, 'SUCCESS', now(), now()
FROM rollouts r CROSS JOIN agents a WHERE {which} AND right(a.id::text, 3) <> '000';
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", default=BEFORE, help="the revision that polls are compared with")
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--stacks", type=int, default=2000)
    parser.add_argument(
        "--windows", type=int, default=5, help="pairs of windows for the p99 of polls meanwhile"
    )
    # A wave is released in each, ten times as often as one is with the default soak.
    parser.add_argument("--window-seconds", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=100.0, help="polls in a second in these windows")
    parser.add_argument("--only", choices=["polls", "rollouts"])
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="brokkr-bench-") as name,
        private_postgres() as postgres,
    ):
        folder = Path(name)
        environment.start_django(postgres.url, folder)
        print("writing the data …", flush=True)
        data.fill(stacks=options.stacks, versions=5, object_bytes=5000)
        lines = []
        if options.only != "rollouts":
            lines += _polls(options, folder, postgres.url)
        if options.only != "polls":
            lines += _rollouts(options, folder)
        notes = environment.machine()
    print(f"\n{notes}\n\n{'':<58}{'measured':>10}{'bound':>9}")
    for label, value, bound in lines:
        print(f"{'holds' if value <= bound else 'MISSED':<8}{label:<50}{value:>10.2f}{bound:>9.2f}")
    environment.save("rollouts", {"machine": notes, "options": vars(options), "lines": lines})
    return 0


def _polls(options: argparse.Namespace, folder: Path, url: str) -> list[tuple[str, float, float]]:
    """Both sides on one database; a copy of it has the holds."""
    data.run(_OFFERS)
    data.settle()
    etags = etags_of()
    with checkout(options.against) as before:
        held_url = _copy_with_holds(url)
        ours, theirs = environment.Server(folder), environment.Server(folder, code=before)
        held = environment.Server(folder, environment={"DATABASE_URL": held_url})
        listed = {
            "304": Variant("304", ours, polls(etags=etags), "304"),
            "304 before": Variant("304 before", theirs, polls(etags=etags), "304"),
            "body": Variant("body", ours, polls(), "200"),
            "body before": Variant("body before", theirs, polls(), "200"),
            "body, held": Variant("body, held", held, polls(), "200"),
        }
        with environment.servers(ours, theirs, held):
            postmaster = environment.postmaster()
            for variant in listed.values():
                for _ in range(3):
                    measure(variant, 1.0, postmaster, keep=False)
            for number in range(options.pairs):
                print(f"pair {number + 1} of {options.pairs}", flush=True)
                # In turns, first the one and then the other.
                for variant in list(listed.values())[:: 1 if number % 2 else -1]:
                    measure(variant, options.seconds, postmaster, keep=True)
        for name, variant in listed.items():
            print(f"{name:<14}{statistics.median(variant.cpu):>8.0f} us of CPU")
        statements = {"ours": _plan_of(ROOT), "before": _plan_of(before)}
        os.environ["DATABASE_URL"] = held_url
        statements["held"] = _plan_of(ROOT)
        os.environ["DATABASE_URL"] = url
    for label, (buffers, plan) in statements.items():
        print(f"statement {label:<8}{buffers:>8.0f} buffers  {plan}")
    return [
        ("304: CPU of no hold anywhere over before", _ratio(listed, "304", "304 before"), 1.05),
        ("body: CPU of no hold anywhere over before", _ratio(listed, "body", "body before"), 1.05),
        ("body: CPU of holds on all stacks over before", _ratio(listed, "body, held", "body before"), 1.15),
        ("buffers of no hold anywhere over before", statements["ours"][0] / statements["before"][0], 1.0),
        ("buffers of holds on all stacks", statements["held"][0], 11 * data.MATCHED + 40),
    ]


def _ratio(listed: dict[str, Variant], one: str, other: str) -> float:
    return statistics.median(a / b for a, b in zip(listed[one].cpu, listed[other].cpu, strict=True))


class _Rollouts:
    """The rollouts of the world: a hundred whose members are being proven, and one that waits for its first wave."""

    def __init__(self) -> None:
        # Importing them needs Django, which needs the database's address.
        from agents.models import VersionRelease
        from rollouts.models import Rollout, RolloutMember

        self.moving = Rollout.objects.moving()
        self.waiting = Rollout.objects.get(wave=0)
        self.releases = VersionRelease.objects.filter(version=self.waiting.version_id)
        self.members = RolloutMember.objects.all()

    def tick_all(self) -> None:
        from rollouts.services.ticking import tick_due

        self.moving.filter(wave=1).update(next_look_at=_now())
        if tick_due(now=_now()) < ROLLOUTS:
            raise RuntimeError("not all were due")

    def release_wave(self) -> None:
        from rollouts.services.ticking import tick

        tick(rollout_id=self.waiting.pk, now=_now())
        if self.releases.count() != WAVE:
            raise RuntimeError("not everybody has it")

    def take_back(self) -> None:
        self.releases.delete()
        self.members.filter(rollout=self.waiting).delete()
        self.waiting.waves.update(released_at=None, running_since=None)
        self.moving.filter(pk=self.waiting.pk).update(wave=0)
        data.settle()

    def make_all_due(self) -> None:
        self.moving.update(next_look_at=_now())

    def make_none_due(self) -> None:
        if self.releases.exists():
            self.take_back()
        self.moving.update(next_look_at=_now() + timedelta(days=1))


def _now() -> datetime:
    return datetime.now(UTC)


def _rollouts(options: argparse.Namespace, folder: Path) -> list[tuple[str, float, float]]:
    print("writing rollouts …", flush=True)
    data.run(_ROLLOUTS.format(rollouts=ROLLOUTS, agents=data.AGENTS))
    for number in range(ROLLOUTS):
        data.run(_MEMBERS.format(which=f"r.id = pg_temp.key('7', {number})"))
    data.settle()
    postmaster = environment.postmaster()

    def cpu_of(work: Callable[[], None]) -> tuple[float, float]:
        began, before = time.perf_counter(), environment.cpu_ns(postmaster)
        mine = time.process_time()
        work()
        used = time.process_time() - mine + (environment.cpu_ns(postmaster) - before) / 1e9
        return used, time.perf_counter() - began

    world = _Rollouts()
    ticks = [cpu_of(world.tick_all) for _ in range(8)]
    # Writing all this may have taken so long that the agents count as silent.
    data.run("UPDATE agent_heartbeats SET last_heartbeat = now()")
    released = cpu_of(world.release_wave)
    reached = set(world.releases.values_list("agent", flat=True))
    meanwhile = _polls_meanwhile(options, folder, reached, world)
    print(f"{ROLLOUTS} rollouts of {data.AGENTS} members; ticks, CPU and clock: ", end="")
    print(", ".join(f"{cpu:.2f} s/{clock:.2f} s" for cpu, clock in ticks))
    return [
        (
            f"one tick of {ROLLOUTS} rollouts, seconds of CPU",
            statistics.median(cpu for cpu, _ in ticks[1:]),
            1.0,
        ),
        (f"releasing {WAVE} agents, seconds of CPU", released[0], 2.0),
        (f"releasing {WAVE} agents, seconds", released[1], 2.0),
        ("p99 of polls while all rollouts are due over none", meanwhile, 1.2),
    ]


def _polls_meanwhile(
    options: argparse.Namespace,
    folder: Path,
    reached: set[UUID],
    world: _Rollouts,
) -> float:
    """The median ratio of pairs of windows. A worker runs in both; in the second of a pair, reports make all rollouts
    due as often as it can look at them.
    """
    from agents.api.state import state_etag
    from agents.target_state import state_of

    bystanders = [number for number in range(data.AGENTS) if UUID(data.agent_id(number)) not in reached]
    asked = []
    for number in random.Random(1).sample(bystanders, _BYSTANDERS):
        etag = state_etag(state_of(agent_id=UUID(data.agent_id(number)), mode="full"))
        path = f"/api/v1/agents/{data.agent_id(number)}/target-state"
        asked.append(request("GET", path, key=data.agent_key(number), headers=[f"If-None-Match: {etag}"]))
    server = environment.Server(folder)

    def p99(seconds: float) -> float:
        seen = generate(server.port, asked, connections=16, seconds=seconds, rate=options.rate)
        if set(seen.statuses) != {"304"}:
            raise RuntimeError(f"polls meanwhile: {dict(seen.statuses)}")
        return seen.percentile(0.99)

    pairs = []
    with environment.servers(server), environment.worker(), ThreadPoolExecutor(1) as others:
        world.make_none_due()
        # Meanwhile the worker makes the inventory of all these versions.
        p99(max(30.0, options.window_seconds))
        for _ in range(options.windows):
            world.make_none_due()
            quiet = p99(options.window_seconds)
            busy = others.submit(p99, options.window_seconds)
            while not busy.done():
                world.make_all_due()
                time.sleep(_REPORTS_SECONDS)
            pairs.append((quiet, busy.result()))
            print(f"p99 of polls: {quiet:.1f} ms, while all are due {busy.result():.1f} ms", flush=True)
    return statistics.median(busy / quiet for quiet, busy in pairs)


def _copy_with_holds(url: str) -> str:
    """Another database, in which everybody is held back from the newest version of every stack."""
    from django.db import connection

    original = connection.settings_dict["NAME"] or "postgres"
    connection.close()
    connection.settings_dict["NAME"] = "template1"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {_HELD} TEMPLATE {original}")
    connection.close()
    connection.settings_dict["NAME"] = _HELD
    data.run(_HOLDS)
    data.run(_OFFERS.replace("FROM deployment_objects", f"FROM deployment_objects WHERE {_UNHELD}"))
    data.settle()
    connection.close()
    connection.settings_dict["NAME"] = original
    return url.replace(f"/{original}?", f"/{_HELD}?")


def _plan_of(tree: Path) -> tuple[float, str]:
    """The pages that the poll's statement of a tree touches, median of twenty agents, and the nodes of its plan."""
    done = subprocess.run(
        [sys.executable, "-c", _EXPLAIN], cwd=tree, check=True, capture_output=True, text=True
    )
    found = json.loads(done.stdout.splitlines()[-1])
    return float(found["buffers"]), found["plan"]


# Runs in the tree whose statement it is.
_EXPLAIN = """
import collections, json, statistics, uuid
import django
django.setup()
from django.db import connection
from bench import data
try:
    from agents.target_state import _statement
    from paks.key_check import agent_key_parameters
    from paks.tokens import split_token

    def parameters_of(number):
        return agent_key_parameters(split_token(data.agent_key(number)), uuid.UUID(data.agent_id(number)))
except ModuleNotFoundError:  # where it was in older revisions
    from agents.polling import _statement

    def parameters_of(number):
        return {"agent": uuid.UUID(data.agent_id(number)), "key_hash": data.key_hash(number)}

sql = _statement("postgresql", False, False, with_key=True)
touched, kinds = [], collections.Counter()
for number in range(20):
    parameters = parameters_of(number)
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + sql, parameters)
        top = cursor.fetchone()[0][0]["Plan"]
    touched.append(top["Shared Hit Blocks"] + top["Shared Read Blocks"])
    nodes = [top]
    kinds.clear()
    while nodes:
        node = nodes.pop()
        kinds[node["Node Type"]] += 1
        nodes += node.get("Plans", [])
print(json.dumps({
    "buffers": statistics.median(touched),
    "plan": ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())),
}))
"""


if __name__ == "__main__":
    raise SystemExit(main())

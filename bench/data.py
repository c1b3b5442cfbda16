"""The data sets, written by PostgreSQL itself: in seconds, where the product's services would take an hour."""

import hashlib

from django.db import connection

AGENTS = 10_000
MATCHED = 20
_GROUP = 5

# Stacks form groups of five, which share a label and an annotation. An agent has two groups by label, one by annotation
# and one as explicit targets: 20 stacks.
_FLEET = """
INSERT INTO generators (id, created_at, updated_at, name, is_active, is_system)
VALUES ('00000000-0000-7000-8000-0000000000aa', now(), now(), 'bench', true, false);

INSERT INTO agents (id, created_at, updated_at, name, cluster_name, status)
SELECT pg_temp.key('a', i), now(), now(), 'agent-' || i, 'bench', 'ACTIVE' FROM generate_series(0, {agents} - 1) i;
INSERT INTO agent_heartbeats (agent_id, last_heartbeat) SELECT id, now() FROM agents;
INSERT INTO paks (id, role, subject_id, name, short_token, key_hash, created_at, last_used_at)
SELECT gen_random_uuid(), 'agent', pg_temp.key('a', i), 'agent-' || i, 'BRbench',
       encode(sha256(convert_to('agentkey' || i, 'UTF8')), 'hex'), now(), now() + interval '1 day'
FROM generate_series(0, {agents} - 1) i;
"""
_STACKS = """
INSERT INTO stacks (id, created_at, updated_at, name, generator_id)
SELECT pg_temp.key('5', i), now(), now(), 'stack-' || i, '00000000-0000-7000-8000-0000000000aa'
FROM generate_series({first}, {end} - 1) i;
INSERT INTO stack_labels (id, label, stack_id)
SELECT gen_random_uuid(), 'group-' || i / {group}, pg_temp.key('5', i) FROM generate_series({first}, {end} - 1) i;
INSERT INTO stack_annotations (id, key, value, stack_id)
SELECT gen_random_uuid(), 'group', (i / {group})::text, pg_temp.key('5', i) FROM generate_series({first}, {end} - 1) i;
"""
_OBJECTS = """
INSERT INTO deployment_objects
    (id, created_at, updated_at, yaml_content, yaml_checksum, submitted_at, is_deletion_marker, stack_id)
SELECT gen_random_uuid(), now(), now(), {text}, repeat('0', 64), now(), false, pg_temp.key('5', i)
FROM generate_series(1, {versions}) v, generate_series({first}, {end} - 1) i;
"""
# Text that compresses about as well as a manifest does.
_MANIFEST = """
'kind: ConfigMap' || chr(10) || (SELECT string_agg('  key-' || n || ': ' || md5(i::text || v || n), chr(10))
 FROM generate_series(1, {lines}) n)
"""
_TIES = """
INSERT INTO agent_labels (id, label, agent_id)
SELECT gen_random_uuid(), 'group-' || ((i + k * 101) % {groups}), pg_temp.key('a', i)
FROM generate_series(0, {agents} - 1) i, generate_series(0, 1) k;
INSERT INTO agent_annotations (id, key, value, agent_id)
SELECT gen_random_uuid(), 'group', ((i + 2 * 101) % {groups})::text, pg_temp.key('a', i)
FROM generate_series(0, {agents} - 1) i;
INSERT INTO agent_targets (id, agent_id, stack_id)
SELECT gen_random_uuid(), pg_temp.key('a', i), pg_temp.key('5', ((i + 3 * 101) % {groups}) * {group} + n)
FROM generate_series(0, {agents} - 1) i, generate_series(0, {group} - 1) n;
"""
# One word in a hundred is a failure, and one in a hundred is about an older version. One agent in twenty is silent.
_HISTORY = """
INSERT INTO agent_stack_reports (id, agent_id, stack_id, sequence_id, status, message, since, reported_at)
SELECT gen_random_uuid(), p.agent_id, p.stack_id, n.newest - (CASE WHEN p.n % 100 = 1 THEN 1 ELSE 0 END),
       CASE WHEN p.n % 100 = 0 THEN 'FAILURE' ELSE 'SUCCESS' END,
       CASE WHEN p.n % 100 = 0 THEN 'Deployment default/web: ImagePullBackOff' END,
       now() - p.n * interval '1 second', now()
FROM (
    SELECT agent_id, stack_id, row_number() OVER () AS n FROM (
        SELECT agent_id, stack_id FROM agent_targets
        UNION SELECT a.agent_id, s.stack_id FROM agent_labels a JOIN stack_labels s USING (label)
        UNION SELECT a.agent_id, s.stack_id FROM agent_annotations a JOIN stack_annotations s USING (key, value)
    ) ties
) p JOIN (SELECT stack_id, max(sequence_id) AS newest FROM deployment_objects GROUP BY stack_id) n USING (stack_id);
UPDATE agent_heartbeats SET last_heartbeat = now() - interval '1 day'
WHERE ('x' || right(agent_id::text, 4))::bit(16)::int % 20 = 0;
INSERT INTO agent_generator_registrations (id, agent_id, generator_id, registered_at)
SELECT gen_random_uuid(), id, '00000000-0000-7000-8000-0000000000aa', now() FROM agents;
UPDATE agent_events SET status = 'FAILURE', message = 'Deployment default/web: ImagePullBackOff'
WHERE ('x' || right(id::text, 2))::bit(8)::int < 3;
INSERT INTO audit_logs (id, timestamp, created_at, actor_type, actor_label, action, resource_type, resource_id,
                        request_id, details)
SELECT gen_random_uuid(), now() - i * interval '1 minute', now(), 'admin', 'bench', 'agent.updated', 'agent',
       pg_temp.key('a', i % {agents}), '', '{{"name": "bench"}}' FROM generate_series(1, 500000) i;
INSERT INTO work_orders (id, created_at, updated_at, work_type, yaml_content, status, max_retries, retry_count,
                         backoff_seconds, claim_timeout_seconds)
SELECT gen_random_uuid(), now() - i * interval '1 minute', now(), 'build', 'kind: Build', 'PENDING', 3, 0, 60, 3600
FROM generate_series(1, 20000) i;
INSERT INTO work_order_log (id, work_type, created_at, claimed_at, completed_at, claimed_by_id, success,
                            retries_attempted, yaml_content, targeting, max_retries, backoff_seconds,
                            claim_timeout_seconds)
SELECT gen_random_uuid(), 'build', now(), now(), now() - i * interval '1 minute', pg_temp.key('a', i % {agents}),
       i % 20 > 0, 0, 'kind: Build', '{{"agent_ids": [], "labels": ["builder"], "annotations": {{}}}}', 3, 60, 3600
FROM generate_series(1, 100000) i;
"""
_KEY = """
CREATE OR REPLACE FUNCTION pg_temp.key(kind text, i bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
$$ SELECT (kind || '0000000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid $$
"""


def agent_id(number: int) -> str:
    return f"a0000000-0000-7000-8000-{number:012x}"


def agent_key(number: int) -> str:
    return f"brokkr_BRbench_agentkey{number}"


def key_hash(number: int) -> str:
    return hashlib.sha256(f"agentkey{number}".encode()).hexdigest()


def fill(*, stacks: int, versions: int, object_bytes: int, agents: int = AGENTS) -> None:
    """An empty, migrated database becomes the fleet."""
    run(_FLEET.format(agents=agents))
    add_stacks(first=0, end=stacks, versions=versions, object_bytes=object_bytes)
    run(_TIES.format(agents=agents, groups=stacks // _GROUP, group=_GROUP))
    settle()


def add_stacks(*, first: int, end: int, versions: int, object_bytes: int) -> None:
    run(_STACKS.format(first=first, end=end, group=_GROUP))
    add_versions(first=first, end=end, versions=versions, object_bytes=object_bytes)


def add_versions(*, first: int, end: int, versions: int, object_bytes: int) -> None:
    text = _MANIFEST.format(lines=max(1, object_bytes // 45))
    run(_OBJECTS.format(first=first, end=end, versions=versions, text=text))


def add_events(number: int) -> None:
    """Reports of all agents, spread over their objects."""
    run(f"""
    INSERT INTO agent_events (id, created_at, updated_at, event_type, status, count, agent_id, deployment_object_id)
    SELECT gen_random_uuid(), now() - i * interval '1 second', now(), 'DEPLOY', 'SUCCESS', 1,
           pg_temp.key('a', i % {AGENTS}), o.id
    FROM generate_series(1, {number}) i
    JOIN (SELECT id, row_number() OVER () - 1 AS n FROM deployment_objects) o
      ON o.n = i % (SELECT count(*) FROM deployment_objects)
    """)


def add_history() -> None:
    """What years of operation leave in the other tables: words on every served stack, orders, audit rows, silence."""
    run(_HISTORY.format(agents=AGENTS))


def settle() -> None:
    """Let the planner know and the index-only scans see."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_KEY)
        # Without looking up every foreign key: what is written here fits.
        cursor.execute("SET session_replication_role = replica")
        # Without parameters a % is a %.
        cursor.execute(sql)

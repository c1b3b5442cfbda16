"""GET /admin/audit-logs, and what is written there."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest
from django.utils import timezone
from uuid_utils.compat import uuid7

from audit.models import AuditLog
from core.events import SYSTEM, Actor, Event, emit, event_emitted
from paks.actors import ActorType
from paks.models import Pak, Role
from paks.services import issue_pak
from tests.factories import make_agent, make_generator, make_object, make_stack, manifest
from tests.support.api import Api, refused
from tests.support.events import is_wire_time, recorded_audit

pytestmark = pytest.mark.django_db

PATH = "/admin/audit-logs"


@pytest.fixture
def admin(db) -> Api:
    """An admin's key, with no row of its own in the log."""
    _, key = issue_pak(role=Role.ADMIN, subject_id=None, name="ops", actor=SYSTEM)
    api = Api(key)
    api.post("/auth/pak")
    AuditLog.objects.all().delete()
    return api


def entry(
    action: str = "stack.created",
    *,
    actor: Actor = SYSTEM,
    resource_type: str = "stack",
    resource_id: UUID | None = None,
    details: dict[str, object] | None = None,
    minutes_ago: int = 0,
) -> Event:
    # Any word: the log keeps what it is given.
    kind: Any = action
    event = Event(
        kind=kind,
        resource_type=resource_type,
        resource_id=resource_id or uuid7(),
        actor=actor,
        details=details,
        at=timezone.now() - timedelta(minutes=minutes_ago),
    )
    emit(event)
    return event


def ids(api: Api, query: str = "") -> list[str]:
    response = api.get(f"{PATH}{query}")
    assert response.status_code == 200, response.content
    return [row["id"] for row in response.json()["logs"]]


# --- What is written ------------------------------------------------------------------------------


def test_a_row_says_who_did_what_from_where(admin):
    generator, api = make_generator("ci")
    key = Pak.objects.get(subject_id=generator.id)
    with recorded_audit() as rows:
        api.post(
            "/stacks", {"name": "api"}, headers={"User-Agent": "brokkr-cli/0.9.1", "X-Request-Id": "req-42"}
        )
    (row,) = rows
    assert (row.actor_type, row.actor_id, row.actor_label) == ("generator", generator.id, "ci")
    assert (row.key_id, row.ip_address, row.user_agent) == (key.id, "127.0.0.1", "brokkr-cli/0.9.1")
    assert row.request_id == "req-42"
    assert row.created_at == row.timestamp


def test_each_of_several_admin_keys_is_told_apart(admin):
    pak, text = issue_pak(role=Role.ADMIN, subject_id=None, name="night shift", actor=SYSTEM)
    with recorded_audit() as rows:
        Api(text).post("/generators", {"name": "ci"})
    assert {(row.actor_type, row.actor_id, row.actor_label, row.key_id) for row in rows} == {
        ("admin", None, "night shift", pak.id)
    }


def test_the_address_is_what_the_outermost_of_our_own_proxies_saw(admin, settings):
    headers = {"X-Forwarded-For": "6.6.6.6, 203.0.113.9, 10.0.0.1"}
    for proxies, address in ((0, "127.0.0.1"), (1, "10.0.0.1"), (2, "203.0.113.9")):
        settings.TRUSTED_PROXY_COUNT = proxies
        with recorded_audit() as rows:
            admin.put(f"/stacks/{make_stack().id}", {}, headers=headers)
        assert rows[-1].ip_address == address


def test_labels_and_annotations_are_changes_too(admin):
    stack = make_stack()
    with recorded_audit() as rows:
        admin.post(f"/stacks/{stack.id}/labels", "env:prod")
        admin.delete(f"/stacks/{stack.id}/labels/env:prod")
        admin.post(f"/stacks/{stack.id}/annotations", {"key": "k", "value": "v"})
        admin.delete(f"/stacks/{stack.id}/annotations/k")
    assert [(row.action, row.resource_id, row.details) for row in rows] == [
        ("stack.label_added", stack.id, {"label": "env:prod"}),
        ("stack.label_removed", stack.id, {"label": "env:prod"}),
        ("stack.annotation_added", stack.id, {"key": "k", "value": "v"}),
        ("stack.annotation_removed", stack.id, {"key": "k"}),
    ]


def test_reads_and_refused_changes_write_nothing(admin):
    generator, api = make_generator("ci")
    stack = make_stack(generator, name="taken")
    agent, agent_api = make_agent()
    objects = f"/stacks/{stack.id}/deployment-objects"
    with recorded_audit() as rows:
        for caller in (admin, api, agent_api):
            for path in ("/stacks", "/agents", "/generators", f"/stacks/{stack.id}", PATH, objects):
                caller.get(path)
        refusals = [
            admin.post("/stacks", {"name": "taken", "generator_id": str(generator.id)}),
            admin.post("/stacks", {"name": "x", "generator_id": str(uuid4())}),
            admin.post("/generators", {"name": "ci"}),
            admin.post("/agents", {"name": agent.name, "cluster_name": agent.cluster_name}),
            admin.put(f"/stacks/{stack.id}", {"name": ""}),
            admin.put(f"/stacks/{stack.id}", {"name": "x"}, headers={"If-Match": '"stale"'}),
            admin.delete(f"/stacks/{stack.id}", headers={"If-Match": '"stale"'}),
            admin.delete(f"/stacks/{uuid4()}"),
            admin.post(objects, {"yaml_content": "a: ["}),
            admin.post(f"/stacks/{stack.id}/labels", "a b"),
            admin.delete(f"/stacks/{stack.id}/labels/absent"),
            agent_api.delete(f"/stacks/{stack.id}"),
            agent_api.post("/generators", {"name": "mine"}),
            make_generator_without_rows().post(objects, {"yaml_content": manifest(1)}),
        ]
    assert {response.status_code for response in refusals} == {400, 403, 404, 409, 412, 422}
    assert [row.action for row in rows] == ["generator.created", "pak.created"]


def make_generator_without_rows() -> Api:
    return make_generator("another")[1]


def test_a_change_that_rolls_back_takes_its_row_with_it(admin):
    def fail(**kwargs):
        raise RuntimeError("a later listener fails")

    event_emitted.connect(fail)
    try:
        with recorded_audit() as rows:
            response = admin.post("/generators", {"name": "ci"})
    finally:
        event_emitted.disconnect(fail)
    refused(response, 500, "internal_error")
    assert rows == []
    assert admin.get("/generators").json() == []


def test_an_idempotent_repeat_is_not_a_second_change(admin):
    with recorded_audit() as rows:
        for _ in range(2):
            admin.post("/generators", {"name": "ci"}, headers={"Idempotency-Key": "once"})
    assert [row.action for row in rows] == ["generator.created", "pak.created"]


# --- How it is asked ------------------------------------------------------------------------------


def test_an_entry_and_its_page(admin):
    actor = Actor(type=ActorType.ADMIN, key_id=uuid7(), label="ops", ip_address="::1", user_agent="x")
    event = entry(actor=actor, details={"name": "n", "deep": [1, None]})
    body = admin.get(PATH).json()
    assert {name: body[name] for name in ("total", "count", "limit", "offset")} == {
        "total": 1,
        "count": 1,
        "limit": 100,
        "offset": 0,
    }
    (row,) = body["logs"]
    assert is_wire_time(row.pop("timestamp"))
    assert is_wire_time(row.pop("created_at"))
    assert row == {
        "id": str(event.id),
        "actor_type": "admin",
        "actor_id": None,
        "actor_name": "admin",
        "actor_label": "ops",
        "key_id": str(actor.key_id),
        "action": "stack.created",
        "resource_type": "stack",
        "resource_id": str(event.resource_id),
        "details": {"name": "n", "deep": [1, None]},
        "before": None,
        "after": None,
        "reason": "",
        "seal": None,
        "erased": [],
        "ip_address": "::1",
        "user_agent": "x",
        "request_id": "",
    }


def test_unknown_address_and_agent_are_left_out_and_null_details_are_not(admin):
    entry()
    (row,) = admin.get(PATH).json()["logs"]
    assert "ip_address" not in row
    assert "user_agent" not in row
    assert row["details"] is None


def test_the_name_of_the_actor_is_resolved_also_after_its_deletion(admin):
    (generator, _), (agent, _) = make_generator("ci"), make_agent(name="edge")
    admin.delete(f"/generators/{generator.id}")
    admin.delete(f"/agents/{agent.id}")
    AuditLog.objects.all().delete()
    for actor in (
        Actor(type=ActorType.GENERATOR, id=generator.id),
        Actor(type=ActorType.AGENT, id=agent.id),
        Actor(type=ActorType.AGENT, id=uuid7()),
        Actor(type=ActorType.SYSTEM),
        Actor(type=ActorType.ADMIN),
    ):
        entry(actor=actor)
    names = [row["actor_name"] for row in admin.get(PATH).json()["logs"]]
    assert names == ["admin", "system", None, "edge", "ci"]


def test_newest_first_and_equal_times_in_the_order_of_writing(admin):
    old = entry(minutes_ago=5)
    new = entry()
    rows = [entry(minutes_ago=2) for _ in range(3)]
    AuditLog.objects.filter(id__in=[row.id for row in rows]).update(timestamp=rows[0].at)
    assert ids(admin) == [str(event.id) for event in (new, *rows[::-1], old)]


def test_each_filter_selects_and_all_together_too(admin):
    agent = Actor(type=ActorType.AGENT, id=uuid7())
    thing = uuid7()
    wanted = str(entry("agent.updated", actor=agent, resource_type="agent", resource_id=thing).id)
    entry("agent.updated", resource_type="stack")
    for query in (
        "?actor_type=agent",
        f"?actor_id={agent.id}",
        "?resource_type=agent",
        f"?resource_id={thing}",
        f"?action=agent.*&actor_type=agent&actor_id={agent.id}&resource_type=agent&resource_id={thing}",
    ):
        assert ids(admin, query) == [wanted]
    assert len(ids(admin, "?action=agent.updated")) == 2
    assert ids(admin, f"?action=agent.updated&resource_id={uuid4()}") == []
    assert ids(admin, "?actor_type=nobody") == []
    assert ids(admin, "?action=stack") == []


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*", ["a%b.c", "a_b.c", "axb.c", "stack.created"]),
        ("stack.*", ["stack.created"]),
        ("stack.created*", ["stack.created"]),
        ("STACK.*", []),
        ("stack*d", []),
        ("*.created", []),
        ("a_*", ["a_b.c"]),
        ("a%*", ["a%b.c"]),
        ("a%b.c", ["a%b.c"]),
        ("%*", []),
        ("a\\*", []),
    ],
)
def test_an_action_is_exact_or_a_literal_prefix(admin, pattern, found):
    for action in ("a%b.c", "a_b.c", "axb.c", "stack.created"):
        entry(action)
    logs = admin.get(f"{PATH}?action={quote(pattern, safe='')}").json()["logs"]
    assert sorted(row["action"] for row in logs) == found


def test_from_is_inclusive_and_to_exclusive_with_any_offset(admin):
    old, middle, new = (entry(minutes_ago=minutes) for minutes in (10, 5, 0))
    at = middle.at.isoformat().replace("+00:00", "Z")
    assert ids(admin, f"?from={at}") == [str(new.id), str(middle.id)]
    assert ids(admin, f"?to={at}") == [str(old.id)]
    assert ids(admin, f"?from={at}&to={at}") == []
    elsewhere = (middle.at + timedelta(hours=2)).replace(tzinfo=None).isoformat() + "%2B02:00"
    assert ids(admin, f"?from={elsewhere}") == [str(new.id), str(middle.id)]


@pytest.mark.parametrize(
    "query",
    [
        "actor_id=17",
        "resource_id=x",
        "from=yesterday",
        "to=2026-13-01T00:00:00Z",
        "limit=ten",
        "limit=1.5",
        "offset=x",
    ],
)
def test_a_value_of_the_wrong_kind_is_400(admin, query):
    refused(admin.get(f"{PATH}?{query}"), 400, "invalid_query")


@pytest.mark.parametrize(
    ("query", "limit", "offset", "count"),
    [
        ("", 100, 0, 5),
        ("?limit=2&offset=1", 2, 1, 2),
        ("?limit=0", 1, 0, 1),
        ("?limit=-7", 1, 0, 1),
        ("?limit=5000", 1000, 0, 5),
        ("?offset=-3", 100, 0, 5),
        ("?offset=4", 100, 4, 1),
        ("?offset=99999999999999999999", 100, 2**31 - 1, 0),
        ("?limit=99999999999999999999", 1000, 0, 5),
    ],
)
def test_limit_and_offset_are_clamped_and_echoed(admin, query, limit, offset, count):
    for _ in range(5):
        entry()
    body = admin.get(f"{PATH}{query}").json()
    assert (body["limit"], body["offset"], body["count"], body["total"]) == (limit, offset, count, 5)
    assert len(body["logs"]) == count


def test_pages_do_not_overlap(admin):
    events = [str(entry().id) for _ in range(5)]
    pages = [ids(admin, f"?limit=2&offset={offset}") for offset in (0, 2, 4)]
    assert [*pages[0], *pages[1], *pages[2]] == events[::-1]


def test_only_an_admin_may(anonymous):
    refused(anonymous.get(PATH), 401, "unauthorized")
    for api in (make_generator()[1], make_agent()[1]):
        refused(api.get(PATH), 403, "admin_required")


def test_asking_writes_nothing(admin):
    entry()
    ids(admin)
    assert AuditLog.objects.count() == 1


@pytest.mark.parametrize("rows", [1, 12])
def test_the_number_of_queries_is_fixed(admin, rows, django_assert_num_queries):
    for _ in range(rows):
        generator, api = make_generator()
        agent, agent_api = make_agent()
        api.post("/stacks", {"name": f"stack of {generator.id}"})
        agent_api.put(f"/agents/{agent.id}", {"status": "ACTIVE"})
        make_object(make_stack())
    with django_assert_num_queries(5):
        assert len(ids(admin)) >= rows


def test_pages_by_cursor_repeat_nothing_when_rows_come_meanwhile(admin):
    expected, query, seen = [entry(minutes_ago=minutes) for minutes in range(1, 7)], "?limit=2", list[str]()
    while query:
        answer = admin.get(f"/admin/audit-logs{query}")
        seen += [row["id"] for row in answer.json()["logs"]]
        entry()
        query = "?" + link.partition("?")[2].partition(">")[0] if (link := answer.headers.get("Link")) else ""

    assert seen == [str(row.id) for row in expected]

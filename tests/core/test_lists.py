"""Lists: complete by default, page by page on request, filtered on the server."""

import base64
import re
from datetime import timedelta

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents.models import AgentEvent
from stacks.models import Stack, StackLabel
from tests.factories import (
    make_agent,
    make_diagnostic,
    make_event,
    make_generator,
    make_object,
    make_registration,
    make_stack,
    make_target,
    make_work_order,
)
from tests.support.api import PREFIX, refused
from workorders.services.targeting import Targeting

pytestmark = pytest.mark.django_db
_NEXT = re.compile(r'<(/[^>]*)>; rel="next"')


def next_page(response) -> str | None:
    """The path of the next page, None on the last."""
    link = response.headers.get("Link")
    if link is None:
        return None
    found = _NEXT.fullmatch(link)
    assert found, link
    return found[1].removeprefix(PREFIX)


def walk(api, path: str) -> list[list[dict[str, object]]]:
    """All pages from `path` on."""
    pages = []
    target: str | None = path
    while target:
        response = api.get(target)
        assert response.status_code == 200, response.content
        pages.append(response.json())
        target = next_page(response)
    return pages


def cursor_of(*values: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(values)).decode().rstrip("=")


@pytest.fixture
def paths():
    """Every list, each with five rows."""
    generator, _ = make_generator()
    labels = [f"label-{number}" for number in range(5)]
    stack = make_stack(generator, labels=labels, annotations=dict.fromkeys(labels, "value"))
    agent, _ = make_agent(labels=labels, annotations=dict.fromkeys(labels, "value"))
    for _ in range(4):
        make_registration(agent, make_generator()[0])
        make_registration(make_agent()[0], generator)
        make_target(agent, make_stack(generator))
    make_registration(agent, generator)
    make_target(agent, stack)
    for number in range(5):
        obj = make_object(stack)
        make_event(agent, obj, message="abcdefg"[number])
        make_diagnostic(agent, obj)
        make_work_order(targeting=Targeting(labels=["label-0"]))
    return [
        "/generators",
        "/paks",
        "/stacks",
        f"/stacks/{stack.id}/labels",
        f"/stacks/{stack.id}/annotations",
        f"/stacks/{stack.id}/deployment-objects",
        "/agents",
        f"/agents/{agent.id}/labels",
        f"/agents/{agent.id}/annotations",
        f"/agents/{agent.id}/targets",
        f"/agents/{agent.id}/stacks",
        f"/agents/{agent.id}/events",
        f"/agents/{agent.id}/registrations",
        f"/generators/{generator.id}/registered-agents",
        "/agent-events",
        "/work-orders",
        f"/agents/{agent.id}/work-orders/pending",
        f"/agents/{agent.id}/diagnostics/pending",
    ]


def test_the_pages_of_every_list_make_the_whole_list(admin, paths):
    for path in paths:
        whole = admin.get(path)
        rows = whole.json()
        assert len(rows) >= 5, path
        assert "Link" not in whole.headers, path
        assert "X-Total-Count" not in whole.headers, path
        pages = walk(admin, f"{path}?limit=2")
        assert [row for page in pages for row in page] == rows, path
        assert [len(page) for page in pages[:-1]] == [2] * (len(pages) - 1), path
        assert 1 <= len(pages[-1]) <= 2, path


def test_a_page_asks_the_database_as_often_as_a_long_list(admin, paths):
    admin.get("/stacks")
    # The pending orders are asked for by a short way first, for a plain request only; their own test counts them.
    for path in (path for path in paths if not path.endswith("/pending")):
        counts = set()
        for query in ("", "?limit=1", "?limit=1000"):
            with CaptureQueriesContext(connection) as queries:
                admin.get(path + query)
            counts.add(len(queries))
        assert len(counts) == 1, path
        (count,) = counts
        # The key, the rows, and for some lists what decides which rows they are.
        assert 2 <= count <= 4, path


def test_the_last_page_has_no_link_also_when_it_is_full(admin):
    make_generator()
    make_generator()
    response = admin.get("/generators?limit=2")
    assert len(response.json()) == 2
    assert "Link" not in response.headers


def test_the_link_keeps_the_filters_and_the_limit(admin):
    for number in range(3):
        make_stack(name=f"blue & green {number}", labels=["a b".replace(" ", "&")])
        make_stack(name=f"red {number}")
    pages = walk(admin, "/stacks?name=blue%20%26&limit=1&label=a%26b&count=true")
    assert [[row["name"] for row in page] for page in pages] == [[f"blue & green {n}"] for n in range(3)]


def test_the_link_does_not_repeat_what_the_client_says_of_the_host(admin):
    make_generator()
    make_generator()
    response = admin.get("/generators?limit=1", headers={"Host": "evil.example"})
    assert "evil" not in response.headers["Link"]


def test_a_cursor_alone_gives_pages_of_a_hundred(admin):
    generator, _ = make_generator()
    stack = make_stack(generator)
    StackLabel.objects.bulk_create(StackLabel(stack=stack, label=f"{number:03}") for number in range(150))
    path = next_page(admin.get(f"/stacks/{stack.id}/labels?limit=1"))
    assert path
    response = admin.get(re.sub(r"&?limit=1", "", path))
    assert [row["label"] for row in response.json()] == [f"{number:03}" for number in range(1, 101)]
    assert "limit=100" in response.headers["Link"]


def test_the_total_is_told_on_request_with_filters_and_without_pages(admin):
    for name in ("blue-1", "blue-2", "red"):
        make_stack(name=name)
    assert admin.get("/stacks?count=true").headers["X-Total-Count"] == "3"
    assert admin.get("/stacks?count=true&limit=1").headers["X-Total-Count"] == "3"
    assert admin.get("/stacks?count=true&name=blue&limit=1").headers["X-Total-Count"] == "2"
    assert "X-Total-Count" not in admin.get("/stacks?count=false").headers


def test_rows_that_come_meanwhile_neither_repeat_nor_hide_others(admin):
    stacks = [make_stack() for _ in range(6)]
    first = admin.get("/stacks?limit=3")
    # One that sorts before the cursor and one that sorts after it.
    early, late = make_stack(), make_stack()
    Stack.objects.filter(pk=early.pk).update(created_at=stacks[0].created_at - timedelta(hours=1))
    rest = walk(admin, next_page(first) or "")
    seen = [row["id"] for page in [first.json(), *rest] for row in page]
    assert seen == [str(stack.id) for stack in [*stacks, late]]


def test_rows_that_go_meanwhile_hide_no_others(admin):
    stacks = [make_stack() for _ in range(6)]
    first = admin.get("/stacks?limit=3")
    # Also the row that the cursor names.
    Stack.objects.filter(pk__in=[stacks[0].pk, stacks[2].pk]).update(deleted_at=timezone.now())
    rest = walk(admin, next_page(first) or "")
    assert [row["id"] for page in rest for row in page] == [str(stack.id) for stack in stacks[3:]]


def test_rows_of_the_same_moment_are_told_apart(admin):
    agent, _ = make_agent()
    obj = make_object(make_stack())
    for number in range(7):
        make_event(agent, obj, message="abcdefg"[number])
    AgentEvent.objects.update(created_at=timezone.now(), updated_at=timezone.now())
    whole = admin.get("/agent-events").json()
    pages = walk(admin, "/agent-events?limit=2")
    assert [row for page in pages for row in page] == whole
    assert len({str(row["id"]) for row in whole}) == 7


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "!!!!",
        "%FF",
        "sch%C3%BCssel",
        cursor_of(),
        cursor_of("2026-01-01T00:00:00Z"),
        cursor_of("2026-01-01T00:00:00Z", "0193f0a4-7c1e-7d39-8b53-0a4f6f2b9c11", "more"),
        cursor_of("2026-01-01T00:00:00Z", 5),
        cursor_of("2026-01-01T00:00:00Z", None),
        cursor_of("2026-01-01T00:00:00Z", "not a uuid"),
        cursor_of("2026-01-01T00:00:00", "0193f0a4-7c1e-7d39-8b53-0a4f6f2b9c11"),
        cursor_of("2026-01-01", "0193f0a4-7c1e-7d39-8b53-0a4f6f2b9c11"),
        cursor_of("2026-13-41T00:00:00Z", "0193f0a4-7c1e-7d39-8b53-0a4f6f2b9c11"),
        cursor_of("0001-01-01T00:00:00+23:59", "0193f0a4-7c1e-7d39-8b53-0a4f6f2b9c11"),
        cursor_of("9999-12-31T23:59:59-23:59", "0193f0a4-7c1e-7d39-8b53-0a4f6f2b9c11"),
        cursor_of("yesterday", "0193f0a4-7c1e-7d39-8b53-0a4f6f2b9c11"),
        base64.urlsafe_b64encode(b'{"a": 1}').decode(),
        base64.urlsafe_b64encode(b'"text"').decode(),
        base64.urlsafe_b64encode(b"[" * 3000).decode(),
    ],
)  # fmt: skip
def test_a_cursor_that_no_list_gave_is_400(admin, cursor):
    refused(admin.get(f"/stacks?cursor={cursor}"), 400, "invalid_query")


@pytest.mark.parametrize("value", ["x", "", "1.5", "\0", "9" * 5000])
def test_a_cursor_with_a_bad_number_is_400(admin, value):
    stack = make_stack()
    path = f"/stacks/{stack.id}/deployment-objects?cursor={cursor_of(value)}"
    refused(admin.get(path), 400, "invalid_query")


@pytest.mark.parametrize(("value", "rows"), [("9" * 30, 1), ("-" + "9" * 30, 0)])
def test_a_cursor_beyond_every_row_is_before_all_or_after_all(admin, value, rows):
    stack = make_stack()
    make_object(stack)
    response = admin.get(f"/stacks/{stack.id}/deployment-objects?cursor={cursor_of(value)}")
    assert response.status_code == 200
    assert len(response.json()) == rows


def test_a_cursor_with_a_nul_is_400(admin):
    stack = make_stack(labels=["a"])
    refused(admin.get(f"/stacks/{stack.id}/labels?cursor={cursor_of(chr(0))}"), 400, "invalid_query")


def test_a_cursor_gives_nobody_rows_of_others():
    generator, api = make_generator()
    _, stranger = make_generator()
    for _ in range(3):
        make_stack(generator)
    page = next_page(api.get("/stacks?limit=1"))
    assert page
    assert stranger.get(page).json() == []


# --- Filters ----------------------------------------------------------------------------------------


def names(response) -> list[str]:
    assert response.status_code == 200, response.content
    return [row["name"] for row in response.json()]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("name=shop", ["Web-Shop", "shop-api"]),
        ("name=SHOP-", ["shop-api"]),
        ("name=100%25", ["100%_sure"]),
        ("name=%25", ["100%_sure"]),
        ("name=_", ["100%_sure"]),
        ("name=nothing", []),
        ("label=env:prod", ["shop-api"]),
        ("label=env", []),
        ("label=ENV:PROD", []),
        ("label=a/b%25%26", ["Web-Shop"]),
        ("label=env:prod&name=web", []),
    ],
)
def test_stacks_are_filtered_by_name_and_label(admin, query, expected):
    make_stack(name="Web-Shop", labels=["a/b%&", "x"])
    make_stack(name="shop-api", labels=["env:prod", "x"])
    make_stack(name="100%_sure")
    assert names(admin.get(f"/stacks?{query}")) == expected


def test_stacks_are_filtered_by_owner(admin):
    one, api = make_generator()
    two, _ = make_generator()
    make_stack(one, name="first")
    make_stack(two, name="second")
    assert names(admin.get(f"/stacks?pak_id={one.id}")) == ["first"]
    assert names(admin.get(f"/stacks?pak_id={str(two.id).upper()}")) == ["second"]
    assert names(admin.get("/stacks?pak_id=0193f0a4-7c1e-7d39-8b53-0a4f6f2b9c11")) == []
    assert names(api.get(f"/stacks?pak_id={two.id}")) == []


def test_agents_are_filtered_by_name_cluster_status_and_label(admin):
    make_agent(name="edge-1", cluster_name="paris", active=True, labels=["gpu"])
    make_agent(name="edge-2", cluster_name="rome", labels=["gpu"])
    make_agent(name="core-1", cluster_name="paris")
    assert names(admin.get("/agents?name=EDGE")) == ["edge-1", "edge-2"]
    assert names(admin.get("/agents?cluster_name=paris")) == ["edge-1", "core-1"]
    assert names(admin.get("/agents?cluster_name=par")) == []
    assert names(admin.get("/agents?status=ACTIVE")) == ["edge-1"]
    assert names(admin.get("/agents?status=INACTIVE")) == ["edge-2", "core-1"]
    assert names(admin.get("/agents?label=gpu&status=INACTIVE")) == ["edge-2"]


def test_a_generator_filters_only_among_the_agents_registered_with_it():
    generator, api = make_generator()
    agent, _ = make_agent(name="edge-1")
    make_agent(name="edge-2")
    make_registration(agent, generator)
    assert names(api.get("/agents?name=edge")) == ["edge-1"]


def test_generators_are_filtered_by_name(admin):
    make_generator(name="payments-ci")
    make_generator(name="Search-CI")
    assert names(admin.get("/generators?name=ci")) == ["payments-ci", "Search-CI"]
    assert names(admin.get("/generators?name=pay")) == ["payments-ci"]
    assert names(admin.get("/generators?name=__system__")) == []


def test_events_are_filtered_by_the_owner_of_the_stack(admin):
    one, _ = make_generator()
    two, _ = make_generator()
    agent, api = make_agent()
    event = make_event(agent, make_object(make_stack(one)))
    make_event(agent, make_object(make_stack(two)))
    for caller in (admin, api):
        rows = caller.get(f"/agent-events?pak_id={one.id}").json()
        assert [row["id"] for row in rows] == [str(event.id)]
        assert caller.get("/agent-events?pak_id=0193f0a4-7c1e-7d39-8b53-0a4f6f2b9c11").json() == []

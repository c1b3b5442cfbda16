"""What agents found is read as tables, in the spelling of each agent there is."""

from datetime import UTC, datetime

import pytest

from diagnostics.tables import MAX_ROWS, events_table, pods_table

OURS = {
    "namespace": "shop",
    "name": "web-0",
    "phase": "Running",
    "conditions": [{"type": "Ready", "status": "False", "message": "containers with unready status: [web]"}],
    "containers": [
        {
            "name": "web",
            "ready": False,
            "restartCount": 7,
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}},
        },
        {"name": "proxy", "ready": True, "restartCount": 0, "state": {"running": {}}},
    ],
}
IN_RUST = {
    "namespace": "shop",
    "name": "web-0",
    "phase": "Running",
    "conditions": [],
    "containers": [
        {
            "name": "web",
            "ready": False,
            "restart_count": 7,
            "state": "Waiting",
            "state_reason": "CrashLoopBackOff",
            "state_message": "back-off 5m0s",
        },
        {
            "name": "proxy",
            "ready": True,
            "restart_count": 0,
            "state": "Running",
            "state_reason": None,
            "state_message": None,
        },
    ],
}


@pytest.mark.parametrize("pod", [OURS, IN_RUST], ids=["ours", "rust"])
def test_a_pod_is_a_row_with_its_phase_restarts_and_why_it_is_not_ready(pod):
    table = pods_table([pod])
    assert table is not None
    assert table.rows == [
        ["shop/web-0", "Running", "1 of 2", "7, 0", "web: CrashLoopBackOff: back-off 5m0s"],
    ]


def test_a_pod_without_containers_says_which_condition_does_not_hold():
    why = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}
    table = pods_table([{"name": "web-0", "phase": "Pending", "conditions": [why], "containers": []}])
    assert table is not None
    assert table.headers == ["Pod", "Phase", "State"]
    assert table.rows == [["web-0", "Pending", "PodScheduled: Unschedulable: 0/3 nodes"]]


def test_pods_that_are_not_ready_come_first():
    ready = {"name": "a", "containers": [{"name": "web", "ready": True}]}
    table = pods_table([ready, {"name": "b", "containers": [{"name": "web", "ready": False}]}])
    assert table is not None
    assert [row[0] for row in table.rows] == ["b", "a"]


@pytest.mark.parametrize(
    "event",
    [
        {"type": "Warning", "object": "Pod web-0", "lastTimestamp": "2026-11-29T09:00:00Z"},
        {"event_type": "Warning", "involved_object": "Pod web-0", "last_timestamp": "2026-11-29T09:00:00Z"},
    ],
    ids=["ours", "rust"],
)
def test_an_event_is_a_row_with_the_time_it_was_last_seen(event):
    table = events_table([event | {"reason": "BackOff", "message": "restarting", "count": 12}])
    assert table is not None
    seen = datetime(2026, 11, 29, 9, tzinfo=UTC)
    assert table.rows == [[seen, "Warning", "BackOff", "Pod web-0", "12", "restarting"]]


def test_the_newest_events_come_first_and_those_without_a_time_last():
    times = ["2026-11-29T09:00:00Z", None, "2026-11-29T11:00:00+01:00"]
    table = events_table([{"reason": str(number), "lastTimestamp": at} for number, at in enumerate(times)])
    assert table is not None
    assert [row[1] for row in table.rows] == ["2", "0", "1"]


@pytest.mark.parametrize(
    "said", ["yesterday", "2026-11-29T09:00:00", "2026-13-29T09:00:00Z", "0001-01-01T00:00:00+14:00"]
)
def test_what_is_no_moment_is_shown_as_it_was_said(said):
    table = events_table([{"reason": "BackOff", "lastTimestamp": said}])
    assert table is not None
    assert table.rows[0][0] == said


@pytest.mark.parametrize("found", [{}, "text", 7, None, [1], [[]], [{}], [{"name": 7}], [{"reason": None}]])
def test_what_is_no_list_of_pods_or_events_is_no_table(found):
    assert pods_table(found) is None
    assert events_table(found) is None


@pytest.mark.parametrize("odd", [7, "text", [1], {"a": {"b": []}}, [{"state": {"a": 1, "b": 2}}], [[]], True])
def test_fields_of_any_type_do_no_harm(odd):
    names = {*OURS, *IN_RUST, "type", "reason", "message", "object", "count", "lastTimestamp"} - {"name"}
    event = {"reason": "BackOff", "message": "restarting"}
    assert all(events_table([event | {name: odd}]) for name in names - {"reason", "message"})
    assert all(pods_table([{"name": "web-0", name: odd}]) for name in names)


def test_a_table_has_only_as_many_rows_as_a_page_shows():
    table = pods_table([{"name": f"web-{number}"} for number in range(MAX_ROWS + 3)])
    assert table is not None
    assert (len(table.rows), table.more) == (MAX_ROWS, 3)

"""The audit log in the admin."""

import csv
import io
import json
import re
from datetime import UTC, datetime

import pytest

from audit.models import AuditLog
from tests.factories import make_agent, make_generator, make_object, make_stack
from tests.support.admin import staff

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.any_database("what pages of the admin show, and what their buttons do"),
]

LIST = "audit/auditlog/"


def actions(operator, **query: str) -> list[str]:
    return [row.action for row in operator.get(LIST, **query).context["cl"].result_list]


def test_newest_first_with_names_that_lead_to_the_rows(operator):
    stack = make_stack(name="the-shop")
    obj = make_object(stack)
    page = operator.get(LIST)
    assert [row.action for row in page.context["cl"].result_list][:2] == [
        "deployment.created",
        "stack.created",
    ]
    content = page.content.decode()
    assert f'href="/admin/stacks/stack/{stack.pk}/change/" class="text-link">the-shop' in content
    assert (
        f'href="/admin/stacks/deploymentobject/{obj.id}/change/" class="text-link">#{obj.sequence_id}'
        in content
    )
    assert operator.get(f"stacks/deploymentobject/{obj.id}/change/").status_code == 200


def test_filters_by_action_whole_or_by_its_beginning(operator):
    make_stack()
    assert set(actions(operator, action="stack.created")) == {"stack.created"}
    assert set(actions(operator, action="generator.*")) == {"generator.created"}
    assert actions(operator, action="nothing") == []


def test_filters_by_resource_type_and_actor_type(operator):
    make_agent()
    operator.post("paks/pak/add/", {"name": "laptop"})
    assert set(actions(operator, resource_type="agent")) == {"agent.created"}
    assert actions(operator, actor_type="admin") == ["pak.created"]


def test_filters_by_time_to_the_second_in_which_it_happened(operator):
    make_generator()
    old = AuditLog.objects.order_by("sequence")[0]
    at = datetime(2024, 2, 29, 12, 30, 0, 700_000, tzinfo=UTC)
    AuditLog.objects.filter(pk=old.pk).update(timestamp=at)
    # Browsers leave out seconds that are 0.
    assert actions(operator, timestamp_to="2024-02-29T12:30") == [old.action]
    within = {"timestamp_from": "2024-02-29T12:30:00", "timestamp_to": "2024-02-29T12:30:00"}
    assert actions(operator, **within) == [old.action]
    assert actions(operator, timestamp_to="2024-02-29T12:29:59") == []
    assert old.action not in actions(operator, timestamp_from="2024-02-29T12:30:01")
    assert old.action in actions(operator, timestamp_to="9999-12-31T23:59:59")


def test_a_moment_is_chosen_with_the_control_that_all_forms_have(operator):
    page = operator.get(LIST, timestamp_from="2024-02-29T12:30").content.decode()
    # Other forms of the page carry the filter on, hidden.
    (control,) = {
        each
        for each in re.findall(r'<input[^>]*name="timestamp_from"[^>]*>', page)
        if 'type="hidden"' not in each
    }
    assert 'type="datetime-local"' in control
    assert 'value="2024-02-29T12:30"' in control
    assert "From (UTC)" in page


@pytest.mark.parametrize("moment", ["yesterday", "2024-02-30T10:00"])
def test_a_moment_that_is_none_is_not_taken_for_no_filter(operator, moment):
    make_generator()
    assert operator.get(LIST, timestamp_from=moment).headers["Location"].endswith("?e=1")


def test_searches_by_the_resources_id(operator):
    stack, _ = make_stack(), make_stack()
    assert actions(operator, q=str(stack.pk)) == ["stack.created"]
    assert actions(operator, q="no id") == []


def test_a_row_shows_its_details(operator):
    make_stack(name="the-shop")
    row = AuditLog.objects.get(action="stack.created")
    page = operator.get(f"{LIST}{row.pk}/change/").content.decode()
    assert "the-shop" in page
    assert f"{row.timestamp:%Y-%m-%d %H:%M:%S.%f} UTC" in page


def test_rows_are_called_as_their_pages_call_them_and_entries_name_who_it_was(operator):
    make_object(make_stack(name="the-shop"))
    operator.post("paks/pak/add/", {"name": "laptop"})
    page = operator.get(LIST).content.decode()
    assert "<span>version <a " in page
    assert "key laptop" in page
    row = AuditLog.objects.get(action="pak.created", actor_label=operator.user.username)
    assert (
        f"pak.created by {operator.user.username}" in operator.get(f"{LIST}{row.pk}/change/").content.decode()
    )


def test_filters_by_the_actors_name(operator):
    make_generator()
    operator.post("paks/pak/add/", {"name": "laptop"})
    assert actions(operator, actor=operator.user.username) == ["pak.created"]
    assert actions(operator, actor="astri") == []


def test_a_row_leads_to_the_key_it_was_done_with(operator):
    generator, api = make_generator()
    api.post("/stacks", {"name": "the-shop", "generator_id": str(generator.pk)})
    row = AuditLog.objects.get(action="stack.created")
    assert row.key_id is not None
    assert f"/admin/paks/pak/{row.key_id}/change/" in operator.get(f"{LIST}{row.pk}/change/").content.decode()


def exported(operator, **query: str) -> list[dict[str, str]]:
    response = operator.get(f"{LIST}export/", **query)
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"].startswith('attachment; filename="audit-log-')
    return list(csv.DictReader(io.StringIO(response.getvalue().decode(), newline="")))


def test_the_list_leads_to_an_export_of_its_rows(operator):
    make_stack()
    page = operator.get(LIST, action="stack.*").content.decode()
    assert f'href="/admin/{LIST}export/?action=stack.%2A"' in page
    assert [row["action"] for row in exported(operator, action="stack.*")] == ["stack.created"]


def test_an_export_holds_all_rows_and_all_that_is_known_of_them(operator, monkeypatch):
    monkeypatch.setattr("audit.admin.AuditLogAdmin.list_per_page", 2)
    stack = make_stack(name='the "shop", ø')
    make_generator()
    rows = exported(operator)
    assert len(rows) == AuditLog.objects.count() > 2
    newest_first = [row["timestamp"] for row in rows]
    assert newest_first == sorted(newest_first, reverse=True)
    (row,) = [row for row in rows if row["action"] == "stack.created"]
    assert row["resource_id"] == str(stack.pk)
    assert json.loads(row["details"])["name"] == 'the "shop", ø'


def test_what_a_spreadsheet_would_run_is_made_harmless(operator):
    make_stack()
    AuditLog.objects.filter(action="stack.created").update(user_agent='=cmd|"/c calc"!A1')
    (row,) = exported(operator, action="stack.created")
    assert row["user_agent"] == """'=cmd|"/c calc"!A1"""


def test_an_export_is_for_those_who_see_the_log():
    assert staff().get(f"{LIST}export/").status_code == 403
    assert staff("audit.view_auditlog", name="bjorn").get(f"{LIST}export/").status_code == 200


def test_an_export_with_a_filter_that_is_none_leads_back(operator):
    assert operator.get(f"{LIST}export/", timestamp_from="2024-02-30").headers["Location"] == f"/admin/{LIST}"

"""The audit log in the admin."""

from datetime import UTC, datetime

import pytest

from audit.models import AuditLog
from tests.factories import make_agent, make_generator, make_object, make_stack

pytestmark = pytest.mark.django_db

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


def test_filters_by_time_in_whole_days_or_to_the_second(operator):
    make_generator()
    old = AuditLog.objects.order_by("sequence")[0]
    AuditLog.objects.filter(pk=old.pk).update(timestamp=datetime(2024, 2, 29, 12, 30, tzinfo=UTC))
    assert actions(operator, timestamp_to_0="2024-02-29") == [old.action]
    assert actions(operator, timestamp_from_0="2024-02-29", timestamp_to_0="2024-02-29") == [old.action]
    assert actions(operator, timestamp_to_0="2024-02-29", timestamp_to_1="12:29:59") == []
    assert old.action not in actions(operator, timestamp_from_0="2024-03-01")


@pytest.mark.parametrize("day", ["yesterday", "2024-02-30"])
def test_a_day_that_is_none_is_not_taken_for_no_filter(operator, day):
    make_generator()
    assert operator.get(LIST, timestamp_from_0=day).headers["Location"].endswith("?e=1")


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

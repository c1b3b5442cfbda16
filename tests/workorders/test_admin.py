"""Work orders and their log in the admin."""

from typing import Any

import pytest
from django.utils import timezone

from agents.services.agents import delete_agent
from core.events import SYSTEM
from tests.factories import make_agent, make_claimed_work_order, make_log_entry, make_work_order
from tests.support.admin import actions_by, chosen_in, errors_of, messages_of, staff
from workorders.admin.common import AGENTS_SHOWN
from workorders.models import WorkOrder, WorkOrderLogEntry
from workorders.services.targeting import Targeting

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.any_database("what pages of the admin show, and what their buttons do"),
]

LIST = "workorders/workorder/"
LOG = "workorders/workorderlogentry/"
NEW = {
    "work_type": "build",
    "yaml_content": "kind: Build",
    "max_retries": "3",
    "backoff_seconds": "60",
    "claim_timeout_seconds": "3600",
}


def shown(page: Any) -> list[Any]:
    return list(page.context["cl"].result_list)


def could_claim(page: Any) -> list[str]:
    return [agent.name for agent in page.context["preview"]["agents"]]


def test_an_order_is_created_with_its_whole_targeting(operator):
    agent, _ = make_agent()
    operator.post(
        f"{LIST}add/",
        NEW
        | {
            "yaml_content": "  kind: Build\r\n  spec: {}\r\n",
            "agents": [str(agent.pk)],
            "labels": " builder \r\n\r\narm64",
            "annotations": "region = eu\r\nflag=a=b",
            "max_retries": "0",
        },
    )
    order = WorkOrder.objects.get()
    assert (order.yaml_content, order.max_retries) == ("  kind: Build\n  spec: {}\n", 0)
    assert [row.agent for row in order.targets.all()] == [agent]
    assert set(order.labels.values_list("label", flat=True)) == {"builder", "arm64"}
    assert dict(order.annotations.values_list("key", "value")) == {"region": "eu", "flag": "a=b"}
    assert actions_by(operator.user) == ["workorder.created"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "Name at least one agent"),
        ({"labels": "two words"}, "no white space"),
        ({"annotations": "no-equals"}, "is not key=value"),
        ({"annotations": "k=1\nk=2"}, "is there twice"),
        ({"labels": "a", "backoff_seconds": "0"}, "It is 1 s to"),
        ({"labels": "a", "max_retries": "-1"}, "greater than or equal to 0"),
        ({"labels": "a", "claim_timeout_seconds": str(2**31)}, "3 h 14 min 7 s."),
        ({"labels": "a", "yaml_content": " \n"}, "must not be blank"),
        ({"labels": "a", "work_type": "x" * 51}, "at most 50 characters"),
        ({"agents": ["0190f000-0000-7000-8000-000000000000"]}, "is not one of the available choices"),
    ],
)
def test_a_refused_order_is_not_created_and_the_form_says_why(operator, change, words):
    response = operator.post(f"{LIST}add/", NEW | change)
    (error,) = errors_of(response)
    assert words in error
    assert not WorkOrder.objects.exists()
    assert actions_by(operator.user) == []


def test_a_deleted_agent_is_no_choice(operator):
    agent, _ = make_agent()
    delete_agent(agent=agent, actor=SYSTEM)
    assert len(errors_of(operator.post(f"{LIST}add/", NEW | {"agents": [str(agent.pk)]}))) == 1


def test_the_preview_names_the_agents_that_could_claim_the_order_and_saves_nothing(operator):
    named, _ = make_agent(name="named")
    make_agent(name="labelled", labels=["builder"])
    make_agent(name="annotated", annotations={"region": "eu"})
    make_agent(name="other", labels=["else"], annotations={"region": "us"})
    gone, _ = make_agent(name="gone", labels=["builder"])
    delete_agent(agent=gone, actor=SYSTEM)
    targeting = {"agents": [str(named.pk)], "labels": "builder", "annotations": "region=eu"}

    page = operator.post(f"{LIST}add/", NEW | targeting | {"_preview": "yes"})

    assert could_claim(page) == ["annotated", "labelled", "named"]
    assert chosen_in(page) == {str(named.pk): str(named)}
    assert errors_of(page) == []
    assert b"kind: Build" in page.content
    assert not WorkOrder.objects.exists()


def test_the_preview_says_when_nobody_could_claim_it(operator):
    page = operator.post(f"{LIST}add/", NEW | {"labels": "nobody", "_preview": "yes"})
    assert b"No agent could claim it now" in page.content


def test_the_preview_names_only_the_first_of_many(operator):
    for _ in range(AGENTS_SHOWN + 1):
        make_agent(labels=["builder"])
    page = operator.post(f"{LIST}add/", NEW | {"labels": "builder", "_preview": "yes"})
    assert len(could_claim(page)) == AGENTS_SHOWN
    assert b"and more" in page.content


def test_a_wrong_form_is_not_previewed_but_corrected(operator):
    page = operator.post(f"{LIST}add/", NEW | {"annotations": "wrong", "_preview": "yes"})
    assert len(errors_of(page)) == 1
    assert "preview" not in page.context


def test_an_order_shows_who_holds_it_and_who_could(operator):
    agent, _ = make_agent(name="smith", labels=["builder"])
    helper, _ = make_agent(name="helper", labels=["builder"])
    order = make_claimed_work_order(agent, targeting=Targeting(labels=["builder"]))
    page = operator.get(f"{LIST}{order.pk}/change/").content.decode()
    assert page.count(f"/admin/agents/agent/{agent.pk}/change/") == 2
    assert page.count(f"/admin/agents/agent/{helper.pk}/change/") == 1
    assert str(order.claim_token) not in page


def test_secrets_in_the_yaml_are_masked(operator):
    agent, _ = make_agent()
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData:\n  password: hunter2\n"
    order = make_claimed_work_order(agent, yaml_content=secret)
    entry = make_log_entry(agent, yaml_content=secret)
    for page in (f"{LIST}{order.pk}/change/", f"{LOG}{entry.pk}/change/"):
        content = operator.get(page).content
        assert b"hunter2" not in content
        assert b"stringData" in content


def test_what_agents_say_cannot_bring_its_own_html(operator):
    agent, _ = make_agent()
    entry = make_log_entry(agent, success=False, message="<script>alert(1)</script>")
    assert b"<script>alert(1)" not in operator.get(f"{LOG}{entry.pk}/change/").content


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"status__exact": "CLAIMED"}, "claimed"),
        ({"type": "custom"}, "custom"),
        ({"type": "cust"}, None),
    ],
)
def test_the_list_is_filtered_by_status_and_type(operator, query, found):
    agent, _ = make_agent()
    orders = {"claimed": make_claimed_work_order(agent), "custom": make_work_order(work_type="custom")}
    assert shown(operator.get(LIST, **query)) == [orders[name] for name in orders if name == found]


def test_orders_and_entries_are_found_by_id_and_by_agent(operator):
    agent, _ = make_agent()
    other, _ = make_agent()
    order, entry = make_claimed_work_order(agent), make_log_entry(agent)
    make_claimed_work_order(other)
    make_log_entry(other)
    for path, row in ((LIST, order), (LOG, entry)):
        assert shown(operator.get(path, q=f" {row.pk} ")) == [row]
        assert shown(operator.get(path, q="not an id")) == []
        assert shown(operator.get(path, claimed_by__id__exact=str(agent.pk))) == [row]


def test_cancelling_asks_first_and_then_removes_the_order(operator):
    order = make_work_order()
    page = operator.get(f"{LIST}{order.pk}/cancel/")
    assert b"removed for good" in page.content
    assert WorkOrder.objects.exists()
    response = operator.post(f"{LIST}{order.pk}/cancel/", {"confirmed": "yes", "reason": "not needed"})
    assert response.status_code == 200
    assert messages_of(response) == ["Cancelled: build for label builder, created just now."]
    assert not WorkOrder.objects.exists()
    assert actions_by(operator.user) == ["workorder.cancelled"]


def test_ticked_orders_are_cancelled_together(operator):
    orders, kept = [make_work_order() for _ in range(3)], make_work_order()
    ticked = {"action": "cancel_selected", "_selected_action": [str(order.pk) for order in orders]}
    operator.post(LIST, ticked)
    assert WorkOrder.objects.count() == 4
    operator.post(LIST, ticked | {"confirmed": "yes", "reason": "not needed"})
    assert list(WorkOrder.objects.all()) == [kept]
    assert actions_by(operator.user) == ["workorder.cancelled"] * 3


def test_an_order_that_has_gone_meanwhile_is_a_message(operator):
    order = make_work_order()
    WorkOrder.objects.all().delete()
    response = operator.post(f"{LIST}{order.pk}/cancel/", {"confirmed": "yes"})
    assert messages_of(response) == ["There is no such work order."]


def test_whoever_may_only_add_orders_cannot_cancel_them():
    order = make_work_order()
    clerk = staff("workorders.view_workorder", "workorders.add_workorder")
    assert clerk.post(f"{LIST}{order.pk}/cancel/", {"confirmed": "yes"}).status_code == 403
    assert WorkOrder.objects.exists()


def test_a_finished_order_is_requeued_with_its_content_and_targeting(operator):
    agent, _ = make_agent()
    entry = make_log_entry(agent, success=False, max_retries=7, yaml_content="kind: Build\nspec: {}")
    assert operator.get(f"{LOG}{entry.pk}/requeue/").status_code == 200
    assert not WorkOrder.objects.exists()
    response = operator.post(f"{LOG}{entry.pk}/requeue/", {"confirmed": "yes"})
    order = WorkOrder.objects.get()
    assert messages_of(response) == [f"Made anew: {order}."]
    assert (order.yaml_content, order.max_retries) == (entry.yaml_content, 7)
    assert [row.agent for row in order.targets.all()] == [agent]
    assert WorkOrderLogEntry.objects.get() == entry
    assert actions_by(operator.user) == ["workorder.created"]


def test_an_order_whose_agents_are_gone_cannot_be_requeued(operator):
    agent, _ = make_agent()
    entry = make_log_entry(agent)
    delete_agent(agent=agent, actor=SYSTEM)
    response = operator.post(f"{LOG}{entry.pk}/requeue/", {"confirmed": "yes"})
    assert messages_of(response) == ["An agent named in the targeting does not exist."]
    response = operator.post(
        LOG, {"action": "requeue_selected", "_selected_action": str(entry.pk), "confirmed": "yes"}
    )
    assert messages_of(response) == ["An agent named in the targeting does not exist."]
    assert not WorkOrder.objects.exists()


def test_the_log_is_filtered_by_outcome(operator):
    agent, _ = make_agent()
    make_log_entry(agent)
    failed = make_log_entry(agent, success=False)
    assert shown(operator.get(LOG, success__exact="0")) == [failed]


def test_the_list_is_newest_first(operator):
    first, second = make_work_order(now=timezone.now()), make_work_order(now=timezone.now())
    assert shown(operator.get(LIST)) == [second, first]


def test_times_are_said_in_words(operator):
    order = make_work_order(backoff_seconds=90, claim_timeout_seconds=3600)
    assert "back-off 1 min 30 s, claims of 1 h" in operator.get(f"{LIST}{order.pk}/change/").content.decode()

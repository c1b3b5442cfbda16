"""What the admin's pages call work orders: by what they are and for whom, not by their ids."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from tests.factories import make_agent, make_claimed_work_order, make_log_entry, make_work_order
from tests.support.admin import AdminPages, titles_of
from workorders.admin.addressees import addressees_of_orders
from workorders.models import WorkOrder, WorkOrderLogEntry
from workorders.services.targeting import Targeting

pytestmark = pytest.mark.django_db

LIST = "workorders/workorder/"
LOG = "workorders/workorderlogentry/"


def cells(page: Any, column: str) -> list[str]:
    """A column of a list, as HTML."""
    return re.findall(
        rf'<td class="[^"]*field-{column}[^"]*"[^>]*>(.*?)</td>', page.content.decode(), re.DOTALL
    )


def words(cell: str) -> str:
    return " ".join(strip_tags(cell).split())


def agent_named(name: str) -> Any:
    return make_agent(name=name, labels=["gpu"])[0]


@pytest.mark.parametrize(
    ("names", "labels", "annotations", "shown"),
    [
        (["a"], [], {}, "a"),
        (["b", "a"], [], {}, "a, b"),
        (["c", "b", "a"], [], {}, "a, b and 1 more agent"),
        ([], ["gpu"], {}, "label gpu"),
        ([], ["x", "gpu", "y", "z"], {}, "label gpu, x and 2 more labels"),
        ([], [], {"region": "eu"}, "annotation region=eu"),
        (["a"], ["gpu"], {"region": "eu"}, "a, label gpu, annotation region=eu"),
    ],
)
def test_the_list_says_for_whom_an_order_is(operator, names, labels, annotations, shown):
    agents = [agent_named(name) for name in names]
    make_work_order(targeting=Targeting([agent.pk for agent in agents], labels, annotations))
    (cell,) = cells(operator.get(LIST), "for_whom")
    assert words(cell) == shown


def test_the_log_says_for_whom_orders_were(operator):
    smith, *others = (agent_named(name) for name in ("smith", "b", "c"))
    three = Targeting([agent.pk for agent in (smith, *others)], ["x", "gpu"], {"k": "v"})
    for targeting in (three, Targeting(labels=["gpu"]), Targeting([smith.pk])):
        make_log_entry(smith, targeting=targeting)
    newest, second, first = (words(cell) for cell in cells(operator.get(LOG), "for_whom"))
    assert (newest, second) == ("smith", "label gpu")
    assert first.endswith(" and 1 more agent, label gpu, x, annotation k=v")


def test_the_agents_named_in_a_list_are_links_to_their_pages(operator):
    agent = agent_named("smith")
    make_claimed_work_order(agent)
    make_log_entry(agent)
    for path in (LIST, LOG):
        page = operator.get(path)
        for column in ("for_whom", "holder"):
            (cell,) = cells(page, column)
            assert f'href="/admin/agents/agent/{agent.pk}/change/"' in cell


def test_no_list_shows_an_id(operator):
    agent = agent_named("smith")
    orders = [make_claimed_work_order(agent), make_log_entry(agent)]
    for path, row in zip((LIST, LOG), orders, strict=True):
        text = strip_tags(re.sub(r"<input[^>]*>", "", operator.get(path).content.decode()))
        assert str(row.pk) not in text


def queries_of(operator: AdminPages, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert operator.get(path).status_code == 200
    return len(captured)


def test_a_list_costs_the_same_queries_however_many_agents_and_labels_its_orders_name(operator):
    make_log_entry(agent_named("first"))
    make_work_order(targeting=Targeting([agent_named("second").pk], ["a"], {"k": "v"}))
    one = [queries_of(operator, path) for path in (LIST, LOG)]
    agents = [make_agent()[0] for _ in range(5)]
    many = Targeting([agent.pk for agent in agents], list("abcde"), dict(zip("abcde", "vwxyz", strict=True)))
    for _ in range(3):
        make_work_order(targeting=many)
        make_log_entry(agents[0], targeting=many)
    assert [queries_of(operator, path) for path in (LIST, LOG)] == one


def test_of_many_agents_only_the_first_are_read(django_assert_num_queries):
    agents = [make_agent(name=name)[0] for name in "dcba"]
    order = make_work_order(targeting=Targeting([agent.pk for agent in agents]))
    with django_assert_num_queries(3):
        found = addressees_of_orders([order])[order.pk]
    assert (list(found.agents.names), found.agents.count) == (["a", "b"], 4)


def test_an_order_is_called_by_its_type_and_whom_it_is_for_or_who_has_it(operator):
    smith = agent_named("smith")
    waiting = make_work_order(targeting=Targeting(labels=["gpu"]))
    held = make_claimed_work_order(smith, targeting=Targeting(labels=["gpu"]))
    done, failed = make_log_entry(smith), make_log_entry(smith, success=False)
    for path, row, name in (
        (LIST, waiting, "build for label gpu, created just now"),
        (LIST, held, "build for smith, created just now"),
        (LOG, done, "build for smith, completed just now"),
        (LOG, failed, "build for smith, failed just now"),
    ):
        page = operator.get(f"{path}{row.pk}/change/")
        assert titles_of(page)[-1] == name
        assert f"<title> {name} | " in " ".join(page.content.decode().split())


def test_questions_name_the_orders_they_are_about(operator):
    orders = [make_work_order(targeting=Targeting(labels=[label])) for label in ("gpu", "arm64")]
    ticked = {"action": "cancel_selected", "_selected_action": [str(order.pk) for order in orders]}
    page = operator.post(LIST, ticked).content.decode()
    for label in ("gpu", "arm64"):
        assert f"<li>build for label {label}, created just now</li>" in page
    page = operator.get(f"{LIST}{orders[0].pk}/cancel/").content.decode()
    assert "<li>build for label gpu, created just now</li>" in page


def test_outside_of_pages_an_order_is_its_type_and_the_end_of_its_id():
    pk = uuid4()
    assert str(WorkOrder(id=pk, work_type="build")) == f"build …{str(pk)[-8:]}"
    assert str(WorkOrderLogEntry(id=pk, work_type="build")) == f"build …{str(pk)[-8:]}"

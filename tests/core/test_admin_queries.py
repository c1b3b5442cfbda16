"""What the admin asks of the database: every list, every row's page and every search can be answered, at a cost that
does not grow with the rows.
"""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoDbBlocker

from core.admin import CappedPaginator
from tests.factories import (
    make_agent,
    make_generator,
    make_registration,
    make_stack,
    make_target,
)
from tests.support.admin import AdminPages
from tests.support.admin_rows import LISTS, fill, first_pk
from tests.support.shared_rows import shared_rows

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module", autouse=True)
def _two_of_each(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with shared_rows(django_db_blocker, lambda: fill(2)):
        yield


@pytest.mark.parametrize("path", LISTS)
def test_a_list_and_a_row_can_be_looked_at(operator, path):
    assert operator.get(path).status_code == 200
    assert operator.get(f"{path}{first_pk(path)}/change/").status_code == 200


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    "query", [{"q": "a"}, {"q": "0190f000-0000-7000-8000-000000000000"}, {"deleted": "all"}]
)
def test_lists_can_be_searched(operator, path, query):
    response = operator.get(path, **query)
    # A filter that a list does not have sends back to the whole list.
    assert response.status_code == 200 or response.headers["Location"].endswith("?e=1")


def queries_of(operator: AdminPages, path: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert operator.get(path).status_code == 200
    return len(captured)


def test_lists_cost_the_same_queries_for_any_number_of_rows(operator):
    one = {path: queries_of(operator, path) for path in LISTS}
    fill(11)
    assert {path: queries_of(operator, path) for path in LISTS} == one


@pytest.mark.parametrize(("path", "model"), [("agents/agent/", "agent"), ("stacks/stack/", "stack")])
def test_a_page_costs_the_same_queries_for_any_number_of_labels_and_targets(operator, path, model):
    agent, _ = make_agent(labels=["a"], annotations={"a": "b"})
    stack = make_stack(labels=["a"], annotations={"a": "b"})
    make_target(agent, stack)
    page = f"{path}{ {'agent': agent.pk, 'stack': stack.pk}[model] }/change/"
    operator.get(page)  # What a process asks once, like the ids of content types.
    one = queries_of(operator, page)
    for number in range(11):
        owner = agent if model == "agent" else stack
        owner.labels.create(label=f"l{number}")
        owner.annotations.create(key=f"k{number}", value="v")
        make_target(agent, make_stack())
        make_registration(agent, make_generator()[0])
    assert queries_of(operator, page) == one


@pytest.mark.parametrize("path", LISTS)
def test_no_list_reads_manifests(operator, path):
    with CaptureQueriesContext(connection) as captured:
        operator.get(path)
    assert [query["sql"] for query in captured if "yaml_content" in query["sql"]] == []


def test_large_tables_are_counted_only_so_far(operator, monkeypatch):
    monkeypatch.setattr(CappedPaginator, "CAP", 5)
    fill(5)
    page = operator.get("agents/agentevent/")
    assert b"the newest 5, and perhaps more" in page.content
    with CaptureQueriesContext(connection) as captured:
        operator.get("audit/auditlog/")
    counts = [query["sql"] for query in captured if "COUNT(" in query["sql"] and "audit_logs" in query["sql"]]
    assert counts
    assert all("LIMIT 5" in sql for sql in counts)

"""Every list says by what it is filtered, and each of these words removes its filter."""

import re
from html import unescape

import pytest

from tests.factories import make_agent, make_object, make_stack
from tests.support.admin import AdminPages
from tests.support.admin_rows import LISTS

pytestmark = pytest.mark.django_db


def chips(operator: AdminPages, path: str, **query: str) -> dict[str, str]:
    """By what a chip says, the address that it leads to."""
    page = operator.get(path, **query).content.decode()
    (shown,) = re.findall(r'<ul class="brokkr-chips".*?</ul>', page, re.DOTALL) or [""]
    links = re.findall(r'<a href="([^"]*)"[^>]*>\s*([^<]+?)\s*<', shown)
    return {unescape(words): unescape(url) for url, words in links}


def test_each_filter_of_a_list_is_a_chip_that_removes_it(operator):
    assert chips(operator, "agents/agent/", heard="silent", label="prod", p="1") == {
        "Heartbeat: Silent": "?label=prod",
        "Label: prod": "?heard=silent",
        "Remove all": "?",
    }


def test_the_search_is_a_chip(operator):
    assert chips(operator, "stacks/stack/", q="shop") == {"Search: shop": "?"}


def test_a_filter_by_a_row_shows_the_rows_name(operator):
    version = make_object(make_stack(name="checkout"))
    query = {"stack__id__exact": str(version.stack_id), "deleted": "all"}
    assert chips(operator, "stacks/deploymentobject/", **query) == {
        "Stack: checkout": "?deleted=all",
        "Deleted: All": f"?stack__id__exact={version.stack_id}",
        "Remove all": "?",
    }


def test_a_filter_by_time_shows_both_moments(operator):
    query = {"created_at_from": "2026-01-02T10:00", "created_at_to": "2026-01-03T00:00:07"}
    assert chips(operator, "agents/agentevent/", **query) == {
        "Reported: from 2026-01-02 10:00:00, to 2026-01-03 00:00:07": "?"
    }


def test_a_condition_that_only_a_link_sets_is_a_chip_too(operator):
    make_agent(name="lyon")
    assert chips(operator, "agents/agent/", name__startswith="ly") == {"Name startswith: ly": "?"}


def test_a_list_without_a_filter_has_no_chips(operator):
    assert chips(operator, "agents/agent/", o="1", label="") == {}


@pytest.mark.parametrize("path", LISTS)
def test_every_list_that_is_searched_says_so(operator, path):
    response = operator.get(path, q="nowhere")
    # A list without a search sends back to itself.
    assert response.status_code == 302 or "Remove the filter Search: nowhere" in response.content.decode()

"""What lists say without rows, and what pages that add a row are called."""

from typing import Any

import pytest
from django.contrib import admin
from django.utils.html import escape

from core.admin import BaseAdmin
from tests.factories import make_agent
from tests.support.admin import titles_of

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.any_database("what pages of the admin show, and what their buttons do"),
]

# Of users there is always one, and three groups come with the broker.
PAGES = {
    f"{model._meta.app_label}/{model._meta.model_name}/": page
    for model, page in admin.site._registry.items()
    if isinstance(page, BaseAdmin)
}
LISTS = [path for path in PAGES if not path.startswith("auth/")]


@pytest.mark.parametrize("path", LISTS)
def test_an_empty_list_says_what_to_do_next_and_offers_no_filters_to_end(operator, path):
    page = operator.get(path)
    assert page.context["cl"].result_count == 0
    content = page.content.decode()
    assert len(PAGES[path].empty_hint) > 20
    assert escape(PAGES[path].empty_hint) in content
    assert "Reset filters" not in content
    may_add = PAGES[path].has_add_permission(page.wsgi_request)
    assert content.count(f'href="/admin/{path}add/"') == (2 if may_add else 0)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("agents/agent/", {"q": "nothing like it"}),
        ("agents/agent/", {"heard": "alive"}),
        ("workorders/workorder/", {"q": "no id"}),
        ("webhooks/delivery/", {"event_type": "stack.deleted"}),
        ("audit/auditlog/", {"timestamp_from": "2999-01-01T00:00"}),
    ],
)
def test_a_list_in_which_nothing_is_found_offers_to_end_search_and_filters(
    operator, path, query: dict[str, Any]
):
    make_agent()
    content = operator.get(path, **query).content.decode()
    assert "None matches this search and these filters." in content
    assert "Reset filters" in content
    assert escape(PAGES[path].empty_hint) not in content


@pytest.mark.parametrize("path", PAGES)
def test_a_page_that_adds_a_row_says_so(operator, path):
    page = operator.get(f"{path}add/")
    if not PAGES[path].has_add_permission(page.wsgi_request):
        assert page.status_code == 403
        return
    title = f"Add {PAGES[path].opts.verbose_name}"
    assert titles_of(page)[-1] == title
    assert page.context["title"] == title


def test_the_page_of_a_row_does_not_end_with_adding(operator):
    agent, _ = make_agent(name="edge-7")
    assert titles_of(operator.get(f"agents/agent/{agent.pk}/change/")) == ["Agents", "edge-7 (test-cluster)"]
    assert titles_of(operator.get("agents/agent/")) == ["Agents"]

"""Rows of other tables in a row's form: they are added and taken away by the keyboard alone."""

from itertools import count
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import press, tab_to

pytestmark = pytest.mark.live

_numbers = count(1)


@pytest.fixture
def rows(site) -> dict[str, str]:
    """An agent, its stack and a template, each with one row in every table of its form: the forms' paths."""
    name = f"inlines-{next(_numbers)}"
    generator = site.post("/generators", {"name": name})["generator"]
    stack = site.post("/stacks", {"name": name, "generator_id": generator["id"]})
    agent = site.post("/agents", {"name": name, "cluster_name": "test"})["agent"]
    template = site.post("/templates", {"name": name, "template_content": "a: b", "parameters_schema": "{}"})
    site.post(f"/agents/{agent['id']}/targets", {"stack_id": stack["id"]})
    for kind, row, owner in (
        ("agents", agent, {"agent_id": agent["id"]}),
        ("stacks", stack, {}),
        ("templates", template, {}),
    ):
        site.post(f"/{kind}/{row['id']}/labels", {"label": name, **owner})
        site.post(f"/{kind}/{row['id']}/annotations", {"key": name, "value": "yes", **owner})
    return {
        "agent": f"agents/agent/{agent['id']}/change/?edit=1",
        "stack": f"stacks/stack/{stack['id']}/change/?edit=1",
        "template": f"templates_app/stacktemplate/{template['id']}/change/",
    }


def _take_saved_row_away(page: Page, table: str) -> None:
    box = page.locator(f"input[name={table}-0-DELETE]")
    tab_to(page, box)
    page.keyboard.press("Space")
    expect(box).to_be_checked()
    page.keyboard.press("Space")
    expect(box).not_to_be_checked()


def _add_and_take_away(page: Page, table: str) -> None:
    group = page.locator(f"#{table}-group")
    before = group.locator("tr.form-row:not(.empty-form)").count()
    press(page, group.get_by_role("link", name="Add another"))
    expect(group.locator("tr.form-row:not(.empty-form)")).to_have_count(before + 1)
    press(page, group.get_by_role("button", name="Remove").locator("visible=true"))
    expect(group.locator("tr.form-row:not(.empty-form)")).to_have_count(before)


@pytest.mark.parametrize(
    ("row", "tables"),
    [
        ("agent", ["labels", "annotations", "targets", "registrations"]),
        ("stack", ["labels", "annotations"]),
        ("template", ["labels", "annotations"]),
    ],
)
def test_each_table_of_a_form_is_filled_and_emptied_by_the_keyboard_alone(
    as_user, rows, row: str, tables: Any
):
    page = as_user("admin")
    page.goto(rows[row])
    for table in tables:
        _take_saved_row_away(page, table)
        _add_and_take_away(page, table)

"""What an operator does with a template: try it out while typing, and add a version."""

import json
from itertools import count

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.live

_numbers = count(1)
CONTENT = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {{ name }}\n  replicas: {{ replicas }}\n"
SCHEMA = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z]+$"},
        "replicas": {"type": "integer", "default": 2},
    },
}


@pytest.fixture
def template(site) -> str:
    """A system template's page, below /admin/."""
    body = {
        "name": f"template-{next(_numbers)}",
        "template_content": CONTENT,
        "parameters_schema": json.dumps(SCHEMA),
    }
    return f"templates_app/stacktemplate/{site.post('/templates', body)['id']}"


def test_the_preview_follows_what_is_typed(as_user, template):
    page = as_user("operator")
    page.goto(f"{template}/new-version/")
    result, name = page.locator("#preview-result"), page.locator("[name='parameter:/name']")
    expect(result).to_contain_text("Fill in the parameters")

    name.fill("Shop")
    expect(result).to_contain_text("/name: ")
    expect(name).to_have_attribute("aria-invalid", "true")
    name.fill("shop")
    expect(result.locator("pre")).to_contain_text("name: shop")
    expect(result.locator("pre")).to_contain_text("replicas: 2")
    expect(name).to_have_value("shop")

    source = page.locator("[name=template_content]")
    source.fill("kind: Namespace\nname: {{ nothing }}\n")
    expect(result).to_contain_text("(line 2, column 10)")
    result.locator(".brokkr-excerpt").click()
    assert page.evaluate("document.activeElement.name") == "template_content"

    page.locator("[name=parameters_schema]").fill('{"properties": {"tier": {"enum": ["web", "batch"]}}}')
    tier = page.locator("select[name='parameter:/tier']")
    tier.select_option("batch")
    source.fill("apiVersion: v1\nkind: Namespace\nmetadata: {name: '{{ tier }}'}\n")
    expect(result.locator("pre")).to_contain_text("{name: 'batch'}")


def test_a_version_is_added_and_compared(as_user, template):
    page = as_user("operator")
    page.goto(f"{template}/new-version/")
    page.locator("[name=template_content]").fill(CONTENT.replace("Namespace", "Project"))
    page.get_by_role("button", name="Save as a new version").click()
    expect(page.get_by_text("Saved: ")).to_be_visible()
    page.locator("#tabs-items").get_by_role("link", name="Versions").click()
    expect(page.locator("td.old mark")).to_have_text("Namespace")
    expect(page.locator("td.new mark")).to_have_text("Project")


def test_the_button_previews_where_the_pages_script_does_not_run(as_user, template):
    page = as_user("viewer")
    page.route("**/preview.js", lambda route: route.abort())
    page.goto(f"{template}/preview/")
    page.locator("[name='parameter:/name']").fill("shop")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#preview-result pre")).to_contain_text("name: shop")
    expect(page.locator("[name='parameter:/name']")).to_have_value("shop")


def test_a_viewer_tries_out_and_adds_nothing(as_user, template):
    page = as_user("viewer")
    page.goto(f"{template}/preview/")
    page.locator("[name='parameter:/name']").fill("shop")
    expect(page.locator("#preview-result pre")).to_contain_text("name: shop")
    expect(page.locator("#tabs-items")).not_to_contain_text("New version")
    answer = page.goto(f"{template}/new-version/")
    assert answer is not None
    assert answer.status == 403

"""The admin's pages of the inventory: the search, and the tabs of stacks and versions."""

import html
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.jobs import read_versions_of_the_past
from stacks.models import DeploymentObject
from tests.factories import make_agent, make_event, make_object, make_stack
from tests.support.admin import staff
from tests.support.inventory import deployment, obj, text_of

pytestmark = pytest.mark.django_db


def words_of(response) -> str:
    """The words of a page, with one space between them."""
    assert response.status_code == 200
    without_tags = re.sub(r"<[^>]*>", " ", response.content.decode())
    return " ".join(html.unescape(without_tags).split())


def test_the_search_tells_which_agents_have_an_image(operator):
    stack = make_stack(name="shop", labels=["l"])
    agent, _ = make_agent(name="edge-01", cluster_name="frankfurt", labels=["l"])
    make_agent(name="edge-02", cluster_name="paris", labels=["l"])
    version = make_object(stack, deployment("web", namespace="front", image="nginx:1.27"))
    make_event(agent, version)
    words = words_of(operator.get("resources/", image="nginx:1.*"))
    assert f"shop #{version.sequence_id}" in words
    assert "2 agents should have it, 1 said so" in words
    assert "docker.io/library/nginx:1.27 Deployment front web" in words
    assert "edge-01 (frankfurt) has it edge-02 (paris) should have it" in words


def test_the_search_says_that_nothing_is_found_and_asks_for_nothing_at_first(operator):
    assert "Nothing was found in what agents should have now." in words_of(
        operator.get("resources/", name="x")
    )
    assert "Nothing was found" not in words_of(operator.get("resources/"))


def test_the_search_lists_what_cannot_be_read(operator):
    stack = make_stack(name="broken")
    DeploymentObject.objects.create(stack=stack, yaml_content="a: b: c", yaml_checksum="0" * 64)
    assert "Not complete" in words_of(operator.get("resources/"))
    read_versions_of_the_past()
    words = words_of(operator.get("resources/"))
    assert "Not complete" not in words
    assert "broken Agents cannot read its YAML" in words


def test_who_may_not_see_the_inventory_is_refused():
    assert staff("stacks.view_stack").get("resources/").status_code == 403
    assert staff("inventory.view_entry", name="berta").get("resources/").status_code == 200


def test_the_search_costs_the_same_queries_for_any_number_of_finds(operator):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert "Deployment" in words_of(operator.get("resources/", kind="Deployment"))
        return len(captured)

    make_object(make_stack(labels=["l"]), deployment("web"))
    queries()
    few = queries()
    for number in range(5):
        make_agent(labels=["l"])
        make_object(make_stack(labels=["l"]), deployment(f"web-{number}"))
    assert queries() == few


def test_a_stack_shows_what_is_in_it_and_what_is_also_in_another(operator):
    one, other = make_stack(name="one", labels=["l"]), make_stack(name="other", labels=["l"])
    agent, _ = make_agent(name="edge-01", labels=["l"])
    make_object(one, deployment("web", image="nginx:1") + "---\n" + text_of(obj("Namespace", "shop")))
    make_object(other, deployment("web", image="nginx:2") + "---\n" + text_of(obj("Namespace", "shop")))
    words = words_of(operator.get(f"stacks/stack/{one.id}/contents/"))
    assert f"Deployment web conflict other {agent}" in words
    assert f"Namespace shop written alike other {agent}" in words
    assert "web docker.io/library/nginx:1" in words


def test_a_stack_without_versions_and_a_marker_say_what_they_are(operator):
    stack = make_stack()
    assert "Nothing has been published" in words_of(operator.get(f"stacks/stack/{stack.id}/contents/"))
    marker = make_object(stack, "", is_deletion_marker=True)
    page = operator.get(f"stacks/deploymentobject/{marker.pk}/contents/")
    assert "It is a deletion marker" in words_of(page)


def test_a_version_shows_what_is_in_it(operator):
    version = make_object(make_stack(), deployment("web", namespace="a"))
    words = words_of(operator.get(f"stacks/deploymentobject/{version.pk}/contents/"))
    assert "Deployment a web docker.io/library/nginx:latest" in words
    assert "Also in other stacks" not in words


def test_the_explanation_shows_conflicts(operator):
    one, other = make_stack(labels=["l"]), make_stack(name="other", labels=["l"])
    agent, _ = make_agent(labels=["l"])
    for stack in (one, other):
        make_object(stack, deployment("web", image=f"nginx:{stack.name}"))
    words = words_of(operator.get(f"stacks/stack/{one.id}/explain/", agent=agent.id))
    assert "Deployment web conflict other" in words


def test_publishing_warns_of_conflicts_when_it_is_done(operator):
    one, other = make_stack(labels=["l"]), make_stack(name="other", labels=["l"])
    make_agent(labels=["l"])
    make_object(other, deployment("web", image="nginx:1"))
    page = operator.post(f"stacks/stack/{one.id}/publish/", {"manifest": deployment("web", image="nginx:2")})
    assert "'web' is also in the stack other, and 1 agent should have both" in words_of(page)


def test_the_agent_has_a_tab_with_all_its_conflicts(operator):
    agent, _ = make_agent(labels=["l"])
    assert "is in more than one stack" in words_of(operator.get(f"agents/agent/{agent.pk}/conflicts/"))
    for name, image in (("shop", "nginx:1"), ("cafe", "nginx:2")):
        make_object(make_stack(name=name, labels=["l"]), deployment("web", image=image))
    words = words_of(operator.get(f"agents/agent/{agent.pk}/conflicts/"))
    assert "Deployment web conflict cafe , shop" in words or "Deployment web conflict cafe, shop" in words


def test_what_is_searched_for_are_chips_that_remove_it(operator):
    page = operator.get("resources/", kind="Deployment", name="web*", history="on").content.decode()
    assert 'href="?kind=Deployment&amp;history=on" aria-label="Remove the filter Name: web*"' in page
    assert "Remove the filter Older versions and deleted stacks too: yes" in page
    assert "Remove all" in page

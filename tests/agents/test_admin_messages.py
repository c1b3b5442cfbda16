"""Pages show no value of a Secret that an agent repeats in a message about its version."""

import pytest

from stacks import secret_values
from tests.factories import make_agent, make_event, make_object, make_stack
from tests.support.admin import staff

pytestmark = pytest.mark.django_db

VALUE = "hunter2-and-more"
MANIFEST = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: db}}\nstringData: {{password: {VALUE}}}\n"


@pytest.fixture
def told():
    """An agent that says a value of its stack's Secret."""
    agent, _ = make_agent(labels=["prod"], active=True)
    stack = make_stack(labels=["prod"])
    event = make_event(agent, make_object(stack, MANIFEST), "FAILURE", f"cannot log in with {VALUE} as root")
    return agent, stack, event


def pages(told) -> list[str]:
    agent, stack, event = told
    return [
        "",
        "deployments/",
        "deployments/?by=agent",
        f"stacks/stack/{stack.pk}/outcomes/",
        f"stacks/stack/{stack.pk}/explain/?agent={agent.pk}",
        f"agents/agent/{agent.pk}/change/",
        f"agents/agent/{agent.pk}/stacks/",
        f"agents/agent/{agent.pk}/events/",
        "agents/agentevent/",
        f"agents/agentevent/{event.pk}/change/",
    ]


def test_no_page_shows_the_value(operator, told):
    for path in pages(told):
        page = operator.get(path).content.decode()
        assert (path, VALUE in page) == (path, False)
        assert (path, "cannot log in with ********" in page) == (path, True)


@pytest.mark.parametrize("guess", [VALUE, "hunter2-"])
def test_nothing_is_found_by_the_value(told, guess):
    viewer = staff("agents.view_agent", "stacks.view_stack", "agents.view_agentevent")
    assert "Nothing is found" in viewer.get("search/", s=guess).content.decode()
    assert "cannot log in" in viewer.get("search/", s="cannot log").content.decode()
    for query in ({}, {"by": "agent"}):
        assert "None matches" in viewer.get("deployments/", q=guess, **query).content.decode()
    assert viewer.get("agents/agentevent/", message__startswith="cannot").status_code in (302, 400)


def test_messages_about_a_version_with_too_many_values_are_not_shown(operator, monkeypatch):
    monkeypatch.setattr(secret_values, "MAX_SEARCHED", 100)
    agent, _ = make_agent(labels=["prod"], active=True)
    for size in (1, 9):
        stack = make_stack(name=f"of-{size}", labels=["prod"])
        make_event(
            agent, make_object(stack, "---\n".join([MANIFEST] * size)), "FAILURE", f"no {VALUE}, size {size}"
        )
    page = operator.get("deployments/").content.decode()
    assert VALUE not in page
    assert "no ********, size 1" in page
    assert "size 9" not in page
    assert "not shown: the version has too many values of Secrets" in page

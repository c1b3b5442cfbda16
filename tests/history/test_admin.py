"""The pages about the past of an agent and of a stack."""

import re
from datetime import datetime
from urllib.parse import quote

import pytest
from django.utils import timezone

from core.events import SYSTEM
from core.labels.services import add_label
from tests.factories import make_agent, make_event, make_object, make_stack, manifest
from tests.support.admin import staff
from tests.support.changing_fleet import quiet_moment

pytestmark = pytest.mark.django_db


def text_of(page) -> str:
    assert page.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page.content.decode()))


def rows(page) -> list[str]:
    return [re.sub(r"<[^>]*>", "", " | ".join(map(str, row))) for row in page.context["table"]["rows"]]


def field(moment: datetime) -> str:
    """A moment as a browser sends it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")


def test_the_timeline_of_an_agent_names_stacks_versions_and_who_it_was(operator, admin):
    agent, _ = make_agent()
    stack = make_stack(labels=["a"])
    obj = make_object(stack)
    admin.request("POST", f"/agents/{agent.id}/labels", "a")
    make_event(agent, obj, "FAILURE", message="no room")
    page = operator.get(f"agents/agent/{agent.pk}/timeline/")
    gained, failed = rows(page)
    assert f"{stack.name} | nothing → #{obj.pk} | test admin agent.label_added" in gained
    assert f"failed | {stack.name} | #{obj.pk} · report" in failed
    assert "no room" not in text_of(page)


def test_the_timeline_of_a_stack_counts_agents(operator):
    for _ in range(2):
        make_agent(labels=["a"])
    stack = make_stack(labels=["a"])
    obj = make_object(stack)
    page = operator.get(f"stacks/stack/{stack.pk}/timeline/")
    (row,) = rows(page)
    assert f"wanted | 2 agents | nothing → #{obj.pk}" in row


def test_a_time_in_which_nothing_happened_says_so(operator):
    agent, _ = make_agent(labels=["a"])
    make_object(make_stack(labels=["a"]))
    later = quiet_moment()
    page = operator.get(f"agents/agent/{agent.pk}/timeline/", since=field(later), until="")
    assert "Nothing happened in this time." in text_of(page)


def test_a_time_that_ends_before_it_begins_is_an_error_of_the_form(operator):
    agent, _ = make_agent()
    page = operator.get(f"agents/agent/{agent.pk}/timeline/", since="2999-01-01T00:00:00", until="")
    assert "It must be earlier than the end, and not in the future." in text_of(page)


def test_who_may_not_read_the_audit_log_sees_no_timeline():
    agent, _ = make_agent()
    viewer = staff("agents.view_agent", "stacks.view_stack")
    assert viewer.get(f"agents/agent/{agent.pk}/timeline/").status_code == 403
    assert viewer.get(f"agents/agent/{agent.pk}/compare/").status_code == 200


def test_two_moments_of_an_agent_are_compared(operator):
    agent, _ = make_agent()
    stack = make_stack(labels=["a"])
    obj = make_object(stack)
    before = quiet_moment()
    add_label(owner=agent, label="a", actor=SYSTEM)
    page = operator.get(f"agents/agent/{agent.pk}/compare/", at=field(before), other_at="", other_agent="")
    assert rows(page) == [f"{stack.name} | nothing | #{obj.pk} | only right"]
    assert "1 stack differs, 0 are the same." in text_of(page)


def test_another_text_leads_to_the_difference_of_the_two_versions(operator):
    agent, _ = make_agent(labels=["a"])
    stack = make_stack(labels=["a"])
    old = make_object(stack)
    before = quiet_moment()
    new = make_object(stack, manifest(2))
    page = operator.get(f"agents/agent/{agent.pk}/compare/", at=field(before), other_at="", other_agent="")
    assert rows(page) == [f"{stack.name} | #{old.pk} | #{new.pk} | another text"]
    assert f"/admin/stacks/stack/{stack.pk}/objects/?from={old.pk}&amp;to={new.pk}" in page.content.decode()


def test_two_agents_are_compared(operator):
    one, other = make_agent(labels=["a"])[0], make_agent()[0]
    stack = make_stack(labels=["a"])
    obj = make_object(stack)
    page = operator.get(f"agents/agent/{one.pk}/compare/", at="", other_at="", other_agent=str(other.pk))
    assert rows(page) == [f"{stack.name} | #{obj.pk} | nothing | only left"]


def test_a_moment_that_is_not_known_is_an_error_of_the_form(operator):
    agent, _ = make_agent()
    before = timezone.now()
    page = operator.get(f"agents/agent/{agent.pk}/compare/", at="2001-01-01T00:00:00", other_at="")
    assert "Known are moments from" in text_of(page)
    assert "table" not in page.context
    assert any(f"{now:%Y-%m-%d}" in text_of(page) for now in (before, timezone.now()))


def test_the_time_that_is_chosen_is_a_chip_for_each_end(operator):
    agent, _ = make_agent(labels=["a"])
    make_object(make_stack(labels=["a"]))
    began, ended = field(quiet_moment()), "2999-01-01T00:00:00"
    page = operator.get(f"agents/agent/{agent.pk}/timeline/", since=began, until=ended).content.decode()
    assert 'href="?until=2999-01-01T00%3A00%3A00" aria-label="Remove the filter From: ' in page
    assert f'href="?since={quote(began)}" aria-label="Remove the filter Until: 2999-01-01' in page
    alone = operator.get(f"agents/agent/{agent.pk}/timeline/", until=ended).content.decode()
    assert "Remove the filter Until: 2999-01-01" in alone

"""Removals in the admin, and the button that confirms those that an agent holds back."""

import pytest

from agents.models import MarkerDelivery
from audit.models import AuditLog
from sync.gauges import removal_gauges
from tests.factories import make_agent
from tests.support.admin import messages_of, staff
from tests.support.removals import make_removal

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.any_database("what pages of the admin show, and what their buttons do"),
]

YES = {"confirmed": "yes", "reason": "the region is closed"}
TEXT = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: prices, namespace: shop}
---
apiVersion: v1
kind: Service
metadata: {name: till, namespace: shop}
"""


def page_of(removal):
    return f"agents/markerdelivery/{removal.pk}/"


def test_the_list_says_what_waits_and_how_much_goes(operator):
    waiting, other = make_removal(make_agent()[0], TEXT), make_removal(make_agent()[0], waits=False)
    page = operator.get("agents/markerdelivery/")
    assert {row.pk for row in page.context["cl"].result_list} == {waiting.pk, other.pk}
    text = page.content.decode()
    assert "waits for a confirmation" in text
    assert "the stack was deleted" in text
    only = operator.get("agents/markerdelivery/?waits=yes")
    assert [(row.pk, row.removed_count) for row in only.context["cl"].result_list] == [(waiting.pk, 2)]


def test_the_question_names_what_goes_and_asks_why(operator):
    removal = make_removal(make_agent()[0], TEXT)
    asked = operator.post(f"{page_of(removal)}confirm/").content.decode()
    assert "ConfigMap shop/prices" in asked
    assert "Service shop/till" in asked
    operator.post(f"{page_of(removal)}confirm/", {"confirmed": "yes"})
    removal.refresh_from_db()
    assert removal.confirmed_at is None


def test_a_confirmation_is_kept_and_audited_with_its_reason(operator):
    removal = make_removal(make_agent()[0], TEXT)
    page = operator.post(f"{page_of(removal)}confirm/", YES)
    assert messages_of(page) == [f"Confirmed: {removal.marker.stack.name} from {removal.agent}."]
    removal.refresh_from_db()
    assert removal.confirmed_at is not None
    entry = AuditLog.objects.get(action="agent.removals_confirmed")
    assert (entry.resource_id, entry.reason) == (removal.agent_id, "the region is closed")
    assert entry.details == {"deployment_object_ids": [str(removal.marker.id)]}


def test_several_are_confirmed_at_once(operator):
    agent, _ = make_agent()
    removals = [make_removal(agent) for _ in range(3)]
    ticked = {"action": "confirm_selected", "_selected_action": [str(each.pk) for each in removals]}
    operator.post("agents/markerdelivery/", ticked | YES)
    assert MarkerDelivery.objects.filter(confirmed_at=None).count() == 0


def test_confirming_needs_the_right():
    removal = make_removal(make_agent()[0])
    looker = staff("agents.view_markerdelivery")
    assert looker.post(f"{page_of(removal)}confirm/", YES).status_code == 403
    removal.refresh_from_db()
    assert removal.confirmed_at is None


def test_the_agent_the_first_page_and_a_metric_tell_of_those_that_wait(operator):
    agent, _ = make_agent()
    make_removal(agent)
    make_removal(agent, waits=False)
    assert "1 to confirm" in operator.get(f"agents/agent/{agent.pk}/change/").content.decode()
    assert "1 to confirm" in operator.get("agents/agent/").content.decode()
    figures = {
        each.label: each.count.value for card in operator.get("").context["cards"] for each in card.figures
    }
    assert figures["removals to confirm"] == 1
    (gauge,) = removal_gauges()
    assert [sample.value for sample in gauge.samples] == [1]

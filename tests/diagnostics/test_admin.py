"""The operator's pages of diagnostics."""

from datetime import timedelta

import pytest

from diagnostics.models import DiagnosticRequest
from tests.factories import (
    make_agent,
    make_claimed_diagnostic,
    make_diagnostic,
    make_diagnostic_result,
    make_object,
    make_stack,
)
from tests.support.admin import actions_by, errors_of, staff
from tests.support.events import audited_changes

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.any_database("what pages of the admin show, and what their buttons do"),
]

LIST = "diagnostics/diagnosticrequest/"
ADD = f"{LIST}add/"


@pytest.fixture
def agent():
    return make_agent()[0]


@pytest.fixture
def obj():
    return make_object(make_stack())


def test_an_operator_asks_in_their_own_name(operator, agent, obj):
    response = operator.post_form(ADD, deployment_object=str(obj.id), agent=str(agent.pk))
    diagnostic = DiagnosticRequest.objects.get()
    assert response.status_code == 200
    assert (diagnostic.agent_id, diagnostic.deployment_object_id) == (agent.pk, obj.id)
    assert (diagnostic.requested_by, diagnostic.status) == ("astrid", "pending")
    assert diagnostic.expires_at - diagnostic.created_at == timedelta(hours=1)
    assert actions_by(operator.user) == ["diagnostic.requested"]


def test_how_long_and_for_whom_may_be_said(operator, agent, obj):
    operator.post_form(
        ADD, deployment_object=str(obj.id), agent=str(agent.pk), requested_by="", retention_minutes=5
    )
    diagnostic = DiagnosticRequest.objects.get()
    assert diagnostic.requested_by is None
    assert diagnostic.expires_at - diagnostic.created_at == timedelta(minutes=5)


@pytest.mark.parametrize("minutes", [0, 1441, "x"])
def test_what_is_out_of_bounds_is_an_error_of_the_form(operator, agent, obj, minutes):
    response = operator.post_form(
        ADD, deployment_object=str(obj.id), agent=str(agent.pk), retention_minutes=minutes
    )
    assert errors_of(response)
    assert not DiagnosticRequest.objects.exists()


def test_deleted_agents_and_objects_are_not_offered(operator, admin, agent, obj):
    admin.delete(f"/agents/{agent.pk}")
    admin.delete(f"/stacks/{obj.stack_id}")
    response = operator.post_form(ADD, deployment_object=str(obj.id), agent=str(agent.pk))
    assert len(errors_of(response)) >= 2
    assert not DiagnosticRequest.objects.exists()


def test_objects_are_offered_by_their_stacks_name(operator):
    obj = make_object(make_stack(name="payments"))
    make_object(make_stack(name="other"))
    answer = operator.get(
        "autocomplete/",
        app_label="diagnostics",
        model_name="diagnosticrequest",
        field_name="deployment_object",
        term="paym",
    ).json()
    assert [row["id"] for row in answer["results"]] == [str(obj.id)]


def test_the_page_shows_what_was_found(operator, agent, obj):
    result = make_diagnostic_result(agent, obj)
    type(result).objects.update(pod_statuses='{"<odd>":1}', events="no json", log_tails="{}")
    page = operator.get(f"{LIST}{result.request_id}/change/").content.decode()
    assert "&quot;&lt;odd&gt;&quot;: 1" in page
    assert "no json" in page
    waiting = make_claimed_diagnostic(agent, obj)
    assert operator.get(f"{LIST}{waiting.pk}/change/").status_code == 200


def test_pods_and_events_are_tables(operator, agent, obj):
    result = make_diagnostic_result(agent, obj)
    events = '[{"reason":"BackOff","message":"restarting","lastTimestamp":"2026-11-29T09:00:00Z"}]'
    type(result).objects.update(pod_statuses='[{"name":"<web-0>","phase":"Pending"}]', events=events)
    page = operator.get(f"{LIST}{result.request_id}/change/").content.decode()
    assert '<td class="brokkr-words">&lt;web-0&gt;</td><td class="brokkr-wide">Pending</td>' in page
    assert 'datetime="2026-11-29T09:00:00+00:00"' in page
    assert '<td class="brokkr-words">BackOff</td>' in page
    # What was sent is there too.
    assert "&quot;name&quot;: &quot;&lt;web-0&gt;&quot;" in page


def test_a_secret_that_a_pod_repeats_is_hidden_in_the_table(operator, agent):
    secret = "kind: Secret\napiVersion: v1\nmetadata: {name: a}\nstringData: {password: hunter2-hunter2}\n"
    result = make_diagnostic_result(agent, make_object(make_stack(), secret))
    pods = '[{"name":"web-0","phase":"hunter2-hunter2"}]'
    events = '[{"reason":"BackOff","message":"wrong: hunter2-hunter2"}]'
    type(result).objects.update(pod_statuses=pods, events=events)
    page = operator.get(f"{LIST}{result.request_id}/change/").content.decode()
    assert '<td class="brokkr-words">web-0</td><td class="brokkr-wide">********</td>' in page
    assert '<td class="brokkr-wide">wrong: ********</td>' in page
    assert "hunter2" not in page


def test_no_list_reads_results(operator, agent, obj):
    make_diagnostic_result(agent, obj)
    make_diagnostic(agent, obj)
    rows = operator.get(LIST).context["cl"].result_list
    assert [row.status for row in rows] == ["pending", "completed"]
    assert "result" not in rows[1]._state.fields_cache


@pytest.mark.parametrize(
    ("query", "shown"),
    [({"status__exact": "claimed"}, ["one"]), ({"q": "tw"}, ["two"]), ({"q": "pay"}, ["one"])],
)
def test_the_list_is_filtered_and_searched(operator, query, shown):
    make_claimed_diagnostic(make_agent(name="one")[0], make_object(make_stack(name="payments")))
    make_diagnostic(make_agent(name="two")[0], make_object(make_stack(name="other")))
    rows = operator.get(LIST, **query).context["cl"].result_list
    assert [row.agent.name for row in rows] == shown


def test_who_may_only_look_does_not_ask(agent, obj):
    make_diagnostic(agent, obj)
    viewer = staff("diagnostics.view_diagnosticrequest", name="vera")
    before = audited_changes().count()
    assert viewer.get(LIST).status_code == 200
    assert viewer.get(ADD).status_code == 403
    assert viewer.post(ADD, {"agent": str(agent.pk)}).status_code == 403
    assert audited_changes().count() == before

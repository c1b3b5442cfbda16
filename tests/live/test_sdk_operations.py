"""Every operation of the published Python client, against a live broker: what it parses is what it says it parses.

Which operations there are, which statuses each of them parses and into what, is read from the package.
"""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from brokkr_broker_client.models import CompleteWorkOrderRequest, ErrorResponse
from brokkr_broker_client.types import Response, Unset

from tests.support.receiver import running_receiver
from tests.support.sdk import Operation, absent, misfits, nullable_fields, operations, send
from tests.support.sdk_calls import CALLS, Call, call
from tests.support.sdk_faults import FAULTS, UNKNOWN
from tests.support.sdk_world import World, running_world
from tests.support.server import LiveServer

pytestmark = [pytest.mark.live, pytest.mark.any_database("what the client sends and reads")]

OPERATIONS = operations()

# A caller that is refused with 403, and its code; then what an admin is answered who puts an id into the path that
# nothing has.
REFUSALS = """
operation                                   caller    code                            unknown id
admin.list_audit_logs                       stranger  admin_required
admin.list_ws_connections                   stranger  admin_required
admin.reload_config                         stranger  admin_required
agent_annotations.agents_add_annotation     stranger  admin_required                  404 agent_not_found
agent_annotations.agents_list_annotations   stranger  agent_pak_mismatch              200 -
agent_annotations.agents_remove_annotation  stranger  admin_required                  404 agent_not_found
agent_events.create_event                   stranger  agent_pak_mismatch              400 agent_id_mismatch
agent_events.get_agent_event                stranger  admin_required                  404 agent_event_not_found
agent_events.list_agent_events              stranger  admin_required
agent_events.list_events                    stranger  agent_pak_mismatch              200 -
agent_labels.agents_add_label               stranger  admin_required                  404 agent_not_found
agent_labels.agents_list_labels             stranger  agent_pak_mismatch              200 -
agent_labels.agents_remove_label            stranger  admin_required                  404 agent_not_found
agent_targets.add_target                    stranger  target_generator_mismatch       400 agent_id_mismatch
agent_targets.list_targets                  stranger  agent_pak_mismatch              200 -
agent_targets.remove_target                 stranger  target_generator_mismatch       404 agent_target_not_found
agents.create_agent                         stranger  admin_required
agents.delete_agent                         stranger  admin_required                  204 -
agents.get_agent                            stranger  agent_pak_mismatch              404 agent_not_found
agents.get_associated_stacks                stranger  agent_pak_mismatch              200 -
agents.get_target_state                     stranger  agent_pak_mismatch              200 -
agents.list_agent_registrations             stranger  agent_pak_mismatch              404 agent_not_found
agents.list_agents                          outsider  generator_required
agents.record_heartbeat                     stranger  agent_pak_mismatch              403 agent_pak_mismatch
agents.rotate_agent_pak                     stranger  agent_pak_mismatch              404 agent_not_found
agents.search_agent                         stranger  agent_pak_mismatch
agents.update_agent                         stranger  agent_pak_mismatch              404 agent_not_found
auth.list_paks                              stranger  admin_required
auth.verify_pak                             -         -
deployment_objects.get_deployment_object    stranger  generator_not_associated        404 deployment_object_not_found
diagnostics.claim_diagnostic                stranger  diagnostic_not_owned            404 diagnostic_not_found
diagnostics.create_diagnostic_request       stranger  admin_required                  404 deployment_object_not_found
diagnostics.get_diagnostic                  stranger  diagnostic_not_owned            404 diagnostic_not_found
diagnostics.get_pending_diagnostics         stranger  agent_pak_mismatch              200 -
diagnostics.submit_diagnostic_result        stranger  diagnostic_not_owned            404 diagnostic_not_found
fleet.get_agent_fleet_status                stranger  admin_required                  404 agent_not_found
fleet.list_fleet                            stranger  admin_required
generators.create_generator                 stranger  admin_required
generators.delete_generator                 stranger  generator_not_owned             404 generator_not_found
generators.deregister_agent                 stranger  forbidden                       404 generator_not_found
generators.get_generator                    stranger  generator_not_owned             404 generator_not_found
generators.list_generator_registered_agents stranger  not_authorized                  404 generator_not_found
generators.list_generators                  stranger  admin_required
generators.register_agent                   stranger  forbidden                       404 generator_not_found
generators.rotate_generator_pak             stranger  generator_not_owned             404 generator_not_found
generators.update_generator                 stranger  generator_not_owned             400 generator_id_mismatch
health.get_deployment_health                stranger  admin_required                  200 -
health.get_stack_health                     stranger  admin_required                  200 -
health.update_health_status                 stranger  agent_pak_mismatch              404 agent_not_found
stack_telemetry.list_telemetry_events       stranger  stack_not_owned                 404 stack_not_found
stack_telemetry.list_telemetry_logs         stranger  stack_not_owned                 404 stack_not_found
stacks.create_deployment_object             stranger  stack_not_owned                 404 stack_not_found
stacks.create_stack                         stranger  stack_generator_mismatch
stacks.delete_stack                         stranger  stack_not_owned                 404 stack_not_found
stacks.get_stack                            stranger  stack_not_owned                 404 stack_not_found
stacks.instantiate_template                 stranger  stack_not_owned                 404 stack_not_found
stacks.list_deployment_objects              stranger  stack_not_owned                 404 stack_not_found
stacks.list_stacks                          outsider  stacks_list_denied
stacks.stacks_add_annotation                stranger  stack_not_owned                 404 stack_not_found
stacks.stacks_add_label                     stranger  stack_not_owned                 404 stack_not_found
stacks.stacks_list_annotations              stranger  stack_not_accessible            404 stack_not_found
stacks.stacks_list_labels                   stranger  stack_not_accessible            404 stack_not_found
stacks.stacks_remove_annotation             stranger  stack_not_owned                 404 stack_not_found
stacks.stacks_remove_label                  stranger  stack_not_owned                 404 stack_not_found
stacks.update_stack                         stranger  stack_not_owned                 400 stack_id_mismatch
templates.create_template                   outsider  templates_not_accessible
templates.delete_template                   stranger  template_not_owned              404 template_not_found
templates.get_template                      outsider  template_not_accessible         404 template_not_found
templates.list_templates                    outsider  templates_not_accessible
templates.templates_add_annotation          stranger  template_not_owned              404 template_not_found
templates.templates_add_label               stranger  template_not_owned              404 template_not_found
templates.templates_list_annotations        outsider  template_not_accessible         404 template_not_found
templates.templates_list_labels             outsider  template_not_accessible         404 template_not_found
templates.templates_remove_annotation       stranger  template_not_owned              404 template_not_found
templates.templates_remove_label            stranger  template_not_owned              404 template_not_found
templates.update_template                   stranger  template_not_owned              404 template_not_found
webhooks.create_webhook                     stranger  admin_required
webhooks.delete_webhook                     stranger  admin_required                  404 webhook_not_found
webhooks.get_pending_agent_webhooks         stranger  agent_pak_mismatch              404 agent_not_found
webhooks.get_webhook                        stranger  admin_required                  404 webhook_not_found
webhooks.list_deliveries                    stranger  admin_required                  404 webhook_not_found
webhooks.list_event_types                   stranger  admin_required
webhooks.list_recent_deliveries             stranger  admin_required
webhooks.list_webhooks                      stranger  admin_required
webhooks.report_delivery_result             stranger  agent_pak_required              404 delivery_not_found
webhooks.test_webhook                       stranger  admin_required                  404 webhook_not_found
webhooks.update_webhook                     stranger  admin_required                  404 webhook_not_found
work_orders.claim_work_order                stranger  agent_pak_mismatch              404 work_order_not_claimable
work_orders.complete_work_order             stranger  work_order_not_claimed_by_agent 404 work_order_not_found
work_orders.create_work_order               stranger  admin_required
work_orders.delete_work_order               stranger  admin_required                  404 work_order_not_found
work_orders.get_work_order                  stranger  admin_required                  404 work_order_not_found
work_orders.get_work_order_log              stranger  admin_required                  404 work_order_log_entry_not_found
work_orders.list_pending_for_agent          stranger  agent_pak_mismatch              200 -
work_orders.list_work_order_log             stranger  admin_required
work_orders.list_work_orders                stranger  admin_required
"""
ROWS = {line.split()[0]: line.split()[1:] for line in REFUSALS.strip().splitlines()[1:]}

# Statuses that the client parses and no request alone brings about.
OUR_OWN_TROUBLE = {500, 503}
# What no admin may do at all.
UNKNOWN_TO = {"webhooks.report_delivery_result": "agent"}
MAY_BE_ABSENT = {
    # The client fails on null in these, so where there is nothing they are left out.
    *("WebhookResponse.filters", "DiagnosticResponse.result"),
    # Of filters only those that are set are told.
    *("WebhookFilters.agent_id", "WebhookFilters.stack_id"),
}
# Where what the client takes None for is needed by one kind of caller.
NEEDED = {
    "generators.register_agent": "an admin has to say which agent; one that registers itself has not",
    "generators.deregister_agent": "likewise",
}


@pytest.fixture(scope="module")
def world(_shared_broker: LiveServer) -> Iterator[World]:
    with running_receiver() as receiver, running_world(_shared_broker, receiver) as world:
        yield world


def answered(world: World, operation: Operation, made: Call, *, by: str = "") -> Response[Any]:
    return send(world.callers[by or made.by], operation, *made.arguments, **made.options)


def assert_success(operation: Operation, response: Response[Any]) -> None:
    assert response.status_code == operation.success, response.content
    assert list(misfits(response.parsed, operation.answer)) == []
    assert set(absent(response.parsed)) <= MAY_BE_ABSENT


def assert_refused(operation: Operation, response: Response[Any], status: int, code: str) -> None:
    """The client has read the refusal, where it knows the status; the body says the same either way."""
    body = orjson.loads(response.content)
    assert (response.status_code, body["code"]) == (status, code)
    if status not in operation.statuses:
        assert response.parsed is None
        return
    assert list(misfits(response.parsed, ErrorResponse)) == []
    assert (response.parsed.code, response.parsed.message) == (code, body["error"])


def test_every_operation_of_the_client_has_its_call_and_its_refusals():
    assert OPERATIONS.keys() == CALLS.keys()
    assert OPERATIONS.keys() == ROWS.keys()


def test_the_client_parses_the_success(world: World, subtests):
    for name, operation in OPERATIONS.items():
        with subtests.test(name):
            response = answered(world, operation, CALLS[name](world))
            assert_success(operation, response)
            # An empty list would say nothing about its members.
            assert response.parsed != []


def test_null_is_accepted_wherever_the_client_takes_none(world: World, subtests):
    for name, operation in OPERATIONS.items():
        if nullable := nullable_fields(operation.body):
            with subtests.test(name):
                nulled = CALLS[name](world)
                for field in nullable:
                    setattr(nulled.options["body"], field, None)
                response = answered(world, operation, nulled)
                if name in NEEDED:
                    assert_refused(operation, response, 400, "missing_agent_id")
                    response = answered(world, operation, nulled, by="outsider")
                assert_success(operation, response)


def test_the_client_parses_who_is_refused(world: World, subtests):
    for name, operation in OPERATIONS.items():
        with subtests.test(name):
            caller, code, *_ = ROWS[name]
            wanted = CALLS[name](world)
            assert_refused(operation, answered(world, operation, wanted, by="nobody"), 401, "unauthorized")
            if caller != "-":
                assert_refused(operation, answered(world, operation, wanted, by=caller), 403, code)


def test_the_client_parses_what_an_unknown_id_is_answered(world: World, subtests):
    for name, (_, _, *answer) in ROWS.items():
        if answer:
            with subtests.test(name):
                operation = OPERATIONS[name]
                status, code = answer
                known = CALLS[name](world)
                caller = UNKNOWN_TO.get(name, "admin")
                unknown = Call((UNKNOWN, *known.arguments[1:]), known.options, caller)
                response = answered(world, operation, unknown)
                if code == "-":
                    assert_success(operation, response)
                else:
                    assert_refused(operation, response, int(status), code)


def test_the_client_parses_what_is_wrong_with_a_request(world: World, subtests):
    for fault in FAULTS:
        with subtests.test(str(fault)):
            operation = OPERATIONS[fault.operation]
            response = answered(world, operation, fault.call(world))
            assert_refused(operation, response, fault.status, fault.code)


def test_what_the_client_takes_no_null_for_is_left_out(world: World):
    for name, row, field in (
        ("diagnostics.get_diagnostic", world.new_diagnostic(), "result"),
        ("webhooks.get_webhook", world.new_webhook(), "filters"),
    ):
        response = answered(world, OPERATIONS[name], call(row))
        assert_success(OPERATIONS[name], response)
        assert isinstance(getattr(response.parsed, field), Unset)


def test_an_order_that_will_be_tried_again_is_nothing_to_the_client(world: World):
    failed = CompleteWorkOrderRequest(success=False, message="out of disk", retryable=True)
    again = call(world.new_order(claimed=True), by="agent", body=failed)
    response = answered(world, OPERATIONS["work_orders.complete_work_order"], again)
    assert (response.status_code, response.parsed) == (202, None)


def test_every_error_that_the_client_parses_has_been_provoked():
    provoked = {(fault.operation, fault.status) for fault in FAULTS}
    for name, (caller, _, *unknown) in ROWS.items():
        provoked.add((name, 401))
        if caller != "-":
            provoked.add((name, 403))
        if unknown:
            provoked.add((name, int(unknown[0])))
    documented = {
        (name, status)
        for name, operation in OPERATIONS.items()
        for status in operation.statuses - {operation.success} - OUR_OWN_TROUBLE
    }
    assert documented - provoked == set()

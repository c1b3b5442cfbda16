"""Requests of the generated client that the broker refuses because of their content."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import attrs
from brokkr import TemplateGenerator
from brokkr_broker_client import models as m

from tests.support.live_api import MANIFEST, created
from tests.support.receiver import answer
from tests.support.sdk_calls import Call, call, given
from tests.support.sdk_world import LOOKED_AT, RESULT, World, fresh

# An id that no row has.
UNKNOWN = UUID(int=7)


@dataclass(frozen=True)
class Fault:
    operation: str
    status: int
    code: str
    call: Callable[[World], Call]

    def __str__(self) -> str:
        return f"{self.operation}-{self.code}"


def _refusing_webhook(w: World) -> UUID:
    w.receiver.replies["/broken"].append(answer(500))
    return w.new_webhook("/broken")


def _demanding_template(w: World) -> UUID:
    body = {
        "name": fresh("template"),
        "template_content": MANIFEST,
        "parameters_schema": '{"required": ["a"]}',
    }
    return UUID(w.post("/templates", body)["id"])


def _webhook(w: World, **changes: Any) -> m.CreateWebhookRequest:
    said = {"name": fresh("webhook"), "url": w.receiver.url(), "event_types": ["*"]}
    return m.CreateWebhookRequest(**said | changes)


def _template(**changes: Any) -> dict[str, Any]:
    return {"template_content": "a: {{", "parameters_schema": "{}"} | changes


def _renumbered(model: Any, w: World, path: str) -> Any:
    """The value at `path`, with an id that no row has."""
    return attrs.evolve(model.from_dict(created(w.admin.get(path))), id=UNKNOWN)


FAULTS = [
    Fault("agents.search_agent", 400, "name_and_cluster_required", lambda w: call(name="a")),
    Fault("agents.search_agent", 404, "agent_not_found", lambda w: call(name="nobody", cluster_name="live")),
    Fault(
        "agents.create_agent",
        400,
        "invalid_agent",
        lambda w: call(body=m.CreateAgentRequest(name="", cluster_name="live")),
    ),
    Fault(
        "agents.create_agent",
        409,
        "unique_violation",
        lambda w: call(body=m.CreateAgentRequest(name=w.rows.label, cluster_name="live")),
    ),
    Fault("agent_labels.agents_remove_label", 404, "agent_label_not_found", lambda w: call(w.agent, "none")),
    Fault(
        "agent_annotations.agents_remove_annotation",
        404,
        "agent_annotation_not_found",
        lambda w: call(w.agent, "none"),
    ),
    Fault(
        "agent_events.create_event",
        422,
        "foreign_key_violation",
        lambda w: call(
            w.agent,
            by="agent",
            body=m.NewAgentEvent(
                agent_id=w.agent, deployment_object_id=UNKNOWN, event_type="DEPLOY", status="SUCCESS"
            ),
        ),
    ),
    Fault(
        "agent_targets.add_target",
        404,
        "stack_not_found",
        lambda w: call(w.agent, body=m.NewAgentTarget(agent_id=w.agent, stack_id=UNKNOWN)),
    ),
    Fault("auth.verify_pak", 401, "unauthorized", lambda w: call(by="nobody")),
    Fault(
        "generators.create_generator", 400, "invalid_generator", lambda w: call(body=m.NewGenerator(name=""))
    ),
    Fault(
        "generators.create_generator",
        409,
        "unique_violation",
        lambda w: call(body=m.NewGenerator(name=w.rows.label)),
    ),
    Fault(
        "generators.update_generator",
        404,
        "generator_not_found",
        lambda w: call(UNKNOWN, body=_renumbered(TemplateGenerator, w, f"/generators/{w.generator}")),
    ),
    Fault(
        "generators.register_agent",
        409,
        "already_registered",
        lambda w: given(
            w.post(f"/generators/{w.new_generator()}/register", {"agent_id": w.rows.agent_id}),
            lambda made: call(
                UUID(made["generator_id"]), by="agent", body=m.AgentRegistrationBody(agent_id=w.agent)
            ),
        ),
    ),
    Fault(
        "diagnostics.create_diagnostic_request",
        400,
        "invalid_diagnostic_request",
        lambda w: call(w.deployed, body=m.CreateDiagnosticRequest(agent_id=w.agent, retention_minutes=0)),
    ),
    Fault(
        "diagnostics.claim_diagnostic",
        409,
        "diagnostic_already_claimed",
        lambda w: call(w.new_diagnostic(claimed=True), by="agent"),
    ),
    Fault(
        "diagnostics.submit_diagnostic_result",
        400,
        "invalid_diagnostic_result",
        lambda w: call(w.new_diagnostic(claimed=True), by="agent", body=attrs.evolve(RESULT, events="")),
    ),
    Fault(
        "diagnostics.submit_diagnostic_result",
        409,
        "diagnostic_not_claimed",
        lambda w: call(w.new_diagnostic(), by="agent", body=RESULT),
    ),
    Fault(
        "health.update_health_status",
        422,
        "invalid_health_record",
        lambda w: call(
            w.agent,
            by="agent",
            body=m.HealthStatusUpdate(
                deployment_objects=[
                    m.DeploymentObjectHealthUpdate(id=w.deployed, status="splendid", checked_at=LOOKED_AT)
                ]
            ),
        ),
    ),
    Fault(
        "stacks.create_deployment_object",
        400,
        "invalid_deployment_object",
        lambda w: call(w.stack, body=m.CreateDeploymentObjectRequest(yaml_content="a: [")),
    ),
    Fault(
        "stacks.instantiate_template",
        400,
        "invalid_parameters",
        lambda w: call(
            w.stack, body=m.TemplateInstantiationRequest(template_id=_demanding_template(w), parameters={})
        ),
    ),
    Fault(
        "stacks.instantiate_template",
        422,
        "template_stack_mismatch",
        lambda w: call(
            w.new_stack(), body=m.TemplateInstantiationRequest(template_id=w.template, parameters={})
        ),
    ),
    Fault(
        "stacks.update_stack",
        404,
        "stack_not_found",
        lambda w: call(UNKNOWN, body=_renumbered(m.Stack, w, f"/stacks/{w.stack}")),
    ),
    Fault("stacks.stacks_add_label", 400, "invalid_label", lambda w: call(w.stack, body="a b")),
    Fault("stacks.stacks_add_label", 409, "unique_violation", lambda w: call(w.stack, body=w.rows.label)),
    Fault("stacks.stacks_remove_label", 404, "stack_label_not_found", lambda w: call(w.stack, "none")),
    Fault(
        "stacks.stacks_add_annotation",
        400,
        "invalid_annotation",
        lambda w: call(w.stack, body=m.NewStackAnnotation(stack_id=w.stack, key="a b", value="v")),
    ),
    Fault(
        "stacks.stacks_add_annotation",
        409,
        "unique_violation",
        lambda w: call(w.stack, body=m.NewStackAnnotation(stack_id=w.stack, key=w.rows.label, value="v")),
    ),
    Fault(
        "stacks.stacks_remove_annotation", 404, "stack_annotation_not_found", lambda w: call(w.stack, "none")
    ),
    Fault(
        "templates.create_template",
        400,
        "invalid_template_syntax",
        lambda w: call(body=m.CreateTemplateRequest(name=fresh("template"), **_template())),
    ),
    Fault(
        "templates.update_template",
        400,
        "invalid_parameters_schema",
        lambda w: call(
            w.template,
            body=m.UpdateTemplateRequest(**_template(template_content="a: 1", parameters_schema="[")),
        ),
    ),
    Fault("templates.templates_add_label", 400, "invalid_label", lambda w: call(w.template, body="a b")),
    Fault(
        "templates.templates_remove_label",
        404,
        "template_label_not_found",
        lambda w: call(w.template, "none"),
    ),
    Fault(
        "templates.templates_add_annotation",
        400,
        "invalid_annotation",
        lambda w: call(w.template, body=m.AddAnnotationRequest(key="a", value="b c")),
    ),
    Fault(
        "templates.templates_remove_annotation",
        404,
        "template_annotation_not_found",
        lambda w: call(w.template, "none"),
    ),
    Fault(
        "webhooks.create_webhook",
        400,
        "invalid_url_scheme",
        lambda w: call(body=_webhook(w, url="ftp://a.example")),
    ),
    Fault(
        "webhooks.create_webhook", 422, "invalid_webhook", lambda w: call(body=_webhook(w, max_retries=11))
    ),
    Fault(
        "webhooks.update_webhook",
        400,
        "invalid_url_scheme",
        lambda w: call(w.webhook, body=m.UpdateWebhookRequest(url="ftp://a.example")),
    ),
    Fault(
        "webhooks.update_webhook",
        422,
        "invalid_webhook",
        lambda w: call(w.webhook, body=m.UpdateWebhookRequest(timeout_seconds=0)),
    ),
    Fault("webhooks.test_webhook", 400, "webhook_test_failed", lambda w: call(_refusing_webhook(w))),
    Fault("webhooks.list_recent_deliveries", 400, "invalid_query", lambda w: call(status="lost")),
    Fault(
        "work_orders.create_work_order",
        400,
        "no_targeting_specified",
        lambda w: call(body=m.CreateWorkOrderRequest(work_type="build", yaml_content="a: 1")),
    ),
    Fault(
        "work_orders.claim_work_order",
        404,
        "work_order_not_claimable",
        lambda w: call(w.new_order(claimed=True), by="agent", body=m.ClaimWorkOrderRequest(agent_id=w.agent)),
    ),
]

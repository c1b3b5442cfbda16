"""Arguments for the operations of the generated client: for each operation one call that succeeds."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from brokkr import TemplateGenerator
from brokkr_broker_client import models as m

from tests.support.live_api import MANIFEST, created
from tests.support.sdk_world import LOOKED_AT, RESULT, World, fresh, healthy


@dataclass(frozen=True)
class Call:
    arguments: tuple[Any, ...]
    options: dict[str, Any]
    by: str


def call(*arguments: Any, by: str = "admin", **options: Any) -> Call:
    """The arguments of an operation, and its caller."""
    return Call(arguments, options, by)


def after(_: object, then: Call) -> Call:
    """A call that needs something else to happen before it."""
    return then


def given(made: Any, then: Callable[[Any], Call]) -> Call:
    """A call about a row that is made for this call."""
    return then(made)


# Each call succeeds for its caller at any time.
CALLS: dict[str, Callable[[World], Call]] = {
    "admin.list_audit_logs": lambda w: call(
        actor_type="admin",
        action="agent.created",
        resource_id=w.agent,
        from_=LOOKED_AT - timedelta(days=1),
        limit=5,
    ),
    "admin.list_ws_connections": lambda w: call(),
    "admin.reload_config": lambda w: call(),
    "agent_annotations.agents_add_annotation": lambda w: call(
        w.agent, body=m.NewAgentAnnotation(agent_id=w.agent, key=fresh("key"), value="v")
    ),
    "agent_annotations.agents_list_annotations": lambda w: call(w.agent, by="agent"),
    "agent_annotations.agents_remove_annotation": lambda w: call(
        w.agent,
        w.post(f"/agents/{w.agent}/annotations", {"key": fresh("example.com/a"), "value": "v"})["key"],
    ),
    "agent_events.create_event": lambda w: call(
        w.agent,
        by="agent",
        body=m.NewAgentEvent(
            agent_id=w.agent, deployment_object_id=w.deployed, event_type="DEPLOY", status="SUCCESS"
        ),
    ),
    "agent_events.get_agent_event": lambda w: call(w.new_event()),
    "agent_events.list_agent_events": lambda w: call(pak_id=w.generator),
    "agent_events.list_events": lambda w: call(w.agent, by="agent"),
    "agent_labels.agents_add_label": lambda w: call(
        w.agent, body=m.NewAgentLabel(agent_id=w.agent, label=fresh("label"))
    ),
    "agent_labels.agents_list_labels": lambda w: call(w.agent, by="agent"),
    "agent_labels.agents_remove_label": lambda w: call(
        w.agent, w.post(f"/agents/{w.agent}/labels", {"label": fresh("example.com/a")})["label"]
    ),
    "agent_targets.add_target": lambda w: given(
        w.new_stack(), lambda stack: call(w.agent, body=m.NewAgentTarget(agent_id=w.agent, stack_id=stack))
    ),
    "agent_targets.list_targets": lambda w: call(w.agent, by="agent"),
    "agent_targets.remove_target": lambda w: call(
        w.agent, UUID(w.post(f"/agents/{w.agent}/targets", {"stack_id": str(w.new_stack())})["stack_id"])
    ),
    "agents.create_agent": lambda w: call(
        body=m.CreateAgentRequest(name=fresh("agent"), cluster_name="live", generator_ids=[w.generator])
    ),
    "agents.delete_agent": lambda w: call(w.new_agent()),
    "agents.get_agent": lambda w: call(w.agent, by="agent"),
    "agents.get_associated_stacks": lambda w: call(w.agent, by="agent"),
    "agents.get_target_state": lambda w: call(w.agent, by="agent", mode="full"),
    "agents.list_agent_registrations": lambda w: given(
        w.new_agent(),
        lambda agent: after(
            w.post(f"/generators/{w.generator}/register", {"agent_id": str(agent)}), call(agent)
        ),
    ),
    "agents.list_agents": lambda w: call(),
    "agents.record_heartbeat": lambda w: call(
        w.agent, by="agent", body=m.HeartbeatReport(k8s_reachable=True, k8s_api_latency_ms=7)
    ),
    "agents.rotate_agent_pak": lambda w: call(w.new_agent()),
    "agents.search_agent": lambda w: call(by="agent", name=w.rows.label, cluster_name="live"),
    "agents.update_agent": lambda w: call(w.agent, body={"status": "ACTIVE"}),
    "auth.list_paks": lambda w: call(),
    "auth.verify_pak": lambda w: call(by="agent"),
    "deployment_objects.get_deployment_object": lambda w: call(w.deployed, by="agent"),
    "diagnostics.claim_diagnostic": lambda w: call(w.new_diagnostic(), by="agent"),
    "diagnostics.create_diagnostic_request": lambda w: call(
        w.deployed, body=m.CreateDiagnosticRequest(agent_id=w.agent, requested_by="me", retention_minutes=5)
    ),
    "diagnostics.get_diagnostic": lambda w: call(w.new_diagnostic(finished=True)),
    "diagnostics.get_pending_diagnostics": lambda w: after(w.new_diagnostic(), call(w.agent, by="agent")),
    "diagnostics.submit_diagnostic_result": lambda w: call(
        w.new_diagnostic(claimed=True), by="agent", body=RESULT
    ),
    "fleet.get_agent_fleet_status": lambda w: after(w.new_event(), call(w.agent)),
    "fleet.list_fleet": lambda w: call(),
    "generators.create_generator": lambda w: call(
        body=m.NewGenerator(name=fresh("generator"), description="text")
    ),
    "generators.delete_generator": lambda w: call(w.new_generator()),
    "generators.deregister_agent": lambda w: call(
        w.generator, body=m.AgentRegistrationBody(agent_id=w.new_agent())
    ),
    "generators.get_generator": lambda w: call(w.generator, by="owner"),
    "generators.list_generator_registered_agents": lambda w: after(
        w.post(f"/generators/{w.generator}/register", {"agent_id": str(w.new_agent())}),
        call(w.generator, by="owner"),
    ),
    "generators.list_generators": lambda w: call(),
    "generators.register_agent": lambda w: call(
        w.generator, body=m.AgentRegistrationBody(agent_id=w.new_agent())
    ),
    "generators.rotate_generator_pak": lambda w: call(w.new_generator()),
    "generators.update_generator": lambda w: call(
        w.generator,
        by="owner",
        body=TemplateGenerator.from_dict(created(w.admin.get(f"/generators/{w.generator}"))),
    ),
    "health.get_deployment_health": lambda w: call(w.reported_object()),
    "health.get_stack_health": lambda w: after(w.reported_object(), call(w.stack)),
    "health.update_health_status": lambda w: call(
        w.agent, by="agent", body=m.HealthStatusUpdate(deployment_objects=[healthy(w.deployed)])
    ),
    "stack_telemetry.list_telemetry_events": lambda w: call(w.stack, by="owner", since=LOOKED_AT, limit=5),
    "stack_telemetry.list_telemetry_logs": lambda w: call(w.stack, by="owner", since=LOOKED_AT, limit=5),
    "stacks.create_deployment_object": lambda w: call(
        w.new_stack(), by="owner", body=m.CreateDeploymentObjectRequest(yaml_content=MANIFEST)
    ),
    "stacks.create_stack": lambda w: call(
        by="owner", body=m.NewStack(generator_id=w.generator, name=fresh("stack"), description=None)
    ),
    "stacks.delete_stack": lambda w: call(w.new_stack(), by="owner"),
    "stacks.get_stack": lambda w: call(w.stack, by="owner"),
    "stacks.instantiate_template": lambda w: call(
        w.new_stack(),
        by="owner",
        body=m.TemplateInstantiationRequest(template_id=UUID(w.rows.plain_template_id), parameters={}),
    ),
    "stacks.list_deployment_objects": lambda w: call(w.stack, by="owner"),
    "stacks.list_stacks": lambda w: call(by="owner"),
    "stacks.stacks_add_annotation": lambda w: call(
        w.stack, by="owner", body=m.NewStackAnnotation(stack_id=w.stack, key=fresh("key"), value="v")
    ),
    "stacks.stacks_add_label": lambda w: call(w.stack, by="owner", body=fresh("label")),
    "stacks.stacks_list_annotations": lambda w: call(w.stack, by="agent"),
    "stacks.stacks_list_labels": lambda w: call(w.stack, by="agent"),
    "stacks.stacks_remove_annotation": lambda w: call(
        w.stack,
        w.post(f"/stacks/{w.stack}/annotations", {"key": fresh("example.com/a"), "value": "v"})["key"],
        by="owner",
    ),
    "stacks.stacks_remove_label": lambda w: call(
        w.stack, w.post(f"/stacks/{w.stack}/labels", fresh("example.com/a"))["label"], by="owner"
    ),
    "stacks.update_stack": lambda w: call(
        w.stack, by="owner", body=m.Stack.from_dict(created(w.admin.get(f"/stacks/{w.stack}")))
    ),
    "templates.create_template": lambda w: call(
        by="owner",
        body=m.CreateTemplateRequest(
            name=fresh("template"), parameters_schema="{}", template_content=MANIFEST, description=None
        ),
    ),
    "templates.delete_template": lambda w: call(w.new_template(), by="owner"),
    "templates.get_template": lambda w: call(w.template, by="owner"),
    "templates.list_templates": lambda w: call(by="owner"),
    "templates.templates_add_annotation": lambda w: call(
        w.template, body=m.AddAnnotationRequest(key=fresh("key"), value="v")
    ),
    "templates.templates_add_label": lambda w: call(w.template, body=fresh("label")),
    "templates.templates_list_annotations": lambda w: call(w.template, by="owner"),
    "templates.templates_list_labels": lambda w: call(w.template, by="owner"),
    "templates.templates_remove_annotation": lambda w: call(
        w.template,
        w.post(f"/templates/{w.template}/annotations", {"key": fresh("example.com/a"), "value": "v"})["key"],
    ),
    "templates.templates_remove_label": lambda w: call(
        w.template, w.post(f"/templates/{w.template}/labels", fresh("example.com/a"))["label"]
    ),
    "templates.update_template": lambda w: call(
        w.new_template(),
        by="owner",
        body=m.UpdateTemplateRequest(parameters_schema="{}", template_content=MANIFEST, description=None),
    ),
    "webhooks.create_webhook": lambda w: call(
        body=m.CreateWebhookRequest(
            name=fresh("webhook"),
            url=w.receiver.url(),
            event_types=["generator.created"],
            auth_header="Bearer x",
            filters=m.WebhookFilters(stack_id=w.stack),
            max_retries=3,
            timeout_seconds=5,
        )
    ),
    "webhooks.delete_webhook": lambda w: call(w.new_webhook()),
    "webhooks.get_pending_agent_webhooks": lambda w: after(w.new_event(), call(w.agent, by="agent")),
    "webhooks.get_webhook": lambda w: call(w.new_webhook()),
    "webhooks.list_deliveries": lambda w: after(
        w.new_event(), call(w.webhook, status="pending", limit=5, offset=0)
    ),
    "webhooks.list_event_types": lambda w: call(),
    "webhooks.list_recent_deliveries": lambda w: after(
        w.new_event(), call(status="pending", limit=5, offset=0)
    ),
    "webhooks.list_webhooks": lambda w: after(w.new_webhook(), call()),
    "webhooks.report_delivery_result": lambda w: call(
        w.taken_delivery(),
        by="agent",
        body=m.DeliveryResultRequest(success=True, status_code=200, duration_ms=5),
    ),
    "webhooks.test_webhook": lambda w: call(w.webhook),
    "webhooks.update_webhook": lambda w: call(
        w.new_webhook(), body=m.UpdateWebhookRequest(enabled=False, target_labels=["a"])
    ),
    "work_orders.claim_work_order": lambda w: call(
        w.new_order(), by="agent", body=m.ClaimWorkOrderRequest(agent_id=w.agent)
    ),
    "work_orders.complete_work_order": lambda w: call(
        w.new_order(claimed=True), by="agent", body=m.CompleteWorkOrderRequest(success=True, message="built")
    ),
    "work_orders.create_work_order": lambda w: call(
        body=m.CreateWorkOrderRequest(
            work_type="build",
            yaml_content=MANIFEST,
            backoff_seconds=1,
            claim_timeout_seconds=60,
            max_retries=0,
            target_agent_ids=[w.agent],
            targeting=m.WorkOrderTargeting(labels=["build"]),
        )
    ),
    "work_orders.delete_work_order": lambda w: call(w.new_order()),
    "work_orders.get_work_order": lambda w: call(w.order),
    "work_orders.get_work_order_log": lambda w: call(w.finished_order()),
    "work_orders.list_pending_for_agent": lambda w: call(w.agent, by="agent", work_type="build"),
    "work_orders.list_work_order_log": lambda w: after(
        w.finished_order(), call(work_type="build", success=True, agent_id=w.agent, limit=5)
    ),
    "work_orders.list_work_orders": lambda w: call(status="PENDING", work_type="build"),
}

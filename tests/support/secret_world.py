"""A stack whose versions have a value of a Secret in every place that is known, an agent that has said them all, and
everybody who may ask."""

import json
from typing import Any
from unittest import mock

from django.conf import settings
from django.utils import timezone

from rollouts.services.ticking import tick_due
from tests.factories import make_agent, make_generator, make_stack, make_webhook
from tests.support.api import Api
from tests.support.rollouts import CANARY_AND_REST, give_strategy, make_strategy
from tests.support.secret_values import Values, manifest_with, spoken_of

_TEMPLATE = """apiVersion: v1
kind: Secret
metadata: {name: made}
stringData:
  given: {{ password | json_encode }}
  fixed: FIXED
"""
_THEN = "2026-11-28T00:00:00Z"


class SecretWorld:
    """`ids` has the values for the braces of routes, `callers` a client for each kind of caller.

    `values` has those of the older and the newer version, of the work orders and of the template.
    """

    def __init__(self, admin: Api, suffix: str, turn: int) -> None:
        names = ("old", "new", "order", "template")
        self.values = {name: Values(f"{name[0]}{suffix}", turn) for name in names}
        generator, owner = make_generator()
        self.agent, itself = make_agent(active=True, labels=["app"])
        self.callers = {
            "anonymous": Api(None),
            "admin": admin,
            "owner": owner,
            "stranger": make_generator()[1],
            "itself": itself,
            "other": make_agent(active=True, labels=["else"])[1],
        }
        self.stack = make_stack(generator, labels=["app"])
        self.ids: dict[str, str] = {
            "agent_id": str(self.agent.pk),
            "generator_id": str(generator.pk),
            "stack_id": str(self.stack.pk),
            "webhook_id": str(make_webhook(event_types=["*"]).pk),
        }
        # As texts of earlier releases may be, with a list in them.
        with mock.patch.object(settings, "MANIFESTS", "lenient"):
            self._publish(make_stack(labels=["app"]).pk, self.text("old"))
            self._publish(self.stack.pk, self.text("old"))
            give_strategy(self.stack, make_strategy(*CANARY_AND_REST))
            self.ids["object_id"] = self._publish(self.stack.pk, self.text("new"))["id"]
            self._work(admin, itself)
        tick_due(now=timezone.now())
        self._speak(itself)
        self._template(owner, generator)

    def text(self, name: str) -> str:
        return manifest_with(self.values[name])

    def found_in(self, text: str) -> set[tuple[str, str]]:
        """Which values of which text are in an answer."""
        return {(name, place) for name, values in self.values.items() for place in values.found_in(text)}

    def send(self, api: Api, path: str, body: object = ..., *, method: str = "POST") -> Any:
        response = api.request(method, path, body)
        assert response.status_code in {200, 201, 202, 204}, response.content
        return response.json() if response.content else {}

    def _publish(self, stack_id: object, text: str) -> Any:
        path = f"/stacks/{stack_id}/deployment-objects"
        return self.send(self.callers["admin"], path, {"yaml_content": text})

    def _speak(self, itself: Api) -> None:
        me, object_id, said = f"/agents/{self.agent.pk}", self.ids["object_id"], spoken_of(self.values["new"])
        itself.get(f"{me}/target-state")
        report = {"deployment_object_id": object_id, "event_type": "DEPLOY", "status": "FAILURE"}
        self.ids["event_id"] = self.send(itself, f"{me}/events", report | {"message": said})["id"]
        summary = {"pods_ready": 0, "pods_total": 1, "conditions": [said]}
        health = {"id": object_id, "status": "failing", "checked_at": _THEN, "summary": summary}
        self.send(itself, f"{me}/health-status", {"deployment_objects": [health]}, method="PATCH")
        asked = f"/deployment-objects/{object_id}/diagnostics"
        asked_id = self.send(self.callers["admin"], asked, {"agent_id": str(self.agent.pk)})["id"]
        self.ids["diagnostic_id"] = asked_id
        self.send(itself, f"/diagnostics/{asked_id}/claim")
        found = json.dumps([{"message": said}])
        result = {"pod_statuses": found, "events": found, "log_tails": found, "collected_at": _THEN}
        self.send(itself, f"/diagnostics/{asked_id}/result", result)

    def _work(self, admin: Api, itself: Api) -> None:
        order: dict[str, Any] = {"work_type": "build", "yaml_content": self.text("order")}
        order["targeting"] = {"agent_ids": [str(self.agent.pk)]}
        for name, is_retried in (("finished_order_id", False), ("work_order_id", True)):
            order_id = self.ids[name] = self.send(admin, "/work-orders", order)["id"]
            self.send(itself, f"/work-orders/{order_id}/claim", {"agent_id": str(self.agent.pk)})
            answer = {"success": False, "message": spoken_of(self.values["order"]), "retryable": is_retried}
            self.send(itself, f"/work-orders/{order_id}/complete", answer)
        self.send(admin, "/work-orders", order)

    def _template(self, owner: Api, generator: Any) -> None:
        values = self.values["template"]
        stack = make_stack(generator, labels=["app"])
        template = {
            "name": f"template-{values.suffix}",
            "template_content": _TEMPLATE.replace("FIXED", json.dumps(values.of("fixed"))),
            "parameters_schema": json.dumps({"properties": {"password": {"default": values.of("default")}}}),
        }
        self.ids["template_id"] = self.send(owner, "/templates", template)["id"]
        given = {"template_id": self.ids["template_id"], "parameters": {"password": values.of("parameter")}}
        path = f"/stacks/{stack.pk}/deployment-objects/from-template"
        self.ids["rendered_id"] = self.send(owner, path, given)["id"]

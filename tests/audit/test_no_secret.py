"""Secrets are in no row of the audit log, in no export of it and in no line of the log."""

import json
import logging
from collections.abc import Mapping
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from uuid_utils.compat import uuid7

from audit.models import AuditLog
from audit.services import seal_new_entries
from tests.factories import make_agent, make_generator, make_stack
from tests.support.admin import AdminPages
from tests.support.api import Api
from tests.support.commands import manage

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("what rows of the log say")]

SECRET_MANIFEST = """apiVersion: v1
kind: Secret
metadata:
  name: credentials
stringData:
  password: {}
"""
words = st.text("abcdefghijkmnpqrstuvwxyz23456789", min_size=16, max_size=24).map(lambda text: f"s{text}")


def template(word: str) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"password": {"type": "string", "default": word}}}
    return {
        "name": f"t-{uuid7()}",
        "template_content": SECRET_MANIFEST.format(word),
        "parameters_schema": json.dumps(schema),
    }


def use_secrets(word: str, admin: Api, operator: AdminPages) -> list[str]:
    """Do everything with secrets that operators do; the texts of the keys that were made meanwhile."""
    generator, owner = make_generator()
    agent, _ = make_agent()
    stack = make_stack(generator)
    objects = f"/stacks/{stack.id}/deployment-objects"
    made: list[Mapping[str, Any]] = []

    def post(api: Api, path: str, body: object) -> Mapping[str, Any]:
        response = api.post(path, body)
        assert response.status_code in {200, 201}, response.content
        answer: Mapping[str, Any] = response.json()
        made.append(answer)
        return answer

    post(owner, objects, {"yaml_content": SECRET_MANIFEST.format(word)})
    post(admin, objects, {"yaml_content": SECRET_MANIFEST.format(f"{word}2")})
    form = post(admin, "/templates", template(word))
    admin.put(f"/templates/{form['id']}", template(f"{word}3"))
    admin.delete(f"/templates/{form['id']}")
    order = {"work_type": "build", "yaml_content": SECRET_MANIFEST.format(word)}
    post(admin, "/work-orders", {**order, "targeting": {"agent_ids": [str(agent.id)]}})
    hook = {"name": "hook", "url": f"https://h.example/old/{word}", "event_types": ["*"]}
    webhook = post(admin, "/webhooks", {**hook, "auth_header": f"Bearer {word}"})
    admin.put(
        f"/webhooks/{webhook['id']}", {"url": f"https://h.example/{word}", "auth_header": f"Basic {word}"}
    )
    post(admin, f"/webhooks/{webhook['id']}/rotate-secret", {})
    admin.delete(f"/webhooks/{webhook['id']}")
    post(admin, f"/agents/{agent.id}/rotate-pak", {})
    post(admin, f"/generators/{generator.id}/rotate-pak", {})
    Api(f"brokkr_BR_{word}").get(f"/stacks?token={word}")
    user = {"username": f"u{uuid7().hex}", "password1": f"{word} 9", "password2": f"{word} 9"}
    operator.post_form("auth/user/add/", **user)
    admin.post(f"/webhook-deliveries/{uuid7()}/result?token={word}", {"error": word})
    return [str(answer[name]) for answer in made for name in ("pak", "secret") if answer.get(name)]


@given(word=words)
@settings(max_examples=2, phases=[Phase.generate])
def test_no_secret_gets_into_rows_exports_or_logs(
    admin: Api, operator: AdminPages, caplog: pytest.LogCaptureFixture, word: str
):
    with caplog.at_level(logging.DEBUG):
        keys = use_secrets(word, admin, operator)
    assert len(keys) >= 3
    seal_new_entries(now=timezone.now())
    said = {
        "rows": str(list(AuditLog.objects.values())),
        "API": admin.get("/admin/audit-logs?limit=1000").content.decode(),
        "CSV": operator.get("audit/auditlog/export/").getvalue().decode(),
        "export": manage("export_audit", "--since", "2026-01-01").out,
        "pages": "".join(
            operator.get(f"audit/auditlog/{row.pk}/change/").content.decode()
            for row in AuditLog.objects.all()
        ),
        "log": caplog.text,
    }
    secrets = [word, *(key.rpartition("_")[2] for key in keys)]
    assert [(place, secret) for place, text in said.items() for secret in secrets if secret in text] == []
    caplog.clear()
    AuditLog.objects.all().delete()

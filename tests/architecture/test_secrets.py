"""No value of a Secret leaves but to those whom docs/threat-model.md names.

Values are put into every place where they may be. Then all answers, pages, notices, logs and exports are searched.
"""

import html
import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone

from audit.models import AuditLog
from audit.services import seal_new_entries
from tests.support.admin import AdminPages
from tests.support.api import Api
from tests.support.commands import manage
from tests.support.routes import UNKNOWN_ID, api_routes
from tests.support.secret_world import SecretWorld
from webhooks.models import Delivery

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("what is shown to whom")]

# Who may read values by which GET, as the table in docs/threat-model.md says. Nobody else may, and by no other route.
DUE = {
    "/agents/{agent_id}/target-state": {"admin", "itself"},
    "/deployment-objects/{object_id}": {"admin", "owner", "itself"},
    "/deployment-objects/{rendered_id}/provenance": {"admin", "owner", "itself"},
    "/stacks/{stack_id}/deployment-objects": {"admin", "owner"},
    "/templates": {"admin", "owner"},
    "/templates/{template_id}": {"admin", "owner"},
    "/work-orders": {"admin"},
    "/work-orders/{work_order_id}": {"admin"},
    "/agents/{agent_id}/work-orders/pending": {"admin", "itself"},
    "/work-order-log": {"admin"},
    "/work-order-log/{finished_order_id}": {"admin"},
    "/agents/{agent_id}/events": {"admin", "itself"},
    "/agent-events": {"admin", "itself"},
    "/agent-events/{event_id}": {"admin", "itself"},
    "/agents/{agent_id}/fleet-status": {"admin"},
    "/rollouts/{rollout_id}/agents": {"admin", "owner"},
    "/deployment-objects/{object_id}/health": {"admin"},
    "/diagnostics/{diagnostic_id}": {"admin", "itself"},
}
# Pages with most to hide, to which the walk must have come.
_ID = "[0-9a-f-]+"
PAGES = [
    f"/admin/{each}/"
    for each in (
        "deployments",
        f"stacks/stack/{_ID}/objects",
        f"stacks/deploymentobject/{_ID}/change",
        f"templates_app/stacktemplate/{_ID}/change",
        f"agents/agentevent/{_ID}/change",
        f"workorders/workorder/{_ID}/change",
        f"workorders/workorderlogentry/{_ID}/change",
        f"health/deploymenthealth/{_ID}/change",
        f"diagnostics/diagnosticrequest/{_ID}/change",
        f"webhooks/delivery/{_ID}/change",
        f"rollouts/rollout/{_ID}/members",
        f"audit/auditlog/{_ID}/change",
        "audit/auditlog/export",
    )
]
_LINK = re.compile(r'(?:href|hx-get)="(/admin/[^"#]*)')
_NO_PAGE = re.compile(r"/(?:logout|password_change|jsi18n|autocomplete)/")


def answers(world: SecretWorld) -> Iterator[tuple[str, str, str]]:
    """Of every GET of every caller: the route, the caller and the answer."""
    admin = world.callers["admin"]
    rollouts = admin.get(f"/rollouts?stack_id={world.stack.pk}").json()
    (strategy,) = admin.get("/rollout-strategies").json()
    # Of these there are none, and no value could be in them.
    world.ids |= dict.fromkeys(("freeze_id", "verification_id"), UNKNOWN_ID)
    world.ids |= {"rollout_id": rollouts[0]["id"], "strategy_id": strategy["id"]}
    for route in api_routes():
        if route.method != "GET":
            continue
        path = {
            "/deployment-objects/{object_id}/provenance": "/deployment-objects/{rendered_id}/provenance",
            "/work-order-log/{work_order_id}": "/work-order-log/{finished_order_id}",
        }.get(route.path, route.path)
        for name, caller in world.callers.items():
            query = f"?stack_id={world.stack.pk}" if path.endswith("/explain") else ""
            yield path, name, caller.get(path.format_map(world.ids) + query).content.decode()


def pages(viewer: AdminPages, world: SecretWorld) -> Iterator[tuple[str, str]]:
    """Every page that a viewer gets to by links, once, with its address below /admin/."""
    me, stack = f"agents/agent/{world.agent.pk}", f"stacks/stack/{world.stack.pk}"
    yesterday = f"{timezone.now() - timedelta(days=1):%Y-%m-%dT%H:%M}"
    # Those to which forms lead.
    waiting = [
        "",
        f"search/?s={world.stack.name}",
        f"search/?s={world.agent.name}",
        f"{stack}/explain/?agent={world.agent.pk}",
        f"{me}/compare/?at={yesterday}",
        "resources/?image=*&history=on",
        "resources/?name=*&history=on",
    ]
    seen = set()
    while waiting:
        path = waiting.pop()
        response = viewer.get(path)
        assert response.status_code in {200, 286, 302, 403}, path
        text = b"".join(response).decode() if response.streaming else response.content.decode()
        yield path, text
        for link in map(html.unescape, _LINK.findall(text)):
            address = link.partition("?")[0]
            if address not in seen and not _NO_PAGE.search(address):
                seen.add(address)
                waiting.append(link.removeprefix("/admin/"))
    missed = {each for each in PAGES if not any(re.fullmatch(each, address) for address in seen)}
    assert missed == set()


def exports(world: SecretWorld, folder: Path) -> Iterator[tuple[str, str]]:
    seal_new_entries(now=timezone.now())
    yield "audit rows", str(list(AuditLog.objects.values()))
    yield "audit export", manage("export_audit", "--since", "2026-01-01").out
    manage("export_history", "--agent", str(world.agent.pk), "--folder", str(folder))
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert files
    yield from ((file.name, file.read_text()) for file in files)


def leaks(world: SecretWorld, texts: Iterator[tuple[str, str]]) -> dict[str, Any]:
    """By where it was found, which values are there."""
    return {where: found for where, text in texts if (found := world.found_in(text))}


# In the second run, other values are those with letters that are escaped.
@pytest.mark.parametrize("turn", [0, 1])
def test_no_value_leaves_but_to_whom_it_is_due(
    admin: Api, tmp_path: Path, caplog: pytest.LogCaptureFixture, turn: int
):
    with caplog.at_level(logging.DEBUG):
        world = SecretWorld(admin, "xkqwv", turn)
        found: dict[str, set[str]] = {}
        for route, caller, answer in answers(world):
            if world.found_in(answer):
                found.setdefault(route, set()).add(caller)
        assert found == DUE
        user = User.objects.create_user("viewer", is_staff=True)
        user.groups.add(Group.objects.get(name="viewer"))
        assert leaks(world, pages(AdminPages(user), world)) == {}
        assert leaks(world, exports(world, tmp_path / "export")) == {}
        assert leaks(world, ((row.event_type, row.payload) for row in Delivery.objects.all())) == {}
        logged = str([vars(record) for record in caplog.records])
        assert "/api/v1/stacks/:id" in logged
        assert world.found_in(logged) == set()

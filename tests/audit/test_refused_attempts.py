"""What admins and people of the admin site tried and may not is noted; nothing else that is refused is."""

from uuid import UUID

import pytest
from django.core.cache import cache

from audit.models import AuditLog
from audit.services import note_refusal
from core.events import Actor
from tests.factories import make_agent, make_generator
from tests.support.admin import staff
from tests.support.api import Api, refused

pytestmark = pytest.mark.django_db


def noted() -> list[AuditLog]:
    return list(AuditLog.objects.filter(action="attempt.refused").order_by("sequence"))


# Only agents report what became of a delivery.
FOR_AGENTS = f"/webhook-deliveries/{UUID(int=1)}/result"


def test_an_admin_key_is_noted_with_what_it_tried(admin: Api):
    refused(admin.post(FOR_AGENTS, {}), 403, "agent_pak_required")
    (row,) = noted()
    assert row.details == {
        "method": "POST",
        "endpoint": "/api/v1/webhook-deliveries/:id/result",
        "code": "agent_pak_required",
    }
    assert (row.actor_type, row.actor_label, row.ip_address) == ("admin", "test admin", "127.0.0.1")
    assert row.key_id is not None


def test_agents_and_generators_are_not_noted():
    for _, api in (make_generator(), make_agent()):
        assert api.get("/admin/audit-logs").status_code == 403
    assert noted() == []


def test_a_user_of_the_admin_site_is_noted():
    page = staff("stacks.view_stack")
    assert page.get("paks/pak/").status_code == 403
    (row,) = noted()
    assert (row.actor_type, row.actor_label, row.key_id) == ("admin", "astrid", None)
    assert row.details == {"method": "GET", "endpoint": "/admin/paks/pak/", "code": "forbidden"}


def test_other_refusals_are_not_noted(admin: Api):
    assert admin.post("/stacks", {"name": ""}).status_code == 422
    assert staff().get("nowhere/").status_code == 404
    assert noted() == []


def test_repeats_within_a_minute_are_one_row_per_author_and_endpoint(admin: Api):
    for _ in range(3):
        admin.post(FOR_AGENTS, {})
    staff("stacks.view_stack").get("paks/pak/")
    assert len(noted()) == 2
    # A minute later.
    cache.clear()
    admin.post(FOR_AGENTS, {})
    assert len(noted()) == 3


def test_endpoints_are_routes_so_that_paths_cannot_fill_the_log(admin: Api):
    for number in range(5):
        assert note_refusal(
            actor=Actor(type="admin", label="ops"), method="GET", endpoint="unmatched", code="forbidden"
        ) == (number == 0)

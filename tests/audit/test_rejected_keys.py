"""A key that is refused is noted in the audit log."""

import pytest

from audit.models import AuditLog
from tests.support.api import refused
from tests.support.events import recorded_audit

pytestmark = pytest.mark.django_db


def test_a_rejected_key_is_noted_with_address_agent_and_path(anonymous):
    key = "brokkr_BRabcdef_nobodysKeyAtAll"
    with recorded_audit() as rows:
        anonymous.get("/stacks?x=1", headers={"Authorization": f"Bearer {key}", "User-Agent": "curl/8"})
    (row,) = rows
    assert (row.action, row.actor_type, row.actor_id) == ("auth.failed", "system", None)
    assert (row.resource_type, row.resource_id) == ("system", None)
    assert row.details == {"reason": "invalid_pak", "path": "/stacks"}
    assert (row.ip_address, row.user_agent) == ("127.0.0.1", "curl/8")
    assert "nobodysKeyAtAll" not in str(vars(row))


def test_guessing_from_one_address_is_one_row_a_minute(anonymous, settings):
    settings.TRUSTED_PROXY_COUNT = 1
    with recorded_audit() as rows:
        for address in ("203.0.113.1", "203.0.113.2"):
            for guess in range(5):
                headers = {"Authorization": f"a_b_{guess}", "X-Forwarded-For": address}
                refused(anonymous.get("/stacks", headers=headers), 401, "unauthorized")
    assert [row.ip_address for row in rows] == ["203.0.113.1", "203.0.113.2"]


def test_a_missing_key_is_no_guess(anonymous):
    with recorded_audit() as rows:
        anonymous.get("/stacks")
    assert rows == []


@pytest.mark.parametrize(
    "path", ["/stacks/%00", "/stacks/%ff", "/stacks/x/labels/%F0%9F%9A%A2", "/stacks/" + "x" * 4000]
)
def test_a_rejected_key_on_an_odd_path_is_401(anonymous, path):
    refused(anonymous.get(path, headers={"Authorization": "a_b_c"}), 401, "unauthorized")
    assert AuditLog.objects.filter(action="auth.failed").count() == 1

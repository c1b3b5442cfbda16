import pytest

from audit.models import AuditLog
from tests.factories import make_agent, make_generator
from tests.support.api import refused
from workorders.models import WorkOrder

pytestmark = pytest.mark.django_db

BODY = {"work_type": "build", "yaml_content": "kind: Build", "targeting": {"labels": ["builder"]}}


@pytest.mark.parametrize(
    "limits",
    [{}, dict.fromkeys(("max_retries", "backoff_seconds", "claim_timeout_seconds"))],
    ids=["absent", "null"],
)
def test_a_new_order_is_pending_with_the_defaults(admin, limits):
    response = admin.post("/work-orders", BODY | limits)
    assert response.status_code == 201
    order = response.json()
    assert (
        order["status"],
        order["max_retries"],
        order["backoff_seconds"],
        order["claim_timeout_seconds"],
    ) == (
        "PENDING",
        3,
        60,
        3600,
    )
    assert order["claimed_by"] is None
    assert "claim_token" not in order


def test_the_deprecated_agent_ids_are_added_to_the_targeting(admin):
    first, second = make_agent()[0], make_agent()[0]
    body = BODY | {
        "targeting": {"agent_ids": [str(first.id)]},
        "target_agent_ids": [str(second.id), str(first.id)],
    }
    order_id = admin.post("/work-orders", body).json()["id"]
    targets = WorkOrder.objects.get(id=order_id).targets.values_list("agent_id", flat=True)
    assert set(targets) == {first.id, second.id}


def test_creation_is_audited(admin):
    order_id = admin.post("/work-orders", BODY).json()["id"]
    row = AuditLog.objects.get(action="workorder.created")
    assert (str(row.resource_id), row.resource_type, row.details) == (
        order_id,
        "work_order",
        {"work_type": "build"},
    )


@pytest.mark.parametrize(
    "targeting", [None, {}, {"labels": []}, {"agent_ids": [], "labels": None, "annotations": {}}]
)
def test_an_order_that_nobody_could_claim_is_refused(admin, targeting):
    refused(admin.post("/work-orders", BODY | {"targeting": targeting}), 400, "no_targeting_specified")
    assert not WorkOrder.objects.exists()


@pytest.mark.parametrize(
    "targeting",
    [
        {"labels": ["good", "two words"]},
        {"labels": [""]},
        {"labels": ["x" * 65]},
        {"annotations": {"k": ""}},
        {"annotations": {"two words": "v"}},
    ],
)
def test_wrong_targeting_is_refused_not_dropped(admin, targeting):
    refused(admin.post("/work-orders", BODY | {"targeting": targeting}), 400, "invalid_work_order")
    assert not WorkOrder.objects.exists()


def test_an_unknown_agent_is_refused(admin):
    unknown = "0193f0b1-2d4e-7a10-8c55-6f0f1d2e3a4b"
    body = refused(
        admin.post("/work-orders", BODY | {"targeting": {"agent_ids": [unknown]}}),
        422,
        "foreign_key_violation",
    )
    assert body["details"]["agent_ids"] == [unknown]
    assert not WorkOrder.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"work_type": " "},
        {"work_type": "x" * 51},
        {"yaml_content": "  \n"},
        {"backoff_seconds": 0},
        {"claim_timeout_seconds": 0},
    ],
)
def test_a_value_that_breaks_a_rule_is_refused(admin, change):
    refused(admin.post("/work-orders", BODY | change), 400, "invalid_work_order")


@pytest.mark.parametrize(
    "change",
    [
        {"max_retries": "3"},
        {"max_retries": 2**31},
        {"max_retries": 1.5},
        {"targeting": []},
        {"work_type": None},
    ],
)
def test_a_value_of_the_wrong_shape_is_refused(admin, change):
    refused(admin.post("/work-orders", BODY | change), 422, "invalid_request_body")


def test_only_an_admin_creates_orders():
    refused(make_generator()[1].post("/work-orders", BODY), 403, "admin_required")
    refused(make_agent()[1].post("/work-orders", BODY), 403, "admin_required")


@pytest.mark.parametrize("text", ["a: [", "kind: Build", "a: 20240101123456789012345"])
def test_the_manifest_of_a_custom_order_is_checked(admin, text):
    sent = BODY | {"work_type": "custom", "yaml_content": text}
    body = refused(admin.post("/work-orders", sent), 400, "invalid_work_order")
    assert body["message"].startswith("yaml_content: Document 1")
    assert body["details"]["line"] == 1


def test_a_custom_order_that_no_agent_can_load_is_created_while_manifests_are_lenient(admin, settings):
    settings.MANIFESTS = "lenient"
    sent = BODY | {"work_type": "custom", "yaml_content": "kind: Job"}
    assert admin.post("/work-orders", sent).status_code == 201


def test_the_text_of_a_build_is_not_checked(admin):
    assert admin.post("/work-orders", BODY | {"yaml_content": "a: ["}).status_code == 201

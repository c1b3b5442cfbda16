"""Webhooks over the API: made, read, changed, deleted, and every rule about their fields."""

from typing import Any
from uuid import uuid4

import pytest

from audit.models import AuditLog
from tests.factories import make_delivery, make_webhook, unique
from tests.support.api import refused
from tests.support.events import is_wire_time, recorded_audit
from webhooks.endpoints import open_endpoint
from webhooks.event_types import EVENT_TYPES
from webhooks.models import Audience, Subscription

pytestmark = pytest.mark.django_db

STACK = "0193f0a4-11d2-7a53-9d0e-5a8c1f7b2e90"
AGENT = "0193f0a2-7c1e-7d39-8b53-0a4f6f2b9c11"


def body(**changes: Any) -> dict[str, Any]:
    given = {"name": "tell ci", "url": "https://ci.example.com/hook", "event_types": ["deployment.*"]}
    return {name: value for name, value in (given | changes).items() if value is not ...}


def stored(webhook_id: str) -> Subscription:
    return Subscription.objects.get(id=webhook_id)


def test_a_webhook_is_created_with_its_defaults(admin):
    response = admin.post("/webhooks", body())
    assert response.status_code == 201
    made = response.json()
    assert made.pop("secret").startswith("whsec_")
    assert is_wire_time(made.pop("created_at"))
    assert is_wire_time(made.pop("updated_at"))
    assert made == {
        "id": str(Subscription.objects.get().id),
        "name": "tell ci",
        "has_url": True,
        "has_auth_header": False,
        "event_types": ["deployment.*"],
        "target_labels": None,
        "enabled": True,
        "max_retries": 5,
        "timeout_seconds": 30,
        "max_deliveries_per_minute": None,
        "created_by": "admin",
    }


def test_a_webhook_is_created_with_all_its_fields(admin, now):
    response = admin.post(
        "/webhooks",
        body(
            auth_header="Bearer token",
            event_types=["stack.*", "agent.silent", "stack.*"],
            filters={"agent_id": AGENT, "stack_id": STACK},
            enabled=False,
            max_retries=0,
            timeout_seconds=300,
            target_labels=["edge", "eu", "edge"],
        ),
    )
    made = response.json()
    assert (
        made.items()
        >= {
            "has_auth_header": True,
            "event_types": ["stack.*", "agent.silent"],
            "filters": {"agent_id": AGENT, "stack_id": STACK},
            "enabled": False,
            "max_retries": 0,
            "timeout_seconds": 300,
            "target_labels": ["edge", "eu"],
        }.items()
    )
    endpoint = open_endpoint(stored(made["id"]), now=now)
    assert (endpoint.url, endpoint.auth_header) == ("https://ci.example.com/hook", "Bearer token")
    assert endpoint.secrets == (made["secret"],)


def test_neither_url_nor_header_nor_secret_is_ever_shown_again(admin):
    made = admin.post("/webhooks", body(auth_header="Bearer very-secret")).json()
    path = f"/webhooks/{made['id']}"
    answers = [admin.get(path), admin.get("/webhooks"), admin.put(path, {"name": "new"})]
    for answer in answers:
        assert answer.status_code == 200
        for secret in ("ci.example.com", "very-secret", made["secret"]):
            assert secret not in answer.content.decode()
    assert made["secret"] not in str(list(AuditLog.objects.values()))


@pytest.mark.parametrize("filters", [None, {}, {"stack_id": None}, {"agent_id": None, "stack_id": None}])
def test_no_filters_are_left_out_of_the_answer(admin, filters):
    made = admin.post("/webhooks", body(filters=filters)).json()
    assert "filters" not in made
    assert "filters" not in admin.get(f"/webhooks/{made['id']}").json()


def test_a_filter_is_shown_alone(admin):
    assert admin.post("/webhooks", body(filters={"stack_id": STACK})).json()["filters"] == {"stack_id": STACK}


@pytest.mark.parametrize("labels", [None, []])
def test_no_target_labels_are_the_brokers(admin, labels):
    assert admin.post("/webhooks", body(target_labels=labels)).json()["target_labels"] is None


def test_equal_lists_of_labels_are_kept_once(admin):
    for _ in range(2):
        admin.post("/webhooks", body(target_labels=["a", "b"]))
    admin.post("/webhooks", body(target_labels=["b", "a"]))
    assert [row.labels for row in Audience.objects.order_by("id")] == [["a", "b"], ["b", "a"]]


RULES = [
    ({"name": ""}, 400, "invalid_webhook"),
    ({"name": " \u2003"}, 400, "invalid_webhook"),
    ({"name": "x" * 256}, 400, "invalid_webhook"),
    ({"url": ""}, 400, "url_required"),
    ({"url": " "}, 400, "url_required"),
    ({"url": "ftp://example.com"}, 400, "invalid_url_scheme"),
    ({"url": "example.com"}, 400, "invalid_url_scheme"),
    ({"url": "HTTPS://example.com"}, 400, "invalid_url_scheme"),
    ({"url": "http://"}, 400, "invalid_webhook"),
    ({"url": "http://host:0x"}, 400, "invalid_webhook"),
    ({"url": "http://a b"}, 400, "invalid_webhook"),
    ({"url": "http://user:password@host"}, 400, "invalid_webhook"),
    ({"event_types": []}, 400, "invalid_webhook"),
    ({"event_types": ["stack.*", ""]}, 400, "invalid_webhook"),
    ({"event_types": ["x" * 101]}, 400, "invalid_webhook"),
    ({"auth_header": ""}, 400, "invalid_webhook"),
    ({"auth_header": "a\r\nX-Other: b"}, 400, "invalid_webhook"),
    ({"auth_header": " a"}, 400, "invalid_webhook"),
    ({"target_labels": ["edge", "two words"]}, 400, "invalid_webhook"),
    ({"max_retries": -1}, 422, "invalid_webhook"),
    ({"max_retries": 11}, 422, "invalid_webhook"),
    ({"timeout_seconds": 0}, 422, "invalid_webhook"),
    ({"timeout_seconds": 301}, 422, "invalid_webhook"),
    ({"validate": None}, 422, "unsupported_field"),
    ({"validate": True}, 422, "unsupported_field"),
    ({"filters": {"labels": {"a": "b"}}}, 422, "unsupported_field"),
    ({"filters": {"labels": None}}, 422, "unsupported_field"),
    ({"filters": {"stack": STACK}}, 422, "unsupported_field"),
    ({"filters": {"stack_id": "7"}}, 422, "invalid_request_body"),
    ({"filters": []}, 422, "invalid_request_body"),
    ({"event_types": "stack.*"}, 422, "invalid_request_body"),
    ({"event_types": [1]}, 422, "invalid_request_body"),
    ({"enabled": "yes"}, 422, "invalid_request_body"),
    ({"max_retries": "5"}, 422, "invalid_request_body"),
    ({"timeout_seconds": 1.5}, 422, "invalid_request_body"),
    ({"target_labels": "edge"}, 422, "invalid_request_body"),
    ({"name": "a\0b"}, 400, "nul_character"),
]


@pytest.mark.parametrize(("change", "status", "code"), RULES, ids=str)
def test_what_breaks_a_rule_is_refused_at_creation_and_at_change(admin, change, status, code):
    webhook = make_webhook()
    before = admin.get(f"/webhooks/{webhook.id}").json()
    refused(admin.post("/webhooks", body(**change)), status, code)
    refused(admin.put(f"/webhooks/{webhook.id}", change), status, code)
    assert Subscription.objects.count() == 1
    assert admin.get(f"/webhooks/{webhook.id}").json() == before


@pytest.mark.parametrize("missing", ["name", "url", "event_types"])
def test_what_is_missing_at_creation_is_named(admin, missing):
    for absence in (..., None):
        answer = refused(admin.post("/webhooks", body(**{missing: absence})), 422, "invalid_request_body")
        assert list(answer["details"]["fields"]) == [missing]


def test_a_field_without_effect_is_named_with_what_to_use_instead(admin):
    answer = refused(admin.post("/webhooks", body(validate=False)), 422, "unsupported_field")
    assert answer["details"] == {"field": "validate", "use_instead": "POST /webhooks/{id}/test"}
    answer = refused(admin.post("/webhooks", body(filters={"labels": {}})), 422, "unsupported_field")
    assert answer["details"] == {"field": "filters.labels", "use_instead": "target_labels"}
    answer = refused(admin.post("/webhooks", body(filters={"stack": STACK})), 422, "unsupported_field")
    assert answer["details"] == {
        "field": "filters.stack",
        "use_instead": "filters.agent_id or filters.stack_id",
    }


def test_unknown_fields_of_the_body_are_ignored(admin):
    assert admin.post("/webhooks", body(colour="blue")).status_code == 201


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1:9999/x",
        "https://EXAMPLE.com",
        "http://[2606:2800:220:1::1]:8080/",
        "https://müller.example/ä?q=ü",
    ],
)
def test_any_url_of_an_allowed_scheme_can_be_stored_as_whether_it_may_be_reached_shows_when_it_is(admin, url):
    assert admin.post("/webhooks", body(url=url)).status_code == 201


def test_a_scheme_that_the_operator_does_not_allow_is_refused(admin, settings):
    settings.WEBHOOK_ALLOWED_SCHEMES = {"https"}
    answer = refused(admin.post("/webhooks", body(url="http://example.com")), 400, "invalid_url_scheme")
    assert "https://." in answer["message"]
    assert admin.post("/webhooks", body()).status_code == 201


def test_without_a_key_creating_is_refused_with_what_to_set(admin, settings):
    settings.WEBHOOK_ENCRYPTION_KEYS = []
    answer = refused(admin.post("/webhooks", body()), 500, "webhook_key_missing")
    assert "BROKKR__BROKER__WEBHOOK_ENCRYPTION_KEY" in answer["message"]
    assert not Subscription.objects.exists()


def test_creating_is_repeated_safely_with_an_idempotency_key(admin):
    headers = {"Idempotency-Key": "once"}
    first, again = (admin.post("/webhooks", body(), headers=headers) for _ in range(2))
    assert (again.status_code, again.json()) == (201, first.json())
    assert Subscription.objects.count() == 1
    refused(admin.post("/webhooks", body(name="x"), headers=headers), 422, "idempotency_key_reused")


def test_the_list_is_newest_first_and_can_be_paged(admin):
    names = [make_webhook(name=unique("w")).name for _ in range(3)]
    assert [row["name"] for row in admin.get("/webhooks").json()] == names[::-1]
    page = admin.get("/webhooks?limit=2&count=true")
    assert [row["name"] for row in page.json()] == names[:0:-1]
    assert page.headers["X-Total-Count"] == "3"
    rest = page.headers["Link"].split(">")[0].removeprefix("</api/v1")
    assert [row["name"] for row in admin.get(rest).json()] == names[:1]


@pytest.mark.parametrize("rows", [1, 6])
def test_the_number_of_queries_of_the_list_is_fixed(admin, rows, django_assert_num_queries):
    admin.get("/webhooks")
    for _ in range(rows):
        make_webhook(event_types=["a", "b"], target_labels=[unique("l")])
    with django_assert_num_queries(3):
        assert len(admin.get("/webhooks").json()) == rows


def test_the_event_types_are_a_list_of_strings(admin):
    assert admin.get("/webhooks/event-types").json() == list(EVENT_TYPES)


# --- Changing -------------------------------------------------------------------------------------


def full(webhook: Subscription) -> str:
    return f"/webhooks/{webhook.id}"


@pytest.mark.parametrize(
    "change",
    [
        {"name": "new"},
        {"event_types": ["b", "a"]},
        {"filters": {"stack_id": STACK}},
        {"enabled": False},
        {"max_retries": 10},
        {"timeout_seconds": 1},
        {"target_labels": ["edge"]},
    ],
)
def test_a_change_changes_what_it_names_and_nothing_else(admin, change):
    path = full(make_webhook())
    before = admin.get(path).json()
    answer = admin.put(path, change)
    assert answer.status_code == 200
    changed = answer.json()
    assert changed == before | change | {"updated_at": changed["updated_at"]}
    assert changed["updated_at"] > before["updated_at"]
    assert admin.get(path).json() == changed


def test_url_and_header_are_changed_out_of_sight(admin, now):
    webhook = make_webhook()
    answer = admin.put(full(webhook), {"url": "https://new.example.com", "auth_header": "Basic x"})
    assert answer.json()["has_auth_header"] is True
    endpoint = open_endpoint(stored(str(webhook.id)), now=now)
    assert (endpoint.url, endpoint.auth_header) == ("https://new.example.com", "Basic x")


def test_null_ends_the_header_the_filters_and_the_target_labels(admin, now):
    webhook = make_webhook(auth_header="Basic x", filters={"stack_id": STACK}, target_labels=["edge"])
    answer = admin.put(full(webhook), {"auth_header": None, "filters": None, "target_labels": None}).json()
    assert (answer["has_auth_header"], answer["target_labels"]) == (False, None)
    assert "filters" not in answer
    assert open_endpoint(stored(str(webhook.id)), now=now).auth_header is None


def test_null_elsewhere_is_as_if_it_were_absent(admin):
    made = admin.post("/webhooks", body(max_retries=None, timeout_seconds=None)).json()
    assert (made["max_retries"], made["timeout_seconds"]) == (5, 30)
    path = f"/webhooks/{made['id']}"
    before = admin.get(path).json()
    fields = ("name", "url", "event_types", "enabled", "max_retries", "timeout_seconds")
    answer = admin.put(path, dict.fromkeys(fields))
    assert answer.status_code == 200
    assert answer.json() == before | {"updated_at": answer.json()["updated_at"]}


@pytest.mark.parametrize(
    ("given", "enabled"), [({}, True), ({"enabled": None}, True), ({"enabled": False}, False)]
)
def test_a_new_webhook_is_enabled_unless_it_says_otherwise(admin, given, enabled):
    made = admin.post("/webhooks", body(**given))
    assert made.status_code == 201
    assert made.json()["enabled"] is enabled


def test_filters_are_replaced_as_a_whole(admin):
    webhook = make_webhook(filters={"stack_id": STACK})
    assert admin.put(full(webhook), {"filters": {"agent_id": AGENT}}).json()["filters"] == {"agent_id": AGENT}


def test_what_was_read_can_be_sent_back_whole(admin):
    path = full(make_webhook(filters={"stack_id": STACK}, target_labels=["edge"]))
    before = admin.get(path).json()
    answer = admin.put(path, before | {"name": "new"})
    assert answer.status_code == 200
    assert answer.json() == before | {"name": "new", "updated_at": answer.json()["updated_at"]}


def test_an_empty_change_is_none(admin):
    path = full(make_webhook())
    assert admin.put(path, {}).status_code == 200


def test_the_id_of_another_webhook_in_the_body_is_refused(admin):
    refused(admin.put(full(make_webhook()), {"id": str(uuid4())}), 400, "webhook_id_mismatch")


def test_a_stale_change_is_refused_and_a_fresh_one_is_not(admin):
    path = full(make_webhook())
    tag = admin.get(path).headers["ETag"]
    assert admin.get(path, headers={"If-None-Match": tag}).status_code == 304
    assert admin.put(path, {"auth_header": "Basic x"}, headers={"If-Match": tag}).status_code == 200
    refused(admin.put(path, {"name": "x"}, headers={"If-Match": tag}), 412, "precondition_failed")
    refused(admin.delete(path, headers={"If-Match": tag}), 412, "precondition_failed")
    assert admin.delete(path, headers={"If-Match": admin.get(path).headers["ETag"]}).status_code == 204


# --- Deleting -------------------------------------------------------------------------------------


def test_a_deleted_webhook_and_its_deliveries_are_gone_and_its_secrets_forgotten(admin):
    webhook = make_webhook(auth_header="Basic x")
    kept = make_delivery(make_webhook())
    delivery = make_delivery(webhook)
    path = full(webhook)
    answer = admin.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    for gone in (
        admin.get(path),
        admin.put(path, {}),
        admin.delete(path),
        admin.post(f"{path}/test"),
        admin.post(f"{path}/rotate-secret"),
        admin.get(f"{path}/deliveries"),
    ):
        refused(gone, 404, "webhook_not_found")
    refused(admin.post(f"/webhook-deliveries/{delivery.id}/redeliver"), 404, "delivery_not_found")
    feed = admin.get("/webhook-deliveries").json()
    assert {row["subscription_id"] for row in feed} == {str(kept.subscription_id)}
    row = stored(str(webhook.id))
    assert not row.url_sealed
    assert not row.auth_header_sealed
    assert not row.secret_sealed


# --- The audit log --------------------------------------------------------------------------------


def test_changes_are_audited_with_their_author_and_without_their_secrets(admin):
    with recorded_audit() as rows:
        webhook_id = admin.post("/webhooks", body(auth_header="Bearer hidden")).json()["id"]
        admin.put(f"/webhooks/{webhook_id}", {"enabled": False, "url": "https://hidden.example.com"})
        admin.post(f"/webhooks/{webhook_id}/rotate-secret", {"overlap_seconds": 60})
        admin.delete(f"/webhooks/{webhook_id}")
    assert [(row.action, row.details) for row in rows] == [
        ("webhook.created", {"name": "tell ci", "event_types": ["deployment.*"]}),
        ("webhook.updated", {"name": "tell ci", "enabled": False, "fields": ["enabled", "url"]}),
        ("webhook.secret_rotated", {"overlap_seconds": 60}),
        ("webhook.deleted", None),
    ]
    for row in rows:
        assert (row.resource_type, str(row.resource_id)) == ("webhook_subscription", webhook_id)
        assert (row.actor_type, row.actor_label) == ("admin", "test admin")
        assert "hidden" not in str(row.details)

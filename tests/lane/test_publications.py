"""Publications by the lane and by the view behind it: the same answer, and the same rows."""

from typing import Any
from uuid import uuid4

import orjson
import pytest
from django.core.cache import cache
from django.core.handlers.wsgi import WSGIHandler
from django.db import transaction
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from audit.models import AuditLog
from brokkr_site.wsgi import application
from core import clock
from core.events import SYSTEM
from generators.models import Generator
from inventory.models import Entry
from lane.application import Lane
from paks.limits import Limits
from paks.models import Pak, Role
from paks.services import issue_pak, revoke_pak
from rollouts.models import Freeze
from rollouts.services.freezes import begin_freeze
from stacks.models import DeploymentObject, Stack
from tests.factories import (
    MANIFEST,
    make_admin_key,
    make_agent,
    make_generator,
    make_object,
    make_stack,
    make_target,
    make_webhook,
    manifest,
)
from tests.support.rollouts import ADMIN, give_strategy, make_strategy, wave
from tests.support.wsgi import Answer, call
from webhooks.models import Delivery

pytestmark = pytest.mark.django_db

VIEWS = WSGIHandler()
# What differs between two publications that are otherwise alike.
_OF_THE_MOMENT = {"id", "created_at", "updated_at", "submitted_at", "sequence_id"}
_AUDITED = [
    *["action", "actor_type", "actor_id", "actor_label", "key_id", "resource_type", "ip_address"],
    *["user_agent", "request_id", "reason", "before", "after"],
]
PLAIN = {"yaml_content": MANIFEST}
_DIFFERS = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {mode: 0644}\n"
TEXTS = st.sampled_from(
    [
        *[MANIFEST, manifest("a"), f"{MANIFEST}---\n{manifest('b')}", _DIFFERS, "kind: [", "", " ", "a: 1"],
        *["\0", "é: 1", "\ud7ff", 1, None, [MANIFEST], "a: &a [*a]", "x" * 70_000],
    ]
)
BODIES = st.one_of(
    st.fixed_dictionaries(
        {"yaml_content": TEXTS},
        optional={
            "is_deletion_marker": st.sampled_from([True, False, True, False, None, "true", 1]),
            "more": st.sampled_from([1, {"a": "\0"}]),
            "dry_run": st.booleans(),
        },
    ),
    st.sampled_from([{}, [], None, "x"]),
)
KEYS = ["admin", "owner", "reader", "other", "limited", "reaching", "inactive", "revoked", "agent", "none"]
STACKS = ["plain", "published", "of inactive", "deleted", "unknown"]
UNUSUAL = [
    *[{"QUERY_STRING": text} for text in ("x=1", "dry_run=true", "deletion_marker=true", "strategy=none")],
    *[{"CONTENT_TYPE": text} for text in ("text/plain", "application/yaml", "")],
    *[{"HTTP_IF_NONE_MATCH": text} for text in ("*", '"x"', "")],
    *[{name: "x"} for name in ("HTTP_IF_MATCH", "HTTP_IF_PLAN", "HTTP_IDEMPOTENCY_KEY")],
    *[{name: "x"} for name in ("HTTP_CONTENT_ENCODING", "HTTP_X_BROKKR_OVERRIDE_FREEZE", "HTTP_ACCEPT")],
    {"CONTENT_LENGTH": "7"},
]


class World:
    """Stacks of several kinds, and keys of callers who may publish on them or not."""

    def __init__(self) -> None:
        generator, owner = make_generator()
        sleeping, inactive = make_generator()
        plain, published = (make_stack(generator=generator) for _ in range(2))
        make_object(published)
        deleted = make_stack(generator=generator)
        self.stacks = {
            "plain": plain.id,
            "published": published.id,
            "of inactive": make_stack(generator=sleeping).id,
            "deleted": deleted.id,
            "unknown": uuid4(),
        }
        Generator.objects.filter(pk=sleeping.pk).update(is_active=False)
        Stack.objects.filter(pk=deleted.pk).update(deleted_at=clock.now())
        of_generator: dict[str, Any] = {"role": Role.GENERATOR, "subject_id": generator.id, "actor": SYSTEM}
        revoked = issue_pak(**of_generator, name="old")
        revoke_pak(pak_id=revoked[0].id, actor=SYSTEM)
        self.keys = {
            "admin": make_admin_key()[1],
            "reader": make_admin_key(is_read_only=True)[1],
            "owner": owner.key,
            "inactive": inactive.key,
            "other": make_generator()[1].key,
            "agent": make_agent()[1].key,
            "limited": issue_pak(**of_generator, name="a", limits=Limits(labels=frozenset({"none"})))[1],
            "reaching": issue_pak(**of_generator, name="b", limits=Limits(stack_ids=frozenset({plain.id})))[
                1
            ],
            "revoked": revoked[1],
        }

    def publish(self, through: Any, body: object, *, key: str, stack: str, **environ: Any) -> Answer:
        raw = orjson.dumps(body)
        return call(
            "POST",
            f"/api/v1/stacks/{self.stacks[stack]}/deployment-objects",
            through=through,
            body=raw,
            key=self.keys.get(key),
            **{"CONTENT_LENGTH": str(len(raw)), "HTTP_X_REQUEST_ID": "r-1"} | environ,
        )

    def outcome(self, through: Any, body: object, **request: Any) -> Any:
        """What such a publication is answered and what it writes, after which everything is as before."""
        # A key that nobody has is told of once in a while.
        cache.clear()
        with transaction.atomic():
            last = AuditLog.objects.values_list("sequence", flat=True).order_by("-sequence").first() or 0
            answer = self.publish(through, body, **request)
            told = {name: value for name, value in answer.json().items() if name not in _OF_THE_MOMENT}
            written = _written(last)
            transaction.set_rollback(True)
        headers = {name: value for name, value in answer.headers.items() if name != "Content-Length"}
        return answer.status_code, headers, told, *written


def _written(last: int) -> tuple[object, ...]:
    """What the tables hold of versions, their contents, deliveries and, after the last one, rows of the audit log."""
    versions = DeploymentObject.objects.values_list(
        "stack", "yaml_content", "is_deletion_marker", "deleted_at"
    )
    entries = Entry.objects.values_list("stack", "resource", "image", "digest")
    deliveries = Delivery.objects.values_list("subscription", "event_type", "format")
    noted = [
        {
            **{name: getattr(row, name) for name in _AUDITED},
            "details": {key: value for key, value in (row.details or {}).items() if key != "sequence_id"},
        }
        for row in AuditLog.objects.filter(sequence__gt=last).order_by("sequence")
    ]
    return sorted(versions, key=str), sorted(entries, key=str), sorted(deliveries, key=str), noted


@pytest.fixture
def there() -> World:
    return World()


def nobody(*_: Any) -> Any:
    """Stands behind the lane and fails, because the lane must answer."""
    raise AssertionError("the views were asked")


def both(there: World, body: object, **request: Any) -> tuple[Any, Any]:
    by_lane, by_views = (there.outcome(through, body, **request) for through in (application, VIEWS))
    return by_lane, by_views


@examples(max_examples=60)
@given(
    body=BODIES, key=st.sampled_from(KEYS), stack=st.sampled_from(STACKS), environ=st.sampled_from(UNUSUAL)
)
def test_both_ways_publish_alike(there, body, key, stack, environ):
    by_lane, by_views = both(there, body, key=key, stack=stack, **environ)
    assert by_lane == by_views


@examples(max_examples=60)
@given(body=BODIES)
def test_both_ways_read_any_body_alike(there, body):
    by_lane, by_views = both(there, body, key="owner", stack="published")
    assert by_lane == by_views


@pytest.mark.parametrize("stack", STACKS)
def test_both_ways_let_the_same_callers_publish(there, stack):
    for key in KEYS:
        by_lane, by_views = both(there, PLAIN, key=key, stack=stack)
        assert by_lane == by_views, key


def test_both_ways_do_the_same_when_more_is_asked(there):
    for environ in UNUSUAL:
        by_lane, by_views = both(there, PLAIN, key="admin", stack="published", **environ)
        assert by_lane == by_views, environ


@pytest.mark.parametrize("key", ["admin", "owner", "reaching"])
@pytest.mark.parametrize("body", [PLAIN, PLAIN | {"is_deletion_marker": True}, {"yaml_content": _DIFFERS}])
def test_ordinary_publications_are_answered_by_the_lane(there, key, body):
    answer = there.publish(Lane(nobody), body, key=key, stack="plain")
    assert answer.status_code == 201
    assert DeploymentObject.objects.filter(id=answer.json()["id"]).exists()


def test_a_webhook_hears_of_both_ways(there):
    make_webhook(event_types=["deployment.created"])
    by_lane, by_views = both(there, PLAIN, key="owner", stack="plain")
    assert by_lane == by_views
    assert len(by_lane[-2]) == 1


def test_both_ways_warn_of_the_waves_of_a_strategy(there):
    stack = Stack.objects.get(pk=there.stacks["plain"])
    give_strategy(stack, make_strategy(wave("canary", labels=("nobody",)), wave()))
    make_target(make_agent(active=True)[0], stack)
    by_lane, by_views = both(there, PLAIN, key="owner", stack="plain")
    assert by_lane == by_views
    assert by_lane[2]["warnings"]


def test_both_ways_warn_of_the_objects_of_another_stack(there):
    agent, _ = make_agent()
    for name in ("plain", "published"):
        make_target(agent, Stack.objects.get(pk=there.stacks[name]))
    by_lane, by_views = both(there, {"yaml_content": manifest("a")}, key="owner", stack="plain")
    assert by_lane == by_views
    assert by_lane[2]["warnings"]


@pytest.mark.parametrize("strictness", ["strict", "lenient"])
def test_both_ways_are_as_strict(there, settings, strictness):
    settings.MANIFESTS = strictness
    by_lane, by_views = both(there, {"yaml_content": "a: 1"}, key="owner", stack="plain")
    assert by_lane == by_views
    assert by_lane[0] == (400 if strictness == "strict" else 201)


def test_both_ways_publish_during_a_freeze(there):
    begin_freeze(scope=Freeze.Scope.FLEET, reason="the big sale", actor=ADMIN, now=clock.now())
    by_lane, by_views = both(there, PLAIN, key="owner", stack="plain")
    assert by_lane == by_views
    assert by_lane[0] == 201


def test_a_manifest_that_is_too_large_is_refused_by_both_ways(there, settings):
    settings.MAX_MANIFEST_BYTES = 1024
    body = {"yaml_content": f"{MANIFEST}# {'x' * 1024}"}
    by_lane, by_views = both(there, body, key="owner", stack="plain")
    assert by_lane == by_views
    assert by_lane[0] == 413


def test_where_deletions_have_a_budget_both_ways_keep_it(there, settings):
    settings.DELETION_BUDGET_PERCENT = 0
    stack = Stack.objects.get(pk=there.stacks["published"])
    for _ in range(2):
        make_target(make_agent(heard=True, active=True)[0], stack)
    marker = {"yaml_content": "", "is_deletion_marker": True}
    by_lane, by_views = both(there, marker, key="owner", stack="published")
    assert by_lane == by_views
    assert by_lane[0] == 409


def test_the_lane_notes_that_the_key_is_in_use(there):
    Pak.objects.update(last_used_at=None)
    there.publish(Lane(nobody), PLAIN, key="admin", stack="plain")
    assert Pak.objects.filter(last_used_at__isnull=False).count() == 1

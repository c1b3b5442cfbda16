"""ETag, If-None-Match and If-Match on every single resource."""

import pytest

from stacks.models import Stack
from tests.factories import make_agent, make_generator, make_object, make_stack
from tests.support.api import refused

pytestmark = pytest.mark.django_db

SINGLE = [
    "/stacks/{stack_id}",
    "/deployment-objects/{object_id}",
    "/agents/{agent_id}",
    "/agents/?name=edge-01&cluster_name=test-cluster",
    "/agent-events/{event_id}",
    "/generators/{generator_id}",
    "/work-orders/{work_order_id}",
    "/work-orders/{finished_order_id}",
    "/work-order-log/{finished_order_id}",
]


@pytest.mark.parametrize("path", SINGLE)
def test_a_single_resource_has_a_strong_etag_and_304_for_who_has_it(world, path):
    admin, path = world.callers["admin"], world.fill(path)
    first = admin.get(path)
    etag = first.headers["ETag"]
    assert etag.startswith('"')
    assert etag.endswith('"')
    response = admin.get(path, headers={"If-None-Match": etag})
    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["ETag"] == etag
    assert response.headers["Cache-Control"] == first.headers["Cache-Control"]


@pytest.fixture
def stack(db):
    return make_stack()


def test_the_tag_changes_with_the_resource_and_only_then(admin, stack):
    path = f"/stacks/{stack.id}"
    before = admin.get(path).headers["ETag"]
    assert admin.get(path).headers["ETag"] == before
    admin.put(path, {"description": "changed"})
    assert admin.get(path).headers["ETag"] != before


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ("{}", 304),
        ("W/{}", 304),
        ('"other", {}', 304),
        ('W/"other",W/{},"more"', 304),
        ("*", 304),
        ('"other"', 200),
        ('"other", W/"another"', 200),
        ("unquoted", 200),
        ("", 200),
    ],
)
def test_if_none_match_takes_weak_tags_lists_and_a_star(admin, stack, form, status):
    path = f"/stacks/{stack.id}"
    etag = admin.get(path).headers["ETag"]
    assert admin.get(path, headers={"If-None-Match": form.format(etag)}).status_code == status


@pytest.mark.parametrize("form", ["{}", '"other", {}', "*", "W/{}", 'W/"other", W/{}'])
def test_if_match_lets_a_change_through_when_it_names_the_state(admin, stack, form):
    path = f"/stacks/{stack.id}"
    etag = admin.get(path).headers["ETag"]
    headers = {"If-Match": form.format(etag)}
    assert admin.put(path, {"name": "changed"}, headers=headers).status_code == 200


@pytest.mark.parametrize("form", ['"other"', 'W/"other"', "", "unquoted", '"other", "another"'])
def test_if_match_refuses_a_change_when_it_does_not(admin, stack, form):
    path = f"/stacks/{stack.id}"
    etag = admin.get(path).headers["ETag"]
    headers = {"If-Match": form.format(etag)}
    refused(admin.put(path, {"name": "changed"}, headers=headers), 412, "precondition_failed")
    refused(admin.delete(path, headers=headers), 412, "precondition_failed")
    stack.refresh_from_db()
    assert stack.name != "changed"
    assert stack.deleted_at is None


def test_no_change_is_answered_as_if_it_had_asked_for_what_is_there(world):
    admin = world.callers["admin"]
    for kind in ("stack", "agent", "generator", "template", "webhook"):
        path = world.fill(f"/{kind}s/{{{kind}_id}}")
        answer = admin.put(path, admin.get(path).json(), headers={"If-None-Match": "*"})
        assert answer.status_code == 200, path


@pytest.mark.parametrize("path", ["/stacks/{stack_id}", "/agents/{agent_id}", "/generators/{generator_id}"])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_every_change_of_a_resource_takes_if_match(world, path, method):
    admin, path = world.callers["admin"], world.fill(path)
    etag = admin.get(path).headers["ETag"]
    assert admin.put(path, {"name": "changed meanwhile"}).status_code == 200
    body = {"name": "changed"} if method == "PUT" else ...
    for older in (etag, f"W/{etag}"):
        refused(admin.request(method, path, body, headers={"If-Match": older}), 412, "precondition_failed")
    current = admin.get(path).headers["ETag"]
    assert admin.request(method, path, body, headers={"If-Match": current}).status_code in {200, 204}


@pytest.mark.parametrize("path", ["/stacks/{stack_id}", "/agents/{agent_id}", "/generators/{generator_id}"])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_tag_that_a_proxy_made_weak_lets_a_change_through(world, path, method):
    admin, path = world.callers["admin"], world.fill(path)
    weak = f"W/{admin.get(path).headers['ETag']}"
    body = {"name": "changed"} if method == "PUT" else ...
    assert admin.request(method, path, body, headers={"If-Match": weak}).status_code in {200, 204}


def test_who_may_not_change_it_hears_403_and_not_412(stack):
    _, stranger = make_generator()
    headers = {"If-Match": '"other"'}
    refused(stranger.put(f"/stacks/{stack.id}", {"name": "a"}, headers=headers), 403, "stack_not_owned")


def test_what_is_gone_is_404_and_not_412(admin, stack):
    Stack.objects.update(deleted_at=stack.created_at)
    response = admin.put(f"/stacks/{stack.id}", {"name": "a"}, headers={"If-Match": '"other"'})
    refused(response, 404, "stack_not_found")


def test_a_manifest_as_yaml_has_a_tag_of_its_own(admin, stack):
    path = f"/deployment-objects/{make_object(stack).id}"
    as_json = admin.get(path)
    as_yaml = admin.get(path, headers={"Accept": "application/yaml"})
    assert as_yaml.headers["Content-Type"] == "application/yaml"
    assert as_json.headers["ETag"] != as_yaml.headers["ETag"]
    assert as_json.headers["Vary"] == as_yaml.headers["Vary"] == "Accept, origin"
    headers = {"Accept": "application/yaml", "If-None-Match": as_yaml.headers["ETag"]}
    response = admin.get(path, headers=headers)
    assert (response.status_code, response.headers["Vary"]) == (304, "Accept, origin")
    headers["If-None-Match"] = as_json.headers["ETag"]
    assert admin.get(path, headers=headers).status_code == 200


def test_a_heartbeat_is_a_new_state_of_the_agent(admin):
    agent, api = make_agent()
    before = admin.get(f"/agents/{agent.id}").headers["ETag"]
    api.post(f"/agents/{agent.id}/heartbeat")
    assert admin.get(f"/agents/{agent.id}").headers["ETag"] != before

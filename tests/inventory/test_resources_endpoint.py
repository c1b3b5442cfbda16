"""GET /resources: which resources and images are in which versions."""

import base64

import orjson
import pytest

from agents.models import HoldReason
from agents.services.holds import hold, release
from core.events import SYSTEM
from stacks.services import delete_stack
from tests.factories import make_agent, make_event, make_generator, make_object, make_stack
from tests.support.api import refused
from tests.support.inventory import deployment, names_in, workload

pytestmark = pytest.mark.django_db


def ask(api, query=""):
    response = api.get(f"/resources{query}")
    assert response.status_code == 200, response.content
    return response.json()


def test_a_resource_is_found_with_its_stack_and_version(admin):
    stack = make_stack(name="shop")
    version = make_object(stack, deployment("web", namespace="front"))
    (found,) = ask(admin, "?kind=Deployment&namespace=front&name=web")["resources"]
    assert found == {
        "group": "apps",
        "api_version": "apps/v1",
        "kind": "Deployment",
        "namespace": "front",
        "name": "web",
        "image": None,
        "image_guessed": False,
        "stack_id": str(stack.id),
        "stack_name": "shop",
        "stack_deleted": False,
        "deployment_object_id": str(version.id),
        "sequence_id": version.sequence_id,
        "agents": None,
    }


@pytest.mark.parametrize(
    ("image", "found"),
    [
        ("nginx", True),
        ("nginx:1.27", True),
        ("docker.io/library/nginx:1.27", True),
        ("nginx:1.*", True),
        ("ngin*", True),
        ("nginx:1.26", False),
        ("nginx-unprivileged", False),
        ("ghcr.io/library/nginx", False),
        ("sha256:abc", True),
        ("nginx@sha256:abc", True),
        ("nginx:1.27@sha256:abc", True),
        ("sha256:bc", False),
        ("redis@sha256:abc", False),
    ],
)
def test_an_image_is_found_by_name_tag_or_the_beginning_of_its_digest(admin, image, found):
    make_object(make_stack(), deployment("web", image=f"nginx:1.27@sha256:{'abc1' * 16}"))
    answer = ask(admin, f"?image={image}")["resources"]
    assert [each["image"] for each in answer] == (
        [f"docker.io/library/nginx:1.27@sha256:{'abc1' * 16}"] if found else []
    )


@pytest.mark.parametrize(
    ("name", "found"), [("web", ["web"]), ("web*", ["web", "web-2", "webé"]), ("w_b*", [])]
)
def test_only_a_star_makes_a_name_the_beginning_of_names(admin, name, found):
    for each in ("web", "web-2", "webé", "api"):
        make_object(make_stack(), deployment(each))
    assert sorted(names_in(ask(admin, f"?name={name}"))) == found


def test_a_resource_comes_once_whatever_images_it_has(admin):
    make_object(make_stack(), workload("Pod", containers=["nginx", "redis"]))
    assert names_in(ask(admin, "?kind=Pod")) == ["web"]
    assert len(ask(admin, "?kind=Pod&image=*")["resources"]) == 2


def test_by_default_only_what_agents_should_have_is_found(admin):
    stack = make_stack()
    old, new = (make_object(stack, deployment("web", image=f"nginx:{tag}")) for tag in (1, 2))
    assert [each["sequence_id"] for each in ask(admin, "?name=web")["resources"]] == [new.pk]
    history = ask(admin, "?name=web&versions=all")["resources"]
    assert [each["sequence_id"] for each in history] == [new.pk, old.pk]


def test_a_held_version_is_found_once_it_is_released_to_somebody(admin):
    agent, _ = make_agent(labels=["l"])
    stack = make_stack(labels=["l"])
    old, new = (make_object(stack, deployment("web", image=f"nginx:{tag}")) for tag in (1, 2))
    hold(version=new, reason=HoldReason.ROLLOUT)
    assert [each["sequence_id"] for each in ask(admin, "?name=web")["resources"]] == [old.pk]
    release(version=new, agent_ids=[agent.pk])
    assert [each["sequence_id"] for each in ask(admin, "?name=web")["resources"]] == [new.pk, old.pk]


def test_agents_should_have_it_or_have_said_that_they_do(admin):
    stack = make_stack(labels=["l"])
    old, new = (make_object(stack, deployment("web", image=f"nginx:{tag}")) for tag in (1, 2))
    behind, done = (make_agent(name=name, labels=["l"])[0] for name in ("behind", "done"))
    make_agent(labels=["other"])
    make_event(behind, old)
    make_event(done, new)
    newest, oldest = ask(admin, "?name=web&versions=all&agents=true")["resources"]
    assert (newest["agents"]["should_have"], newest["agents"]["have_said"]) == (2, 1)
    assert [(each["name"], each["should_have"], each["has_said"]) for each in newest["agents"]["first"]] == [
        ("behind", True, False),
        ("done", True, True),
    ]
    assert [(each["name"], each["should_have"], each["has_said"]) for each in oldest["agents"]["first"]] == [
        ("behind", False, True)
    ]


def test_a_generator_finds_only_its_own_stacks(admin):
    generator, api = make_generator()
    mine = make_stack(generator)
    make_object(mine, deployment("web"))
    make_object(make_stack(), deployment("web"))
    assert [each["stack_id"] for each in ask(api, "?name=web")["resources"]] == [str(mine.id)]
    assert len(ask(admin, "?name=web")["resources"]) == 2


def test_of_a_deleted_stack_only_an_admin_finds_the_history(admin):
    generator, api = make_generator()
    stack = make_stack(generator)
    make_object(stack, deployment("web"))
    delete_stack(stack=stack, actor=SYSTEM)
    assert names_in(ask(admin, "?name=web")) == []
    (gone,) = ask(admin, "?name=web&versions=all")["resources"]
    assert gone["stack_deleted"]
    assert names_in(ask(api, "?name=web&versions=all")) == []


def test_pages_follow_each_other(admin):
    for _ in range(5):
        make_object(make_stack(), deployment("web"))
    found, path = [], "?name=web&limit=2"
    while path:
        response = admin.get(f"/resources{path}")
        found += [each["sequence_id"] for each in response.json()["resources"]]
        link = response.headers.get("Link", "")
        path = link.partition("<")[2].partition(">")[0].removeprefix("/api/v1/resources")
    assert len(found) == len(set(found)) == 5
    assert found == sorted(found, reverse=True)


def test_a_deletion_marker_holds_nothing(admin):
    stack = make_stack()
    make_object(stack, deployment("web"))
    make_object(stack, deployment("web"), is_deletion_marker=True)
    assert names_in(ask(admin, "?name=web")) == []


def test_a_wrong_choice_of_versions_is_refused(admin):
    refused(admin.get("/resources?versions=old"), 400, "invalid_query")


@pytest.mark.parametrize("path", ["/resources", "/resources/unread-versions"])
@pytest.mark.parametrize("number", ["9" * 19, "-" + "9" * 30])
def test_a_cursor_with_a_number_that_no_version_has_is_400(admin, path, number):
    values = [number, number] if path == "/resources" else [number]
    cursor = base64.urlsafe_b64encode(orjson.dumps(values)).decode().rstrip("=")
    refused(admin.get(f"{path}?cursor={cursor}"), 400, "invalid_query")

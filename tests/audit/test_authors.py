"""Who did something, as pages of other apps ask it."""

import pytest

from core.admin.authors import Author, authors_of
from core.events import SYSTEM, Actor
from paks.actors import ActorType
from stacks.services import publish
from tests.factories import make_generator, make_stack, manifest

pytestmark = pytest.mark.django_db


def published(stack, actor: Actor):
    return publish(stack_id=stack.id, yaml_content=manifest(1), is_deletion_marker=False, actor=actor)


def test_an_admin_user_is_named_and_has_no_key():
    obj = published(make_stack(), Actor(type=ActorType.ADMIN, label="astrid"))
    assert authors_of("deployment.created", [obj.id]) == {obj.id: Author("admin", name="astrid")}


def test_a_key_of_a_generator_and_of_an_admin_is_named(admin):
    generator, api = make_generator("shop-ci")
    stack = make_stack(generator)
    found = {}
    for caller in (api, admin):
        answer = caller.post(f"/stacks/{stack.id}/deployment-objects", {"yaml_content": manifest(1)})
        assert answer.status_code == 201
        obj = stack.deployment_objects.order_by("-pk")[0]
        found[caller] = authors_of("deployment.created", [obj.id])[obj.id]
    assert (found[api].role, found[api].name) == ("generator", "shop-ci")
    assert found[api].key
    assert found[admin] == Author("admin", key="test admin")


def test_the_system_is_an_author_too_and_others_are_not_known():
    obj, other = published(make_stack(), SYSTEM), make_stack()
    assert authors_of("deployment.created", [obj.id, other.id]) == {obj.id: Author("system")}
    assert authors_of("deployment.other", [obj.id]) == {}
    assert authors_of("deployment.created", []) == {}


def test_names_are_escaped():
    assert "<b>" not in Author("admin", name="<b>", key="<b>", notes="").html
    assert Author("system").html == "system"

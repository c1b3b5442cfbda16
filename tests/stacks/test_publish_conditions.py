"""If-Match and If-None-Match on publishing: the newest version is what the request thinks it is."""

import pytest

from stacks.models import DeploymentObject
from stacks.signals import version_published
from tests.factories import MANIFEST, make_object, make_stack, make_template, manifest
from tests.support.api import refused

pytestmark = pytest.mark.django_db

STALE = '"0123456789abcdef0123456789abcdef"'


@pytest.fixture
def stack(db):
    return make_stack()


@pytest.fixture(params=["plain", "from a template"])
def publish(request, admin, stack):
    """Publishes on the stack with the headers and the query that it is given."""
    if request.param == "plain":
        path = f"/stacks/{stack.id}/deployment-objects"
        body: dict[str, object] = {"yaml_content": MANIFEST}
    else:
        template = make_template()
        path = f"/stacks/{stack.id}/deployment-objects/from-template"
        body = {"template_id": str(template.id), "parameters": {"name": "a"}}

    def post(query: str = "", **headers: str):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return admin.post(path + query, body, headers=named)

    return post


def tag_of(admin, obj):
    return admin.get(f"/deployment-objects/{obj.id}").headers["ETag"]


def test_the_tag_of_the_newest_version_is_a_match(admin, stack, publish):
    tag = tag_of(admin, make_object(stack))
    assert publish(If_Match=tag).status_code == 201


def test_the_tag_of_the_newest_version_is_a_match_when_a_proxy_made_it_weak(admin, stack, publish):
    tag = tag_of(admin, make_object(stack))
    assert publish(If_Match=f"W/{tag}").status_code == 201


@pytest.mark.parametrize("prefix", ["", "W/"])
def test_the_tag_of_an_older_version_is_412_and_publishes_nothing(admin, stack, publish, prefix):
    tag = tag_of(admin, make_object(stack))
    newest = make_object(stack, manifest("a: 2"))
    refused(publish(If_Match=prefix + tag), 412, "precondition_failed")
    assert DeploymentObject.objects.order_by("sequence_id").last() == newest


@pytest.mark.parametrize("tag", ["*", STALE])
def test_if_match_names_nothing_on_an_empty_stack(publish, tag):
    refused(publish(If_Match=tag), 412, "precondition_failed")


def test_any_version_matches_a_star(stack, publish):
    make_object(stack)
    assert publish(If_Match="*").status_code == 201


def test_if_none_match_star_publishes_the_first_version_only(publish):
    assert publish(If_None_Match="*").status_code == 201
    refused(publish(If_None_Match="*"), 412, "precondition_failed")


def test_the_options_reach_whoever_hears_of_the_version(stack, publish):
    heard = []

    def listen(**arguments):
        heard.append(arguments["options"])

    version_published.connect(listen)
    try:
        publish("?reason=why")
    finally:
        version_published.disconnect(listen)
    assert [(options.strategy, options.reason) for options in heard] == [(None, "why")]

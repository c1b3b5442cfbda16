"""No value of a Secret is in an answer or on a page of the inventory."""

import json

import pytest
from django.contrib.auth.models import User
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from core.events import SYSTEM
from inventory.jobs import read_versions_of_the_past
from paks.models import Role
from paks.services import issue_pak
from stacks.models import DeploymentObject
from stacks.secret_places import secret_places
from tests.factories import make_agent, make_generator, make_object, make_stack
from tests.support.admin import AdminPages
from tests.support.api import Api

CANARY = "c4n4ry"
SECRET = json.dumps(
    {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "in"}, "data": {"p": "CANARY"}}
)
# One text for each place in which `stacks/secret_places.py` finds values.
PLACES = {
    "data": "kind: Secret\napiVersion: v1\nmetadata: {name: s}\ndata:\n  p: CANARY\n",
    "stringData": "kind: Secret\napiVersion: v1\nmetadata: {name: s}\nstringData: {p: 'CANARY'}\n",
    "comment": "kind: Secret\napiVersion: v1\nmetadata: {name: s}\ndata:\n  # CANARY\n  p: eA==\n",
    "comment above": "# CANARY\ndata: {p: eA==}\nkind: Secret\napiVersion: v1\nmetadata: {name: s}\n",
    "list": "kind: List\napiVersion: v1\nitems:\n- kind: Secret\n  apiVersion: v1\n  metadata: {name: s}\n"
    "  data: {p: CANARY}\n",
    "list of secrets": "kind: SecretList\napiVersion: v1\nitems:\n- metadata: {name: s}\n  data: {p: CANARY}\n",
    "copy": "kind: Secret\napiVersion: v1\nmetadata:\n  name: s\n  annotations:\n"
    "    kubectl.kubernetes.io/last-applied-configuration: 'CANARY'\n",
    "text": "kind: ConfigMap\napiVersion: v1\nmetadata: {name: c}\ndata:\n  x: '" + SECRET + "'\n",
    "containers": "kind: Secret\napiVersion: v1\nmetadata: {name: s}\nstringData:\n  containers: [{image: CANARY}]\n",
    "spec": "kind: Secret\napiVersion: v1\nmetadata: {name: s}\n"
    "stringData: {template: {spec: {containers: [{image: CANARY}]}}}\n",
    "alias": "kind: Secret\napiVersion: v1\nmetadata: {name: s}\nx: &a [{image: CANARY}]\n"
    "stringData: {containers: *a}\n",
    "another group": "kind: Secret\napiVersion: a.b/v1\nmetadata: {name: s}\n"
    "stringData: {containers: [{image: CANARY}]}\n",
    "inside": "kind: Thing\napiVersion: a.b/v1\nmetadata: {name: t}\nsecret:\n  kind: Secret\n"
    "  stringData: {containers: [{image: CANARY}]}\n",
    "unreadable": "kind: Secret\napiVersion: v1\nmetadata: {name: s}\ndata: {p: 99999999999999999999CANARY: x: }\n",
}


class TestSecrets(TestCase):
    @settings(max_examples=15)
    @given(st.lists(st.sampled_from(sorted(PLACES)), min_size=1, max_size=4), st.integers(0, 9999))
    def test_no_answer_and_no_page_contains_a_secret_value(self, places, number):
        canary = f"{CANARY}{number:04}"
        generator, owner = make_generator()
        agent, _ = make_agent(labels=["l"])
        stacks = [make_stack(generator, labels=["l"]), make_stack(labels=["l"])]
        for stack in stacks:
            for place in places:
                text = PLACES[place].replace("CANARY", canary)
                DeploymentObject.objects.create(stack=stack, yaml_content=text, yaml_checksum="0" * 64)
        read_versions_of_the_past()
        _, key = issue_pak(role=Role.ADMIN, subject_id=None, name="secrets", actor=SYSTEM)
        user, _ = User.objects.get_or_create(username="astrid", is_superuser=True, is_staff=True)
        pages = AdminPages(user)
        answers = [
            api.get(path)
            for api in (Api(key), owner)
            for path in (
                "/resources?versions=all&agents=true",
                "/resources?versions=all&image=*&agents=true",
                "/resources/unread-versions",
                f"/stacks/{stacks[0].id}/conflicts",
                f"/agents/{agent.id}/explain?stack_id={stacks[0].id}",
            )
        ]
        answers += [
            pages.get("resources/", name="*", history="on"),
            pages.get("resources/", image="*", history="on"),
            pages.get(f"stacks/stack/{stacks[0].id}/contents/"),
            *(
                pages.get(f"stacks/deploymentobject/{version.pk}/contents/")
                for version in stacks[0].deployment_objects.all()
            ),
        ]
        for answer in answers:
            assert answer.status_code == 200
            assert canary not in answer.content.decode()

    def test_warnings_of_a_publish_contain_none(self):
        generator, owner = make_generator()
        make_agent(labels=["l"])
        mine, other = make_stack(generator, labels=["l"]), make_stack(labels=["l"])
        make_object(other, PLACES["data"].replace("CANARY", "b3RoZXI="))
        text = PLACES["data"].replace("CANARY", CANARY)
        response = owner.post(f"/stacks/{mine.id}/deployment-objects", {"yaml_content": text})
        (warning,) = response.json()["warnings"]
        assert warning["code"] == "object_in_another_stack"
        assert CANARY not in warning["message"]


@pytest.mark.parametrize("place", sorted(PLACES.keys() - {"unreadable", "alias"}))
def test_each_text_has_the_value_in_a_place_that_is_known(place):
    text = PLACES[place].replace("CANARY", CANARY)
    assert any(CANARY in text[start:end] for _, (start, end) in secret_places(text))

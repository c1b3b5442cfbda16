"""However a version holds a value, no page shows it, neither of the version nor of what an agent says of it."""

import json
from base64 import b64encode
from textwrap import indent

import pytest

from tests.factories import make_agent, make_event, make_object, make_stack

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("what is hidden")]

VALUE = "hunter2-and-more"
SECRET = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: db}}\nstringData: {{password: {VALUE}}}\n"
COPY = json.dumps({"apiVersion": "v1", "kind": "Secret", "stringData": {"password": VALUE}})
EMPTY = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  annotations:\n    {}\nstringData: {{user: root}}\n"
SHAPES = {
    "a field": SECRET,
    "base64": SECRET.replace("stringData", "data").replace(VALUE, b64encode(VALUE.encode()).decode()),
    "kapp's original": EMPTY.format(f"kapp.k14s.io/original: '{COPY}'"),
    "rio's applied": EMPTY.format(f"objectset.rio.cattle.io/applied: '{COPY}'"),
    "OpenShift's token": EMPTY.format(f"openshift.io/token-secret.value: {VALUE}"),
    "a comment above the data": SECRET.replace("stringData: ", f"# password: {VALUE}\nstringData: ").replace(
        f"{{password: {VALUE}}}", "{user: root}"
    ),
    "a text of a config map": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: db}\ndata:\n  file: |\n"
    + indent(SECRET, "    "),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_no_page_shows_the_value(operator, shape):
    stack = make_stack(labels=["prod"])
    older, newest = (make_object(stack, f"# {number}\n---\n{SHAPES[shape]}") for number in (1, 2))
    agent, _ = make_agent(labels=["prod"], active=True)
    event = make_event(agent, newest, "FAILURE", f"cannot log in with {VALUE} as root")
    spoken = (
        "",
        "deployments/",
        "deployments/?by=agent",
        "deployments/?q=cannot",
        "search/?s=cannot",
        f"stacks/stack/{stack.pk}/outcomes/",
        f"stacks/stack/{stack.pk}/explain/?agent={agent.pk}",
        f"agents/agent/{agent.pk}/change/",
        f"agents/agent/{agent.pk}/stacks/",
        f"agents/agent/{agent.pk}/events/",
        f"agents/agentevent/{event.pk}/change/",
    )
    shown = (
        f"stacks/deploymentobject/{newest.pk}/change/",
        f"stacks/deploymentobject/{older.pk}/roll-back/",
        f"stacks/stack/{stack.pk}/objects/",
        f"stacks/stack/{stack.pk}/publish/",
        f"stacks/stack/{stack.pk}/timeline/",
        f"agents/agent/{agent.pk}/timeline/",
    )
    encoded = b64encode(VALUE.encode()).decode()
    for path in (*spoken, *shown):
        page = operator.get(path).content.decode()
        assert (path, VALUE in page or encoded in page) == (path, False)
        assert path in shown or (path, "cannot log in with ********" in page) == (path, True)
    for path in ("search/", "deployments/"):
        assert "cannot log in" not in operator.get(path, s=VALUE, q=VALUE).content.decode()

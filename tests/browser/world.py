"""What the tests in a browser find on the server. Run by it, in one process, because starting Django takes longer.

Prints the ids and keys as JSON.
"""

import json
import sys

from django.contrib.auth.models import Group, User
from django.core.management import call_command

from tests.browser.people import PASSWORD, PEOPLE
from tests.factories import make_agent, make_event, make_generator, make_object, make_stack, make_template

TEMPLATE = "kind: Namespace\nmetadata:\n  name: {{ name }}\n  replicas: {{ replicas }}\n"
SCHEMA = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z]+$"},
        "replicas": {"type": "integer", "default": 2},
    },
}


def manifest(version: int, password: str) -> str:
    return (
        f"kind: ConfigMap\nmetadata: {{name: shop}}\ndata:\n  version: '{version}'\n---\n"
        f"kind: Secret\nmetadata: {{name: shop}}\nstringData:\n  password: {password}\n"
    )


def build() -> None:
    call_command("migrate", verbosity=0)
    for name, group in PEOPLE.items():
        user = User.objects.create_user(name, password=PASSWORD, is_staff=True)
        user.groups.add(Group.objects.get(name=group))
    generator, _ = make_generator("storefront")
    stack = make_stack(generator, name="shop", labels=["prod"])
    obj = make_object(stack)
    failing, _ = make_agent(name="boreas", active=True, labels=["prod"])
    make_event(failing, obj, "FAILURE", "ImagePullBackOff: shop:1.4.2 not found")
    ids = {"stack": stack.pk, "boreas": failing.pk}
    keys = {}
    # One for each test that changes an agent.
    for name in ("atlas", "cetus", "draco", "lyra", "mensa", "norma"):
        agent, api = make_agent(name=name, active=name in {"draco", "lyra"})
        ids[name], keys[name] = agent.pk, api.key
    # One stack to look at and one to publish in, with agents that share a label with the first or might.
    for name in ("orders", "billing"):
        stack = make_stack(generator, name=name, labels=[name])
        for version in (1, 2):
            make_object(stack, manifest(version, f"hunter{version}"))
        ids[name] = stack.pk
    make_agent(name="orion", labels=["orders"])
    make_agent(name="pavo", labels=["soon"])
    for name in ("web", "jobs"):
        ids[name] = make_template(name=name, content=TEMPLATE, schema=json.dumps(SCHEMA)).pk
    made = {"ids": {name: str(pk) for name, pk in ids.items()}, "keys": keys}
    sys.stdout.write(json.dumps(made))

"""The API takes a reason that says something, of at most 500 characters, wherever it asks for one."""

import pytest

from tests.factories import MANIFEST, make_stack
from tests.support.api import refused
from tests.support.rollouts import make_scene

pytestmark = pytest.mark.django_db

# The paths, and whether there must be a reason.
ASKING = {
    "/rollouts/{rollout}/pause": False,
    "/rollouts/{rollout}/resume": False,
    "/rollouts/{rollout}/abort": True,
    "/rollouts/{rollout}/skip": True,
    "/rollouts/{rollout}/roll-back": True,
    "/deployment-objects/{version}/release": True,
    "/freezes": True,
}


def ask(admin, path, reason):
    scene = make_scene()
    rollout = scene.start()
    path = path.format(rollout=rollout.pk, version=rollout.version.id)
    return admin.post(path, {"reason": reason} | ({"scope": "fleet"} if path == "/freezes" else {}))


@pytest.mark.parametrize("path", ASKING)
def test_a_longer_one_is_refused(admin, path):
    refused(ask(admin, path, "x" * 501), 422, "invalid_request_body")


@pytest.mark.parametrize("path", [path for path, is_required in ASKING.items() if is_required])
@pytest.mark.parametrize("reason", ["", " \n\u2003"], ids=["empty", "blank"])
def test_a_reason_that_says_nothing_is_none(admin, path, reason):
    code = "invalid_freeze" if path == "/freezes" else "reason_required"
    refused(ask(admin, path, reason), 400, code)


def test_five_hundred_characters_are_taken_and_kept(admin):
    assert ask(admin, "/freezes", "ü" * 500).json()["reason"] == "ü" * 500


def test_the_reason_for_another_strategy_is_bounded_too(admin):
    stack = make_stack()
    path = f"/stacks/{stack.pk}/deployment-objects?strategy=none&reason={'x' * 501}"
    assert admin.post(path, {"yaml_content": MANIFEST}).status_code in {400, 422}
    body = {"strategy": "canary", "reason": "x" * 501}
    refused(admin.put(f"/stacks/{stack.pk}/rollout-strategy", body), 422, "invalid_request_body")

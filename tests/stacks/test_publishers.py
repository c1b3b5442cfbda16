"""Who may publish is decided on the locked stack, and before anything else is refused."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest
from django.db import transaction

from core.events import Actor
from paks.actors import ActorType
from stacks.models import DeploymentObject
from stacks.services import check_publishable, lock_stack, update_stack
from tests.factories import MANIFEST, make_agent, make_generator, make_stack
from tests.support.api import refused

pytestmark = pytest.mark.django_db


@contextmanager
def reading_by(check: Callable[..., Any]) -> Iterator[None]:
    """Manifests are checked by this function, in the view and in the lane."""
    with (
        mock.patch("stacks.api.views.check_publishable", check),
        mock.patch("lane.publications.check_publishable", check),
    ):
        yield


def test_nothing_is_read_of_a_manifest_from_an_agent():
    _, agent = make_agent()
    check = mock.Mock()
    with reading_by(check):
        answer = agent.post(f"/stacks/{make_stack().pk}/deployment-objects", {"yaml_content": MANIFEST})
    refused(answer, 403, "stack_not_owned")
    check.assert_not_called()


def test_a_stack_that_changes_hands_meanwhile_takes_nothing_from_its_old_owner():
    (former, api), (latter, _) = make_generator(), make_generator()
    stack = make_stack(former)

    def move_and_check(*arguments, **options):
        with transaction.atomic():
            update_stack(
                stack=lock_stack(stack.pk),
                changes={"generator_id": latter.pk},
                actor=Actor(type=ActorType.ADMIN),
            )
        return check_publishable(*arguments, **options)

    with reading_by(move_and_check):
        answer = api.post(f"/stacks/{stack.pk}/deployment-objects", {"yaml_content": MANIFEST})
    refused(answer, 403, "stack_not_owned")
    assert not DeploymentObject.objects.exists()

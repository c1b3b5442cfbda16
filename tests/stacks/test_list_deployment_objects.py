"""GET /stacks/{id}/deployment-objects."""

from uuid import uuid4

import pytest

from core.events import SYSTEM
from core.prepared import is_postgresql
from stacks.services import delete_stack
from tests.factories import make_agent, make_generator, make_object, make_stack, make_target, manifest
from tests.support.api import refused

pytestmark = pytest.mark.django_db


def test_admin_and_owner_see_all_versions_newest_first_markers_included(admin):
    generator, api = make_generator()
    stack = make_stack(generator)
    first = make_object(stack)
    make_object(make_stack(generator))
    marker = make_object(stack, "", is_deletion_marker=True)
    last = make_object(stack, manifest(3))
    for reader in (admin, api):
        response = reader.get(f"/stacks/{stack.id}/deployment-objects")
        assert response.status_code == 200
        assert [row["id"] for row in response.json()] == [str(last.id), str(marker.id), str(first.id)]
        assert [row["is_deletion_marker"] for row in response.json()] == [False, True, False]
        assert response.json()[0]["yaml_content"] == manifest(3)


def test_an_empty_stack_has_an_empty_list(admin):
    assert admin.get(f"/stacks/{make_stack().id}/deployment-objects").json() == []


def test_others_are_403_even_a_targeted_agent(anonymous):
    stack = make_stack()
    agent, targeted = make_agent()
    make_target(agent, stack)
    path = f"/stacks/{stack.id}/deployment-objects"
    for api in (make_generator()[1], targeted):
        refused(api.get(path), 403, "stack_not_owned")
    refused(anonymous.get(path), 401, "unauthorized")


def test_unknown_and_deleted_stacks_are_404(admin):
    stack = make_stack()
    delete_stack(stack=stack, actor=SYSTEM)
    for stack_id in (stack.id, uuid4()):
        refused(admin.get(f"/stacks/{stack_id}/deployment-objects"), 404, "stack_not_found")


def test_pages_follow_each_other_without_gaps(admin):
    stack = make_stack()
    wanted = [make_object(stack, manifest(number)).sequence_id for number in range(5)][::-1]
    seen, path = [], f"/stacks/{stack.id}/deployment-objects?limit=2"
    while path:
        response = admin.get(path)
        seen += [row["sequence_id"] for row in response.json()]
        link = response.headers.get("Link", "")
        path = link[link.index("/stacks") : link.index(">")] if link else ""
        if len(seen) == 2:
            make_object(stack, manifest(1))
    assert seen == wanted


@pytest.mark.parametrize("rows", [1, 12])
def test_the_number_of_queries_is_fixed(admin, rows, django_assert_num_queries):
    stack = make_stack()
    for _ in range(rows):
        make_object(stack)
    path = f"/stacks/{stack.id}/deployment-objects"
    admin.get(path)
    # PostgreSQL reads the stack together with the key.
    with django_assert_num_queries(2 if is_postgresql() else 3):
        assert len(admin.get(path).json()) == rows

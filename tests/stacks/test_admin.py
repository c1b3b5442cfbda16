"""Stacks and their deployment objects in the admin."""

import pytest

from audit.models import AuditLog
from core.events import SYSTEM
from generators.services import delete_generator, system_generator
from stacks.models import DeploymentObject, Stack
from tests.factories import make_generator, make_object, make_stack, manifest
from tests.support.admin import actions_by, errors_of, messages_of, staff

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.any_database("what pages of the admin show, and what their buttons do"),
]

LIST = "stacks/stack/"
NO_ROWS = {
    f"{name}-{field}": "0" for name in ("labels", "annotations") for field in ("TOTAL_FORMS", "INITIAL_FORMS")
}


def change_page(stack: Stack) -> str:
    return f"{LIST}{stack.pk}/change/"


def test_a_stack_is_created_with_its_labels(operator):
    generator, _ = make_generator()
    new = NO_ROWS | {"labels-TOTAL_FORMS": "1", "labels-0-label": "prod"}
    operator.post(f"{LIST}add/", new | {"name": "shop", "generator": str(generator.pk), "description": ""})
    stack = Stack.objects.get(name="shop")
    assert (stack.generator, stack.description) == (generator, None)
    assert [row.label for row in stack.labels.all()] == ["prod"]
    assert actions_by(operator.user) == ["stack.created", "stack.label_added"]


def test_a_refused_stack_is_not_created_and_the_form_keeps_what_was_typed(operator):
    generator = make_stack(name="shop").generator
    new = NO_ROWS | {"name": "shop", "generator": str(generator.pk), "description": "what I typed"}
    response = operator.post(f"{LIST}add/", new)
    assert errors_of(response) == ["Something with these values exists already."]
    assert b"what I typed" in response.content
    assert Stack.objects.count() == 1
    assert actions_by(operator.user) == []


def test_the_system_generator_and_deleted_ones_own_no_stack(operator):
    gone, _ = make_generator()
    delete_generator(generator=gone, actor=SYSTEM)
    for generator in (system_generator(), gone):
        new = NO_ROWS | {"name": "shop", "generator": str(generator.pk)}
        assert len(errors_of(operator.post(f"{LIST}add/", new))) == 1
    assert not Stack.objects.exists()


def test_changing_goes_through_the_service(operator):
    stack, (other, _) = make_stack(), make_generator()
    operator.post_form(change_page(stack), name="renamed", description="why", generator=str(other.pk))
    stack.refresh_from_db()
    assert (stack.name, stack.description, stack.generator) == ("renamed", "why", other)
    assert actions_by(operator.user) == ["stack.updated"]


def test_labels_and_annotations_are_added_and_removed_through_their_services(operator):
    stack = make_stack(labels=["old", "stays"], annotations={"old": "1"})
    labels = {
        row.label: number
        for number, row in enumerate(
            operator.get(change_page(stack)).context["inline_admin_formsets"][0].formset.queryset
        )
    }
    operator.post_form(
        change_page(stack),
        **{
            f"labels-{labels['old']}-DELETE": "on",
            "labels-TOTAL_FORMS": "3",
            "labels-2-label": "new",
            "annotations-0-DELETE": "on",
            "annotations-TOTAL_FORMS": "2",
            "annotations-1-key": "team",
            "annotations-1-value": "a",
        },
    )
    assert {row.label for row in stack.labels.all()} == {"stays", "new"}
    assert [(row.key, row.value) for row in stack.annotations.all()] == [("team", "a")]
    assert actions_by(operator.user) == [
        "stack.label_removed",
        "stack.label_added",
        "stack.annotation_removed",
        "stack.annotation_added",
    ]


def test_a_refused_label_undoes_the_whole_change(operator):
    stack = make_stack(name="shop", labels=["old"])
    response = operator.post_form(
        change_page(stack), name="renamed", **{"labels-TOTAL_FORMS": "2", "labels-1-label": "two words"}
    )
    assert errors_of(response) == ["A label must have 1 to 64 characters and no white space."]
    stack.refresh_from_db()
    assert stack.name == "shop"
    assert [row.label for row in stack.labels.all()] == ["old"]
    assert actions_by(operator.user) == []


def test_a_label_twice_is_an_error_beside_it(operator):
    stack = make_stack(labels=["old"])
    response = operator.post_form(change_page(stack), **{"labels-TOTAL_FORMS": "2", "labels-1-label": "old"})
    assert "Please correct the duplicate data for label." in errors_of(response)
    assert actions_by(operator.user) == []


def test_a_label_is_never_changed_in_place(operator):
    stack = make_stack(labels=["old"])
    operator.post_form(change_page(stack), **{"labels-0-label": "forged"})
    assert [row.label for row in stack.labels.all()] == ["old"]


def test_a_viewer_cannot_add_a_label_with_a_forged_form():
    stack = make_stack(labels=["old"])
    viewer = staff("stacks.view_stack")
    forged = {"name": "x", "labels-TOTAL_FORMS": "1", "labels-INITIAL_FORMS": "0", "labels-0-label": "new"}
    assert viewer.post(change_page(stack), forged).status_code == 403
    assert [row.label for row in stack.labels.all()] == ["old"]


def test_deleting_leaves_a_marker(operator):
    stack = make_stack()
    make_object(stack)
    assert b"Agents remove from their clusters" in operator.get(f"{LIST}{stack.pk}/delete/").content
    operator.post(f"{LIST}{stack.pk}/delete/", {"post": "yes"})
    stack.refresh_from_db()
    assert stack.deleted_at is not None
    assert DeploymentObject.objects.active().get(stack=stack).is_deletion_marker
    assert actions_by(operator.user) == ["stack.deleted"]


def test_a_stack_that_is_gone_already_is_a_message(operator):
    stack, gone = make_stack(), make_stack()
    Stack.objects.filter(pk=gone.pk).update(deleted_at=gone.created_at)
    response = operator.post(
        f"{LIST}?deleted=all",
        {"action": "delete_selected", "_selected_action": [str(stack.pk), str(gone.pk)], "post": "yes"},
    )
    assert "There is no such stack." in messages_of(response)
    assert Stack.objects.active().filter(pk=stack.pk).exists()


def test_the_list_names_the_newest_object_and_filters_by_generator(operator):
    stack = make_stack()
    make_stack()
    make_object(stack)
    newest = make_object(stack, manifest(2))
    page = operator.get(LIST, generator__id__exact=str(stack.generator_id))
    (row,) = page.context["cl"].result_list
    assert row == stack
    assert f"#{newest.sequence_id}" in page.content.decode()


def test_a_stack_leads_to_its_objects_the_deleted_ones_too(operator):
    stack = make_stack()
    objects = [make_object(stack), make_object(stack, manifest(2))]
    make_object(make_stack())
    DeploymentObject.objects.filter(pk=objects[0].pk).update(deleted_at=objects[0].created_at)
    url = f"/admin/stacks/deploymentobject/?stack__id__exact={stack.pk}&amp;deleted=all"
    assert url in operator.get(change_page(stack)).content.decode()
    page = operator.get("stacks/deploymentobject/", stack__id__exact=str(stack.pk), deleted="all")
    assert list(page.context["cl"].result_list) == objects[::-1]


def test_an_object_shows_its_manifest_without_secrets(operator):
    obj = make_object(
        make_stack(), "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData:\n  password: hunter2\n"
    )
    for page in (f"stacks/deploymentobject/{obj.pk}/change/", "stacks/deploymentobject/"):
        assert b"hunter2" not in operator.get(page).content
    assert b"&quot;********&quot;" in operator.get(f"stacks/deploymentobject/{obj.pk}/change/").content


def test_a_manifest_cannot_bring_its_own_html(operator):
    obj = make_object(
        make_stack(), "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: <script>alert(1)</script>}\n"
    )
    assert b"<script>alert" not in operator.get(f"stacks/deploymentobject/{obj.pk}/change/").content


def test_an_object_is_found_by_the_id_that_the_wire_calls_it(operator):
    obj = make_object(make_stack())
    make_object(make_stack())
    assert f"#{obj.sequence_id}" in operator.get(f"stacks/deploymentobject/{obj.id}/change/").content.decode()
    found = operator.get("stacks/deploymentobject/", q=str(obj.id)).context["cl"].result_list
    assert list(found) == [obj]


def test_a_long_version_has_pages_and_revealed_ones_are_asked_for_by_the_answer(operator):
    stack = make_stack()
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData:\n  password: hunter2\n"
    text = f"{secret}---\n" + "# a comment\n" * 12_000 + f"---\n{secret}"
    obj = make_object(stack, text)
    path = f"stacks/deploymentobject/{obj.pk}/change/"
    first, second = (operator.get(path, **query).content.decode() for query in ({}, {"part": "2"}))
    assert 'href="?part=2#manifest"' in first
    assert 'data-line="1"' in first
    assert 'data-line="10000"' in second
    assert "hunter2" not in first + second
    assert second.count("********") == 1
    chief = staff("stacks.view_deploymentobject", "stacks.reveal_secrets", name="beth")
    url = f"stacks/deploymentobject/{obj.pk}/reveal/"
    shown = chief.post(url, {"confirmed": "yes", "part": "2"}).content.decode()
    assert "hunter2" in shown
    assert 'data-line="10000"' in shown
    assert 'form="parts" name="part" value="1"' in shown
    assert AuditLog.objects.filter(action="deployment.revealed").count() == 1

"""A stack's history in the admin: what was published, by whom, and the differences."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from audit.models import AuditLog
from core.admin import diff
from core.events import SYSTEM
from stacks.admin import history, manifests
from stacks.models import Stack
from stacks.services import delete_stack, lock_stack
from tests.factories import make_generator, make_object, make_stack, manifest
from tests.support.admin import actions_by, staff

pytestmark = pytest.mark.django_db

SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {{name: db}}\nstringData:\n  password: {}\n"


def page(stack: Stack) -> str:
    return f"stacks/stack/{stack.pk}/objects/"


def text(response) -> str:
    content: bytes = response.content
    return content.decode()


def test_objects_are_listed_newest_first_with_the_newest_two_compared(operator):
    stack = make_stack()
    objects = [make_object(stack, manifest(number)) for number in range(3)]
    make_object(make_stack())
    response = operator.get(page(stack))
    assert response.context["objects"] == objects[::-1]
    assert (response.context["old"], response.context["new"]) == (objects[1], objects[2])
    assert "word: &#x27;<mark>1</mark>" in text(response)
    assert "word: &#x27;<mark>2</mark>" in text(response)


def test_any_two_are_compared(operator):
    stack = make_stack()
    objects = [make_object(stack, manifest(number)) for number in range(3)]
    response = operator.get(page(stack), **{"from": str(objects[2].pk), "to": str(objects[0].pk)})
    assert "word: &#x27;<mark>2</mark>" in text(response)
    assert "word: &#x27;<mark>0</mark>" in text(response)


def test_an_object_is_compared_with_the_one_before_when_only_it_is_named(operator):
    stack = make_stack()
    objects = [make_object(stack, manifest(number)) for number in range(3)]
    context = operator.get(page(stack), to=str(objects[1].pk)).context
    assert (context["old"], context["new"]) == (objects[0], objects[1])


@pytest.mark.parametrize("choice", ["x", "-1", "²", "99999999999999999999999", "0"])
def test_a_choice_that_cannot_be_read_is_no_error(operator, choice):
    stack = make_stack()
    make_object(stack)
    query = {"from": choice, "to": choice, "before": choice}
    assert operator.get(page(stack), **query).status_code == 200


def test_objects_of_another_stack_are_not_compared(operator):
    stack, other = make_stack(), make_object(make_stack(), manifest("other"))
    make_object(stack)
    response = operator.get(page(stack), to=str(other.pk))
    assert "other&#x27;" not in text(response)


def test_the_page_says_who_published_and_with_which_key(operator):
    generator, api = make_generator("shop-ci")
    stack = make_stack(generator)
    assert (
        api.post(f"/stacks/{stack.id}/deployment-objects", {"yaml_content": manifest(1)}).status_code == 201
    )
    key = AuditLog.objects.get(action="deployment.created").actor_label
    (obj,) = operator.get(page(stack)).context["objects"]
    assert (obj.author.role, obj.author.name, obj.author.key) == ("generator", "shop-ci", key)
    assert "shop-ci (generator)" in text(operator.get(page(stack)))
    assert "shop-ci (generator)" in text(operator.get(f"stacks/deploymentobject/{obj.pk}/change/"))


def test_an_author_whose_row_is_gone_is_not_known(operator):
    stack = make_stack()
    obj = make_object(stack)
    AuditLog.objects.all().delete()
    assert operator.get(page(stack)).context["objects"][0].author is None
    assert "not in the audit log" in text(operator.get(f"stacks/deploymentobject/{obj.pk}/change/"))


def test_older_objects_are_on_further_pages(operator, monkeypatch):
    monkeypatch.setattr(history, "PER_PAGE", 2)
    stack = make_stack()
    objects = [make_object(stack, manifest(number)) for number in range(5)]
    first = operator.get(page(stack)).context
    assert (first["objects"], first["older"]) == (objects[:2:-1], objects[3].pk)
    last = operator.get(page(stack), before=str(objects[1].pk)).context
    assert (last["objects"], last["older"]) == (objects[:1], None)


def test_an_empty_history_says_what_to_do(operator):
    stack = make_stack()
    assert f"/admin/stacks/stack/{stack.pk}/publish/" in text(operator.get(page(stack)))
    assert "Publish the first manifest" not in text(
        staff("stacks.view_stack", "stacks.view_deploymentobject", name="beth").get(page(stack))
    )


def test_a_deleted_stack_keeps_its_history_with_the_marker(operator):
    stack = make_stack()
    make_object(stack, manifest(1))
    with transaction.atomic():
        marker = delete_stack(stack=lock_stack(stack.pk), actor=SYSTEM)
    response = operator.get(page(stack))
    assert [obj.pk for obj in response.context["objects"]] == [marker.pk, marker.pk - 1]
    assert "Roll back" not in text(response)


def test_a_changed_secret_is_shown_as_changed_and_not_its_value(operator):
    stack = make_stack()
    for value in ("hunter1", "hunter2", "hunter2"):
        make_object(stack, SECRET.format(value))
    changed = operator.get(page(stack), to=str(stack.deployment_objects.order_by("pk")[1].pk))
    assert "hidden value changed" in text(changed)
    assert "hunter" not in text(changed)
    assert "Nothing differs" in text(operator.get(page(stack)))


def test_revealing_in_a_comparison_is_a_post_and_audited_for_each_object():
    stack = make_stack()
    objects = [make_object(stack, SECRET.format(f"hunter{number}")) for number in range(2)]
    chief = staff("stacks.view_stack", "stacks.view_deploymentobject", "stacks.reveal_secrets")
    query = {"from": str(objects[0].pk), "to": str(objects[1].pk), "reveal": "yes"}
    assert "hunter" not in text(chief.get(page(stack), **query))
    assert actions_by(chief.user) == []
    shown = text(chief.post(page(stack), query))
    assert "hunter<mark>0</mark>" in shown
    assert "hunter<mark>1</mark>" in shown
    rows = AuditLog.objects.filter(action="deployment.revealed").order_by("sequence")
    assert [row.resource_id for row in rows] == [obj.id for obj in objects]


def test_values_are_revealed_on_each_page_of_a_comparison_and_noted_each_time(operator, monkeypatch):
    monkeypatch.setattr(diff, "MAX_ROWS", 5)
    stack = make_stack()
    for value in range(2):
        names = (SECRET.format(f"hunter{value}{part}").replace("db", f"db{part}") for part in range(3))
        make_object(stack, "---\n".join(names))
    reader = staff("stacks.view_stack", "stacks.view_deploymentobject", name="reader")
    old, new = stack.deployment_objects.order_by("pk")
    query = {"from": str(old.pk), "to": str(new.pk), "reveal": "yes"}
    pages = [text(operator.post(page(stack), query))]
    while f'form="reveal" name="part" value="{len(pages) + 1}">Next' in pages[-1]:
        pages.append(text(operator.post(page(stack), {**query, "part": str(len(pages) + 1)})))
    assert len(pages) > 2
    assert 'form="reveal" name="part" value="1">Previous' in pages[1]
    assert all(f"hunter<mark>0</mark>{part}" in "".join(pages) for part in range(3))
    assert AuditLog.objects.filter(action="deployment.revealed").count() == 2 * len(pages)
    others = [text(reader.post(page(stack), {**query, "part": str(part)})) for part in range(1, 5)]
    assert "hunter" not in "".join(others)
    assert actions_by(reader.user) == []


def test_a_comparison_with_too_many_secrets_stops_until_they_are_revealed(operator, monkeypatch):
    monkeypatch.setattr(manifests, "MAX_SEARCHED", 100)
    stack = make_stack()
    for word in ("hunter1", "hunter2"):
        make_object(stack, SECRET.format(word))
    stopped = text(operator.get(page(stack)))
    assert "The comparison stopped" in stopped
    assert "hunter" not in stopped
    assert "hunter<mark>2" in text(operator.post(page(stack), {"reveal": "yes"}))
    for word in ("many", "more"):
        make_object(stack, manifest(word * 100))
    assert "The comparison stopped" not in text(operator.get(page(stack)))


def test_nothing_is_revealed_to_others():
    stack = make_stack()
    obj = make_object(stack, SECRET.format("hunter2"))
    make_object(stack, manifest(1))
    reader = staff("stacks.view_stack", "stacks.view_deploymentobject", "stacks.add_deploymentobject")
    assert "hunter2" not in text(reader.post(page(stack), {"reveal": "yes"}))
    assert reader.post(f"stacks/deploymentobject/{obj.pk}/reveal/", {"confirmed": "yes"}).status_code == 403
    assert "hunter2" not in text(reader.post(f"stacks/stack/{stack.pk}/publish/", {"reveal": "yes"}))
    assert actions_by(reader.user) == []


def test_revealing_an_object_asks_first_and_is_audited(operator):
    obj = make_object(make_stack(), SECRET.format("hunter2"))
    path = f"stacks/deploymentobject/{obj.pk}/reveal/"
    assert "hunter2" not in text(operator.get(path))
    assert "hunter2" in text(operator.post(path, {"confirmed": "yes"}))
    assert actions_by(operator.user) == ["deployment.revealed"]


def test_staff_without_the_permission_does_not_open_it():
    stack = make_stack()
    assert staff("stacks.view_stack").get(page(stack)).status_code == 403


def test_a_long_comparison_has_pages(operator, monkeypatch):
    monkeypatch.setattr(diff, "MAX_ROWS", 5)
    stack = make_stack()
    old, new = (
        make_object(stack, "".join(f"---\n{manifest(value + 10 * n)}" for n in range(9)))
        for value in range(2)
    )
    query = {"from": str(old.pk), "to": str(new.pk)}
    first = text(operator.get(page(stack), **query))
    assert f'href="?from={old.pk}&amp;to={new.pk}&amp;part=2#comparison"' in first
    second = text(operator.get(page(stack), **query, part="2"))
    assert 'rel="prev"' in second


def test_documents_in_another_order_are_told_and_not_shown_as_changed(operator):
    stack = make_stack()
    documents = [manifest(number).replace("settings", f"n{number}") for number in range(2)]
    for order in (documents, documents[::-1]):
        make_object(stack, "---\n" + "---\n".join(order))
    shown = text(operator.get(page(stack)))
    assert "Documents are in another order" in shown
    assert "Nothing differs" in shown


def test_the_page_costs_the_same_queries_for_any_number_of_objects(operator):
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert operator.get(page(stack)).status_code == 200
        return len(captured)

    generator, api = make_generator()
    stack = make_stack(generator)
    for _ in range(2):
        api.post(f"/stacks/{stack.id}/deployment-objects", {"yaml_content": manifest(1)})
    two = cost()
    for _ in range(10):
        api.post(f"/stacks/{stack.id}/deployment-objects", {"yaml_content": manifest(1)})
    assert cost() == two

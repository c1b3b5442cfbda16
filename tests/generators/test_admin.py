"""Generators in the admin."""

import pytest

from generators.models import Generator
from generators.services import system_generator
from stacks.models import Stack
from tests.factories import make_generator, make_stack
from tests.support.admin import actions_by, errors_of, messages_of, shown_key
from tests.support.api import Api

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.any_database("what pages of the admin show, and what their buttons do"),
]

LIST = "generators/generator/"


def test_a_new_generator_gets_a_key_that_is_shown_once(operator):
    response = operator.post(f"{LIST}add/", {"name": "ci", "description": ""})
    assert b"shown only now" in response.content
    assert "no-store" in response.headers["Cache-Control"]
    key = shown_key(response)
    generator = Generator.objects.get(name="ci")
    assert generator.description is None
    assert Api(key).get(f"/generators/{generator.pk}").status_code == 200
    for page in (LIST, f"{LIST}{generator.pk}/change/", "paks/pak/", "audit/auditlog/", ""):
        assert key not in operator.get(page).content.decode()
    assert actions_by(operator.user) == ["generator.created", "pak.created"]


def test_the_author_and_the_place_of_a_change_are_audited(operator):
    operator.post(f"{LIST}add/", {"name": "ci"})
    row = operator.get("audit/auditlog/").context["cl"].result_list[0]
    assert (row.actor_type, row.actor_label, row.user_agent) == ("admin", "astrid", "operator's browser")
    assert row.ip_address == "127.0.0.1"
    assert row.request_id


def test_a_taken_name_is_an_error_of_the_form(operator):
    make_generator("ci")
    response = operator.post(f"{LIST}add/", {"name": "ci", "description": "what I typed"})
    assert errors_of(response) == ["Something with these values exists already."]
    assert b"what I typed" in response.content
    assert Generator.objects.filter(name="ci").count() == 1
    assert actions_by(operator.user) == []


def test_changing_goes_through_the_service(operator):
    generator, api = make_generator(description="old")
    operator.post_form(f"{LIST}{generator.pk}/change/", name="renamed", description="", is_active="")
    generator.refresh_from_db()
    assert (generator.name, generator.description, generator.is_active) == ("renamed", None, False)
    assert actions_by(operator.user) == ["generator.updated"]
    assert api.post("/stacks", {"name": "s", "generator_id": str(generator.pk)}).status_code == 403


def test_saving_without_a_change_changes_nothing(operator):
    generator, _ = make_generator(description="old")
    operator.post_form(f"{LIST}{generator.pk}/change/")
    before = generator.updated_at
    generator.refresh_from_db()
    assert generator.updated_at == before
    assert actions_by(operator.user) == []


def test_rotating_asks_first_and_then_shows_the_new_key_once(operator):
    generator, old = make_generator()
    page = f"{LIST}{generator.pk}/rotate_key/"
    asked = operator.get(page)
    assert generator.name in asked.content.decode()
    assert b"stops working at once" in asked.content
    assert old.get(f"/generators/{generator.pk}").status_code == 200
    key = shown_key(operator.post(page, {"confirmed": "yes"}))
    assert old.get(f"/generators/{generator.pk}").status_code == 401
    assert Api(key).get(f"/generators/{generator.pk}").status_code == 200
    assert key not in operator.get(page).content.decode()
    assert actions_by(operator.user) == ["pak.rotated"]


def test_deleting_names_its_consequences_and_deletes_the_stacks(operator):
    generator, _ = make_generator()
    stack = make_stack(generator)
    page = operator.get(f"{LIST}{generator.pk}/delete/")
    assert b"Its stacks are deleted too: 1." in page.content
    operator.post(f"{LIST}{generator.pk}/delete/", {"post": "yes"})
    assert not Generator.objects.active().filter(pk=generator.pk).exists()
    assert not Stack.objects.active().filter(pk=stack.pk).exists()
    assert actions_by(operator.user) == ["stack.deleted", "generator.deleted"]


def test_several_are_deleted_after_a_question(operator):
    one, two = make_generator()[0], make_generator()[0]
    chosen = {"action": "delete_selected", "_selected_action": [str(one.pk), str(two.pk)]}
    assert one.name in operator.post(LIST, chosen | {"index": "0"}).content.decode()
    assert Generator.objects.active().filter(is_system=False).count() == 2
    operator.post(LIST, chosen | {"post": "yes"})
    assert Generator.objects.active().filter(is_system=False).count() == 0
    assert actions_by(operator.user) == ["generator.deleted"] * 2


def test_one_refusal_among_several_deletes_none(operator):
    generator, _ = make_generator()
    chosen = [str(generator.pk), str(system_generator().pk)]
    response = operator.post(LIST, {"action": "delete_selected", "_selected_action": chosen, "post": "yes"})
    assert "The system generator cannot be deleted." in messages_of(response)
    assert Generator.objects.active().filter(pk__in=chosen).count() == 2
    assert actions_by(operator.user) == []


@pytest.mark.parametrize("page", ["change", "delete", "rotate_key"])
def test_the_system_generator_is_only_read(operator, page):
    system = system_generator()
    response = operator.post(f"{LIST}{system.pk}/{page}/", {"name": "x", "post": "yes", "confirmed": "yes"})
    assert response.status_code == 403
    assert operator.get(f"{LIST}{system.pk}/change/").status_code == 200
    assert actions_by(operator.user) == []


def test_the_list_counts_live_stacks(operator):
    generator, _ = make_generator()
    for _ in range(3):
        make_stack(generator)
    gone = make_stack(generator)
    Stack.objects.filter(pk=gone.pk).update(deleted_at=gone.created_at)
    (row,) = operator.get(LIST, q=generator.name).context["cl"].result_list
    assert row.live_stacks == 3


def test_the_page_counts_one_stack_as_one(operator):
    generator, _ = make_generator()
    make_stack(generator)
    assert ">1 stack</a>" in operator.get(f"{LIST}{generator.pk}/change/").content.decode()

"""What publishing does to the inventory, and what it costs."""

from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.events import SYSTEM
from core.prepared import fetch_one
from inventory.conflicts import question_of_sharing
from inventory.models import Entry, ImageName, Resource
from stacks.errors import StackNotFound
from stacks.services import delete_stack, publish_checked, roll_back
from stacks.signals import version_published
from tests.factories import make_generator, make_object, make_stack
from tests.support.inventory import deployment, obj, text_of
from tests.support.threads import together

pytestmark = pytest.mark.django_db


def inventory_statements(call) -> int:
    """How many statements of the call are about the inventory."""
    with CaptureQueriesContext(connection) as captured:
        call()
    return sum("inventory_" in query["sql"] for query in captured)


def is_in_other_stacks(stack_id, keys) -> bool:
    question, facts = question_of_sharing(stack_id, keys)
    return bool(fetch_one(f"SELECT {question}", facts)[0])


@pytest.mark.parametrize(
    ("text", "on_sqlite"),
    [(deployment("web"), 4), (text_of(*(obj("ConfigMap", f"c{number}") for number in range(30))), 3)],
)
def test_a_publish_costs_one_statement_which_also_tells_whether_to_look_for_conflicts(text, on_sqlite):
    stack = make_stack()
    # SQLite inserts into one table at a time, and is asked before.
    statements = 1 if connection.vendor == "postgresql" else on_sqlite
    assert inventory_statements(lambda: make_object(stack, text)) == statements
    assert inventory_statements(lambda: make_object(stack, text)) == statements


def test_an_object_counts_as_shared_whichever_stack_has_the_lower_id(db):
    one, other, alone = make_stack(), make_stack(), make_stack()
    for stack in (one, other, other):
        make_object(stack, text_of(obj("ConfigMap", "shared")))
    make_object(alone, text_of(obj("ConfigMap", "own")))
    keys = {row.name: row.object_key for row in Resource.objects.all()}
    assert is_in_other_stacks(one.pk, [keys["shared"]])
    assert is_in_other_stacks(other.pk, [keys["own"], keys["shared"]])
    assert not is_in_other_stacks(alone.pk, [keys["own"]])


def test_a_marker_costs_nothing(db):
    stack = make_stack()
    assert inventory_statements(lambda: make_object(stack, "", is_deletion_marker=True)) == 0


def test_an_identity_and_an_image_are_stored_once(db):
    for _ in range(2):
        make_object(make_stack(), deployment("web"))
    assert (Resource.objects.count(), ImageName.objects.count(), Entry.objects.count()) == (1, 1, 4)


def test_a_resource_that_comes_twice_counts_once_with_the_images_of_both(db):
    make_object(make_stack(), deployment("web", image="a") + "---\n" + deployment("web", image="b"))
    assert Entry.objects.of_resources().count() == 1
    assert Entry.objects.of_images().count() == 2


def test_a_version_without_its_objects_is_read_again(db):
    stack = make_stack()
    text = deployment("web")
    publish_checked(stack_id=stack.pk, yaml_content=text, is_deletion_marker=False, actor=SYSTEM)
    assert Entry.objects.of_resources().count() == 1


def test_a_rolled_back_version_has_its_resources(db):
    stack = make_stack()
    first = make_object(stack, deployment("web"))
    make_object(stack, deployment("api"))
    again = roll_back(stack_id=stack.pk, to=first, reason="bad", actor=SYSTEM)
    assert Entry.objects.filter(version=again).of_resources().get().resource.name == "web"


def test_a_publish_that_is_refused_leaves_nothing(db):
    def refuse(**_kwargs):
        raise StackNotFound

    version_published.connect(refuse)
    try:
        with pytest.raises(StackNotFound):
            make_object(make_stack(), deployment("web"))
    finally:
        version_published.disconnect(refuse)
    assert not Entry.objects.exists()
    assert not Resource.objects.exists()


def test_the_rows_of_a_deleted_stack_stay(db):
    generator, _ = make_generator()
    stack = make_stack(generator)
    make_object(stack, deployment("web"))
    delete_stack(stack=stack, actor=SYSTEM)
    assert Entry.objects.of_resources().count() == 1
    assert not Entry.objects.of_resources().current().exists()


@pytest.mark.requires_postgres
@pytest.mark.django_db(transaction=True)
def test_publishers_of_the_same_new_resources_do_not_end_each_other():
    names = [f"app-{number}" for number in range(40)]
    stacks = [make_stack() for _ in range(6)]
    texts = ["---\n".join(map(deployment, each)) for each in (names, names[::-1]) * 3]
    together(*(partial(make_object, stack, text) for stack, text in zip(stacks, texts, strict=True)))
    assert Resource.objects.count() == len(names)
    assert Entry.objects.of_resources().count() == len(names) * len(stacks)

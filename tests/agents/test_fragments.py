"""Objects as JSON that a process keeps in memory, up to a size."""

from uuid import uuid4

import orjson
import pytest

from agents.fragments import Fragments
from agents.target_state import object_ids_of
from core.errors import DatabaseUnavailable
from stacks.models import DeploymentObject
from tests.factories import make_object, make_stack

SIZE = 1000


class Store:
    """A store of objects of `SIZE` bytes, and what it had to write anew."""

    def __init__(self, *, places: int) -> None:
        self.written: list[str] = []
        self._fragments = Fragments(self._render, places * SIZE)

    def _render(self, obj: DeploymentObject) -> bytes:
        self.written.append(obj.id.hex)
        return b'"%s"' % obj.id.hex.encode().ljust(SIZE - 2)

    def ask(self, *object_ids: str) -> list[str]:
        """The ids in the answer; what was written for it is in `written`."""
        self.written.clear()
        return [text.strip() for text in orjson.loads(self._fragments.join(object_ids))]


@pytest.fixture
def ids() -> list[str]:
    stack = make_stack()
    return [make_object(stack).id.hex for _ in range(4)]


@pytest.mark.django_db
def test_objects_come_in_the_order_asked_and_are_written_once(ids):
    store = Store(places=4)
    assert store.ask() == []
    assert store.ask(*ids) == ids
    assert sorted(store.written) == sorted(ids)
    assert store.ask(*reversed(ids)) == ids[::-1]
    assert store.written == []


@pytest.mark.django_db
def test_the_object_that_nobody_asked_for_the_longest_goes_first(ids):
    store = Store(places=2)
    store.ask(ids[0])
    store.ask(ids[1])
    store.ask(ids[0])
    store.ask(ids[2])
    store.ask(ids[0], ids[2])
    assert store.written == []
    store.ask(ids[1])
    assert store.written == [ids[1]]


@pytest.mark.django_db
def test_more_objects_than_fit_are_answered_all_the_same(ids):
    store = Store(places=2)
    assert store.ask(*ids) == ids
    store.ask(*ids)
    assert len(store.written) == 2


@pytest.mark.django_db
def test_an_object_larger_than_the_store_takes_no_place_of_others(ids):
    store = Store(places=1)
    store.ask(ids[0])
    store._fragments._render = lambda obj: b'"%s"' % obj.id.hex.encode().ljust(2 * SIZE)
    assert store.ask(ids[1]) == [ids[1]]
    assert store.ask(ids[0]) == [ids[0]]
    assert store.written == []


@pytest.mark.django_db
def test_an_object_that_is_gone_is_no_answer_without_it(ids):
    with pytest.raises(DatabaseUnavailable):
        Store(places=4).ask(ids[0], uuid4().hex)


@pytest.mark.no_database
@pytest.mark.parametrize("numbers", [[1], [9, 10, 11, 100], [99, 1, 100, 12_345_678_901]])
@pytest.mark.parametrize("hyphens", [True, False])
def test_ids_are_read_newest_first_however_long_their_numbers_are(numbers, hyphens):
    made = {number: uuid4() for number in numbers}
    state = ",".join(f"{number}:{made[number] if hyphens else made[number].hex}" for number in numbers)
    assert object_ids_of(state) == [made[number].hex for number in sorted(numbers, reverse=True)]

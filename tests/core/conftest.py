"""Who publishes, and where to."""

import pytest

from tests.factories import make_generator, make_stack


@pytest.fixture
def owner(db):
    return make_generator()


@pytest.fixture
def generator(owner):
    return owner[1]


@pytest.fixture
def objects_path(owner):
    return f"/stacks/{make_stack(owner[0]).id}/deployment-objects"

from collections.abc import Iterator

import pytest

from tests.support.threads import slow_transactions


@pytest.fixture(autouse=True)
def _slow_transactions() -> Iterator[None]:
    with slow_transactions():
        yield

"""Fixtures that every test may use, and the rule for tests that need PostgreSQL."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from hypothesis import settings as hypothesis_settings

from core.events import SYSTEM
from paks.models import Role
from paks.services import issue_pak
from tests.support.admin import AdminPages
from tests.support.api import Api

# The same examples on every run, and no deadline: how fast an example runs says nothing on a busy machine.
hypothesis_settings.register_profile("brokkr", derandomize=True, deadline=None)
hypothesis_settings.load_profile("brokkr")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if connection.vendor == "postgresql":
        return
    for item in items:
        if "requires_postgres" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="needs PostgreSQL; this run is on SQLite"))


@pytest.fixture(autouse=True)
def _forget_cache() -> Iterator[None]:
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def _webhook_key(settings: Any) -> None:
    """Webhooks can be stored, whatever the machine's own data folder holds."""
    settings.WEBHOOK_ENCRYPTION_KEYS = [bytes(32)]


@pytest.fixture
def admin(db: None) -> Api:
    """The API as an admin key sees it."""
    _, key = issue_pak(role=Role.ADMIN, subject_id=None, name="test admin", actor=SYSTEM)
    return Api(key)


@pytest.fixture
def anonymous(db: None) -> Api:
    """The API without a key."""
    return Api(None)


@pytest.fixture
def operator(db: None) -> AdminPages:
    """The admin as a superuser sees it."""
    return AdminPages(User.objects.create_superuser("astrid"))

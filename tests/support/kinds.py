"""The kind of a test, found by its marks and by the fixtures that it uses, directly or through other fixtures."""

import pytest

_DATABASE_MARKS = ("django_db", "live", "browser")
# All other fixtures with a database use one of these: pytest-django's, and the copies for other processes.
_DATABASE_FIXTURES = {"db", "transactional_db", "django_db_setup", "database_template"}


def uses_database(item: pytest.Item) -> bool:
    """Whether a test may behave differently on another database, because it or a process that it starts uses one.

    pytest-django refuses all other tests access to the database.
    """
    return any(
        item.get_closest_marker(name) for name in _DATABASE_MARKS
    ) or not _DATABASE_FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))


def starts_servers(item: pytest.Item) -> bool:
    """Whether the test starts servers. Such tests take long and mostly wait."""
    return any(item.get_closest_marker(name) for name in ("live", "browser"))

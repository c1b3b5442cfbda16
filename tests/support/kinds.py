"""What kind of test one is, read off its marks and the fixtures that it asks for, directly or through others."""

import pytest

_DATABASE_MARKS = ("django_db", "live", "browser")
# What every other fixture with a database is built on: pytest-django's, and the copies for processes of their own.
_DATABASE_FIXTURES = {"db", "transactional_db", "django_db_setup", "database_template"}


def uses_database(item: pytest.Item) -> bool:
    """Whether a test may behave differently on another database: it, or a process that it starts, has one.

    pytest-django refuses the database to all others.
    """
    return any(
        item.get_closest_marker(name) for name in _DATABASE_MARKS
    ) or not _DATABASE_FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))


def starts_servers(item: pytest.Item) -> bool:
    """Whether it is one of those that take long and mostly wait."""
    return any(item.get_closest_marker(name) for name in ("live", "browser"))

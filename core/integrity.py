"""Turns a broken unique constraint into a refusal that a client understands."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction

from core.errors import UniqueViolation


@contextmanager
def unique_or_conflict(constraint: str) -> Iterator[None]:
    """Run writes in a savepoint; a broken unique constraint becomes `unique_violation` naming `constraint`.

    The caller has locked every row it refers to, so uniqueness is the only constraint left to break.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise UniqueViolation(constraint=constraint) from error

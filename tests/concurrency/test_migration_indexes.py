"""An index that is built while its table is in use may be begun again after a failure; time-outs stay as they were."""

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.models import Index

from core.migration_indexes import AddIndexWhileInUse

pytestmark = [pytest.mark.requires_postgres, pytest.mark.django_db(transaction=True)]


def test_it_takes_the_place_of_what_a_failed_build_has_left():
    before = MigrationLoader(connection).project_state()
    operation = AddIndexWhileInUse("agentevent", Index(fields=["message"], name="built_in_use"))
    after = before.clone()
    operation.state_forwards("agents", after)
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX built_in_use ON agent_events (event_type)")
    try:
        with connection.schema_editor(atomic=False) as editor:
            operation.database_forwards("agents", editor, before, after)
        with connection.cursor() as cursor:
            cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'built_in_use'")
            (made,) = cursor.fetchone()
            cursor.execute("SHOW lock_timeout")
            (patience,) = cursor.fetchone()
        assert made.endswith("(message)")
        assert patience != "0"
    finally:
        with connection.schema_editor(atomic=False) as editor:
            operation.database_backwards("agents", editor, after, before)

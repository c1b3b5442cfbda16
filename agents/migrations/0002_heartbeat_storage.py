"""Half of each page of heartbeats stays free, so that PostgreSQL updates in place (HOT), indexes untouched."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def set_fillfactor(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE agent_heartbeats SET (fillfactor = 50)")


def reset_fillfactor(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE agent_heartbeats RESET (fillfactor)")


class Migration(migrations.Migration):
    dependencies = [("agents", "0001_initial")]

    operations = [migrations.RunPython(set_fillfactor, reset_fillfactor)]

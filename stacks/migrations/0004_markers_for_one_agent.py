"""Deletion markers for one agent of a stack that lives on.

The column is nullable and without a default, so that no row is written. The guard of immutable objects learns the
column; on SQLite a later migration that rebuilds the table must create the trigger again.
"""

from importlib import import_module

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

before = import_module("stacks.migrations.0002_immutable_objects")

FIXED = (*before.FIXED, "recipient_id")

SQLITE = """
CREATE TRIGGER deployment_objects_immutable BEFORE UPDATE ON deployment_objects
WHEN NOT (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL AND {same})
BEGIN
    SELECT RAISE(ABORT, 'deployment objects are immutable');
END
"""
POSTGRESQL = """
CREATE OR REPLACE FUNCTION refuse_deployment_object_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL AND {same} THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'deployment objects are immutable' USING ERRCODE = 'integrity_constraint_violation';
END
$$
"""


def guard(columns: tuple[str, ...], schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TRIGGER IF EXISTS deployment_objects_immutable")
        same = " AND ".join(f"OLD.{column} IS NEW.{column}" for column in columns)
        schema_editor.execute(SQLITE.format(same=same))
    else:
        same = " AND ".join(f"OLD.{column} IS NOT DISTINCT FROM NEW.{column}" for column in columns)
        schema_editor.execute(POSTGRESQL.format(same=same))


def guard_recipient(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    guard(FIXED, schema_editor)


def leave_recipient(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    guard(before.FIXED, schema_editor)


class Migration(migrations.Migration):
    waits_because = "versions are few beside reports: of 100,000, these partial indexes take a fifth of a second"
    dependencies = [("stacks", "0003_reveal_secrets")]

    operations = [
        migrations.AddField(
            model_name="deploymentobject",
            name="recipient_id",
            field=models.UUIDField(editable=False, null=True),
        ),
        migrations.AddIndex(
            model_name="deploymentobject",
            index=models.Index(
                condition=models.Q(deleted_at__isnull=True, recipient_id__isnull=True),
                fields=["stack", "-sequence_id"],
                include=["id"],
                name="versions_newest",
            ),
        ),
        migrations.AddIndex(
            model_name="deploymentobject",
            index=models.Index(
                condition=models.Q(recipient_id__isnull=False),
                fields=["recipient_id", "stack"],
                name="markers_of_agent",
            ),
        ),
        migrations.RemoveIndex(model_name="deploymentobject", name="objects_newest"),
        migrations.RunPython(guard_recipient, leave_recipient),
    ]

"""Deployment objects are immutable in the database itself, not only in this program.

The one change allowed is the mark of deletion, once. On SQLite a later migration that rebuilds the table
must create the trigger again.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

FIXED = (
    "sequence_id",
    "id",
    "created_at",
    "stack_id",
    "yaml_content",
    "yaml_checksum",
    "submitted_at",
    "is_deletion_marker",
)

SQLITE = """
CREATE TRIGGER deployment_objects_immutable BEFORE UPDATE ON deployment_objects
WHEN NOT (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL AND {same})
BEGIN
    SELECT RAISE(ABORT, 'deployment objects are immutable');
END
""".format(same=" AND ".join(f"OLD.{column} IS NEW.{column}" for column in FIXED))

POSTGRESQL = """
CREATE FUNCTION refuse_deployment_object_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL AND {same} THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'deployment objects are immutable' USING ERRCODE = 'integrity_constraint_violation';
END
$$;
CREATE TRIGGER deployment_objects_immutable BEFORE UPDATE ON deployment_objects
FOR EACH ROW EXECUTE FUNCTION refuse_deployment_object_change();
""".format(same=" AND ".join(f"OLD.{column} IS NOT DISTINCT FROM NEW.{column}" for column in FIXED))


def create(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    schema_editor.execute(SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL)


def drop(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TRIGGER deployment_objects_immutable")
    else:
        schema_editor.execute(
            "DROP TRIGGER deployment_objects_immutable ON deployment_objects;"
            "DROP FUNCTION refuse_deployment_object_change()"
        )


class Migration(migrations.Migration):
    dependencies = [("stacks", "0001_initial")]

    operations = [migrations.RunPython(create, drop)]

"""History rows name the transactions that made them, so that the audit log tells who it was."""

from importlib import import_module

from django.db import migrations, models

from core.history_migrations import POSTGRESQL_NUMBER, SQLITE_NOW, SQLITE_NUMBER, execute, number
from core.migration_locks import LockTables

# A module's name that begins with a digit cannot be imported otherwise.
before = import_module("stacks.migrations.0006_history_tables")

# A stack changes its owner in place, so its triggers are others.
POSTGRESQL = f"""
CREATE OR REPLACE FUNCTION stack_owner_history_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moment timestamptz := clock_timestamp();
    here bigint := {POSTGRESQL_NUMBER};
BEGIN
    UPDATE stack_owner_history SET removed_at = GREATEST(added_at, moment), removed_in = here
    WHERE stack_id = NEW.id AND removed_at IS NULL;
    INSERT INTO stack_owner_history (id, stack_id, generator_id, added_at, added_in)
    VALUES (gen_random_uuid(), NEW.id, NEW.generator_id, moment, here);
    RETURN NULL;
END
$$;
"""
INSERT = f"""
    INSERT INTO stack_owner_history (id, stack_id, generator_id, added_at, added_in)
    VALUES (lower(hex(randomblob(16))), NEW.id, NEW.generator_id, {SQLITE_NOW}, {SQLITE_NUMBER});
END
"""
SQLITE = (
    *before.SQLITE_DROP,
    f"CREATE TRIGGER stack_owner_history_begin AFTER INSERT ON stacks BEGIN {INSERT}",
    f"""
CREATE TRIGGER stack_owner_history_change AFTER UPDATE ON stacks
WHEN OLD.generator_id IS NOT NEW.generator_id BEGIN
    UPDATE stack_owner_history SET removed_at = max(added_at, {SQLITE_NOW}), removed_in = {SQLITE_NUMBER}
    WHERE stack_id = NEW.id AND removed_at IS NULL; {INSERT}
""",
)


def number_owners(apps, schema_editor):
    execute(schema_editor, postgresql=[POSTGRESQL], sqlite=SQLITE)


def leave_out_number(apps, schema_editor):
    without_triggers = before.POSTGRESQL.partition("CREATE TRIGGER")[0].replace("CREATE", "CREATE OR REPLACE")
    execute(schema_editor, postgresql=[without_triggers], sqlite=(*before.SQLITE_DROP, *before.SQLITE))


class Migration(migrations.Migration):

    dependencies = [
        ('stacks', '0006_history_tables'),
    ]

    operations = [
        LockTables(altered=("stack_label_history", "stack_annotation_history", "stack_owner_history")),
        migrations.AddField(
            model_name='stackannotationhistory',
            name='added_in',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='stackannotationhistory',
            name='removed_in',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='stacklabelhistory',
            name='added_in',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='stacklabelhistory',
            name='removed_in',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='stackownerhistory',
            name='added_in',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='stackownerhistory',
            name='removed_in',
            field=models.BigIntegerField(null=True),
        ),
        number(before.LABELS, before.ANNOTATIONS),
        migrations.RunPython(number_owners, leave_out_number),
    ]

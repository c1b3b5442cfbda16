"""History of the labels, annotations and owners of stacks, from now on and for what there is now.

On SQLite a later migration that rebuilds one of the tables must create its triggers again.
"""

import uuid

import django.db.models.expressions
from django.db import migrations, models

from core.history_migrations import SQLITE_NOW, Followed, execute, fill, follow
from core.migration_locks import LockTables

LABELS = Followed("stack_labels", "stack_label_history", ("stack_id", "label"))
ANNOTATIONS = Followed("stack_annotations", "stack_annotation_history", ("stack_id", "key", "value"))

# A stack changes its owner in place, so its triggers are others.
POSTGRESQL = """
CREATE FUNCTION stack_owner_history_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE moment timestamptz := clock_timestamp();
BEGIN
    UPDATE stack_owner_history SET removed_at = GREATEST(added_at, moment)
    WHERE stack_id = NEW.id AND removed_at IS NULL;
    INSERT INTO stack_owner_history (id, stack_id, generator_id, added_at)
    VALUES (gen_random_uuid(), NEW.id, NEW.generator_id, moment);
    RETURN NULL;
END
$$;
CREATE TRIGGER stack_owner_history_begin AFTER INSERT ON stacks
FOR EACH ROW EXECUTE FUNCTION stack_owner_history_change();
CREATE TRIGGER stack_owner_history_change AFTER UPDATE ON stacks
FOR EACH ROW WHEN (OLD.generator_id IS DISTINCT FROM NEW.generator_id)
EXECUTE FUNCTION stack_owner_history_change();
"""
POSTGRESQL_DROP = """
DROP TRIGGER stack_owner_history_begin ON stacks;
DROP TRIGGER stack_owner_history_change ON stacks;
DROP FUNCTION stack_owner_history_change();
"""
INSERT = f"""
    INSERT INTO stack_owner_history (id, stack_id, generator_id, added_at)
    VALUES (lower(hex(randomblob(16))), NEW.id, NEW.generator_id, {SQLITE_NOW});
END
"""
SQLITE = (
    f"CREATE TRIGGER stack_owner_history_begin AFTER INSERT ON stacks BEGIN {INSERT}",
    f"""
CREATE TRIGGER stack_owner_history_change AFTER UPDATE ON stacks
WHEN OLD.generator_id IS NOT NEW.generator_id BEGIN
    UPDATE stack_owner_history SET removed_at = max(added_at, {SQLITE_NOW})
    WHERE stack_id = NEW.id AND removed_at IS NULL; {INSERT}
""",
)
SQLITE_DROP = ("DROP TRIGGER stack_owner_history_begin", "DROP TRIGGER stack_owner_history_change")


def follow_owners(apps, schema_editor):
    execute(schema_editor, postgresql=[POSTGRESQL], sqlite=SQLITE)


def leave_owners(apps, schema_editor):
    execute(schema_editor, postgresql=[POSTGRESQL_DROP], sqlite=SQLITE_DROP)


def fill_history(apps, schema_editor):
    of = lambda name: apps.get_model("stacks", name)
    fill(of("StackLabel").objects.all(), of("StackLabelHistory"), "stack_id", "label")
    fill(of("StackAnnotation").objects.all(), of("StackAnnotationHistory"), "stack_id", "key", "value")
    owners = of("StackOwnerHistory")
    stacks = of("Stack").objects.values_list("pk", "generator_id", "created_at")
    owners.objects.bulk_create(
        (
            owners(id=uuid.uuid4(), stack_id=stack_id, generator_id=generator_id, added_at=created_at)
            for stack_id, generator_id, created_at in stacks.iterator()
        ),
        batch_size=5_000,
    )


class Migration(migrations.Migration):
    waits_because = "versions are few beside reports: of 100,000, these partial indexes take a fifth of a second"

    dependencies = [
        ('stacks', '0005_version_name'),
    ]

    operations = [
        LockTables(extended=("stack_labels", "stack_annotations", "stacks", "deployment_objects")),
        migrations.CreateModel(
            name='StackAnnotationHistory',
            fields=[
                ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('added_at', models.DateTimeField()),
                ('removed_at', models.DateTimeField(null=True)),
                ('stack_id', models.UUIDField()),
                ('key', models.CharField(max_length=64)),
                ('value', models.CharField(max_length=64)),
            ],
            options={
                'db_table': 'stack_annotation_history',
                'abstract': False,
                'indexes': [models.Index(condition=models.Q(('removed_at__isnull', False)), fields=['removed_at', 'id'], name='stackannotationhistory_end'), models.Index(fields=['key', 'value', 'stack_id'], name='stack_annotation_history_word'), models.Index(fields=['stack_id'], name='stack_annotation_history_stack')],
                'constraints': [models.CheckConstraint(condition=models.Q(('removed_at__gte', models.F('added_at'))), name='stackannotationhistory_in_order')],
            },
        ),
        migrations.CreateModel(
            name='StackLabelHistory',
            fields=[
                ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('added_at', models.DateTimeField()),
                ('removed_at', models.DateTimeField(null=True)),
                ('stack_id', models.UUIDField()),
                ('label', models.CharField(max_length=64)),
            ],
            options={
                'db_table': 'stack_label_history',
                'abstract': False,
                'indexes': [models.Index(condition=models.Q(('removed_at__isnull', False)), fields=['removed_at', 'id'], name='stacklabelhistory_end'), models.Index(fields=['label', 'stack_id'], name='stack_label_history_word'), models.Index(fields=['stack_id'], name='stack_label_history_stack')],
                'constraints': [models.CheckConstraint(condition=models.Q(('removed_at__gte', models.F('added_at'))), name='stacklabelhistory_in_order')],
            },
        ),
        migrations.CreateModel(
            name='StackOwnerHistory',
            fields=[
                ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('added_at', models.DateTimeField()),
                ('removed_at', models.DateTimeField(null=True)),
                ('stack_id', models.UUIDField()),
                ('generator_id', models.UUIDField()),
            ],
            options={
                'db_table': 'stack_owner_history',
                'abstract': False,
                'indexes': [models.Index(condition=models.Q(('removed_at__isnull', False)), fields=['removed_at', 'id'], name='stackownerhistory_end'), models.Index(fields=['stack_id'], name='stack_owner_history_stack')],
                'constraints': [models.CheckConstraint(condition=models.Q(('removed_at__gte', models.F('added_at'))), name='stackownerhistory_in_order')],
            },
        ),
        migrations.AddIndex(
            model_name="deploymentobject",
            index=models.Index(
                condition=models.Q(deleted_at__isnull=False),
                fields=["stack", "-sequence_id"],
                name="versions_deleted",
            ),
        ),
        follow(LABELS, ANNOTATIONS),
        migrations.RunPython(follow_owners, leave_owners),
        migrations.RunPython(fill_history, migrations.RunPython.noop),
    ]

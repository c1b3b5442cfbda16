"""On SQLite, the triggers of the history write times in the form in which Django compares them."""

from importlib import import_module

from django.db import migrations

from core.history_migrations import execute, lengthen_times, renew_sqlite

# A module's name that begins with a digit cannot be imported otherwise.
first = import_module("stacks.migrations.0006_history_tables")
numbered = import_module("stacks.migrations.0007_transaction_numbers")


def follow_owners(apps, schema_editor):
    execute(schema_editor, postgresql=[], sqlite=numbered.SQLITE)


class Migration(migrations.Migration):

    dependencies = [
        ('stacks', '0007_transaction_numbers'),
    ]

    operations = [
        renew_sqlite(first.LABELS, first.ANNOTATIONS),
        migrations.RunPython(follow_owners, migrations.RunPython.noop),
        lengthen_times("stack_label_history", "stack_annotation_history", "stack_owner_history"),
    ]

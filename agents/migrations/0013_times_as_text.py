"""On SQLite, the triggers of the history write times in the form in which Django compares them."""

from importlib import import_module

from django.db import migrations

from core.history_migrations import lengthen_times, renew_sqlite

# A module's name that begins with a digit cannot be imported otherwise.
FOLLOWED = import_module("agents.migrations.0007_history_tables").FOLLOWED


class Migration(migrations.Migration):

    dependencies = [
        ('agents', '0012_waiting_removals'),
    ]

    operations = [
        renew_sqlite(*FOLLOWED),
        lengthen_times(*(each.history for each in FOLLOWED)),
    ]

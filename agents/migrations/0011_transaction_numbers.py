"""History rows, and releases, name the transactions that made them, so that the audit log tells who it was."""

from importlib import import_module

from django.db import migrations, models

from core.history_migrations import number, number_rows
from core.migration_locks import LockTables

# A module's name that begins with a digit cannot be imported otherwise.
FOLLOWED = import_module("agents.migrations.0007_history_tables").FOLLOWED


class Migration(migrations.Migration):

    dependencies = [
        ('agents', '0010_index_of_reports'),
    ]

    operations = [
        LockTables(altered=(*(each.history for each in FOLLOWED), "object_releases")),
        migrations.AddField(
            model_name='agentannotationhistory',
            name='added_in',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='agentannotationhistory',
            name='removed_in',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='agentlabelhistory',
            name='added_in',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='agentlabelhistory',
            name='removed_in',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='holdhistory',
            name='added_in',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='holdhistory',
            name='removed_in',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='markerdeliveryhistory',
            name='added_in',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='markerdeliveryhistory',
            name='removed_in',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='registrationhistory',
            name='added_in',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='registrationhistory',
            name='removed_in',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='targethistory',
            name='added_in',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='targethistory',
            name='removed_in',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='versionrelease',
            name='transaction_number',
            field=models.BigIntegerField(editable=False, null=True),
        ),
        number(*FOLLOWED),
        number_rows("object_releases"),
    ]

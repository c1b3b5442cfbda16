from django.db import migrations, models

from core.migration_locks import LockTables


class Migration(migrations.Migration):

    dependencies = [
        ('agents', '0011_transaction_numbers'),
    ]

    operations = [
        LockTables(altered=("agent_marker_deliveries",)),
        migrations.AddField(
            model_name='markerdelivery',
            name='waits_since',
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterModelOptions(
            name='markerdelivery',
            options={'verbose_name': 'removal'},
        ),
    ]

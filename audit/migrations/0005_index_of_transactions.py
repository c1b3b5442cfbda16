"""The log may be long: its index is built while it is written."""

from django.db import migrations, models

from core.migration_indexes import AddIndexWhileInUse


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('audit', '0004_transaction_numbers'),
    ]

    operations = [
        AddIndexWhileInUse(
            model_name='auditlog',
            index=models.Index(condition=models.Q(('transaction_number__isnull', False)), fields=['transaction_number'], name='audit_by_transaction'),
        ),
    ]

"""Entries name the transaction that wrote them. What was written before has none."""

from django.db import migrations, models

from core.history_migrations import number_rows


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0003_seals'),
    ]

    operations = [
        migrations.AddField(
            model_name='auditlog',
            name='transaction_number',
            field=models.BigIntegerField(editable=False, null=True),
        ),
        number_rows("audit_logs"),
    ]

"""The table is older than the app: `core` had made it. Only Django's records move; no statement touches the table."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [("core", "0003_config_snapshot_moved")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="ConfigSnapshot",
                    fields=[
                        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                        ("values", models.JSONField()),
                    ],
                    options={
                        "db_table": "config_snapshot",
                        "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="one_config_snapshot")],
                    },
                ),
            ],
        )
    ]

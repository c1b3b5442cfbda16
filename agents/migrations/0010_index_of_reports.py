"""Reports may be millions: their index is built while they are written, and the one that it replaces goes after it."""

from django.db import migrations, models

from core.migration_indexes import AddIndexWhileInUse


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("agents", "0009_hearing_mark")]

    operations = [
        AddIndexWhileInUse(
            model_name="agentevent",
            index=models.Index(
                fields=["deployment_object", "agent", "-created_at", "-id"], name="agent_events_on_object"
            ),
        ),
        migrations.RemoveIndex(model_name="agentevent", name="agent_events_of_object"),
    ]

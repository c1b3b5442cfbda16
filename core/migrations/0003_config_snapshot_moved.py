"""The app `config` owns the table from now on."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("core", "0002_rates_and_settings")]

    operations = [migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel("ConfigSnapshot")])]

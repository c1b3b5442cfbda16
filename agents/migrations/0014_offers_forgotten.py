from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('agents', '0013_times_as_text'),
    ]

    operations = [
        migrations.AddField(
            model_name='agentheartbeat',
            name='offers_forgotten_at',
            field=models.DateTimeField(null=True),
        ),
    ]

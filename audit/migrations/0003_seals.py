from typing import Any

import uuid_utils.compat
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def leave_room(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Room in each page for the row's new version when it is sealed: then no index changes."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE audit_logs SET (fillfactor = 60)")


def fill_pages(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """As it was before."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE audit_logs RESET (fillfactor)")


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0002_audit_by_actor_label'),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditKey',
            fields=[
                ('public_key', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('endorsed_by', models.CharField(blank=True, max_length=64)),
                ('endorsement', models.CharField(blank=True, max_length=128)),
                ('created_at', models.DateTimeField()),
            ],
            options={
                'verbose_name': 'audit key',
                'db_table': 'audit_keys',
            },
        ),
        migrations.CreateModel(
            name='AuditSeal',
            fields=[
                ('number', models.BigIntegerField(primary_key=True, serialize=False)),
                ('chain', models.PositiveIntegerField()),
                ('previous_hash', models.CharField(blank=True, max_length=64)),
                ('lost_head', models.CharField(blank=True, max_length=64)),
                ('entries', models.PositiveIntegerField()),
                ('first_sequence', models.BigIntegerField()),
                ('last_sequence', models.BigIntegerField()),
                ('entries_hash', models.CharField(max_length=64)),
                ('newest_at', models.DateTimeField()),
                ('sealed_at', models.DateTimeField()),
                ('public_key', models.CharField(max_length=64)),
                ('hash', models.CharField(max_length=64, unique=True)),
                ('signature', models.CharField(max_length=128)),
                ('expired_at', models.DateTimeField(null=True)),
            ],
            options={
                'verbose_name': 'audit seal',
                'db_table': 'audit_seals',
            },
        ),
        migrations.CreateModel(
            name='SealingState',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('searched_all_at', models.DateTimeField(null=True)),
                ('told_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'audit_sealing_state',
            },
        ),
        migrations.AddField(
            model_name='auditlog',
            name='after',
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name='auditlog',
            name='author_salt',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='auditlog',
            name='before',
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name='auditlog',
            name='content_salt',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='auditlog',
            name='erased',
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name='auditlog',
            name='reason',
            field=models.TextField(blank=True, db_default='', default=''),
        ),
        migrations.AddField(
            model_name='auditlog',
            name='seal',
            field=models.BigIntegerField(null=True),
        ),
        migrations.CreateModel(
            name='AuditVerification',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('running', 'Running'), ('holds', 'Holds'), ('broken', 'Broken')], default='waiting', max_length=10)),
                ('requested_by', models.CharField(max_length=255)),
                ('expected_hash', models.CharField(blank=True, max_length=64)),
                ('created_at', models.DateTimeField()),
                ('started_at', models.DateTimeField(null=True)),
                ('seen_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('seals', models.BigIntegerField(default=0)),
                ('entries', models.BigIntegerField(default=0)),
                ('erased', models.BigIntegerField(default=0)),
                ('broken_seal', models.BigIntegerField(null=True)),
                ('finding', models.CharField(blank=True, max_length=20)),
                ('explanation', models.TextField(blank=True)),
            ],
            options={
                'verbose_name': 'audit verification',
                'db_table': 'audit_verifications',
                'indexes': [models.Index(fields=['-created_at'], name='audit_verifications_newest')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'running', 'holds', 'broken'])), name='audit_verification_state')],
            },
        ),
        migrations.RunPython(leave_room, fill_pages),
    ]

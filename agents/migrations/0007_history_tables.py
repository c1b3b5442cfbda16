"""History of what ties agents to stacks, of holds, owed markers, forgotten offers and silence.

The moment at which this migration was applied is the earliest that can be asked about (`agents/wanted/past.py`). On
SQLite a later migration that rebuilds one of the tables must create its triggers again.
"""

import uuid_utils.compat
import django.db.models.expressions
from django.db import migrations, models
from django.utils import timezone

from core.history_migrations import Followed, execute, fill, follow
from core.migration_locks import LockTables

FOLLOWED = (
    Followed("agent_labels", "agent_label_history", ("agent_id", "label")),
    Followed("agent_annotations", "agent_annotation_history", ("agent_id", "key", "value")),
    Followed("agent_targets", "agent_target_history", ("agent_id", "stack_id")),
    Followed("agent_generator_registrations", "agent_registration_history", ("agent_id", "generator_id")),
    Followed("object_holds", "object_hold_history", ("version_id", "reason")),
    Followed("agent_marker_deliveries", "agent_marker_delivery_history", ("agent_id", "marker_id")),
)

# An offer gets its history row when it is forgotten.
COLUMNS = "id, agent_id, version_id, stack_id, offered_at"
POSTGRESQL = f"""
CREATE FUNCTION agent_offer_history_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO agent_offer_history ({COLUMNS}) SELECT {COLUMNS} FROM written;
    RETURN NULL;
END
$$;
CREATE TRIGGER agent_offer_history_end AFTER DELETE ON agent_offers REFERENCING OLD TABLE AS written
FOR EACH STATEMENT EXECUTE FUNCTION agent_offer_history_end();
"""
POSTGRESQL_DROP = """
DROP TRIGGER agent_offer_history_end ON agent_offers;
DROP FUNCTION agent_offer_history_end();
"""
SQLITE = f"""
CREATE TRIGGER agent_offer_history_end AFTER DELETE ON agent_offers BEGIN
    INSERT INTO agent_offer_history ({COLUMNS})
    VALUES (OLD.id, OLD.agent_id, OLD.version_id, OLD.stack_id, OLD.offered_at);
END
"""


def follow_offers(apps, schema_editor):
    execute(schema_editor, postgresql=[POSTGRESQL], sqlite=[SQLITE])


def leave_offers(apps, schema_editor):
    execute(schema_editor, postgresql=[POSTGRESQL_DROP], sqlite=["DROP TRIGGER agent_offer_history_end"])


def fill_history(apps, schema_editor):
    def of(name):
        return apps.get_model("agents", name)

    def rows(name):
        return of(name).objects.all()

    fill(rows("AgentLabel"), of("AgentLabelHistory"), "agent_id", "label")
    fill(rows("AgentAnnotation"), of("AgentAnnotationHistory"), "agent_id", "key", "value")
    fill(rows("AgentTarget"), of("TargetHistory"), "agent_id", "stack_id")
    fill(rows("Registration"), of("RegistrationHistory"), "agent_id", "generator_id", time="registered_at")
    fill(rows("VersionHold"), of("HoldHistory"), "version_id", "reason", time="created_at")
    fill(rows("MarkerDelivery"), of("MarkerDeliveryHistory"), "agent_id", "marker_id", time="created_at")
    silence = of("AgentSilence")
    now = timezone.now()
    silent = of("Agent").objects.filter(silent_since__isnull=False, deleted_at__isnull=True)
    silence.objects.bulk_create(
        silence(agent_id=agent_id, since=since, announced_at=now)
        for agent_id, since in silent.values_list("pk", "silent_since")
    )


class Migration(migrations.Migration):

    dependencies = [
        ('agents', '0006_report_name'),
        ('stacks', '0006_history_tables'),
    ]

    operations = [
        LockTables(extended=(*(each.table for each in FOLLOWED), "agent_offers")),
        migrations.CreateModel(
            name='AgentAnnotationHistory',
            fields=[
                ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('added_at', models.DateTimeField()),
                ('removed_at', models.DateTimeField(null=True)),
                ('agent_id', models.UUIDField()),
                ('key', models.CharField(max_length=64)),
                ('value', models.CharField(max_length=64)),
            ],
            options={
                'db_table': 'agent_annotation_history',
                'abstract': False,
                'indexes': [models.Index(condition=models.Q(('removed_at__isnull', False)), fields=['removed_at', 'id'], name='agentannotationhistory_end'), models.Index(fields=['agent_id'], name='agent_annotation_history_agent'), models.Index(fields=['key', 'value'], name='agent_annotation_history_word')],
                'constraints': [models.CheckConstraint(condition=models.Q(('removed_at__gte', models.F('added_at'))), name='agentannotationhistory_in_order')],
            },
        ),
        migrations.CreateModel(
            name='AgentLabelHistory',
            fields=[
                ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('added_at', models.DateTimeField()),
                ('removed_at', models.DateTimeField(null=True)),
                ('agent_id', models.UUIDField()),
                ('label', models.CharField(max_length=64)),
            ],
            options={
                'db_table': 'agent_label_history',
                'abstract': False,
                'indexes': [models.Index(condition=models.Q(('removed_at__isnull', False)), fields=['removed_at', 'id'], name='agentlabelhistory_end'), models.Index(fields=['agent_id'], name='agent_label_history_agent'), models.Index(fields=['label'], name='agent_label_history_word')],
                'constraints': [models.CheckConstraint(condition=models.Q(('removed_at__gte', models.F('added_at'))), name='agentlabelhistory_in_order')],
            },
        ),
        migrations.CreateModel(
            name='AgentSilence',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('agent_id', models.UUIDField()),
                ('since', models.DateTimeField()),
                ('announced_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'agent_silences',
                'indexes': [models.Index(fields=['agent_id', 'announced_at'], name='agent_silences_agent'), models.Index(condition=models.Q(('ended_at__isnull', False)), fields=['ended_at', 'id'], name='agent_silences_end')],
            },
        ),
        migrations.CreateModel(
            name='HoldHistory',
            fields=[
                ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('added_at', models.DateTimeField()),
                ('removed_at', models.DateTimeField(null=True)),
                ('version_id', models.BigIntegerField()),
                ('reason', models.CharField(choices=[('rollout', 'Rollout'), ('freeze', 'Freeze'), ('rolled_back_content', 'Rolled Back Content'), ('rollback', 'Rollback'), ('superseded', 'Superseded')], max_length=30)),
            ],
            options={
                'db_table': 'object_hold_history',
                'abstract': False,
                'indexes': [models.Index(condition=models.Q(('removed_at__isnull', False)), fields=['removed_at', 'id'], name='holdhistory_end'), models.Index(fields=['version_id'], name='object_hold_history_version')],
                'constraints': [models.CheckConstraint(condition=models.Q(('removed_at__gte', models.F('added_at'))), name='holdhistory_in_order')],
            },
        ),
        migrations.CreateModel(
            name='MarkerDeliveryHistory',
            fields=[
                ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('added_at', models.DateTimeField()),
                ('removed_at', models.DateTimeField(null=True)),
                ('agent_id', models.UUIDField()),
                ('marker_id', models.BigIntegerField()),
            ],
            options={
                'db_table': 'agent_marker_delivery_history',
                'abstract': False,
                'indexes': [models.Index(condition=models.Q(('removed_at__isnull', False)), fields=['removed_at', 'id'], name='markerdeliveryhistory_end'), models.Index(fields=['agent_id'], name='marker_history_agent'), models.Index(fields=['marker_id'], name='marker_history_marker')],
                'constraints': [models.CheckConstraint(condition=models.Q(('removed_at__gte', models.F('added_at'))), name='markerdeliveryhistory_in_order')],
            },
        ),
        migrations.CreateModel(
            name='OfferHistory',
            fields=[
                ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('agent_id', models.UUIDField()),
                ('version_id', models.BigIntegerField()),
                ('stack_id', models.UUIDField()),
                ('offered_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'agent_offer_history',
                'indexes': [models.Index(fields=['agent_id', 'offered_at'], name='agent_offer_history_agent'), models.Index(fields=['stack_id', 'offered_at'], name='agent_offer_history_stack'), models.Index(fields=['offered_at', 'id'], name='agent_offer_history_age')],
            },
        ),
        migrations.CreateModel(
            name='RegistrationHistory',
            fields=[
                ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('added_at', models.DateTimeField()),
                ('removed_at', models.DateTimeField(null=True)),
                ('agent_id', models.UUIDField()),
                ('generator_id', models.UUIDField()),
            ],
            options={
                'db_table': 'agent_registration_history',
                'abstract': False,
                'indexes': [models.Index(condition=models.Q(('removed_at__isnull', False)), fields=['removed_at', 'id'], name='registrationhistory_end'), models.Index(fields=['agent_id'], name='registration_history_agent'), models.Index(fields=['generator_id'], name='registration_history_owner')],
                'constraints': [models.CheckConstraint(condition=models.Q(('removed_at__gte', models.F('added_at'))), name='registrationhistory_in_order')],
            },
        ),
        migrations.CreateModel(
            name='TargetHistory',
            fields=[
                ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('added_at', models.DateTimeField()),
                ('removed_at', models.DateTimeField(null=True)),
                ('agent_id', models.UUIDField()),
                ('stack_id', models.UUIDField()),
            ],
            options={
                'db_table': 'agent_target_history',
                'abstract': False,
                'indexes': [models.Index(condition=models.Q(('removed_at__isnull', False)), fields=['removed_at', 'id'], name='targethistory_end'), models.Index(fields=['agent_id'], name='agent_target_history_agent'), models.Index(fields=['stack_id'], name='agent_target_history_stack')],
                'constraints': [models.CheckConstraint(condition=models.Q(('removed_at__gte', models.F('added_at'))), name='targethistory_in_order')],
            },
        ),
        follow(*FOLLOWED),
        migrations.RunPython(follow_offers, leave_offers),
        migrations.RunPython(fill_history, migrations.RunPython.noop),
    ]

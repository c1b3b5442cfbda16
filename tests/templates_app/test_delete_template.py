"""DELETE /templates/{id}, and what goes with a generator."""

from uuid import uuid4

import pytest
from django.db import transaction

from core.events import SYSTEM
from generators.services import delete_generator, lock_generator
from templates_app.models import StackTemplate, TemplateAnnotation, TemplateLabel
from tests.factories import make_agent, make_generator, make_template
from tests.support.api import refused
from tests.support.events import notices, recorded_audit, recorded_events

pytestmark = pytest.mark.django_db


def test_that_version_alone_is_gone(admin):
    one, two = make_template(name="web"), make_template(name="web")
    response = admin.delete(f"/templates/{one.id}")
    assert (response.status_code, response.content) == (204, b"")
    refused(admin.get(f"/templates/{one.id}"), 404, "template_not_found")
    assert admin.get(f"/templates/{two.id}").status_code == 200
    refused(admin.delete(f"/templates/{one.id}"), 404, "template_not_found")


def test_the_row_its_labels_and_annotations_stay(admin):
    template = make_template(labels=["prod"], annotations={"region": "eu"})
    admin.delete(f"/templates/{template.id}")
    row = StackTemplate.objects.get(id=template.id)
    assert row.deleted_at is not None
    assert row.deleted_at == row.updated_at
    assert TemplateLabel.objects.filter(template=template).exists()
    assert TemplateAnnotation.objects.filter(template=template).exists()


def test_owners_delete_their_own_and_nobody_elses(anonymous, admin):
    generator, owner = make_generator()
    own, systems = make_template(generator), make_template()
    refused(anonymous.delete(f"/templates/{own.id}"), 401, "unauthorized")
    for api in (make_generator()[1], make_agent()[1]):
        refused(api.delete(f"/templates/{uuid4()}"), 404, "template_not_found")
        for template in (own, systems):
            refused(api.delete(f"/templates/{template.id}"), 403, "template_not_owned")
    refused(owner.delete(f"/templates/{systems.id}"), 403, "template_not_owned")
    assert owner.delete(f"/templates/{own.id}").status_code == 204
    assert admin.delete(f"/templates/{systems.id}").status_code == 204


def test_a_stale_if_match_is_412(admin):
    template = make_template(name="web")
    tag = admin.get(f"/templates/{template.id}").headers["ETag"]
    make_template(name="web")
    stale = admin.delete(f"/templates/{template.id}", headers={"If-Match": tag})
    refused(stale, 412, "precondition_failed")
    tag = admin.get(f"/templates/{template.id}").headers["ETag"]
    assert admin.delete(f"/templates/{template.id}", headers={"If-Match": tag}).status_code == 204


def test_it_is_audited_once_and_not_announced(admin):
    template = make_template()
    with recorded_events() as events, recorded_audit() as rows:
        admin.delete(f"/templates/{template.id}")
        admin.delete(f"/templates/{template.id}")
    assert [(row.action, row.resource_type, row.resource_id, row.details) for row in rows] == [
        ("template.deleted", "template", template.id, None)
    ]
    assert notices(events) == []


def test_deleting_a_generator_deletes_its_templates_and_no_others(admin):
    generator, _ = make_generator()
    own, other, systems = (
        make_template(generator),
        make_template(make_generator()[0]),
        make_template(),
    )
    admin.delete(f"/generators/{generator.id}")
    refused(admin.get(f"/templates/{own.id}"), 404, "template_not_found")
    assert {row["id"] for row in admin.get("/templates").json()} == {str(other.id), str(systems.id)}


def test_a_template_that_was_deleted_earlier_keeps_its_time():
    generator, api = make_generator()
    template = make_template(generator)
    api.delete(f"/templates/{template.id}")
    before = StackTemplate.objects.get(id=template.id).deleted_at
    with transaction.atomic():
        delete_generator(generator=lock_generator(generator.id), actor=SYSTEM)
    assert StackTemplate.objects.get(id=template.id).deleted_at == before

"""PUT /templates/{id}: a new version."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.db import connection, transaction

from core.events import SYSTEM
from generators.models import Generator
from templates_app.models import StackTemplate
from templates_app.services import delete_template, draft, lock_template, update_template
from tests.factories import TEMPLATE, make_agent, make_generator, make_template
from tests.support.api import refused
from tests.support.events import recorded_audit
from tests.support.waits import until_it_waits_or_ends

pytestmark = pytest.mark.django_db

BODY = {"template_content": "b: {{ b }}", "parameters_schema": '{"type": "object"}'}


def test_it_makes_a_new_version_and_leaves_the_old_one(admin):
    old = make_template(name="web", description="first")
    response = admin.put(f"/templates/{old.id}", BODY | {"description": "second"})
    assert response.status_code == 200
    body = response.json()
    assert body["id"] != str(old.id)
    assert (body["name"], body["version"], body["description"]) == ("web", 2, "second")
    assert body["template_content"] == BODY["template_content"]
    assert body["parameters_schema"] == BODY["parameters_schema"]
    before = StackTemplate.objects.get(id=old.id)
    assert (before.version, before.description, before.template_content) == (1, "first", TEMPLATE)
    assert (before.checksum, before.updated_at, before.deleted_at) == (old.checksum, old.updated_at, None)


def test_the_number_follows_the_highest_live_version_and_not_the_addressed_one(admin):
    one, _, three = (make_template(name="web") for _ in range(3))
    assert admin.put(f"/templates/{one.id}", BODY).json()["version"] == 4
    delete_template(template=StackTemplate.objects.get(version=4), actor=SYSTEM)
    delete_template(template=three, actor=SYSTEM)
    assert admin.put(f"/templates/{one.id}", BODY).json()["version"] == 3


def test_labels_and_annotations_are_not_copied(admin):
    old = make_template(labels=["prod"], annotations={"region": "eu"})
    new = admin.put(f"/templates/{old.id}", BODY).json()["id"]
    assert admin.get(f"/templates/{new}/labels").json() == []
    assert admin.get(f"/templates/{new}/annotations").json() == []
    assert len(admin.get(f"/templates/{old.id}/labels").json()) == 1
    assert len(admin.get(f"/templates/{old.id}/annotations").json()) == 1


@pytest.mark.parametrize("sent", [{}, {"description": None}])
def test_without_a_description_the_addressed_versions_is_inherited(admin, sent):
    old = make_template(name="web", description="first")
    make_template(name="web", description="newer")
    assert admin.put(f"/templates/{old.id}", BODY | sent).json()["description"] == "first"


def test_an_admin_adds_to_a_generators_template_and_it_stays_the_generators(admin):
    generator, api = make_generator()
    old = make_template(generator, name="web")
    make_template(name="web")
    body = admin.put(f"/templates/{old.id}", BODY).json()
    assert (body["generator_id"], body["version"]) == (str(generator.id), 2)
    assert api.get(f"/templates/{body['id']}").status_code == 200


def test_the_whole_object_is_accepted_and_read_only_fields_are_ignored(admin):
    old = make_template(name="web")
    sent = admin.get(f"/templates/{old.id}").json() | {"name": "other", "version": 17, "checksum": "x"}
    body = admin.put(f"/templates/{old.id}", sent).json()
    assert (body["name"], body["version"], body["checksum"]) == ("web", 2, old.checksum)


def test_an_id_that_is_not_the_paths_is_400(admin):
    old = make_template()
    body = BODY | {"id": str(make_template().id)}
    refused(admin.put(f"/templates/{old.id}", body), 400, "template_id_mismatch")
    refused(admin.put(f"/templates/{old.id}", BODY | {"id": "x"}), 422, "invalid_request_body")
    assert admin.put(f"/templates/{old.id}", BODY | {"id": str(old.id).upper()}).status_code == 200


@pytest.mark.parametrize("field", ["template_content", "parameters_schema"])
def test_content_and_schema_must_be_there(admin, field):
    body = {name: value for name, value in BODY.items() if name != field}
    refused(admin.put(f"/templates/{make_template().id}", body), 422, "invalid_request_body")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"template_content": " "}, "invalid_template"),
        ({"description": " "}, "invalid_template"),
        ({"template_content": "{{"}, "invalid_template_syntax"),
        ({"parameters_schema": "{"}, "invalid_parameters_schema"),
    ],
)
def test_the_content_is_checked_as_at_creation(admin, wrong, code):
    refused(admin.put(f"/templates/{make_template().id}", BODY | wrong), 400, code)
    assert StackTemplate.objects.count() == 1


def test_existence_then_ownership_then_content(anonymous, admin):
    generator, owner = make_generator()
    own, systems = make_template(generator), make_template()
    wrong = BODY | {"template_content": "{{"}
    refused(admin.put(f"/templates/{uuid4()}", wrong), 404, "template_not_found")
    refused(anonymous.put(f"/templates/{own.id}", wrong), 401, "unauthorized")
    for api in (make_generator()[1], make_agent()[1]):
        refused(api.put(f"/templates/{uuid4()}", wrong), 404, "template_not_found")
        refused(api.put(f"/templates/{own.id}", wrong), 403, "template_not_owned")
        refused(api.put(f"/templates/{systems.id}", wrong), 403, "template_not_owned")
    refused(owner.put(f"/templates/{systems.id}", wrong), 403, "template_not_owned")
    refused(owner.put(f"/templates/{own.id}", wrong), 400, "invalid_template_syntax")
    assert owner.put(f"/templates/{own.id}", BODY).status_code == 200


def test_a_deleted_version_is_404(admin):
    old = make_template(name="web")
    make_template(name="web")
    delete_template(template=old, actor=SYSTEM)
    refused(admin.put(f"/templates/{old.id}", BODY), 404, "template_not_found")


def test_an_inactive_generator_may_not_but_an_admin_may(admin):
    generator, api = make_generator()
    old = make_template(generator)
    Generator.objects.filter(id=generator.id).update(is_active=False)
    refused(api.put(f"/templates/{old.id}", BODY), 403, "generator_inactive")
    assert admin.put(f"/templates/{old.id}", BODY).status_code == 200


def test_if_match_takes_what_get_answered_and_is_stale_after_another_version(admin):
    old = make_template()
    tag = admin.get(f"/templates/{old.id}").headers["ETag"]
    assert admin.put(f"/templates/{old.id}", BODY, headers={"If-Match": tag}).status_code == 200
    refused(admin.put(f"/templates/{old.id}", BODY, headers={"If-Match": tag}), 412, "precondition_failed")
    assert StackTemplate.objects.count() == 2


def test_it_is_audited_under_the_new_versions_id():
    generator, api = make_generator()
    old = make_template(generator, name="web")
    with recorded_audit() as rows:
        new = api.put(f"/templates/{old.id}", BODY).json()["id"]
    assert [(row.action, row.resource_type, str(row.resource_id), row.details) for row in rows] == [
        ("template.updated", "template", new, {"name": "web", "version": 2})
    ]
    assert (rows[0].actor_type, rows[0].actor_id) == ("generator", generator.id)


@pytest.mark.requires_postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("owned", [True, False])
def test_two_versions_at_once_get_different_numbers(owned):
    old = make_template(make_generator()[0] if owned else None)
    content = draft(description=None, **BODY)

    def add() -> StackTemplate:
        try:
            with transaction.atomic():
                return update_template(template=lock_template(old.id), draft=content, actor=SYSTEM)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            mine = update_template(template=lock_template(old.id), draft=content, actor=SYSTEM)
            other = pool.submit(add)
            until_it_waits_or_ends(other)
            assert not other.done()
        theirs = other.result()
    assert (mine.version, theirs.version) == (2, 3)

"""GET /templates/{id}."""

from uuid import uuid4

import pytest

from core.events import SYSTEM
from templates_app.services import delete_template
from tests.factories import TEMPLATE, make_agent, make_generator, make_template
from tests.support.api import refused

pytestmark = pytest.mark.django_db


def test_that_exact_version_with_all_live_versions_of_its_name(admin):
    generator, _ = make_generator()
    one, two, three = (make_template(generator, name="web") for _ in range(3))
    make_template(name="web")
    make_template(generator, name="other")
    delete_template(template=two, actor=SYSTEM)
    body = admin.get(f"/templates/{one.id}").json()
    assert (body["id"], body["version"], body["template_content"]) == (str(one.id), 1, TEMPLATE)
    assert [(row["id"], row["version"]) for row in body["versions"]] == [(str(three.id), 3), (str(one.id), 1)]
    assert set(body["versions"][0]) == {"id", "version", "created_at"}


def test_a_system_template_is_every_generators_to_read(admin):
    template = make_template()
    for api in (admin, make_generator()[1], make_generator()[1]):
        assert api.get(f"/templates/{template.id}").status_code == 200


def test_a_generators_template_is_its_own_and_the_admins(admin):
    generator, owner = make_generator()
    template = make_template(generator)
    assert admin.get(f"/templates/{template.id}").status_code == 200
    assert owner.get(f"/templates/{template.id}").status_code == 200
    refused(make_generator()[1].get(f"/templates/{template.id}"), 403, "template_not_accessible")


def test_agents_and_callers_without_a_key_may_not(anonymous):
    for template in (make_template(), make_template(make_generator()[0])):
        refused(make_agent()[1].get(f"/templates/{template.id}"), 403, "template_not_accessible")
        refused(anonymous.get(f"/templates/{template.id}"), 401, "unauthorized")


def test_an_unknown_or_deleted_id_is_404_for_everybody(admin):
    template = make_template(make_generator()[0])
    delete_template(template=template, actor=SYSTEM)
    for api in (admin, make_generator()[1], make_agent()[1]):
        refused(api.get(f"/templates/{template.id}"), 404, "template_not_found")
        refused(api.get(f"/templates/{uuid4()}"), 404, "template_not_found")
        refused(api.get("/templates/17"), 400, "invalid_path")


def test_the_tag_stays_until_another_version_comes(admin):
    template = make_template(name="web")
    tag = admin.get(f"/templates/{template.id}").headers["ETag"]
    known = {"If-None-Match": tag}
    assert admin.get(f"/templates/{template.id}", headers=known).status_code == 304
    make_template(name="web")
    assert admin.get(f"/templates/{template.id}", headers=known).status_code == 200

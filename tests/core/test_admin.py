"""What all admin pages have in common: who may open them, and that they lead nowhere else."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from pytest_django import DjangoDbBlocker

from agents.models import AgentEvent, Registration
from generators.models import Generator
from paks.models import Pak
from stacks.models import DeploymentObject
from tests.factories import (
    make_agent,
    make_generator,
    make_stack,
)
from tests.support.admin import staff
from tests.support.admin_rows import LISTS, fill, first_pk
from tests.support.events import audited_changes
from tests.support.shared_rows import shared_rows

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.any_database("what pages of the admin show, and what their buttons do"),
]

READ_ONLY = [
    "workorders/workorder/",
    "workorders/workorderlogentry/",
    "stacks/deploymentobject/",
    "agents/agentevent/",
    "agents/registration/",
    "health/deploymenthealth/",
    "diagnostics/diagnosticrequest/",
    "webhooks/delivery/",
    "rollouts/rollout/",
    "rollouts/freeze/",
    "bulk/bulkjob/",
    "agents/versionhold/",
    "agents/markerdelivery/",
    "paks/pak/",
    "audit/auditlog/",
    "audit/auditseal/",
]
NEVER_ADDED = [
    "webhooks/delivery/",
    "health/deploymenthealth/",
    "workorders/workorderlogentry/",
    "stacks/deploymentobject/",
    "agents/agentevent/",
    "rollouts/rollout/",
    "bulk/bulkjob/",
    "agents/versionhold/",
    "agents/markerdelivery/",
    "audit/auditlog/",
    "audit/auditseal/",
]


@pytest.fixture(scope="module", autouse=True)
def _two_of_each(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with shared_rows(django_db_blocker, lambda: fill(2)):
        yield


@pytest.mark.parametrize("path", LISTS)
def test_staff_without_permissions_sees_nothing(path):
    nobody = staff()
    assert nobody.get(path).status_code == 403
    assert nobody.get(f"{path}{first_pk(path)}/change/").status_code == 403
    assert nobody.get(f"{path}{first_pk(path)}/history/").status_code == 403
    index = nobody.get("").content.decode()
    assert path not in index


@pytest.mark.parametrize("path", LISTS)
def test_a_viewer_looks_and_changes_nothing(path):
    app, model = path.strip("/").split("/")
    viewer = staff(f"{app}.view_{model}")
    pk = first_pk(path)
    before = audited_changes().count()
    assert viewer.get(path).status_code == 200
    assert viewer.get(f"{path}{pk}/change/").status_code == 200
    assert path in viewer.get("").content.decode()
    assert viewer.post(f"{path}add/", {"name": "x"}).status_code == 403
    assert viewer.post(f"{path}{pk}/change/", {"name": "x"}).status_code == 403
    assert viewer.post(f"{path}{pk}/delete/", {"post": "yes"}).status_code == 403
    assert audited_changes().count() == before


@pytest.mark.parametrize(
    "page",
    [
        "generators/generator/{}/rotate_key/",
        "agents/agent/{}/activate/",
        "agents/agent/{}/pause/",
        "agents/agent/{}/rotate_key/",
        "paks/pak/{}/revoke/",
        "workorders/workorder/{}/cancel/",
        "workorders/workorderlogentry/{}/requeue/",
        "webhooks/subscription/{}/test/",
        "webhooks/subscription/{}/enable/",
        "webhooks/subscription/{}/disable/",
        "webhooks/subscription/{}/rotate/",
        "webhooks/delivery/{}/redeliver/",
        "rollouts/rollout/{}/pause/",
        "rollouts/rollout/{}/resume/",
        "rollouts/rollout/{}/approve/",
        "rollouts/rollout/{}/abort/",
        "rollouts/rollout/{}/skip/",
        "rollouts/rollout/{}/roll_back/",
        "rollouts/freeze/{}/lift/",
        "agents/versionhold/{}/release/",
        "agents/markerdelivery/{}/confirm/",
        "bulk/bulkjob/{}/stop/",
        "bulk/bulkjob/{}/resume/",
        "bulk/bulkjob/{}/rest/",
    ],
)
def test_a_viewer_has_no_use_of_the_buttons(page):
    app, model, *_ = page.split("/")
    viewer = staff(f"{app}.view_{model}")
    path = page.format(first_pk(f"{app}/{model}/"))
    before = audited_changes().count()
    assert viewer.post(path, {"confirmed": "yes"}).status_code == 403
    assert viewer.get(path).status_code == 403
    assert audited_changes().count() == before


@pytest.mark.parametrize("path", READ_ONLY)
def test_not_even_a_superuser_changes_what_is_only_read(operator, path):
    assert operator.post(f"{path}{first_pk(path)}/change/", {"name": "x"}).status_code == 403


@pytest.mark.parametrize("path", NEVER_ADDED)
def test_not_even_a_superuser_adds_or_deletes_what_happened(operator, path):
    assert operator.post(f"{path}add/", {"name": "x"}).status_code == 403
    assert operator.post(f"{path}{first_pk(path)}/delete/", {"post": "yes"}).status_code == 403
    before = [DeploymentObject.objects.count(), AgentEvent.objects.count(), audited_changes().count()]
    operator.post(path, {"action": "delete_selected", "_selected_action": str(first_pk(path)), "post": "yes"})
    assert [DeploymentObject.objects.count(), AgentEvent.objects.count(), audited_changes().count()] == before


@pytest.mark.parametrize("path", LISTS)
def test_a_row_that_is_not_there_is_a_message(operator, path):
    response = operator.get(f"{path}0190f000-0000-7000-8000-000000000000/change/")
    assert response.status_code == 302


def test_nothing_is_loaded_from_elsewhere(operator):
    for path in ["", *LISTS, f"agents/agent/{first_pk('agents/agent/')}/change/"]:
        page = operator.get(path).content.decode()
        loaded = [part.split('"')[0] for part in page.split('src="')[1:]]
        loaded += [part.split('"')[0] for part in page.split('<link href="')[1:]]
        assert loaded
        assert [url for url in loaded if not url.startswith("/") or url.startswith("//")] == []


def test_the_admin_is_found_without_its_slash():
    assert Client().get("/admin").headers["Location"] == "/admin/"


def test_the_audit_log_of_a_row_has_a_button_on_its_page(operator):
    stack = make_stack()
    page = operator.get(f"stacks/stack/{stack.pk}/change/").content.decode()
    assert f'href="/admin/stacks/stack/{stack.pk}/history/"' in page
    # What a stack was over time are its versions; two ways called alike would lead to different places.
    assert ("Audit log" in page, "Versions" in page, "History" in page) == (True, True, False)
    response = operator.get(f"stacks/stack/{stack.pk}/history/")
    assert response.headers["Location"] == f"/admin/audit/auditlog/?q={stack.pk}"


@pytest.mark.parametrize(
    ("path", "hidden"),
    [
        ("paks/pak/", "key_hash__startswith"),
        ("paks/pak/", "short_token__startswith"),
        ("workorders/workorder/", "claim_token__startswith"),
        ("workorders/workorder/", "yaml_content__contains"),
        ("workorders/workorderlogentry/", "yaml_content__contains"),
        ("stacks/deploymentobject/", "yaml_content__contains"),
        ("agents/agentevent/", "deployment_object__yaml_content__contains"),
        ("health/deploymenthealth/", "deployment_object__yaml_content__contains"),
        ("diagnostics/diagnosticrequest/", "deployment_object__yaml_content__contains"),
        ("diagnostics/diagnosticrequest/", "result__log_tails__contains"),
        ("webhooks/subscription/", "url_sealed__startswith"),
        ("webhooks/delivery/", "payload__contains"),
        ("webhooks/delivery/", "subscription__secret_sealed__startswith"),
        ("stacks/stack/", "deployment_objects__yaml_content__contains"),
        ("templates_app/stacktemplate/", "template_content__contains"),
        ("rollouts/rollout/", "version__yaml_content__contains"),
        ("agents/versionhold/", "version__yaml_content__contains"),
    ],
)
def test_no_list_can_be_filtered_by_what_it_hides(operator, path, hidden):
    assert operator.get(path, **{hidden: "a"}).status_code == 400


@pytest.mark.parametrize(
    ("field", "path"),
    [("generator", "generators/generator/"), ("stack", "stacks/stack/"), ("agent", "agents/agent/")],
)
def test_deleted_rows_are_hidden_until_asked_for(operator, field, path):
    model: Any = {"generator": Generator, "stack": type(make_stack()), "agent": type(make_agent()[0])}[field]
    row = model.objects.filter(is_system=False).first() if field == "generator" else model.objects.first()
    model.objects.filter(pk=row.pk).update(deleted_at=row.created_at, name="long-gone")
    assert b"long-gone" not in operator.get(path).content
    assert b"long-gone" in operator.get(path, deleted="only").content
    assert b"long-gone" in operator.get(path, deleted="all").content
    page = operator.get(f"{path}{row.pk}/change/")
    assert page.content.decode().count(f'title="{row.created_at:%Y-%m-%d %H:%M:%S} UTC"') == 2
    assert operator.post(f"{path}{row.pk}/change/", {"name": "x"}).status_code == 403
    assert operator.post(f"{path}{row.pk}/delete/", {"post": "yes"}).status_code == 403


def test_selections_offer_only_live_rows(operator):
    live, gone = make_generator("live-one")[0], make_generator("gone-one")[0]
    Generator.objects.filter(pk=gone.pk).update(deleted_at=gone.created_at)
    make_agent()  # Brings the system generator.
    answer = operator.get(
        "autocomplete/", app_label="stacks", model_name="stack", field_name="generator", term="-one"
    ).json()
    assert [each["text"] for each in answer["results"]] == [live.name]


def test_all_our_tables_with_pages_are_tested_here():
    pages = {
        f"{model._meta.app_label}/{model._meta.model_name}/"
        for model in admin.site._registry
        if model._meta.app_label != "auth"
    }
    assert pages == set(LISTS)
    assert {Registration, Pak} <= set(admin.site._registry)

"""The versions that were published before there was an inventory."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core.prepared_rows import insert
from inventory import services
from inventory.jobs import read_versions_of_the_past
from inventory.models import Entry, Progress, UnreadVersion
from inventory.search import is_complete
from inventory.services import read_past
from stacks.models import DeploymentObject
from tests.factories import make_object, make_stack
from tests.support.inventory import deployment, names_in

pytestmark = pytest.mark.django_db

BROKEN = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata:\n  p: 99999999999999999999\n"


def published(*texts: str) -> list[DeploymentObject]:
    """Versions as a broker without an inventory leaves them."""
    stack = make_stack()
    rows = [DeploymentObject(stack=stack, yaml_content=text, yaml_checksum="0" * 64) for text in texts]
    for row in rows:
        row.save()
    return rows


def test_a_new_broker_is_complete(db):
    assert is_complete()


def test_the_past_is_read_in_steps_and_said_to_be_incomplete_until_it_is(admin, monkeypatch):
    monkeypatch.setattr(services, "STEP_VERSIONS", 2)
    published(*(deployment(f"web-{number}") for number in range(3)))
    assert not admin.get("/resources").json()["complete"]
    assert [read_past(now=timezone.now()) for _ in range(3)] == [2, 1, 0]
    answer = admin.get("/resources?kind=Deployment&versions=all").json()
    assert answer["complete"]
    assert sorted(names_in(answer)) == ["web-0", "web-1", "web-2"]


def test_long_texts_make_a_step_shorter(monkeypatch):
    monkeypatch.setattr(services, "STEP_CHARACTERS", 1)
    published(deployment("a"), deployment("b"))
    assert read_past(now=timezone.now()) == 1
    assert Entry.objects.of_resources().count() == 1


def test_a_version_that_cannot_be_read_is_listed_without_its_text(admin):
    broken, empty = published(BROKEN, "- a list\n")
    read_versions_of_the_past()
    rows = admin.get("/resources/unread-versions").json()
    assert [(row["deployment_object_id"], row["problem"]) for row in rows] == [
        (str(empty.id), "No document of it is a Kubernetes object with a name."),
        (str(broken.id), "Agents cannot read its YAML (document 1, line 5)."),
    ]
    assert admin.get("/resources").json()["unread_versions"] == 2
    assert is_complete()


def test_what_is_noted_already_is_not_noted_again(db):
    make_object(make_stack(), deployment("web"))
    read_versions_of_the_past()
    assert Entry.objects.of_resources().count() == 1


def test_a_version_of_an_old_process_during_an_upgrade_is_read_when_it_is_settled(db):
    read_versions_of_the_past()
    Progress.objects.update(past_ends_with=0)
    (version,) = published(deployment("web"))
    assert read_past(now=timezone.now()) == 0
    assert read_past(now=timezone.now() + timedelta(hours=1)) == 1
    assert Entry.objects.filter(version=version).exists()


def test_of_two_workers_with_the_same_step_one_writes(monkeypatch):
    published(deployment("web"))
    read = services._read
    other: list[bool] = []

    def with_another_worker(text):
        if not other:
            other.append(True)
            assert read_past(now=timezone.now()) == 1
        return read(text)

    monkeypatch.setattr(services, "_read", with_another_worker)
    read_past(now=timezone.now())
    assert Entry.objects.of_resources().count() == 1


def insert_and_die(*args, **kwargs):
    insert(*args, **kwargs)
    raise KeyboardInterrupt


def test_a_worker_that_dies_within_a_step_leaves_nothing_of_it(monkeypatch):
    published(deployment("web"))
    with monkeypatch.context() as broken:
        broken.setattr(services, "insert", insert_and_die)
        with pytest.raises(KeyboardInterrupt):
            read_past(now=timezone.now())
    assert not Entry.objects.exists()
    read_versions_of_the_past()
    assert Entry.objects.of_resources().count() == 1
    assert not UnreadVersion.objects.exists()

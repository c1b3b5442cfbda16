"""Publishing from the admin, with the checks of the API, and rolling back."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from audit.models import AuditLog
from core.events import SYSTEM
from stacks.admin import manifests
from stacks.models import DeploymentObject, Stack
from stacks.services import delete_stack, lock_stack
from tests.factories import MANIFEST, make_object, make_stack, manifest
from tests.support.admin import actions_by, messages_of, staff

pytestmark = pytest.mark.django_db

SECRET = (
    "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData:\n  password: hunter2\n"
    "  user: |\n    root\nsize: 1\n"
)
MASKED = SECRET.replace("hunter2", '"********"').replace("|\n    root\n", '"********"\n')


def page(stack: Stack) -> str:
    return f"stacks/stack/{stack.pk}/publish/"


def roll_back(obj: DeploymentObject) -> str:
    return f"stacks/deploymentobject/{obj.pk}/roll-back/"


def newest(stack: Stack) -> DeploymentObject:
    return stack.deployment_objects.order_by("-pk")[0]


def errors(response) -> dict[str, list[str]]:
    assert response.status_code == 200
    return dict(response.context["form"].errors)


def test_a_text_is_published_as_it_was_typed(operator):
    stack = make_stack()
    response = operator.post(page(stack), {"manifest": MANIFEST.replace("\n", "\r\n"), "base": ""})
    obj = newest(stack)
    assert messages_of(response) == [f"Published: {obj} of {stack}."]
    assert obj.yaml_content == MANIFEST
    assert not obj.is_deletion_marker
    assert actions_by(operator.user) == ["deployment.created"]


def test_the_form_begins_with_the_newest_text(operator):
    stack = make_stack()
    make_object(stack, manifest(1))
    obj = make_object(stack, manifest(2))
    response = operator.get(page(stack))
    assert response.context["form"].initial["manifest"] == manifest(2)
    assert f'name="base" value="{obj.pk}"' in response.content.decode()


@pytest.mark.parametrize(
    ("text", "words", "line"),
    [
        ("a: 1\nb: [1\n", "Document 1, line 2", 2),
        ("a: 1\na: 2\n", "Document 1, line 2: the key 'a' is already in this mapping.", 2),
        ("  \n", "The manifest is blank", None),
        ("a: *b\n", "Document 1, line 1: the alias", 1),
    ],
)
def test_what_the_api_refuses_is_refused_at_the_field_with_its_line(operator, text, words, line):
    stack = make_stack()
    response = operator.post(page(stack), {"manifest": text, "base": ""})
    (error,) = errors(response)["manifest"]
    assert words in error
    assert response.context["form"].error_line == line
    assert f'data-line="{line}"' in response.content.decode() or line is None
    assert not stack.deployment_objects.exists()
    assert actions_by(operator.user) == []


def test_comparing_checks_and_publishes_nothing(operator):
    stack = make_stack()
    obj = make_object(stack, manifest(1))
    sent = {"manifest": manifest(2), "base": str(obj.pk), "_compare": "yes"}
    text = operator.post(page(stack), sent).content.decode()
    assert "word: &#x27;<mark>1</mark>" in text
    assert "word: &#x27;<mark>2</mark>" in text
    assert newest(stack) == obj


def test_a_file_is_published_byte_for_byte(operator):
    stack = make_stack()
    sent = manifest("é").replace("\n", "\r\n")
    file = SimpleUploadedFile("m.yaml", sent.encode())
    operator.post(page(stack), {"file": file, "manifest": manifest(1), "base": ""})
    assert newest(stack).yaml_content == sent


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"a: \xff", "not text in UTF-8"), (b"a: [", "line"), (b"", "blank"), (b"a" * 99, "at most 64 bytes")],
)
def test_a_file_that_cannot_be_published_is_refused_at_its_field(operator, settings, content, words):
    settings.MAX_MANIFEST_BYTES = 64
    stack = make_stack()
    response = operator.post(page(stack), {"file": SimpleUploadedFile("m.yaml", content), "base": ""})
    assert words in errors(response)["file"][0]
    assert not stack.deployment_objects.exists()


def test_who_did_not_see_the_newest_is_told_and_may_publish_then(operator):
    stack = make_stack()
    seen = make_object(stack, manifest(1))
    meanwhile = make_object(stack, manifest(2))
    response = operator.post(page(stack), {"manifest": manifest(3), "base": str(seen.pk)})
    assert f"{meanwhile} was published since" in errors(response)["__all__"][0]
    assert newest(stack) == meanwhile
    assert f'name="base" value="{meanwhile.pk}"' in response.content.decode()
    operator.post(page(stack), {"manifest": manifest(3), "base": str(meanwhile.pk)})
    assert newest(stack).yaml_content == manifest(3)


def test_hidden_values_stay_behind_their_masks():
    stack = make_stack()
    obj = make_object(stack, SECRET)
    publisher = staff("stacks.view_stack", "stacks.add_deploymentobject", "stacks.view_deploymentobject")
    form = publisher.get(page(stack)).context["form"]
    assert form.initial["manifest"] == MASKED
    sent = {"manifest": MASKED.replace("size: 1", "size: 2"), "base": str(obj.pk)}
    assert b"hunter2" not in publisher.post(page(stack), sent | {"_compare": "yes"}).content
    publisher.post(page(stack), sent)
    assert newest(stack).yaml_content == SECRET.replace("size: 1", "size: 2")


def test_a_mask_that_hides_nothing_is_refused_at_its_line(operator):
    stack = make_stack()
    obj = make_object(stack, SECRET)
    sent = {"manifest": MASKED.replace("name: db", "name: other"), "base": str(obj.pk)}
    response = operator.post(page(stack), sent)
    assert errors(response)["manifest"] == [f"Line 5: {obj} has no hidden value here."]
    assert newest(stack) == obj


def test_the_form_shows_hidden_values_after_a_post_that_is_audited(operator):
    stack = make_stack()
    make_object(stack, SECRET)
    form = operator.post(page(stack), {"reveal": "yes"}).context["form"]
    assert form.initial["manifest"] == SECRET
    assert actions_by(operator.user) == ["deployment.revealed"]


def test_nothing_is_published_in_a_deleted_stack(operator):
    stack = make_stack()
    with transaction.atomic():
        delete_stack(stack=lock_stack(stack.pk), actor=SYSTEM)
    response = operator.post(page(stack), {"manifest": manifest(1), "base": ""})
    assert messages_of(response) == ["The stack is deleted: nothing is published in it any more."]
    assert newest(stack).is_deletion_marker


def test_a_viewer_publishes_nothing():
    stack = make_stack()
    obj = make_object(stack, manifest(1))
    make_object(stack, manifest(2))
    viewer = staff("stacks.view_stack", "stacks.view_deploymentobject")
    for path in (page(stack), roll_back(obj)):
        assert viewer.get(path).status_code == 403
        assert viewer.post(path, {"manifest": manifest(3), "reason": "why"}).status_code == 403
    assert newest(stack).yaml_content == manifest(2)
    assert "Roll back" not in viewer.get(f"stacks/stack/{stack.pk}/objects/").content.decode()


def test_rolling_back_publishes_the_older_content_and_keeps_the_reason(operator):
    stack = make_stack()
    old = make_object(stack, SECRET)
    make_object(stack, manifest(2))
    page_text = operator.get(roll_back(old)).content.decode()
    assert "What would change" in page_text
    assert "hunter2" not in page_text
    response = operator.post(roll_back(old), {"reason": "2 crashes"})
    restored = newest(stack)
    assert messages_of(response) == [f"Published again: the content of {old}, as {restored}."]
    assert (restored.yaml_content, restored.yaml_checksum) == (old.yaml_content, old.yaml_checksum)
    row = AuditLog.objects.get(resource_id=restored.id)
    assert row.details["reason"] == "2 crashes"
    assert row.details["rolled_back_to"] == old.pk
    assert "“2 crashes”" in operator.get(f"stacks/stack/{stack.pk}/objects/").content.decode()


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_rolling_back_needs_a_reason(operator, reason):
    stack = make_stack()
    old = make_object(stack, manifest(1))
    make_object(stack, manifest(2))
    assert errors(operator.post(roll_back(old), {"reason": reason}))["reason"]
    assert newest(stack).yaml_content == manifest(2)


def test_nobody_rolls_back_to_a_marker_or_in_a_deleted_stack(operator):
    stack = make_stack()
    obj = make_object(stack, manifest(1))
    marker = make_object(stack, "", is_deletion_marker=True)
    for each in (marker, obj):
        response = operator.post(roll_back(each), {"reason": "why"})
        if each == marker:
            assert messages_of(response) == ["Its stack is deleted, or it holds no manifest."]
    assert stack.deployment_objects.count() == 3
    with transaction.atomic():
        delete_stack(stack=lock_stack(stack.pk), actor=SYSTEM)
    assert messages_of(operator.post(roll_back(obj), {"reason": "why"})) == [
        "Its stack is deleted, or it holds no manifest."
    ]
    assert stack.deployment_objects.count() == 4


WARNED = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nmode: 0644\n"


def test_warnings_are_shown_before_anything_is_published(operator):
    stack = make_stack()
    response = operator.post(page(stack), {"manifest": WARNED, "base": ""})
    assert [finding.code for finding in response.context["findings"]] == ["number_differs"]
    assert "kubectl reads &#x27;0644&#x27; as the number 420" in response.content.decode()
    assert not stack.deployment_objects.exists()
    seen = {"manifest": WARNED, "base": "", "warned": response.context["checksum"]}
    assert f'name="warned" value="{seen["warned"]}"' in response.content.decode()
    operator.post(page(stack), seen)
    assert newest(stack).yaml_content == WARNED


def test_warnings_of_another_text_than_was_shown_are_shown_first(operator):
    stack = make_stack()
    seen = operator.post(page(stack), {"manifest": WARNED, "base": ""}).context["checksum"]
    operator.post(page(stack), {"manifest": f"{WARNED}other: 0755\n", "base": "", "warned": seen})
    assert not stack.deployment_objects.exists()


def test_lists_are_expanded_when_that_is_asked(operator):
    stack = make_stack()
    items = [MANIFEST, manifest(1).replace("settings", "other")]
    text = "apiVersion: v1\nkind: List\nitems:\n" + "".join(
        "- " + item.rstrip().replace("\n", "\n  ") + "\n" for item in items
    )
    (error,) = errors(operator.post(page(stack), {"manifest": text, "base": ""}))["manifest"]
    assert "agents do not take a List apart" in error
    operator.post(page(stack), {"manifest": text, "base": "", "expand_lists": "on"})
    assert newest(stack).yaml_content == "---\n".join(items)


def test_a_version_that_no_agent_can_load_is_not_published_again(operator, settings):
    stack = make_stack()
    settings.MANIFESTS = "lenient"
    old = make_object(stack, "a: 1\n")
    make_object(stack, manifest(1))
    settings.MANIFESTS = "strict"
    response = operator.post(roll_back(old), {"reason": "why"})
    assert "there is no apiVersion that is a string" in errors(response)["__all__"][0]
    assert newest(stack).yaml_content == manifest(1)


def test_the_comparison_with_a_long_text_has_pages_and_asking_for_one_publishes_nothing(operator):
    stack = make_stack()
    text = MANIFEST + "".join(f"# key{number}\n" for number in range(5_000))
    answers = [
        operator.post(page(stack), {"manifest": text, "base": "", **asked}).content.decode()
        for asked in ({"_compare": "yes"}, {"part": "2"})
    ]
    assert 'form="publish-form" name="part" value="2"' in answers[0]
    assert "Page 2 of 2" in answers[1]
    assert "key4500" in answers[1]
    assert "key4500" not in answers[0].partition('id="comparison"')[2]
    assert not stack.deployment_objects.exists()


def test_the_comparison_with_a_long_file_says_that_it_is_not_all(operator):
    stack = make_stack()
    text = MANIFEST + "".join(f"# key{number}\n" for number in range(5_000))
    file = SimpleUploadedFile("a.yaml", text.encode())
    answer = operator.post(page(stack), {"file": file, "base": "", "_compare": "yes"}).content.decode()
    assert "There are more differences; these are the first 4000 lines." in answer


def test_a_comparison_with_too_many_secrets_stops_and_says_so(operator, monkeypatch):
    monkeypatch.setattr(manifests, "MAX_SEARCHED", 10)
    answer = operator.post(page(make_stack()), {"manifest": SECRET, "base": "", "_compare": "yes"})
    assert "The comparison stopped" in answer.content.decode()

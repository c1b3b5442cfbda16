"""Texts of manifests as the agent reads them."""

import pytest

from brokkr_agent.appliance import rank
from brokkr_agent.manifests import Identity, ManifestError, identity_of, objects_of

HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"


def test_lists_are_taken_apart():
    text = (
        "apiVersion: v1\nkind: List\nitems:\n"
        "- {apiVersion: v1, kind: Secret, metadata: {name: s}}\n"
        "- apiVersion: v1\n  kind: List\n  items:\n  - {apiVersion: v1, kind: Pod, metadata: {name: p}}\n"
    )
    assert [obj["kind"] for obj in objects_of(text)] == ["Secret", "Pod"]


def test_empty_documents_are_passed_over():
    assert len(objects_of(f"---\n# nothing\n---\n{HEAD}---\n")) == 1


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        ("12:30", "12:30"),
        ("2026-11-24", "2026-11-24"),
        ("yes", True),
        ("'yes'", "yes"),
        ("0x1F", 31),
        ("010", 8),
        ("0o10", 8),
        ("1_000", 1000),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("1.", 1.0),
        ("~", None),
        ("", None),
        ("v1.2", "v1.2"),
    ],
)
def test_scalars_are_read_as_kubernetes_reads_them(scalar, value):
    (obj,) = objects_of(f"{HEAD}data: {{x: {scalar}}}\n")
    assert (obj["data"]["x"], type(obj["data"]["x"])) == (value, type(value))


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "- 1",
        "text",
        "kind: ConfigMap",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n",
        "apiVersion: v1\nkind: 5\nmetadata: {name: a}\n",
        f"{HEAD}---\n{HEAD}",
        f"{HEAD}data: !!python/object:os.system {{}}\n",
    ],
)
def test_what_cannot_be_applied_is_refused(text):
    with pytest.raises(ManifestError):
        objects_of(text)


def test_a_namespaced_object_without_a_namespace_is_in_default():
    (obj,) = objects_of(HEAD)
    assert identity_of(obj, namespaced=True) == Identity("", "ConfigMap", "default", "a")
    assert identity_of(obj, namespaced=False) == Identity("", "ConfigMap", "", "a")


def test_what_others_need_comes_first():
    kinds = ["Deployment", "ValidatingWebhookConfiguration", "Ingress", "Service", "ConfigMap", "Namespace"]
    assert sorted(kinds, key=rank) == [
        "Namespace",
        "ConfigMap",
        "Service",
        "Deployment",
        "Ingress",
        "ValidatingWebhookConfiguration",
    ]

"""What is said about texts that parse."""

import pytest

from stacks.manifests import Code, ManifestError, check_manifest
from stacks.manifests.findings import MAX_FINDINGS

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"


def codes(text: str) -> list[tuple[str, int]]:
    return [(found.code, found.line) for found in check_manifest(text)]


@pytest.mark.parametrize(
    "field",
    [
        "namespace: shop",
        "labels: {}",
        "labels:",
        "creationTimestamp: null",
        "creationTimestamp: 2030-01-31T12:00:00Z",
        "deletionTimestamp: 2030-01-31T12:00:00.123+01:00",
        "finalizers: [a, b]",
        "generation: 9223372036854775807",
        "ownerReferences: [{apiVersion: v1, kind: A, name: a, uid: b, controller: true}]",
        "managedFields: [{manager: a, fieldsV1: {f:x: 1}}]",
        "someday: [1]",
    ],
)
def test_metadata_that_agents_read_passes(field):
    assert codes(f"{CONFIG_MAP}  {field}\n") == []


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("namespace: 5", Code.METADATA_INVALID),
        ("uid: [a]", Code.METADATA_INVALID),
        ("creationTimestamp: 2030-01-31", Code.METADATA_INVALID),
        ("finalizers: [a, 1]", Code.METADATA_INVALID),
        ("finalizers: a", Code.METADATA_INVALID),
        ("generation: '1'", Code.METADATA_INVALID),
        ("generation: 9223372036854775808", Code.METADATA_INVALID),
        ("ownerReferences: [a]", Code.METADATA_INVALID),
        ("ownerReferences: [{controller: 'true'}]", Code.METADATA_INVALID),
        ("labels: [a]", Code.VALUE_NOT_STRING),
        ("labels: {a: 1}", Code.VALUE_NOT_STRING),
        ("annotations: {a: }", Code.VALUE_NOT_STRING),
        ("annotations: {1: a}", Code.KEY_NOT_STRING),
    ],
)
def test_metadata_that_agents_do_not_read_is_found_on_its_line(field, code):
    assert codes(f"{CONFIG_MAP}  {field}\n") == [(code, 5)]


@pytest.mark.parametrize(
    "kind", ["metadata: *m", "metadata: {name: a, labels: *l}", "metadata: {<<: *m, name: a}"]
)
def test_what_aliases_repeat_is_looked_at(kind):
    text = f"x-l: &l {{a: 1}}\nx-m: &m {{name: 5}}\napiVersion: v1\nkind: A\n{kind}\n"
    found = {code for code, _ in codes(text)}
    assert found & {Code.NAME_MISSING, Code.VALUE_NOT_STRING, Code.MERGE_KEY}


@pytest.mark.parametrize(("kind", "found"), [("ConfigMap", True), ("Secret", True), ("Widget", False)])
def test_data_of_other_kinds_may_be_anything(kind, found):
    assert bool(codes(CONFIG_MAP.replace("ConfigMap", kind) + "data: {a: 1}\n")) is found


def test_a_config_map_of_another_group_may_hold_anything():
    assert codes(CONFIG_MAP.replace("v1", "example.com/v1") + "data: {a: 1}\n") == []


def test_of_what_is_no_object_nothing_else_is_said():
    assert codes("1: !x a\n2: b\n") == [(Code.NOT_AN_OBJECT, 1)]


def test_strict_refuses_the_first_that_no_agent_can_load_and_passes_the_rest():
    warned = f"{CONFIG_MAP}mode: 0644\n"
    assert [found.code for found in check_manifest(warned, strict=True)] == [Code.NUMBER_DIFFERS]
    with pytest.raises(ManifestError) as caught:
        check_manifest(f"{warned}---\n[]\n---\na\n", strict=True)
    assert (caught.value.document, caught.value.line, caught.value.code) == (2, 7, Code.NOT_AN_OBJECT)


@pytest.mark.parametrize("other", ["name: b", "name: a\n  namespace: c"])
def test_objects_of_other_names_or_namespaces_are_not_repeated(other):
    assert codes(f"{CONFIG_MAP}---\n{CONFIG_MAP.replace('name: a', other)}") == []


def test_an_object_is_the_same_in_another_version_of_its_group():
    first = CONFIG_MAP.replace("v1", "apps/v1")
    assert codes(f"{first}---\n{first.replace('apps/v1', 'apps/v1beta1')}") == [(Code.OBJECT_REPEATED, 7)]


def test_findings_are_limited_and_those_that_no_agent_can_load_are_not_crowded_out():
    text = f"{CONFIG_MAP}mode: 0644\n---\n" * (MAX_FINDINGS + 1) + "[]\n"
    found = check_manifest(text)
    assert len(found) == MAX_FINDINGS + 1
    assert found[-1].code == Code.NOT_AN_OBJECT


@pytest.mark.parametrize("written", ["0123456", "1.5e7", "yes", "-.inf"])
@pytest.mark.parametrize("kind", ["Secret", "SecretList"])
def test_no_remark_on_a_secret_repeats_its_values(written, kind):
    text = f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: s}}\nstringData: {{p: {written}}}\n"
    messages = [found.message for found in check_manifest(text)]
    assert messages
    assert not [message for message in messages if written in message]

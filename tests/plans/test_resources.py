"""What changes between two manifests, resource by resource."""

import pytest
import yaml

from plans.resources import MAX_LINES, MAX_RESOURCES, ResourceName, compare_manifests

SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData:\n  password: %s\n"
WEB = """\
# The shop.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  replicas: %d
"""


def config(name: object, value: object = 1) -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{word: '{value}'}}\n"


def joined(*texts: str) -> str:
    return "---\n".join(texts)


def test_resources_are_told_apart_by_group_kind_namespace_and_name():
    changes = compare_manifests(joined(config("a"), WEB % 2), joined(WEB % 3, config("b")))
    assert changes.added == [ResourceName("", "ConfigMap", "", "b")]
    assert changes.removed == [ResourceName("", "ConfigMap", "", "a")]
    (changed,) = changes.changed
    assert changed.resource == ResourceName("apps", "Deployment", "shop", "web")
    assert [line for line in changed.diff if line[0] in "+-"] == ["-  replicas: 2", "+  replicas: 3"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (joined(config("a"), WEB % 2), joined(WEB % 2, config("a"))),
        (WEB % 2, (WEB % 2).replace("# The shop.", "# A shop.")),
        (joined(config("a"), WEB % 2), joined(config("a"), "# a word\n", WEB % 2)),
        ("", "# nothing\n"),
    ],
)
def test_order_and_comments_between_resources_change_nothing(old, new):
    changes = compare_manifests(old, new)
    assert (changes.added_count, changes.changed_count, changes.removed_count) == (0, 0, 0)


def test_a_hidden_value_that_changes_is_a_change_and_stays_hidden():
    changes = compare_manifests(SECRET % "hunter1", SECRET % "hunter2")
    assert changes.changed_count == 1
    assert "hunter" not in str(changes)
    assert compare_manifests(SECRET % "hunter1", SECRET % "hunter1").changed_count == 0


@pytest.mark.parametrize(
    "secret",
    [
        "metadata: {name: db}\nstringData:\n  a: &a %s\n  b: *a\n",
        "metadata: {name: db}\nstringData: {a: [&a %s], b: *a}\n",
        "metadata: &m {name: &a db}\nstringData: {a: &a %s, b: *a}\n",
    ],
)
def test_a_masked_anchor_leaves_a_manifest_that_can_be_compared(secret):
    old, new = (f"apiVersion: v1\nkind: Secret\n{secret % word}" for word in ("hunter1", "hunter2"))
    changes = compare_manifests(old, new)
    assert [each.resource.name for each in changes.changed] == ["db"]
    assert "hunter" not in str(changes)


def test_a_change_in_an_item_of_a_list_is_none_of_the_item_before_it():
    item = "  - apiVersion: {}\n    kind: Thing\n    metadata:\n      name: {}\n"
    old, new = (
        f"apiVersion: v1\nkind: List\nitems:\n{item.format('v1', 'a')}{item.format('v1', 'b')}{item.format(*last)}"
        for last in (("v1", "c"), ("a.b/v1", "c"))
    )
    changes = compare_manifests(old, new)
    assert (changes.added_count, changes.changed_count, changes.removed_count) == (1, 0, 1)


def test_the_items_of_a_list_are_resources():
    items = "\n".join(
        f"- apiVersion: v1\n  kind: ConfigMap\n  metadata: {{name: {name}}}" for name in ("a", "b")
    )
    changes = compare_manifests("", f"apiVersion: v1\nkind: List\nitems:\n{items}\n")
    assert [resource.name for resource in changes.added] == ["a", "b"]


def test_a_name_that_occurs_twice_is_two_resources():
    changes = compare_manifests(config("a"), joined(config("a"), config("a", 2)))
    assert (changes.added_count, changes.changed_count) == (1, 0)


def test_long_answers_are_cut_and_counted():
    many = joined(*(config(number) for number in range(MAX_RESOURCES + 5)))
    changes = compare_manifests("", many)
    assert (len(changes.added), changes.added_count) == (MAX_RESOURCES, MAX_RESOURCES + 5)
    lines = "".join(f"  a{number}: '{{}}'\n" for number in range(MAX_LINES))
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n"
    (changed,) = compare_manifests(head + lines.replace("{}", "1"), head + lines.replace("{}", "2")).changed
    assert len(changed.diff) == MAX_LINES + 1


def test_a_text_that_is_no_yaml_is_refused():
    with pytest.raises(yaml.YAMLError):
        compare_manifests("", "a: b: c\n")

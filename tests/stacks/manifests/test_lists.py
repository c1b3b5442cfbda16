"""Lists of objects taken apart."""

import json

import pytest
import yaml

from stacks.manifests import ManifestError, check_manifest, expand_lists

LIST = """\
# of the shop
apiVersion: v1
items:
  # first
  - apiVersion: v1
    kind: ConfigMap
    metadata: {name: a}
    data:
      text: |
        one
          two

        three
  -   apiVersion: v1
      kind: ConfigMap
      metadata: {name: b, labels: {
        a: b}}
      data: {words: "two
        lines"}
  - {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}
kind: List
---
# not a list
apiVersion: v1
kind: ConfigMap
metadata: {name: d}
"""


def documents(text: str) -> list[object]:
    return [document for document in yaml.safe_load_all(text) if document is not None]


def items(text: str) -> list[object]:
    """What is to come of it."""
    wanted: list[object] = []
    for document in documents(text):
        is_list = isinstance(document, dict) and document["kind"].endswith("List")
        wanted += document["items"] if is_list and isinstance(document, dict) else [document]
    return wanted


@pytest.mark.parametrize(
    "text",
    [
        LIST,
        LIST.replace("List", "ConfigMapList"),
        LIST.replace("  - ", "- ").replace("\n    ", "\n  "),
        f"---\n{LIST}...\n",
        json.dumps(items(LIST)[0] | {"kind": "List", "items": items(LIST)}),  # type: ignore[operator]
        json.dumps({"kind": "List", "apiVersion": "v1", "items": items(LIST)}, indent=2),
        "kind: List\nitems:\n- kind: A\n  b: &b {c: d}\n  e: *b\n",
    ],
)
def test_each_item_becomes_a_document_with_the_same_content(text):
    assert documents(expand_lists(text)) == items(text)


def test_what_surrounds_a_list_stays():
    expanded = expand_lists(LIST)
    assert expanded.startswith("# of the shop\napiVersion: v1\nkind: ConfigMap\n")
    assert expanded.endswith(LIST[LIST.index("---") :])
    assert check_manifest(expanded, strict=True) == []


@pytest.mark.parametrize(
    "text",
    [
        "kind: ConfigMap\nitems: [a]\n",
        "kind: List\nitems: {a: b}\n",
        "- kind: List\n  items: []\n",
        "metadata: {kind: List, items: []}\n",
        "kind: PodList\n",
    ],
)
def test_what_is_no_list_of_objects_stays_byte_for_byte(text):
    assert expand_lists(text) == text


@pytest.mark.parametrize("item", ["*x", "{a: *x}", "{a: {b: [*x]}}"])
def test_an_item_that_repeats_what_is_outside_is_refused(item):
    with pytest.raises(ManifestError) as caught:
        expand_lists(f"a: 1\n---\nx: &x {{b: c}}\nkind: List\nitems:\n- {item}\n")
    assert (caught.value.document, caught.value.line) == (2, 3)

"""What changes between two manifests, resource by resource, with the values of Secrets masked. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import yaml

from core.admin.code import split_lines
from core.admin.diff import Side, diff_text
from stacks.manifests.lists import is_list
from stacks.masking import comparable, mask_secrets

# So many resources are told of each kind of change, and so many lines of each difference.
MAX_RESOURCES: Final = 100
MAX_LINES: Final = 200


class ResourceName(NamedTuple):
    """What a resource is called in a cluster. An absent namespace is empty; so is an absent name."""

    group: str
    kind: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class ChangedResource:
    """`diff` has the lines of the difference, each with a blank, `-` or `+` before it."""

    resource: ResourceName
    diff: Sequence[str]


@dataclass(frozen=True, slots=True)
class ResourceChanges:
    """The resources that differ. Of long lists only the beginning is there; the counts are of all."""

    added: Sequence[ResourceName]
    changed: Sequence[ChangedResource]
    removed: Sequence[ResourceName]
    added_count: int
    changed_count: int
    removed_count: int


@dataclass(frozen=True, slots=True)
class _Resource:
    shown: Sequence[str]
    compared: Sequence[str]

    def side(self) -> Side:
        return Side.of("\n".join(self.shown), "\n".join(self.compared))


# A name that occurs again has the number of its occurrence beside it.
_Resources = dict[tuple[ResourceName, int], _Resource]


def compare_manifests(old: str, new: str) -> ResourceChanges:
    """The difference of two texts, each empty or a manifest. Raises YAMLError for what cannot be read as YAML."""
    before, after = _resources(old), _resources(new)
    added = sorted(name for name, _ in after.keys() - before.keys())
    removed = sorted(name for name, _ in before.keys() - after.keys())
    changed = sorted(
        key for key in before.keys() & after.keys() if before[key].compared != after[key].compared
    )
    return ResourceChanges(
        added=added[:MAX_RESOURCES],
        changed=[
            ChangedResource(key[0], diff_text(before[key].side(), after[key].side(), limit=MAX_LINES))
            for key in changed[:MAX_RESOURCES]
        ],
        removed=removed[:MAX_RESOURCES],
        added_count=len(added),
        changed_count=len(changed),
        removed_count=len(removed),
    )


def _resources(text: str) -> _Resources:
    masked = mask_secrets(text)
    shown, compared = split_lines(masked), split_lines(comparable(mask_secrets, text))
    found: _Resources = {}
    for node in _objects(masked):
        name, number = _name(node), 0
        while (name, number) in found:
            number += 1
        lines = slice(node.start_mark.line, _end_line(node))
        found[name, number] = _Resource(_stripped(shown[lines]), _stripped(compared[lines]))
    return found


def _objects(text: str) -> Iterator[yaml.Node]:
    for root in yaml.compose_all(text, Loader=yaml.CBaseLoader):
        fields = _fields(root)
        items, kind = fields.get("items"), _text(fields.get("kind"))
        if isinstance(items, yaml.SequenceNode) and is_list(kind, has_items=True):
            yield from items.value
        elif fields:
            yield root


def _name(node: yaml.Node) -> ResourceName:
    fields = _fields(node)
    metadata = _fields(fields.get("metadata"))
    return ResourceName(
        _text(fields.get("apiVersion")).rpartition("/")[0],
        _text(fields.get("kind")),
        _text(metadata.get("namespace")),
        _text(metadata.get("name")),
    )


def _fields(node: yaml.Node | None) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {key.value: value for key, value in node.value if isinstance(key, yaml.ScalarNode)}


def _text(node: yaml.Node | None) -> str:
    return node.value if isinstance(node, yaml.ScalarNode) else ""


def _end_line(node: yaml.Node) -> int:
    # A block ends where the next token begins; a text in one line ends inside of its line.
    mark = node.end_mark
    return int(mark.line) + (1 if mark.column else 0)


def _stripped(lines: Sequence[str]) -> list[str]:
    """Without the blank lines and comments at the end, which belong to no resource."""
    kept = list(lines)
    while kept and (not kept[-1].strip() or kept[-1].lstrip().startswith("#")):
        kept.pop()
    return kept

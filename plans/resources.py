"""What changes between two manifests, resource by resource, with the values of Secrets masked. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import yaml

from core.admin.code import split_lines
from core.admin.diff import Side, diff_text
from stacks.manifests.lists import is_list
from stacks.masking import comparable, mask_secrets

# So many resources are told of each kind of change, and so many lines of each difference.
MAX_RESOURCES: Final = 100
MAX_LINES: Final = 200
# So many collections are around the name of a list's item: the document, the list, its items, the item, its metadata.
_NAMED_DEPTH: Final = 5


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


@dataclass(slots=True)
class _Node:
    """A part of a text: from which line to before which, and the scalar or the nodes in it, keys before values."""

    start: int
    end: int
    value: str | None = None
    is_list: bool = False
    # Not in brackets or braces.
    is_block: bool = False
    parts: list["_Node"] = field(default_factory=list)


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
        lines = slice(node.start, node.end)
        found[name, number] = _Resource(_stripped(shown[lines]), _stripped(compared[lines]))
    return found


def _objects(text: str) -> Iterator[_Node]:
    for root in _roots(text):
        fields = _fields(root)
        items, kind = fields.get("items"), _text(fields.get("kind"))
        if items is not None and items.is_list and is_list(kind, has_items=True):
            yield from items.parts
        elif fields:
            yield root


def _roots(text: str) -> Iterator[_Node]:
    # From events, not `yaml.compose`: where a mask took an anchor away, its aliases are still there.
    anchors: dict[str, _Node] = {}
    opened: list[_Node] = []
    end = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.DocumentStartEvent):
            opened, anchors = [_Node(0, 0)], {}
        elif isinstance(event, yaml.DocumentEndEvent):
            yield from opened[0].parts
        elif isinstance(event, yaml.CollectionEndEvent):
            # A block is said to end where the next token begins, which may be far below.
            end = end if opened[-1].is_block else _end_line(event)
            opened.pop().end = end
        elif isinstance(event, yaml.AliasEvent):
            end = _end_line(event)
            opened[-1].parts.append(anchors.get(event.anchor or "", _Node(0, 0)))
        elif isinstance(event, yaml.NodeEvent):
            node = _node(event)
            if event.anchor:
                anchors[event.anchor] = node
            # Names are near the root.
            if len(opened) <= _NAMED_DEPTH:
                opened[-1].parts.append(node)
            if isinstance(event, yaml.CollectionStartEvent):
                opened.append(node)
            else:
                end = node.end


def _node(event: yaml.NodeEvent) -> _Node:
    start = event.start_mark.line if event.start_mark else 0
    if isinstance(event, yaml.ScalarEvent):
        return _Node(start, _end_line(event), value=event.value)
    return _Node(
        start,
        start,
        is_list=isinstance(event, yaml.SequenceStartEvent),
        is_block=isinstance(event, yaml.CollectionStartEvent) and not event.flow_style,
    )


def _name(node: _Node) -> ResourceName:
    fields = _fields(node)
    metadata = _fields(fields.get("metadata"))
    return ResourceName(
        _text(fields.get("apiVersion")).rpartition("/")[0],
        _text(fields.get("kind")),
        _text(metadata.get("namespace")),
        _text(metadata.get("name")),
    )


def _fields(node: _Node | None) -> dict[str, _Node]:
    if node is None or node.value is not None or node.is_list:
        return {}
    pairs = zip(node.parts[::2], node.parts[1::2], strict=False)
    return {key.value: value for key, value in pairs if key.value is not None}


def _text(node: _Node | None) -> str:
    return (node.value or "") if node else ""


def _end_line(event: yaml.Event) -> int:
    # A text in one line ends inside of its line, one in a block at the beginning of a line.
    mark = event.end_mark
    return mark.line + (1 if mark.column else 0) if mark else 0


def _stripped(lines: Sequence[str]) -> list[str]:
    """Without the blank lines and comments at the end, which belong to no resource."""
    kept = list(lines)
    while kept and (not kept[-1].strip() or kept[-1].lstrip().startswith("#")):
        kept.pop()
    return kept

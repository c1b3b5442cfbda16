"""The documents of a manifest by their lines, without reading it as YAML. Pure, and linear in time."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from core.admin.diff import Part

_MARKER: Final = re.compile(r"---(?:[ \t]|\Z)")
_FIELD: Final = re.compile(r"""(?P<key>[A-Za-z]+):[ \t]+["']?(?P<value>[^\s"'#{}\[\],&*|>]+)""")
_INNER: Final = re.compile(r"[ ]+" + _FIELD.pattern)
_IN_BRACES: Final = re.compile(r"[{,][ ]*" + _FIELD.pattern)


def documents_of(lines: Sequence[str]) -> list[Part]:
    """The documents in order, each named by its object's API version, kind, namespace and name.

    The name is empty where lines do not tell them, as in flow style. It serves to find a document again, and says
    nothing that must be right.
    """
    starts = [0, *(number for number, line in enumerate(lines) if number and _MARKER.match(line))]
    ends = [*starts[1:], len(lines)]
    return [Part(start, _name(lines[start:end])) for start, end in zip(starts, ends, strict=True)]


def _name(lines: Sequence[str]) -> str:
    fields = dict(_fields(lines))
    if not all(key in fields for key in ("apiVersion", "kind", "metadata.name")):
        return ""
    name = "/".join(fields[key] for key in ("metadata.namespace", "metadata.name") if key in fields)
    return f"{fields['kind']} {name} ({fields['apiVersion']})"


def _fields(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The fields with a plain value at the root and in `metadata`."""
    root, depth = "", 0
    for line in lines:
        if line[:1] not in (" ", "#", ""):
            root, depth = line.partition(":")[0], 0
            if found := _FIELD.match(line):
                yield found["key"], found["value"]
            elif root == "metadata":
                yield from ((f"metadata.{each['key']}", each["value"]) for each in _IN_BRACES.finditer(line))
        elif root == "metadata" and line.strip():
            indent = len(line) - len(line.lstrip(" "))
            depth = depth or indent
            if indent == depth and (found := _INNER.match(line)):
                yield f"metadata.{found['key']}", found["value"]

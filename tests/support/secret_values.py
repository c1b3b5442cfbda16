"""Texts with a value of a Secret in every place that is known, and how such a value may be spelled in an answer."""

import html
import json
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

import yaml

_SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "inner"}}
# What a value is around its core, which is what tests look for: letters that JSON, YAML and HTML write as escapes.
_SHAPES = ("{}", 'a"{}\\b', "ä {} <&'>", "first line\n{}\nlast line")


@dataclass
class Values:
    """Makes one value for each place, all different.

    `suffix` makes them differ from those of others. `turn` says which place gets a value of which shape.
    """

    suffix: str
    turn: int
    # The cores of the values, by place.
    cores: dict[str, str] = field(default_factory=dict)

    def of(self, place: str) -> str:
        core = self.cores.setdefault(place, f"c4n{len(self.cores):02}{self.suffix}")
        return _SHAPES[(list(self.cores).index(place) + self.turn) % len(_SHAPES)].format(core)

    def found_in(self, text: str) -> set[str]:
        """The places whose value is in the text, in whatever spelling."""
        texts = {text, html.unescape(text), unquote(text)}
        return {
            place
            for place, core in self.cores.items()
            if any(each in one for one in texts for each in (core, *_in_base64(core)))
        }


def _in_base64(core: str) -> Iterator[str]:
    """What base64 makes of the core, whatever number of bytes is before it."""
    for before in range(3):
        encoded = b64encode(b"x" * before + core.encode()).decode()
        yield encoded[4:-4]


def manifest_with(values: Values) -> str:
    """One manifest with a value in each place where manifests have them."""

    def named(name: str, **more: object) -> dict[str, object]:
        return _SECRET | {"metadata": {"name": name}} | more

    def encoded(place: str) -> str:
        return b64encode(values.of(place).encode()).decode()

    def annotated(name: str, key: str, place: str) -> dict[str, object]:
        copy = json.dumps(named(name, stringData={"p": values.of(place)}))
        return named(name, stringData={"p": "same"}) | {
            "metadata": {"name": name, "annotations": {key: copy}}
        }

    inner = yaml.safe_dump(named("inner", stringData={"p": values.of("text")}))
    comment = re.sub(r"\s+", " ", values.of("comment"))
    documents: list[dict[str, object]] = [
        named("a", data={"p": encoded("data")}),
        named("b", stringData={"p": values.of("stringData")}),
        annotated("c", "kubectl.kubernetes.io/last-applied-configuration", "last-applied"),
        annotated("d", "kapp.k14s.io/original", "kapp"),
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "e"}, "data": {"s.yaml": inner}},
        {"apiVersion": "v1", "kind": "List", "items": [named("g", stringData={"p": values.of("list")})]},
    ]
    texts = [yaml.safe_dump(document, allow_unicode=True) for document in documents]
    above = f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: f\n# was: {comment}\nstringData: {{p: x}}\n"
    return "---\n".join([*texts, above])


def spoken_of(values: Values) -> str:
    """What an agent may say that has read all of it but the comments."""
    said = [values.of(place) for place in values.cores if place != "comment"]
    return f"refused: {'; '.join(said)}; {b64encode(values.of('data').encode()).decode()}"

"""Every value of the Helm chart is described, is checked, and has an effect."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from tests.support.chart import CHART, EXAMPLES, rendered

SCHEMA = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
ON_POSTGRESQL = {"database": {"secret": {"name": "database"}}, "keys": {"secret": "keys"}}
TWO_DATABASES = {"database": {"secret": {"name": "database"}, "cloudNativePG": {"enabled": True}}}
# What is not in the examples is switched on here, because its values have an effect only then.
WORLDS: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    "keys": {"keys": {"secret": "keys"}},
    **{path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in EXAMPLES},
    "everything": ON_POSTGRESQL
    | {
        "networkPolicy": {"enabled": True},
        "ingress": {"enabled": True, "tlsSecret": "certificate"},
        "monitoring": {kind: {"enabled": True} for kind in ("serviceMonitor", "rules", "dashboards")},
    },
}

Path = tuple[str, ...]


def _described(schema: Mapping[str, Any], path: Path = ()) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Each value that has no values of its own, and what the schema says of it."""
    if "properties" not in schema:
        yield path, schema
    for name, inner in schema.get("properties", {}).items():
        # Helm adds `global` itself.
        if (*path, name) != ("global",):
            yield from _described(inner, (*path, name))


def _at(values: Any, path: Path) -> Any:
    for name in path:
        values = values[name]
    return values


def _set(values: Mapping[str, Any], path: Path, value: object) -> dict[str, Any]:
    """These values with another one at that place."""
    name, *rest = path
    inner = _set(values.get(name, {}), tuple(rest), value) if rest else value
    return {**values, name: inner}


def _others(schema: Mapping[str, Any], default: Any) -> list[object]:
    """Values that a user may give instead of the default."""
    match schema:
        case {"type": "boolean"}:
            return [not default]
        case {"type": "integer"}:
            return [default + 1]
        case {"enum": list(choices)}:
            return [choice for choice in choices if choice != default]
    others: list[object] = schema["examples"]
    return others


VALUES = dict(_described(SCHEMA))


def _tells_apart(world: str, path: Path, one: object, other: object) -> bool:
    try:
        first, second = (rendered(_set(WORLDS[world], path, value)) for value in (one, other))
    except AssertionError:
        # One is refused there: two replicas with SQLite, for instance.
        return False
    return first != second


@pytest.mark.kubernetes
@pytest.mark.parametrize("path", VALUES, ids=".".join)
def test_a_changed_value_changes_what_is_made(path: Path):
    default = _at(DEFAULTS, path)
    others = _others(VALUES[path], default)
    assert others
    for other in others:
        assert any(_tells_apart(world, path, default, other) for world in WORLDS), other


def test_the_schema_describes_the_values_that_there_are():
    def paths(values: Any, path: Path = ()) -> set[Path]:
        if path in VALUES or not isinstance(values, dict):
            return {path}
        return {inner for name in values for inner in paths(values[name], (*path, name))}

    assert paths(DEFAULTS) == set(VALUES)
    assert [path for path, schema in VALUES.items() if not schema.get("description")] == []


def test_no_value_that_is_not_described_is_taken():
    def open_objects(schema: Mapping[str, Any], path: Path = ()) -> list[Path]:
        inner = schema.get("properties", {})
        found = [path] if inner and schema.get("additionalProperties") is not False else []
        return found + [place for name in inner for place in open_objects(inner[name], (*path, name))]

    assert open_objects(SCHEMA) == []


@pytest.mark.kubernetes
@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"web": {"replicas": 2}}, "SQLite is one file for one pod"),
        ({"worker": {"replicas": 2}}, "SQLite is one file for one pod"),
        ({"web": {"autoscaling": {"enabled": True}}}, "SQLite is one file for one pod"),
        ({"database": {"pooler": {"secret": {"name": "pooler"}}}}, "database.pooler needs PostgreSQL"),
        ({"database": {"secret": {"name": "database"}}}, "keys.secret must name a Secret"),
        (TWO_DATABASES, "name two databases"),
        ({"settings": {"BROKKR_WEB_THREADS": 8}}, "the chart sets BROKKR_WEB_THREADS from a value of its own"),
        ({"settings": {"OTHER": "1"}}, "OTHER"),
        ({"web": {"replica": 1}}, "replica"),
        ({"service": {"port": "80"}}, "service/port"),
    ],
    ids=str,
)  # fmt: skip
def test_values_that_cannot_work_are_refused_with_a_sentence(values: Mapping[str, Any], sentence: str):
    with pytest.raises(AssertionError, match=sentence):
        rendered(values)

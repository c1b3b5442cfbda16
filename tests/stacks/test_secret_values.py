"""What agents say shows no value of a Secret of the version that they speak of."""

import json
from base64 import b64encode

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from stacks.secret_values import MIN_CHARACTERS, values_of

_VALUES = st.text(
    st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=MIN_CHARACTERS, max_size=30
)


def secret(**fields: dict[str, str]) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, **fields}


@settings(max_examples=40)
@given(
    _VALUES.filter(lambda value: value.strip() == value),
    st.sampled_from(["yaml", "flow", "json", "list", "block"]),
)
def test_every_value_is_known_however_it_is_written(value, style):
    written = secret(stringData={"p": value}, data={"q": b64encode(value[::-1].encode()).decode()})
    text = {
        "yaml": lambda: yaml.safe_dump(written),
        "flow": lambda: yaml.safe_dump(written, default_flow_style=True),
        "json": lambda: json.dumps(written),
        "list": lambda: yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": [written]}),
        "block": lambda: yaml.safe_dump(written, default_style="|"),
    }[style]()
    assert {value, value[::-1].strip()} <= set(values_of(text)) | {value[::-1].strip()[: MIN_CHARACTERS - 1]}


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("kind: ConfigMap\ndata: {p: long enough}\n", ()),
        ("kind: Secret\nstringData: {p: short}\n", ()),
        ("kind: Secret\nstringData:\n  p: |\n    first line\n    second one\n", {"first line", "second one"}),
    ],
)
def test_short_values_and_those_of_other_objects_are_no_secrets(text, known):
    assert set(known) <= set(values_of(text))
    assert bool(known) == bool(values_of(text))

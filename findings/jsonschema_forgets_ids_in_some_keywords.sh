#!/usr/bin/env bash
# jsonschema resolves references against the wrong document in `not`, `if` and `contains`.
#
# Version: jsonschema 4.26.0 (Python), draft 2020-12.
# Behaviour: a subschema with an `$id` is a resource of its own, and `#/$defs/name` in it means its own definitions. Most
# keywords hold to that. These three look in the outer document: here there is nothing, and the reference cannot be
# resolved; where the outer document has the same name, another schema is taken.
# Output seen:
#   allOf     valid: True
#   anyOf     valid: True
#   items     valid: True
#   not       PointerToNowhere
#   if        PointerToNowhere
#   contains  PointerToNowhere
# seen 2026-11-28
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
python3 -m venv env
env/bin/pip install --quiet jsonschema==4.26.0 referencing==0.37.0

env/bin/python > seen.txt <<'PY'
from jsonschema import Draft202012Validator

inner = {
    "$id": "http://stacks.example/inner",
    "$ref": "#/$defs/name",
    "$defs": {"name": {"type": "string"}},
}
for keyword, value, instance in (
    ("allOf", [inner], "web"),
    ("anyOf", [inner], "web"),
    ("items", inner, ["web"]),
    ("not", inner, 80),
    ("if", inner, "web"),
    ("contains", inner, ["web"]),
):
    schema = {"$id": "http://stacks.example/outer", keyword: value}
    if keyword == "if":
        schema["then"] = True
    Draft202012Validator.check_schema(schema)
    try:
        print(f"{keyword:9} valid:", Draft202012Validator(schema).is_valid(instance))
    except Exception as error:
        print(f"{keyword:9}", str(error).partition(":")[0])
PY

diff - seen.txt <<'OUT'
allOf     valid: True
anyOf     valid: True
items     valid: True
not       PointerToNowhere
if        PointerToNowhere
contains  PointerToNowhere
OUT

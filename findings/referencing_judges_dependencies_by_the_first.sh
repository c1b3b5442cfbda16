#!/usr/bin/env bash
# Whether a schema's references resolve depends on the order of the keys in `dependencies`.
#
# Versions: referencing 0.37.0 under jsonschema 4.26.0 (Python), draft 7.
# Behaviour: a value of `dependencies` is a list of names or a schema, and both may stand side by side. referencing looks at
# the first value only. If that is a list, no value is searched for an `$id`; if it is a schema, lists are taken for schemas.
# Output seen:
#   list first, then schema: NoSuchAnchor: 'name' does not exist
#   schema first, then list: AttributeError: 'list' object has no attribute 'get'
#   schemas only: valid: True
# seen 2026-11-28
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
python3 -m venv env
env/bin/pip install --quiet jsonschema==4.26.0 referencing==0.37.0

env/bin/python > seen.txt <<'PY'
from jsonschema import Draft7Validator

names = {"tls": ["certificate"]}
named = {"host": {"$id": "#name", "type": "object"}}
for order, dependencies in (
    ("list first, then schema", names | named),
    ("schema first, then list", named | names),
    ("schemas only", named),
):
    schema = {"properties": {"meta": {"$ref": "#name"}}, "dependencies": dependencies}
    Draft7Validator.check_schema(schema)
    try:
        print(f"{order}: valid:", Draft7Validator(schema).is_valid({"meta": {}}))
    except AttributeError as error:
        print(f"{order}: AttributeError: {error}")
    except Exception as error:
        print(f"{order}:", str(error).partition(" within")[0])
PY

diff - seen.txt <<'OUT'
list first, then schema: NoSuchAnchor: 'name' does not exist
schema first, then list: AttributeError: 'list' object has no attribute 'get'
schemas only: valid: True
OUT

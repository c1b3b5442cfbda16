#!/usr/bin/env bash
# jsonschema raises TypeError where a boolean `items` stands beside `additionalItems`.
#
# Version: jsonschema 4.26.0 (Python), drafts 6, 7 and 2019-09.
# Behaviour: since draft 6 `items` may be true or false, and `additionalItems` has no effect beside it. `check_schema` takes
# such a schema; validating any array then asks for the length of the boolean.
# Output seen:
#   Draft6Validator object of type 'bool' has no len()
#   Draft7Validator object of type 'bool' has no len()
#   Draft201909Validator object of type 'bool' has no len()
# seen 2026-11-28
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
python3 -m venv env
env/bin/pip install --quiet jsonschema==4.26.0

env/bin/python > seen.txt <<'PY'
from jsonschema import Draft6Validator, Draft7Validator, Draft201909Validator

schema = {"items": True, "additionalItems": False}
for validator in (Draft6Validator, Draft7Validator, Draft201909Validator):
    validator.check_schema(schema)
    try:
        print(validator.__name__, "valid:", validator(schema).is_valid([80]))
    except TypeError as error:
        print(validator.__name__, error)
PY

diff - seen.txt <<'OUT'
Draft6Validator object of type 'bool' has no len()
Draft7Validator object of type 'bool' has no len()
Draft201909Validator object of type 'bool' has no len()
OUT

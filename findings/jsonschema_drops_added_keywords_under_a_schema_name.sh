#!/usr/bin/env bash
# A keyword added to a validator of jsonschema is ignored wherever a subschema names its draft.
#
# Version: jsonschema 4.26.0 (Python).
# Behaviour: `validators.extend` makes a validator with keywords of one's own. At a subschema with `$schema`, even of the same
# draft, `evolve` takes the library's own class instead, which does not know them. At the root `$schema` changes nothing.
# Output seen:
#   subschema without $schema: ['even']
#   $schema at the root: ['even']
#   $schema in the subschema: []
# seen 2026-11-28
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
python3 -m venv env
env/bin/pip install --quiet jsonschema==4.26.0

env/bin/python > seen.txt <<'PY'
from jsonschema import Draft7Validator, ValidationError, validators

DRAFT = "http://json-schema.org/draft-07/schema#"


def even(validator, wanted, instance, schema):
    if instance % 2:
        yield ValidationError("odd")


Extended = validators.extend(Draft7Validator, {"even": even})
for name, schema in (
    ("subschema without $schema", {"properties": {"port": {"even": True}}}),
    ("$schema at the root", {"$schema": DRAFT, "properties": {"port": {"even": True}}}),
    ("$schema in the subschema", {"properties": {"port": {"$schema": DRAFT, "even": True}}}),
):
    print(f"{name}:", [error.validator for error in Extended(schema).iter_errors({"port": 81})])
PY

diff - seen.txt <<'OUT'
subschema without $schema: ['even']
$schema at the root: ['even']
$schema in the subschema: []
OUT

#!/usr/bin/env bash
# ajv asks nothing by `unevaluatedItems` when the only branch that speaks of items was not taken.
#
# Versions: ajv 8.20.0 (npm), draft 2020-12; jsonschema 4.26.0 (Python) beside it.
# Behaviour: what a failed branch of `anyOf` or `oneOf`, or a `then` whose `if` failed, says of items evaluates none of them. ajv
# counts evaluated items in a variable that it sets in such a branch only. If no branch was taken, it compares the length with a
# variable that has no value, which is false, and so any item passes `unevaluatedItems: false`. An item that is evaluated beside the
# branches gives the variable a value, and properties are counted otherwise: both are refused as they should be. Neither ajv's
# documentation nor a report was found that tells of it.
# Output seen:
#   {"if":{"minItems":2},"then":{"items":true},"unevaluatedItems":false} [1]: ajv true, jsonschema false
#   {"anyOf":[true,{"minItems":2,"items":true}],"unevaluatedItems":false} [1]: ajv true, jsonschema false
#   {"oneOf":[true,{"minItems":2,"prefixItems":[true]}],"unevaluatedItems":false} [1]: ajv true, jsonschema false
#   {"prefixItems":[true],"if":{"minItems":3},"then":{"items":true},"unevaluatedItems":false} [1,2]: ajv false, jsonschema false
#   {"if":{"required":["b"]},"then":{"properties":{"a":true}},"unevaluatedProperties":false} {"a":1}: ajv false, jsonschema false
#   {"anyOf":[true,{"required":["b"],"properties":{"a":true}}],"unevaluatedProperties":false} {"a":1}: ajv false, jsonschema false
# seen 2026-11-29
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
python3 -m venv env
env/bin/pip install --quiet jsonschema==4.26.0
npm install --silent --no-fund --no-audit ajv@8.20.0 > install.txt 2>&1 || { cat install.txt; exit 1; }

cat > cases.txt <<'JSON'
{"if":{"minItems":2},"then":{"items":true},"unevaluatedItems":false} [1]
{"anyOf":[true,{"minItems":2,"items":true}],"unevaluatedItems":false} [1]
{"oneOf":[true,{"minItems":2,"prefixItems":[true]}],"unevaluatedItems":false} [1]
{"prefixItems":[true],"if":{"minItems":3},"then":{"items":true},"unevaluatedItems":false} [1,2]
{"if":{"required":["b"]},"then":{"properties":{"a":true}},"unevaluatedProperties":false} {"a":1}
{"anyOf":[true,{"required":["b"],"properties":{"a":true}}],"unevaluatedProperties":false} {"a":1}
JSON
cat > judge.js <<'JS'
const Ajv = require("ajv/dist/2020").default;
for (const line of require("fs").readFileSync("cases.txt", "utf8").trim().split("\n")) {
  const [schema, instance] = line.split(" ").map((text) => JSON.parse(text));
  console.log(`${line}: ajv ${new Ajv({ strict: false }).validate(schema, instance)}`);
}
JS
node judge.js > ajv.txt
env/bin/python > jsonschema.txt <<'PY'
import json

from jsonschema import Draft202012Validator

for line in open("cases.txt"):
    schema, instance = map(json.loads, line.split(" "))
    Draft202012Validator.check_schema(schema)
    print("jsonschema", str(Draft202012Validator(schema).is_valid(instance)).lower())
PY
paste -d, ajv.txt jsonschema.txt | sed 's/,jsonschema/, jsonschema/' > seen.txt

diff - seen.txt <<'OUT'
{"if":{"minItems":2},"then":{"items":true},"unevaluatedItems":false} [1]: ajv true, jsonschema false
{"anyOf":[true,{"minItems":2,"items":true}],"unevaluatedItems":false} [1]: ajv true, jsonschema false
{"oneOf":[true,{"minItems":2,"prefixItems":[true]}],"unevaluatedItems":false} [1]: ajv true, jsonschema false
{"prefixItems":[true],"if":{"minItems":3},"then":{"items":true},"unevaluatedItems":false} [1,2]: ajv false, jsonschema false
{"if":{"required":["b"]},"then":{"properties":{"a":true}},"unevaluatedProperties":false} {"a":1}: ajv false, jsonschema false
{"anyOf":[true,{"required":["b"],"properties":{"a":true}}],"unevaluatedProperties":false} {"a":1}: ajv false, jsonschema false
OUT

#!/usr/bin/env bash
# ajv accepts an empty array for `contains` when the schema also says what the first item is, unless all errors are wanted.
#
# Versions: ajv 8.20.0 (npm); jsonschema 4.26.0 (Python) beside it.
# Behaviour: `contains` asks for at least one item that fits, so no empty array is valid. Beside `prefixItems` (in draft 7: an array
# for `items`) whose first schema asks for anything, ajv accepts it, also with `minContains: 2`. It asks `contains` only if a
# variable says that the tuple is valid, and sets that variable only if there is an item. With `allErrors` it asks, and refuses. So
# a list of hosts that must have a certain one may be empty, and one option of the validator changes what is valid. ajv had a bug
# with the same effect in 2017 beside `$ref` (its issue 502); no report of this one was found.
# Output seen, for []:
#   draft 7 {"contains":{"const":"a"}}: ajv false, with allErrors false, jsonschema false
#   draft 7 {"items":[{"type":"string"}],"contains":{"const":"a"}}: ajv true, with allErrors false, jsonschema false
#   2020-12 {"prefixItems":[{}],"contains":{"const":"a"}}: ajv false, with allErrors false, jsonschema false
#   2020-12 {"prefixItems":[{"type":"string"}],"contains":{"const":"a"}}: ajv true, with allErrors false, jsonschema false
#   2020-12 {"prefixItems":[{"const":"b"}],"contains":{"const":"a"},"minContains":2}: ajv true, with allErrors false, jsonschema false
# seen 2026-11-29
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
python3 -m venv env
env/bin/pip install --quiet jsonschema==4.26.0
npm install --silent --no-fund --no-audit ajv@8.20.0 > install.txt 2>&1 || { cat install.txt; exit 1; }

cat > schemas.txt <<'JSON'
draft 7 {"contains":{"const":"a"}}
draft 7 {"items":[{"type":"string"}],"contains":{"const":"a"}}
2020-12 {"prefixItems":[{}],"contains":{"const":"a"}}
2020-12 {"prefixItems":[{"type":"string"}],"contains":{"const":"a"}}
2020-12 {"prefixItems":[{"const":"b"}],"contains":{"const":"a"},"minContains":2}
JSON
cat > judge.js <<'JS'
const drafts = { "draft 7": require("ajv").default, "2020-12": require("ajv/dist/2020").default };
for (const line of require("fs").readFileSync("schemas.txt", "utf8").trim().split("\n")) {
  const valid = [false, true].map((allErrors) =>
    new drafts[line.slice(0, 7)]({ strict: false, allErrors }).validate(JSON.parse(line.slice(8)), []),
  );
  console.log(`${line}: ajv ${valid.join(", with allErrors ")}`);
}
JS
node judge.js > ajv.txt
env/bin/python > jsonschema.txt <<'PY'
import json

from jsonschema import Draft7Validator, Draft202012Validator

DRAFTS = {"draft 7": Draft7Validator, "2020-12": Draft202012Validator}
for line in open("schemas.txt"):
    validator = DRAFTS[line[:7]]
    schema = json.loads(line[8:])
    validator.check_schema(schema)
    print("jsonschema", str(validator(schema).is_valid([])).lower())
PY
paste -d, ajv.txt jsonschema.txt | sed 's/,jsonschema/, jsonschema/' > seen.txt

diff - seen.txt <<'OUT'
draft 7 {"contains":{"const":"a"}}: ajv false, with allErrors false, jsonschema false
draft 7 {"items":[{"type":"string"}],"contains":{"const":"a"}}: ajv true, with allErrors false, jsonschema false
2020-12 {"prefixItems":[{}],"contains":{"const":"a"}}: ajv false, with allErrors false, jsonschema false
2020-12 {"prefixItems":[{"type":"string"}],"contains":{"const":"a"}}: ajv true, with allErrors false, jsonschema false
2020-12 {"prefixItems":[{"const":"b"}],"contains":{"const":"a"},"minContains":2}: ajv true, with allErrors false, jsonschema false
OUT

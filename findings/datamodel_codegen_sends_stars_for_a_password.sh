#!/usr/bin/env bash
# A model of datamodel-code-generator sends "**********" in place of each text whose format is `password`.
#
# Versions: datamodel-code-generator 0.89.0, pydantic 2.14.4, OpenAPI 3.1.
# Behaviour: `format: password` asks a form to hide what is typed; it is a text all the same. The generator makes pydantic's
# `SecretStr` of it, which is written as ten stars, in the JSON of a request too. Nothing is refused: the server stores the stars,
# and what is read and written back unchanged is lost. It shows when somebody signs in. The stars are in pydantic's documentation of
# that type. `--type-mappings string+password=string` makes `str`.
# Output seen:
#   field: token: SecretStr
#   read: {"name":"prod","token":"correct-horse"}
#   sent: {"name":"prod","token":"**********"}
# seen 2026-11-29
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
python3 -m venv env
env/bin/pip install --quiet datamodel-code-generator==0.89.0 pydantic==2.14.4

cat > openapi.json <<'JSON'
{
  "openapi": "3.1.0",
  "info": {"title": "Clusters", "version": "1"},
  "paths": {},
  "components": {"schemas": {"Cluster": {"type": "object", "required": ["name", "token"], "properties": {
    "name": {"type": "string"},
    "token": {"type": "string", "format": "password"}
  }}}}
}
JSON
env/bin/datamodel-codegen --input openapi.json --input-file-type openapi --output clusters.py \
  --output-model-type pydantic_v2.BaseModel > generate.log 2>&1 || { cat generate.log; exit 1; }
sed -n 's/^ *token: /field: token: /p' clusters.py > seen.txt
env/bin/python >> seen.txt <<'PY'
from clusters import Cluster

READ = '{"name":"prod","token":"correct-horse"}'
print("read:", READ)
print("sent:", Cluster.model_validate_json(READ).model_dump_json())
PY

diff - seen.txt <<'OUT'
field: token: SecretStr
read: {"name":"prod","token":"correct-horse"}
sent: {"name":"prod","token":"**********"}
OUT

#!/usr/bin/env bash
# openapi-python-client refuses a whole OpenAPI 3.1 document for one property whose schema is `true`.
#
# Versions: openapi-python-client 0.29.1, OpenAPI 3.1.
# Behaviour: schemas of OpenAPI 3.1 are JSON Schema's, where `true` is a schema. The generator warns of other keywords that it
# does not know and goes on; here no client is written at all. `{}` says the same and is taken.
# Output seen:
#   schema true: exit code 1
#     components.schemas.Stack.other.properties.labels.other
#       Input should be a valid dictionary or instance of Schema [type=model_type, input_value=True, input_type=bool]
#   schema {}: exit code 0
# seen 2026-11-28
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
python3 -m venv env
env/bin/pip install --quiet openapi-python-client==0.29.1

for schema in true '{}'; do
    cat > openapi.json <<JSON
{
  "openapi": "3.1.0",
  "info": {"title": "Stacks", "version": "1"},
  "paths": {},
  "components": {"schemas": {"Stack": {"type": "object", "properties": {"labels": $schema}}}}
}
JSON
    code=0
    env/bin/openapi-python-client generate --path openapi.json --meta none --output-path stacks > generate.log 2>&1 || code=$?
    echo "schema $schema: exit code $code" >> seen.txt
    sed -n '/^components\./p; s/^ *Input should/    Input should/p' generate.log | sed 's/^components/  components/' >> seen.txt
    rm -rf stacks
done

diff - seen.txt <<'OUT'
schema true: exit code 1
  components.schemas.Stack.other.properties.labels.other
    Input should be a valid dictionary or instance of Schema [type=model_type, input_value=True, input_type=bool]
schema {}: exit code 0
OUT

#!/usr/bin/env bash
# openapi-python-client reads a success as the error's type when the success has an enum of mixed types.
#
# Versions: openapi-python-client 0.29.1, OpenAPI 3.1.
# Behaviour: an enum may hold values of several types. The generator warns, removes the schema that has one, and ends with 0.
# It also leaves out the 200 that answers with it; the client then takes `default`, the problem, for each answer, so a 200
# is parsed as a `Problem`, and a type checker finds nothing wrong.
# Output seen:
#   exit code 0
#   models: problem
#   200 is read as Problem
# seen 2026-11-28
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
python3 -m venv env
env/bin/pip install --quiet openapi-python-client==0.29.1

cat > openapi.json <<'JSON'
{
  "openapi": "3.1.0",
  "info": {"title": "Stacks", "version": "1"},
  "paths": {"/stack": {"get": {"operationId": "getStack", "responses": {
    "200": {"description": "The stack", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Stack"}}}},
    "default": {"description": "Refused", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
  }}}},
  "components": {"schemas": {
    "Stack": {"type": "object", "properties": {"port": {"enum": [80, "http"]}}},
    "Problem": {"type": "object", "properties": {"code": {"type": "string"}}}
  }}
}
JSON
code=0
env/bin/openapi-python-client generate --path openapi.json --meta none --output-path stacks > generate.log 2>&1 || code=$?
echo "exit code $code" > seen.txt
echo "models: $(cd stacks/models && ls | grep -v '^__' | sed 's/\.py$//' | xargs)" >> seen.txt
env/bin/python >> seen.txt <<'PY'
import httpx

from stacks import Client
from stacks.api.default import get_stack

client = Client("http://stacks.example")
answer = httpx.MockTransport(lambda request: httpx.Response(200, json={"port": 80}))
client.set_httpx_client(httpx.Client(base_url="http://stacks.example", transport=answer))
print("200 is read as", type(get_stack.sync(client=client)).__name__)
PY

diff - seen.txt <<'OUT'
exit code 0
models: problem
200 is read as Problem
OUT

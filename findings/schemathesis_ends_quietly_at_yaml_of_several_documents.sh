#!/usr/bin/env bash
# Schemathesis tests nothing more after an answer in YAML that has several documents, and reports success.
#
# Versions: schemathesis 4.32.5, OpenAPI 3.1.
# Behaviour: a text of the type application/yaml may hold several documents, as Kubernetes manifests do. Schemathesis
# reads it as one to learn from it. The error ends the thread that sends the requests, with a traceback on stderr only.
# Operations that have not been reached are counted as skipped, and the exit code is 0.
# Output seen:
#   exit code 0
#   answers in yaml of one document: Tested: 3
#   answers in yaml of two documents: Tested: 1
# seen 2026-11-29
set -euo pipefail
scratch=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$scratch"' EXIT
cd "$scratch"
python3 -m venv env
env/bin/pip install --quiet schemathesis==4.32.5

cat > openapi.json <<'JSON'
{
  "openapi": "3.1.0",
  "info": {"title": "Manifests", "version": "1"},
  "paths": {
    "/health": {"get": {"responses": {
      "200": {"description": "A text", "content": {"text/plain": {"schema": {"type": "string"}}}}}}},
    "/manifests": {"get": {"responses": {
      "200": {"description": "The text", "content": {"application/yaml": {"schema": {"type": "string"}}}}}}},
    "/version": {"get": {"responses": {
      "200": {"description": "A text", "content": {"text/plain": {"schema": {"type": "string"}}}}}}}
  }
}
JSON
cat > server.py <<'PY'
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ONE = "apiVersion: v1\nkind: Namespace\n"
TEXT = {"one": ONE, "two": f"{ONE}---\n{ONE}"}[sys.argv[1]]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        is_yaml = self.path.startswith("/manifests")
        body = (TEXT if is_yaml else "1").encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/yaml" if is_yaml else "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
Path("port").write_text(str(server.server_address[1]))
server.serve_forever()
PY

for documents in one two; do
  rm -f port
  python3 server.py "$documents" &
  server=$!
  until [ -s port ]; do sleep 0.1; done
  code=0
  env/bin/schemathesis run openapi.json --url "http://127.0.0.1:$(cat port)" --no-color --workers 1 \
    --phases fuzzing --max-examples 5 --checks status_code_conformance > run.log 2> errors.log || code=$?
  kill "$server"
  wait "$server" 2> /dev/null || true
  server=
  tested=$(sed -n 's/^ *Tested: *//p' run.log)
  [ "$documents" = one ] || echo "exit code $code" >> seen.txt
  echo "answers in yaml of $documents document$([ "$documents" = one ] || echo s): Tested: ${tested:-none}" >> seen.txt
done
sort seen.txt > sorted.txt

diff - sorted.txt <<'OUT'
answers in yaml of one document: Tested: 3
answers in yaml of two documents: Tested: 1
exit code 0
OUT

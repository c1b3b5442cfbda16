#!/usr/bin/env bash
# TypeScript clients made from an OpenAPI document send a body of YAML as one JSON string, which YAML reads as a text.
#
# Versions: @hey-api/openapi-ts 0.99.0, orval 8.38.0 (fetch), openapi-fetch 0.17.0, yaml 2.8.1 reads what was sent.
# Behaviour: the body is declared as `application/yaml` with a schema of type string. All three put it through JSON.stringify and
# still say `application/yaml`. JSON is YAML, so no reader fails: it gets a text instead of a mapping. The same body
# as `text/plain` is sent as it is by hey-api and orval, and quoted by openapi-fetch.
# Output seen:
#   hey-api       application/yaml  "kind: ConfigMap\n"  read as string
#   orval         application/yaml  "kind: ConfigMap\n"  read as string
#   openapi-fetch application/yaml  "kind: ConfigMap\n"  read as string
#   hey-api       text/plain        kind: ConfigMap      read as object
#   orval         text/plain        kind: ConfigMap      read as object
#   openapi-fetch text/plain        "kind: ConfigMap\n"  read as string
# seen 2026-11-29
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

cat > api.yaml <<'YAML'
openapi: 3.1.0
info: {title: Manifests, version: "1"}
paths:
  /as-yaml:
    post:
      operationId: asYaml
      requestBody: {required: true, content: {application/yaml: {schema: {type: string}}}}
      responses: {"204": {description: taken}}
  /as-text:
    post:
      operationId: asText
      requestBody: {required: true, content: {text/plain: {schema: {type: string}}}}
      responses: {"204": {description: taken}}
YAML
cat > orval.config.mjs <<'JS'
export default { manifests: { input: "./api.yaml", output: { target: "./orval.ts", client: "fetch" } } };
JS
npm init --yes > /dev/null
npm pkg set type=module > /dev/null
npm install --silent --no-audit --no-fund @hey-api/openapi-ts@0.99.0 orval@8.38.0 openapi-fetch@0.17.0 yaml@2.8.1 \
    typescript@5.9.3 tsx@4.21.0 > /dev/null
npx openapi-ts -i api.yaml -o hey -p @hey-api/client-fetch > /dev/null
npx orval > /dev/null

# No server: what is handed to fetch is what would be sent.
cat > send.ts <<'TS'
import { parse } from "yaml";
import createClient from "openapi-fetch";

let client = "";
globalThis.fetch = async (input: any, init?: any) => {
  const request = input instanceof Request ? input : new Request(input, init);
  const body = await request.text();
  const type = request.headers.get("content-type")!.split(";")[0];
  console.log(`${client.padEnd(13)} ${type.padEnd(16)}  ${body.trimEnd().padEnd(19)}  read as ${typeof parse(body)}`);
  return new Response(null, { status: 204 });
};
const origin = "http://broker.example";
const hey = await import("./hey/index.ts");
const { client: heyClient } = await import("./hey/client.gen.ts");
const orval = await import("./orval.ts");
const plain = createClient<any>({ baseUrl: origin });
heyClient.setConfig({ baseUrl: origin });
const absolute = globalThis.fetch;
const body = "kind: ConfigMap\n";
for (const [name, path, type] of [["asYaml", "/as-yaml", "application/yaml"], ["asText", "/as-text", "text/plain"]]) {
  client = "hey-api";
  await (hey as any)[name]({ body });
  client = "orval";
  globalThis.fetch = (input: any, init?: any) => absolute(origin + input, init);
  await (orval as any)[name](body);
  globalThis.fetch = absolute;
  client = "openapi-fetch";
  await plain.POST(path, { body, headers: { "Content-Type": type } } as any);
}
TS
npx tsx send.ts > seen.txt

diff - seen.txt <<'OUT'
hey-api       application/yaml  "kind: ConfigMap\n"  read as string
orval         application/yaml  "kind: ConfigMap\n"  read as string
openapi-fetch application/yaml  "kind: ConfigMap\n"  read as string
hey-api       text/plain        kind: ConfigMap      read as object
orval         text/plain        kind: ConfigMap      read as object
openapi-fetch text/plain        "kind: ConfigMap\n"  read as string
OUT

#!/usr/bin/env bash
# A client of oapi-codegen sends `{}` in place of a body that is one of several schemas and has no name.
#
# Versions: oapi-codegen v2.8.2 with its runtime v1.9.0 (Go), OpenAPI 3.0.
# Behaviour: a `oneOf` becomes a struct with a private field and a method that writes it. For a body that stands in its operation,
# the client takes another type, which is defined by that struct and so has its fields and none of its methods. It compiles,
# the value is set without an error, and encoding/json finds nothing to write. The same `oneOf` as a component is sent.
# Output seen:
#   given {"name":"prod"}, sent without a name {}
#   given {"name":"prod"}, sent as a component {"name":"prod"}
# seen 2026-11-29
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

cat > openapi.json <<'JSON'
{
  "openapi": "3.0.3",
  "info": {"title": "Labels", "version": "1"},
  "paths": {
    "/unnamed": {"post": {
      "operationId": "addUnnamed",
      "requestBody": {"required": true, "content": {"application/json": {"schema": {
        "oneOf": [{"type": "string"}, {"$ref": "#/components/schemas/Label"}]
      }}}},
      "responses": {"204": {"description": "Added"}}
    }},
    "/named": {"post": {
      "operationId": "addNamed",
      "requestBody": {"required": true, "content": {"application/json": {"schema": {
        "$ref": "#/components/schemas/Choice"
      }}}},
      "responses": {"204": {"description": "Added"}}
    }}
  },
  "components": {"schemas": {
    "Choice": {"oneOf": [{"type": "string"}, {"$ref": "#/components/schemas/Label"}]},
    "Label": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
  }}
}
JSON
cat > go.mod <<'MOD'
module labels

go 1.26.0

require github.com/oapi-codegen/runtime v1.9.0
MOD
cat > main.go <<'GO'
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"labels/client"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	var sent string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		check(err)
		sent = string(body)
	}))
	defer server.Close()
	caller, err := client.NewClient(server.URL)
	check(err)
	label := client.Label{Name: "prod"}
	given, err := json.Marshal(label)
	check(err)

	var unnamed client.AddUnnamedJSONBody
	check(unnamed.FromLabel(label))
	_, err = caller.AddUnnamed(context.Background(), client.AddUnnamedJSONRequestBody(unnamed))
	check(err)
	fmt.Printf("given %s, sent without a name %s\n", given, sent)

	var named client.Choice
	check(named.FromLabel(label))
	_, err = caller.AddNamed(context.Background(), named)
	check(err)
	fmt.Printf("given %s, sent as a component %s\n", given, sent)
}
GO
module=github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2
GOBIN="$scratch" go install "$module" 2> build.txt || { cat build.txt; exit 1; }
mkdir client
./oapi-codegen -package client -generate types,client -o client/client.go openapi.json
GOFLAGS=-mod=mod go run . > seen.txt 2> build.txt || { cat build.txt; exit 1; }

diff - seen.txt <<'OUT'
given {"name":"prod"}, sent without a name {}
given {"name":"prod"}, sent as a component {"name":"prod"}
OUT

#!/usr/bin/env bash
# goccy/go-yaml drops the tabs inside a text without quotes, also in what it wrote itself.
#
# Versions: github.com/goccy/go-yaml v1.19.2, sigs.k8s.io/yaml v1.4.0 (Go).
# Behaviour: YAML allows tabs inside a plain scalar, and Kubernetes' reader keeps them. goccy/go-yaml leaves them out without a word
# and joins what stood apart. Its writer puts no quotes around such a text, so a text loses its tabs when it is written and read
# again, and a command gets one argument in place of two. In quotes and in blocks tabs are kept. No report of it was found.
# Output seen, with tabs as JSON writes them:
#   the line     "command: tar\tchart.tgz"
#   sigs.k8s.io  {"command":"tar\tchart.tgz"}
#   goccy        {"command":"tarchart.tgz"}
#   goccy writes "command: tar\tchart.tgz\n"
#   and reads    {"command":"tarchart.tgz"}
#   in quotes    {"command":"tar\tchart.tgz"}
# seen 2026-11-29
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

cat > go.mod <<'MOD'
module reader

go 1.26.0

require (
	github.com/goccy/go-yaml v1.19.2
	sigs.k8s.io/yaml v1.4.0
)
MOD
cat > main.go <<'GO'
package main

import (
	"encoding/json"
	"fmt"

	"github.com/goccy/go-yaml"
	kubernetes "sigs.k8s.io/yaml"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func read(text string) string {
	var value map[string]string
	check(yaml.Unmarshal([]byte(text), &value))
	object, err := json.Marshal(value)
	check(err)
	return string(object)
}

func main() {
	const line = "command: tar\tchart.tgz"
	fmt.Printf("the line     %q\n", line)
	object, err := kubernetes.YAMLToJSON([]byte(line))
	check(err)
	fmt.Printf("sigs.k8s.io  %s\n", object)
	fmt.Printf("goccy        %s\n", read(line))
	written, err := yaml.Marshal(map[string]string{"command": "tar\tchart.tgz"})
	check(err)
	fmt.Printf("goccy writes %q\n", written)
	fmt.Printf("and reads    %s\n", read(string(written)))
	fmt.Printf("in quotes    %s\n", read("command: 'tar\tchart.tgz'"))
}
GO
GOFLAGS=-mod=mod go run . > seen.txt 2> build.txt || { cat build.txt; exit 1; }

diff - seen.txt <<'OUT'
the line     "command: tar\tchart.tgz"
sigs.k8s.io  {"command":"tar\tchart.tgz"}
goccy        {"command":"tarchart.tgz"}
goccy writes "command: tar\tchart.tgz\n"
and reads    {"command":"tarchart.tgz"}
in quotes    {"command":"tar\tchart.tgz"}
OUT

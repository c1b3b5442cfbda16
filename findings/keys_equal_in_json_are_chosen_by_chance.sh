#!/usr/bin/env bash
# Of two keys that YAML tells apart and JSON does not, Kubernetes' reader keeps one by chance, and serde writes both.
#
# Versions: serde_yaml 0.9.34 with serde_json 1.0.154 (Rust), sigs.k8s.io/yaml v1.4.0 (Go).
# Behaviour: the keys 1 and "1" are not the same in YAML, so nobody refuses them. sigs.k8s.io/yaml writes both to one key in
# the random order of Go's maps: one text gives different objects from call to call. serde_json writes one key twice.
# The Go program reads the text 1000 times and tells the different answers.
# Output seen:
#   serde_yaml       {"1":"number","1":"text"}
#   sigs.k8s.io/yaml {"1":"number"}
#   sigs.k8s.io/yaml {"1":"text"}
# seen 2026-11-28
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
mkdir -p rust/src go
export TEXT='{1: number, "1": text}'

cat > rust/Cargo.toml <<'TOML'
[package]
name = "reader"
version = "0.1.0"
edition = "2021"
[dependencies]
serde_yaml = "=0.9.34"
serde_json = "=1.0.154"
TOML
cat > rust/src/main.rs <<'RUST'
fn main() {
    let text = std::env::var("TEXT").unwrap();
    match serde_yaml::from_str::<serde_yaml::Value>(&text) {
        Ok(value) => println!("serde_yaml       {}", serde_json::to_string(&value).unwrap()),
        Err(error) => println!("serde_yaml       refuses: {error}"),
    }
}
RUST
cat > go/main.go <<'GO'
package main

import (
	"fmt"
	"os"
	"slices"

	"sigs.k8s.io/yaml"
)

func main() {
	var read []string
	for i := 0; i < 1000; i++ {
		json, err := yaml.YAMLToJSON([]byte(os.Getenv("TEXT")))
		if err != nil {
			panic(err)
		}
		read = append(read, string(json))
	}
	slices.Sort(read)
	for _, json := range slices.Compact(read) {
		fmt.Printf("sigs.k8s.io/yaml %s\n", json)
	}
}
GO
(cd rust && CARGO_TARGET_DIR="$scratch/target" cargo run --quiet) > seen.txt
(cd go && go mod init reader && go get sigs.k8s.io/yaml@v1.4.0) 2> go.log || { cat go.log; exit 1; }
(cd go && go run .) >> seen.txt

diff - seen.txt <<'OUT'
serde_yaml       {"1":"number","1":"text"}
sigs.k8s.io/yaml {"1":"number"}
sigs.k8s.io/yaml {"1":"text"}
OUT

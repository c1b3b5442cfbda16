#!/usr/bin/env bash
# serde_yaml resolves an alias to the wrong anchor after an anchor's name was used twice.
#
# Versions: serde_yaml 0.9.34 (Rust), sigs.k8s.io/yaml v1.4.0 (Go).
# Behaviour: YAML allows an anchor's name again; an alias means the latest. serde_yaml numbers an anchor by how many names
# it knows. The second `a` adds no name, so `b` gets the number that the second `a` has, and `*a` reads what `b` says.
# kubectl and agents in Rust therefore apply different manifests from one text.
# Output seen:
#   serde_yaml       [1,2,3,3]
#   sigs.k8s.io/yaml [1,2,3,2]
# seen 2026-11-28
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
mkdir -p rust/src go

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
    let value: serde_yaml::Value = serde_yaml::from_str("[&a 1, &a 2, &b 3, *a]").unwrap();
    println!("serde_yaml       {}", serde_json::to_string(&value).unwrap());
}
RUST
cat > go/main.go <<'GO'
package main

import (
	"fmt"

	"sigs.k8s.io/yaml"
)

func main() {
	json, err := yaml.YAMLToJSON([]byte("[&a 1, &a 2, &b 3, *a]"))
	if err != nil {
		panic(err)
	}
	fmt.Printf("sigs.k8s.io/yaml %s\n", json)
}
GO
(cd rust && CARGO_TARGET_DIR="$scratch/target" cargo run --quiet) > seen.txt
(cd go && go mod init reader && go get sigs.k8s.io/yaml@v1.4.0) 2> go.log || { cat go.log; exit 1; }
(cd go && go run .) >> seen.txt

diff - seen.txt <<'OUT'
serde_yaml       [1,2,3,3]
sigs.k8s.io/yaml [1,2,3,2]
OUT

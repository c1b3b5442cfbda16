#!/usr/bin/env bash
# `!!binary` is decoded by Kubernetes' reader and not by serde_yaml, which drops the tag without a word.
#
# Versions: serde_yaml 0.9.34 (Rust), sigs.k8s.io/yaml v1.4.0 (Go).
# Behaviour: serde_yaml keeps tags of the application as tagged values, but this one it neither obeys nor keeps. A Secret's
# `stringData` holds the bytes when kubectl applies it, and their base64 when a program in Rust does.
# Output seen:
#   serde_yaml       {"greeting":"aGk="}
#   sigs.k8s.io/yaml {"greeting":"hi"}
# seen 2026-11-28
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
mkdir -p rust/src go
export TEXT='greeting: !!binary aGk='

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

	"sigs.k8s.io/yaml"
)

func main() {
	json, err := yaml.YAMLToJSON([]byte(os.Getenv("TEXT")))
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
serde_yaml       {"greeting":"aGk="}
sigs.k8s.io/yaml {"greeting":"hi"}
OUT

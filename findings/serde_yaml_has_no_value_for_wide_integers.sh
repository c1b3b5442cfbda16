#!/usr/bin/env bash
# serde_yaml cannot read an integer that is wider than 64 bits into its own Value.
#
# Versions: serde_yaml 0.9.34 (Rust), sigs.k8s.io/yaml v1.4.0 (Go).
# Behaviour: the error says that "any YAML value" was expected, and an integer is one. Kubernetes' reader takes the nearest
# float without a word, and writes it as an integer that is 384 more than the text says.
# Output seen:
#   serde_yaml       refuses: size: invalid type: integer `18446744073709551616` as u128, expected any YAML value at line 1 column 7
#   sigs.k8s.io/yaml {"size":18446744073709552000}
# seen 2026-11-28
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
mkdir -p rust/src go
export TEXT='size: 18446744073709551616'

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
serde_yaml       refuses: size: invalid type: integer `18446744073709551616` as u128, expected any YAML value at line 1 column 7
sigs.k8s.io/yaml {"size":18446744073709552000}
OUT

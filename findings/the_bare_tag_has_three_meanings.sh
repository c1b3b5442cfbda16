#!/usr/bin/env bash
# The YAML tag `!` makes a string, a mapping or nothing, as the reader goes.
#
# Versions: serde_yaml 0.9.34 (Rust), sigs.k8s.io/yaml v1.4.0 (Go), PyYAML 6.0.3.
# Behaviour: YAML 1.2 says that `! 5` is the string "5". Kubernetes' reader holds to that. serde_yaml takes `!` for a tag of
# the application; as JSON it is a mapping with the key "!!", which is nowhere in the text. PyYAML ignores it and reads a number.
# Output seen:
#   serde_yaml       {"port":{"!!":5}}
#   sigs.k8s.io/yaml {"port":"5"}
#   PyYAML           {"port": 5}
# seen 2026-11-28
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
mkdir -p rust/src go
export TEXT='port: ! 5'

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
python3 -m venv env
env/bin/pip install --quiet pyyaml==6.0.3
env/bin/python >> seen.txt <<'PY'
import json
import os

import yaml

print("PyYAML          ", json.dumps(yaml.safe_load(os.environ["TEXT"])))
PY

diff - seen.txt <<'OUT'
serde_yaml       {"port":{"!!":5}}
sigs.k8s.io/yaml {"port":"5"}
PyYAML           {"port": 5}
OUT

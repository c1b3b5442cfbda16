#!/usr/bin/env bash
# `const` and `enum` of one value accept different numbers in the crate jsonschema.
#
# Version: jsonschema 0.18.3 (Rust), draft 7.
# Behaviour: `enum` compares numbers exactly. `const` makes floats of them and takes those as equal that lie closer than the
# machine's epsilon, so 0 also stands for 1e-17, and neighbours beyond 2^53 for each other. Inside an array it is exact.
# Output seen:
#   0 or 1e-17: const true, enum false, const in an array false
#   9007199254740993 or 9007199254740992: const true, enum false, const in an array false
# seen 2026-11-28
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "validator"
version = "0.1.0"
edition = "2021"
[dependencies]
jsonschema = { version = "=0.18.3", default-features = false }
serde_json = "=1.0.154"
TOML
cat > src/main.rs <<'RUST'
use jsonschema::{Draft, JSONSchema};
use serde_json::{json, Value};

fn is_valid(schema: Value, instance: Value) -> bool {
    JSONSchema::options()
        .with_draft(Draft::Draft7)
        .compile(&schema)
        .unwrap()
        .is_valid(&instance)
}

fn main() {
    for (wanted, given) in [
        (json!(0), json!(1e-17)),
        (json!(9007199254740993u64), json!(9007199254740992u64)),
    ] {
        println!(
            "{wanted} or {given}: const {}, enum {}, const in an array {}",
            is_valid(json!({"const": wanted}), given.clone()),
            is_valid(json!({"enum": [wanted]}), given.clone()),
            is_valid(json!({"const": [wanted]}), json!([given])),
        );
    }
}
RUST
CARGO_TARGET_DIR="$scratch/target" cargo run --quiet > seen.txt

diff - seen.txt <<'OUT'
0 or 1e-17: const true, enum false, const in an array false
9007199254740993 or 9007199254740992: const true, enum false, const in an array false
OUT

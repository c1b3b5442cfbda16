#!/usr/bin/env bash
# Of two keys that YAML tells apart and JSON does not, Kubernetes' reader keeps one by chance, and serde writes both.
#
# Versions: serde_yaml 0.9.34 with serde_json 1.0.154 (Rust), sigs.k8s.io/yaml v1.4.0 (Go).
# Behaviour: the keys 1 and "1" are not the same in YAML, so nobody refuses them. sigs.k8s.io/yaml writes both to one key in
# the random order of Go's maps: one text gives different objects from call to call. serde_json writes one key twice.
# The Go program tells the different answers of 1000 calls.
# Output seen:
#   serde_yaml       {"1":"number","1":"text"}
#   sigs.k8s.io/yaml {"1":"number"}
#   sigs.k8s.io/yaml {"1":"text"}
# seen 2026-11-28
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp -r "$(dirname "$0")/yaml_readers/." "$scratch"
cd "$scratch"

export TEXT='{1: number, "1": text}'
(cd rust && CARGO_TARGET_DIR="$scratch/target" cargo run --quiet) > seen.txt
(cd go && go run .) >> seen.txt

diff - seen.txt <<'OUT'
serde_yaml       {"1":"number","1":"text"}
sigs.k8s.io/yaml {"1":"number"}
sigs.k8s.io/yaml {"1":"text"}
OUT

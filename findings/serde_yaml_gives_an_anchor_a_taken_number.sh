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
cp -r "$(dirname "$0")/yaml_readers/." "$scratch"
cd "$scratch"

export TEXT='[&a 1, &a 2, &b 3, *a]'
(cd rust && CARGO_TARGET_DIR="$scratch/target" cargo run --quiet) > seen.txt
(cd go && go run .) >> seen.txt

diff - seen.txt <<'OUT'
serde_yaml       [1,2,3,3]
sigs.k8s.io/yaml [1,2,3,2]
OUT

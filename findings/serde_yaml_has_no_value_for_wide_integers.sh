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
cp -r "$(dirname "$0")/yaml_readers/." "$scratch"
cd "$scratch"

export TEXT='size: 18446744073709551616'
(cd rust && CARGO_TARGET_DIR="$scratch/target" cargo run --quiet) > seen.txt
(cd go && go run .) >> seen.txt

diff - seen.txt <<'OUT'
serde_yaml       refuses: size: invalid type: integer `18446744073709551616` as u128, expected any YAML value at line 1 column 7
sigs.k8s.io/yaml {"size":18446744073709552000}
OUT

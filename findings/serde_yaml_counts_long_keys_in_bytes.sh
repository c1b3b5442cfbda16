#!/usr/bin/env bash
# serde_yaml refuses a key of 600 letters that kubectl reads, because it counts bytes.
#
# Versions: serde_yaml 0.9.34 on unsafe-libyaml 0.2.11 (Rust), sigs.k8s.io/yaml v1.4.0 (Go).
# Behaviour: YAML allows 1,024 characters from the beginning of an implicit key to its colon. In libyaml's C and in Go the
# index of a mark counts characters. The translation to Rust advances it by the width of each character, and compares with 1024.
# Output seen, with the letters replaced:
#   serde_yaml       refuses: mapping values are not allowed in this context at line 1 column 601
#   sigs.k8s.io/yaml {"(600 letters)":1}
# seen 2026-11-28
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp -r "$(dirname "$0")/yaml_readers/." "$scratch"
cd "$scratch"

letters=$(printf 'é%.0s' $(seq 600))
export TEXT="$letters: 1"
(cd rust && CARGO_TARGET_DIR="$scratch/target" cargo run --quiet) > seen.txt
(cd go && go run .) >> seen.txt
sed -i "s/$letters/(600 letters)/" seen.txt

diff - seen.txt <<'OUT'
serde_yaml       refuses: mapping values are not allowed in this context at line 1 column 601
sigs.k8s.io/yaml {"(600 letters)":1}
OUT

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
cp -r "$(dirname "$0")/yaml_readers/." "$scratch"
cd "$scratch"

export TEXT='greeting: !!binary aGk='
(cd rust && CARGO_TARGET_DIR="$scratch/target" cargo run --quiet) > seen.txt
(cd go && go run .) >> seen.txt

diff - seen.txt <<'OUT'
serde_yaml       {"greeting":"aGk="}
sigs.k8s.io/yaml {"greeting":"hi"}
OUT

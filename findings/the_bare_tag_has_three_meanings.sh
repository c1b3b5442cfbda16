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
cp -r "$(dirname "$0")/yaml_readers/." "$scratch"
cd "$scratch"

export TEXT='port: ! 5'
(cd rust && CARGO_TARGET_DIR="$scratch/target" cargo run --quiet) > seen.txt
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

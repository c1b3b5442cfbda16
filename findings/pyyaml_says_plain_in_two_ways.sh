#!/usr/bin/env bash
# A plain scalar has the style None in PyYAML, and the style '' in PyYAML on libyaml.
#
# Version: PyYAML 6.0.3 (its wheel brings libyaml).
# Behaviour: CSafeLoader is given out as a faster SafeLoader, but `event.style is None` and `node.style is None`, which mean
# "not quoted" with the one, are never true with the other. Who decides by it what `yes` or `5` is, quotes all or nothing.
# Output seen:
#   SafeLoader  events [None, "'"] nodes [None, "'"]
#   CSafeLoader events ['', "'"] nodes ['', "'"]
# seen 2026-11-28
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
python3 -m venv env
env/bin/pip install --quiet pyyaml==6.0.3

env/bin/python > seen.txt <<'PY'
import yaml

TEXT = "[yes, 'yes']"
for loader in (yaml.SafeLoader, yaml.CSafeLoader):
    events = [event.style for event in yaml.parse(TEXT, Loader=loader) if isinstance(event, yaml.ScalarEvent)]
    nodes = [node.style for node in yaml.compose(TEXT, Loader=loader).value]
    print(f"{loader.__name__:11} events {events} nodes {nodes}")
PY

diff - seen.txt <<'OUT'
SafeLoader  events [None, "'"] nodes [None, "'"]
CSafeLoader events ['', "'"] nodes ['', "'"]
OUT

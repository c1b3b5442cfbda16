#!/usr/bin/env bash
# prometheus_client's parser of the text format renames counters that do not end in `_total`.
#
# Version: prometheus-client 0.26.0.
# Behaviour: in the text format 0.0.4 a counter may have any name. The text is parsed as a
# sample `jobs_total`, which nobody exposed. Who looks for `jobs` finds nothing, and who passes metrics on renames the series.
# Output seen:
#   sample: jobs_total 1
#   passed on: jobs_total 1.0
# seen 2026-11-28
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
python3 -m venv env
env/bin/pip install --quiet prometheus-client==0.26.0

env/bin/python > seen.txt <<'PY'
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

EXPOSED = "# TYPE jobs counter\njobs 1\n"


class Passed:
    def collect(self):
        return text_string_to_metric_families(EXPOSED)


for family in text_string_to_metric_families(EXPOSED):
    for sample in family.samples:
        print("sample:", sample.name, sample.value)
registry = CollectorRegistry()
registry.register(Passed())
print("passed on:", generate_latest(registry).decode().splitlines()[-1])
PY

diff - seen.txt <<'OUT'
sample: jobs_total 1
passed on: jobs_total 1.0
OUT

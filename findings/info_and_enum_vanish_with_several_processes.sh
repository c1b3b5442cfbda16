#!/usr/bin/env bash
# Info and Enum metrics of prometheus_client vanish without a word where several processes are counted together.
#
# Version: prometheus-client 0.26.0.
# Behaviour: with PROMETHEUS_MULTIPROC_DIR, modes that a metric cannot have are refused with an error (a Gauge's `inc` in the mode
# "mostrecent"). Info and Enum are made and set as always, and no scrape shows them, not even their HELP line.
# Output seen:
#   Gauge.inc: RuntimeError
#   Info.info: no error
#   Enum.state: no error
#   scraped: jobs_total
# seen 2026-11-28
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
python3 -m venv env
env/bin/pip install --quiet prometheus-client==0.26.0

mkdir samples
PROMETHEUS_MULTIPROC_DIR="$scratch/samples" env/bin/python > seen.txt <<'PY'
from prometheus_client import CollectorRegistry, Counter, Enum, Gauge, Info, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

own = CollectorRegistry()
Counter("jobs", "Jobs done", registry=own).inc()
newest = Gauge("newest", "Newest version", registry=own, multiprocess_mode="mostrecent")
build = Info("build", "The build", registry=own)
state = Enum("state", "The state", states=["ready", "busy"], registry=own)
for name, call in (
    ("Gauge.inc", newest.inc),
    ("Info.info", lambda: build.info({"version": "1"})),
    ("Enum.state", lambda: state.state("busy")),
):
    try:
        call()
        print(f"{name}: no error")
    except Exception as error:
        print(f"{name}: {type(error).__name__}")

together = CollectorRegistry()
MultiProcessCollector(together)
lines = generate_latest(together).decode().splitlines()
print("scraped:", *(line.split()[2] for line in lines if line.startswith("# TYPE") and "newest" not in line))
PY

diff - seen.txt <<'OUT'
Gauge.inc: RuntimeError
Info.info: no error
Enum.state: no error
scraped: jobs_total
OUT

#!/usr/bin/env bash
# Tera 1 writes a whole float as `2` and joins it to a text as `2.0`.
#
# Versions: Tera 1.20.1 and 2.4.0 (Rust).
# Behaviour: `{{ }}` drops the fraction of a whole float, and `~` keeps that of a variable. A literal loses it in both. A version
# that came as a number is `v2` or `v2.0` by how its template is written. Tera 2 always keeps the fraction.
# Output seen, with {"version": 2.0}:
#   v{{ version }}
#     1.20.1 v2
#     2.4.0  v2.0
#   {{ "v" ~ version }}
#     1.20.1 v2.0
#     2.4.0  v2.0
#   {{ "v" ~ 2.0 }}
#     1.20.1 v2
#     2.4.0  v2.0
# seen 2026-11-29
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp -r "$(dirname "$0")/tera_releases/." "$scratch"
cd "$scratch"

cat > templates.txt <<'TERA'
v{{ version }}
{{ "v" ~ version }}
{{ "v" ~ 2.0 }}
TERA
export VALUES='{"version": 2.0}'
CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$scratch/target}" cargo run --quiet < templates.txt > seen.txt

diff - seen.txt <<'OUT'
v{{ version }}
  1.20.1 v2
  2.4.0  v2.0
{{ "v" ~ version }}
  1.20.1 v2.0
  2.4.0  v2.0
{{ "v" ~ 2.0 }}
  1.20.1 v2
  2.4.0  v2.0
OUT

#!/usr/bin/env bash
# Tera 1 computes what stands after a filter first, so that `list | length - 1 - 1` is the length less nothing.
#
# Versions: Tera 1.20.1 and 2.4.0 (Rust).
# Behaviour: without a filter, arithmetic is grouped from left to right and `*` binds tighter than `+`. After a filter, all
# that follows is one group of its own: the length is multiplied by `2 + 1`, and divided by `2 * 3`. Tera 2 goes from left to right;
# templates with such terms render other numbers there.
# Output seen, with {"ports": [80, 443]}:
#   {{ 2 - 1 - 1 }}, {{ ports | length - 1 - 1 }}
#     1.20.1 0, 2
#     2.4.0  0, 0
#   {{ 2 * 2 + 1 }}, {{ ports | length * 2 + 1 }}
#     1.20.1 5, 6
#     2.4.0  5, 5
#   {{ 2 / 2 * 3 }}, {{ ports | length / 2 * 3 }}
#     1.20.1 3, 0.3333333333333333
#     2.4.0  3.0, 3.0
# seen 2026-11-29
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp -r "$(dirname "$0")/tera_releases/." "$scratch"
cd "$scratch"

cat > templates.txt <<'TERA'
{{ 2 - 1 - 1 }}, {{ ports | length - 1 - 1 }}
{{ 2 * 2 + 1 }}, {{ ports | length * 2 + 1 }}
{{ 2 / 2 * 3 }}, {{ ports | length / 2 * 3 }}
TERA
export VALUES='{"ports": [80, 443]}'
CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$scratch/target}" cargo run --quiet < templates.txt > seen.txt

diff - seen.txt <<'OUT'
{{ 2 - 1 - 1 }}, {{ ports | length - 1 - 1 }}
  1.20.1 0, 2
  2.4.0  0, 0
{{ 2 * 2 + 1 }}, {{ ports | length * 2 + 1 }}
  1.20.1 5, 6
  2.4.0  5, 5
{{ 2 / 2 * 3 }}, {{ ports | length / 2 * 3 }}
  1.20.1 3, 0.3333333333333333
  2.4.0  3.0, 3.0
OUT

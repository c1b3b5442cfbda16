#!/usr/bin/env bash
# Tera 1 ignores `not` before a comparison that is printed or set, and obeys it in a condition.
#
# Versions: Tera 1.20.1 and 2.4.0 (Rust).
# Behaviour: the same `not replicas == 1` is true in `{{ }}` and `set` and false in `if`. Before a name alone and before `in`, `not`
# negates in both places. So a manifest gets `paused: true` where its author wrote the opposite.
# Output seen, with {"replicas": 1}:
#   {{ not replicas == 1 }}
#     1.20.1 true
#     2.4.0  false
#   {% set several = not replicas == 1 %}{{ several }}
#     1.20.1 true
#     2.4.0  false
#   {% if not replicas == 1 %}true{% else %}false{% endif %}
#     1.20.1 false
#     2.4.0  false
#   {{ not replicas }} {{ not replicas in [1] }}
#     1.20.1 false false
#     2.4.0  false false
# seen 2026-11-29
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp -r "$(dirname "$0")/tera_releases/." "$scratch"
cd "$scratch"

cat > templates.txt <<'TERA'
{{ not replicas == 1 }}
{% set several = not replicas == 1 %}{{ several }}
{% if not replicas == 1 %}true{% else %}false{% endif %}
{{ not replicas }} {{ not replicas in [1] }}
TERA
export VALUES='{"replicas": 1}'
CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$scratch/target}" cargo run --quiet < templates.txt > seen.txt

diff - seen.txt <<'OUT'
{{ not replicas == 1 }}
  1.20.1 true
  2.4.0  false
{% set several = not replicas == 1 %}{{ several }}
  1.20.1 true
  2.4.0  false
{% if not replicas == 1 %}true{% else %}false{% endif %}
  1.20.1 false
  2.4.0  false
{{ not replicas }} {{ not replicas in [1] }}
  1.20.1 false false
  2.4.0  false false
OUT

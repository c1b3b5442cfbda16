#!/usr/bin/env bash
# A filter that fails or does not exist makes a condition of Tera 1 false, or is not asked at all.
#
# Versions: Tera 1.20.1 and 2.4.0 (Rust).
# Behaviour: `{{ ports | lenght }}` is refused, and so is `if ports | lenght > 1`. Alone in a condition, or beside `and`, `or` and
# `not`, the error is swallowed: behind a name the condition is false, behind a text it is true. Nothing looks for the filter when
# the template is read. A test that does not exist is refused in a condition too.
# Output seen, with {"ports": [80, 443]}:
#   {{ ports | lenght }}
#     1.20.1 refuses
#     2.4.0  refuses
#   {% if ports | lenght > 1 %}yes{% else %}no{% endif %}
#     1.20.1 refuses
#     2.4.0  refuses
#   {% if ports | lenght %}yes{% else %}no{% endif %}
#     1.20.1 no
#     2.4.0  refuses
#   {% if not ports | lenght %}yes{% else %}no{% endif %}
#     1.20.1 no
#     2.4.0  refuses
#   {% if "80" | lenght %}yes{% else %}no{% endif %}
#     1.20.1 yes
#     2.4.0  refuses
#   {% if ports is lenght %}yes{% else %}no{% endif %}
#     1.20.1 refuses
#     2.4.0  refuses
# seen 2026-11-29
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp -r "$(dirname "$0")/tera_releases/." "$scratch"
cd "$scratch"

cat > templates.txt <<'TERA'
{{ ports | lenght }}
{% if ports | lenght > 1 %}yes{% else %}no{% endif %}
{% if ports | lenght %}yes{% else %}no{% endif %}
{% if not ports | lenght %}yes{% else %}no{% endif %}
{% if "80" | lenght %}yes{% else %}no{% endif %}
{% if ports is lenght %}yes{% else %}no{% endif %}
TERA
export VALUES='{"ports": [80, 443]}'
CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$scratch/target}" cargo run --quiet < templates.txt > seen.txt

diff - seen.txt <<'OUT'
{{ ports | lenght }}
  1.20.1 refuses
  2.4.0  refuses
{% if ports | lenght > 1 %}yes{% else %}no{% endif %}
  1.20.1 refuses
  2.4.0  refuses
{% if ports | lenght %}yes{% else %}no{% endif %}
  1.20.1 no
  2.4.0  refuses
{% if not ports | lenght %}yes{% else %}no{% endif %}
  1.20.1 no
  2.4.0  refuses
{% if "80" | lenght %}yes{% else %}no{% endif %}
  1.20.1 yes
  2.4.0  refuses
{% if ports is lenght %}yes{% else %}no{% endif %}
  1.20.1 refuses
  2.4.0  refuses
OUT

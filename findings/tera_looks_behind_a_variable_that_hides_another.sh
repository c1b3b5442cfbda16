#!/usr/bin/env bash
# A member that a variable of Tera 1 lacks is taken from the variable that it hides.
#
# Versions: Tera 1.20.1 and 2.4.0 (Rust).
# Behaviour: `set` and `for` may use a name again that is taken. `image.tag` is then looked up whole, scope by scope, and not in the
# value that `image` has now: one object is mixed with another, `default` does not help, and a number seems to have members.
# Output seen, with {"image": {"name": "web", "tag": "1.4"}, "others": [{"name": "proxy"}]}:
#   {% set image = others | first %}{{ image.name }}:{{ image.tag }}
#     1.20.1 proxy:1.4
#     2.4.0  refuses
#   {% set image = others | first %}{{ image.name }}:{{ image.tag | default(value="latest") }}
#     1.20.1 proxy:1.4
#     2.4.0  proxy:latest
#   {% for image in others %}{{ image.name }}:{{ image.tag }}{% endfor %}
#     1.20.1 proxy:1.4
#     2.4.0  refuses
#   {% set image = 3 %}{{ image }}:{{ image.tag }}
#     1.20.1 3:1.4
#     2.4.0  refuses
# seen 2026-11-29
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp -r "$(dirname "$0")/tera_releases/." "$scratch"
cd "$scratch"

cat > templates.txt <<'TERA'
{% set image = others | first %}{{ image.name }}:{{ image.tag }}
{% set image = others | first %}{{ image.name }}:{{ image.tag | default(value="latest") }}
{% for image in others %}{{ image.name }}:{{ image.tag }}{% endfor %}
{% set image = 3 %}{{ image }}:{{ image.tag }}
TERA
export VALUES='{"image": {"name": "web", "tag": "1.4"}, "others": [{"name": "proxy"}]}'
CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$scratch/target}" cargo run --quiet < templates.txt > seen.txt

diff - seen.txt <<'OUT'
{% set image = others | first %}{{ image.name }}:{{ image.tag }}
  1.20.1 proxy:1.4
  2.4.0  refuses
{% set image = others | first %}{{ image.name }}:{{ image.tag | default(value="latest") }}
  1.20.1 proxy:1.4
  2.4.0  proxy:latest
{% for image in others %}{{ image.name }}:{{ image.tag }}{% endfor %}
  1.20.1 proxy:1.4
  2.4.0  refuses
{% set image = 3 %}{{ image }}:{{ image.tag }}
  1.20.1 3:1.4
  2.4.0  refuses
OUT

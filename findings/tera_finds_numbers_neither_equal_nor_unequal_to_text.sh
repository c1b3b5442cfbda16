#!/usr/bin/env bash
# In Tera 1 a number is neither equal nor unequal to a text, to null or to a truth value.
#
# Versions: Tera 1.20.1 and 2.4.0 (Rust).
# Behaviour: if one side is a number and the other is not, `==` and `!=` are both false. The branch of `if port != "443"` is never
# taken for a port that is given as a number, whatever it is, and nothing is refused. Between texts and truth values `!=` is the
# opposite of `==`.
# Output seen, with {"port": 80, "owner": null}:
#   {{ port == "443" }} {{ port != "443" }}
#     1.20.1 false false
#     2.4.0  false true
#   {% if port != "443" %}another port{% else %}that port{% endif %}
#     1.20.1 that port
#     2.4.0  another port
#   {{ owner == 0 }} {{ owner != 0 }}
#     1.20.1 false false
#     2.4.0  false true
#   {{ true == 1 }} {{ true != 1 }}
#     1.20.1 false false
#     2.4.0  false true
#   {{ true == "yes" }} {{ true != "yes" }}
#     1.20.1 false true
#     2.4.0  false true
# seen 2026-11-29
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp -r "$(dirname "$0")/tera_releases/." "$scratch"
cd "$scratch"

cat > templates.txt <<'TERA'
{{ port == "443" }} {{ port != "443" }}
{% if port != "443" %}another port{% else %}that port{% endif %}
{{ owner == 0 }} {{ owner != 0 }}
{{ true == 1 }} {{ true != 1 }}
{{ true == "yes" }} {{ true != "yes" }}
TERA
export VALUES='{"port": 80, "owner": null}'
CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$scratch/target}" cargo run --quiet < templates.txt > seen.txt

diff - seen.txt <<'OUT'
{{ port == "443" }} {{ port != "443" }}
  1.20.1 false false
  2.4.0  false true
{% if port != "443" %}another port{% else %}that port{% endif %}
  1.20.1 that port
  2.4.0  another port
{{ owner == 0 }} {{ owner != 0 }}
  1.20.1 false false
  2.4.0  false true
{{ true == 1 }} {{ true != 1 }}
  1.20.1 false false
  2.4.0  false true
{{ true == "yes" }} {{ true != "yes" }}
  1.20.1 false true
  2.4.0  false true
OUT

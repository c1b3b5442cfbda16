# What the examples have in common: calls of the public API with curl; python3 reads fields out of JSON. Sourced, not run.

for variable in BROKKR_URL BROKKR_ADMIN_PAK; do
  if [[ -z "${!variable:-}" ]]; then
    echo "Set $variable: BROKKR_URL=http://localhost:3000 BROKKR_ADMIN_PAK=brokkr_… $0" >&2
    exit 2
  fi
done
for tool in curl python3; do
  command -v "$tool" >/dev/null || { echo "$tool is needed." >&2; exit 2; }
done

api="${BROKKR_URL%/}/api/v1"
here="$(cd "$(dirname "$0")" && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
answer="$work/answer"
# New in every run, so that names can be made of it that nobody else has.
suffix="$(date +%s)-$$"

step() { printf '\n%s\n' "* $*"; }
say() { printf '  %s\n' "$*"; }
fail() {
  printf '  FAILED: %s\n' "$*" >&2
  exit 1
}

# field EXPRESSION: what the expression makes of the last answer, `it`.
field() {
  python3 -ISc 'import json, sys; it = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$answer" "$1"
}

# request STATUS KEY METHOD PATH [more arguments of curl]: the answer is in $answer; any other status ends the script.
# The key goes in by standard input, because a command line can be read by everybody on the machine.
request() {
  local wanted="$1" key="$2" method="$3" path="$4" status
  shift 4
  status="$(printf 'header = "Authorization: Bearer %s"\n' "$key" |
    curl --config - --silent --show-error --max-time 30 --request "$method" \
      --output "$answer" --write-out '%{http_code}' "$@" "$api$path")" || fail "$method $path: no answer from $BROKKR_URL"
  if [[ "$status" != "$wanted" ]]; then
    # Only the two fields that explain a refusal: other answers may hold a key.
    fail "$method $path answered $status instead of $wanted: $(field '[it.get("code"), it.get("error")]' 2>/dev/null || true)"
  fi
}

send() { # STATUS KEY METHOD PATH JSON
  request "$1" "$2" "$3" "$4" --header 'Content-Type: application/json' --data-binary "$5"
}

#!/usr/bin/env bash
# A staged rollout: a good version reaches every agent wave by wave, a bad one stops at its canary and is rolled back.
# Uses curl and the public API only; python3 reads fields out of JSON. See README.md beside this file.
set -euo pipefail

source "$(dirname "$0")/../calls.sh"
# So that it can be run again and meets nobody else's stacks.
label="staged-rollout-$suffix"
fleet=4
# How long a rollout may take here; with a soak of one second it takes a few.
patience=120

publish() { # FILE: publish the manifest in FILE; its rollout is in $rollout
  request 201 "$generator_pak" POST "/stacks/$stack/deployment-objects" \
    --header 'Content-Type: application/yaml' --data-binary "@$1"
  say "version $(field 'it["sequence_id"]')"
  request 200 "$generator_pak" GET "/rollouts?stack_id=$stack&limit=1"
  rollout="$(field 'it[0]["id"] if it else ""')"
}

# What each agent does every few seconds. This one fails on a manifest that names the image "broken".
agents_work() {
  local number id sequence status
  for ((number = 0; number < fleet; number++)); do
    request 200 "${keys[number]}" GET "/agents/${agents[number]}/target-state?mode=incremental"
    # Nothing is offered that the agent has reported on.
    [[ "$(<"$answer")" == "[]" ]] && continue
    read -r id sequence status < <(
      field '" ".join([it[0]["id"], str(it[0]["sequence_id"]), "FAILURE" if "broken" in it[0]["yaml_content"] else "SUCCESS"])'
    )
    say "agent $number: $status on version $sequence"
    applied[number]="$sequence"
    send 201 "${keys[number]}" POST "/agents/${agents[number]}/events" \
      "{\"deployment_object_id\": \"$id\", \"event_type\": \"DEPLOY\", \"status\": \"$status\", \"message\": \"as asked\"}"
  done
}

# until_it_is STATE: let the agents work until the rollout is in that state, and tell what it waits for meanwhile.
until_it_is() {
  local deadline=$((SECONDS + patience)) state sentence said=""
  while true; do
    agents_work
    request 200 "$generator_pak" GET "/rollouts/$rollout"
    read -r state sentence < <(field 'it["state"] + " " + it["waits_for"]')
    [[ "$sentence" == "$said" ]] || say "$state: $sentence"
    said="$sentence"
    [[ "$state" == "$1" ]] && return
    [[ "$state" == progressing ]] || fail "the rollout is $state instead of $1"
    ((SECONDS < deadline)) || fail "the rollout is not $1 after $patience s; does the broker's worker run?"
    sleep 0.3
  done
}

step "As the administrator: create a generator, $fleet agents with the label $label, and a strategy"
send 201 "$BROKKR_ADMIN_PAK" POST /generators "{\"name\": \"pipeline-$suffix\"}"
generator="$(field 'it["generator"]["id"]')"
generator_pak="$(field 'it["pak"]')"
agents=() keys=() applied=()
for ((number = 0; number < fleet; number++)); do
  send 201 "$BROKKR_ADMIN_PAK" POST /agents "{\"name\": \"agent-$number-$suffix\", \"cluster_name\": \"cluster-$number\"}"
  agents+=("$(field 'it["agent"]["id"]')")
  keys+=("$(field 'it["initial_pak"]')")
  applied+=(0)
  send 201 "$BROKKR_ADMIN_PAK" POST "/agents/${agents[number]}/labels" "{\"label\": \"$label\"}"
  send 200 "$BROKKR_ADMIN_PAK" PUT "/agents/${agents[number]}" '{"status": "ACTIVE"}'
  request 204 "${keys[number]}" POST "/agents/${agents[number]}/heartbeat"
done
python3 - "$here/strategy.json" "careful-$suffix" >"$work/strategy.json" <<'PYTHON'
import json
import sys

strategy = json.load(open(sys.argv[1]))
print(json.dumps(strategy | {"name": sys.argv[2]}))
PYTHON
request 201 "$BROKKR_ADMIN_PAK" POST /rollout-strategies \
  --header 'Content-Type: application/json' --data-binary "@$work/strategy.json"
strategy="$(field 'it["id"]')"
say "waves: $(field '", ".join(wave["name"] for wave in it["waves"])')"
say "on failure: $(field 'it["on_failure"]')"

step "As the generator: create a stack and publish the first version, for everybody at once"
send 201 "$generator_pak" POST /stacks "{\"name\": \"shop-$suffix\", \"generator_id\": \"$generator\"}"
stack="$(field 'it["id"]')"
send 201 "$generator_pak" POST "/stacks/$stack/labels" "\"$label\""
publish "$here/version-1.yaml"
agents_work

step "As the generator: from now on, new versions go by the strategy"
send 200 "$generator_pak" PUT "/stacks/$stack/rollout-strategy" "{\"strategy\": \"$strategy\"}"
say "$(field 'it["strategy"]')"

step "As the generator: publish a good version"
publish "$here/version-2-good.yaml"
until_it_is succeeded
good="$(field 'it["version"]["sequence_id"]')"
[[ "${applied[*]}" == "$good $good $good $good" ]] || fail "not every agent has version $good: ${applied[*]}"
say "every agent has version $good"

step "As the generator: publish a bad version"
publish "$here/version-3-bad.yaml"
until_it_is rolled_back
bad="$(field 'it["version"]["sequence_id"]')"
request 200 "$generator_pak" GET "/rollouts/$rollout/agents"
[[ "$(field 'len(it)')" == 1 ]] || fail "the bad version got further than its canary"
say "only $(field 'it[0]["agent_name"]') got it"

step "As the agents: poll once more; the canary has got the good content back, as a new version"
agents_work
restored=0
for ((number = 0; number < fleet; number++)); do
  if ((applied[number] > bad)); then restored=$((restored + 1)); else
    [[ "${applied[number]}" == "$good" ]] || fail "agent $number has version ${applied[number]}"
  fi
done
[[ "$restored" == 1 ]] || fail "$restored agents were rolled back instead of one"
say "one agent was rolled back, $((fleet - 1)) never noticed"

step "As the generator: the pipeline runs again with the bad version; it is held until a person releases it"
publish "$here/version-3-bad.yaml"
request 200 "$generator_pak" GET "/agents/${agents[0]}/explain?stack_id=$stack"
[[ "$(field 'it["verdict"]')" == held_back ]] || fail "the bad version is not held back"
say "$(field 'it["conclusion"]')"

step "As the administrator: take everything away again"
for agent in "${agents[@]}"; do request 204 "$BROKKR_ADMIN_PAK" DELETE "/agents/$agent"; done
request 204 "$BROKKR_ADMIN_PAK" DELETE "/generators/$generator"
request 204 "$BROKKR_ADMIN_PAK" DELETE "/rollout-strategies/$strategy"
say "deleted"

printf '\n%s\n' "The good version reached everybody, and the bad one only its canary."

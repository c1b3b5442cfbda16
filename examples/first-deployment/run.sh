#!/usr/bin/env bash
# A whole life of an application: published by a generator, fetched and reported by an agent, renewed, deleted.
# Uses curl and the public API only; python3 reads fields out of JSON. See README.md beside this file.
set -euo pipefail

source "$(dirname "$0")/../calls.sh"
# So that it can be run again and meets nobody else's stacks.
label="first-deployment-$suffix"

# json NAME VALUE…: an object of strings.
json() {
  python3 -c 'import json, sys; a = sys.argv[1:]; print(json.dumps(dict(zip(a[::2], a[1::2]))))' "$@"
}

send_json() { # STATUS KEY METHOD PATH NAME VALUE…
  local wanted="$1" key="$2" method="$3" path="$4"
  shift 4
  send "$wanted" "$key" "$method" "$path" "$(json "$@")"
}

publish() { # FILE: publish the manifest in FILE as it is; its id is in $object
  request 201 "$generator_pak" POST "/stacks/$stack/deployment-objects" \
    --header 'Content-Type: application/yaml' --data-binary "@$1"
  object="$(field 'it["id"]')"
  say "version $object, sequence $(field 'it["sequence_id"]')"
}

poll() { # COUNT: ask as the agent what it should have deployed
  request 200 "$agent_pak" GET "/agents/$agent/target-state?mode=full"
  local count
  count="$(field 'len(it)')"
  [[ "$count" == "$1" ]] || fail "the target state holds $count objects instead of $1"
}

poll_finds() { # ID FILE: the target state is this one version, and its manifest is the file, byte by byte
  poll 1
  [[ "$(field 'it[0]["id"]')" == "$1" ]] || fail "the target state holds another version"
  [[ "$(field 'it[0]["is_deletion_marker"]')" == False ]] || fail "the target state asks for a deletion"
  request 200 "$agent_pak" GET "/deployment-objects/$1" --header 'Accept: application/yaml'
  cmp --silent "$answer" "$2" || fail "the manifest that came back is not the one that was published"
  say "the agent should deploy version $1"
}

report() { # ID MESSAGE
  send_json 201 "$agent_pak" POST "/agents/$agent/events" \
    deployment_object_id "$1" event_type DEPLOY status SUCCESS message "$2"
  say "reported SUCCESS"
}

step "Is the broker ready at $BROKKR_URL?"
curl --silent --show-error --fail --max-time 10 "${BROKKR_URL%/}/readyz" >/dev/null || fail "it is not"
say "yes"

step "As the administrator: create a generator, the identity of a pipeline that publishes"
send_json 201 "$BROKKR_ADMIN_PAK" POST /generators name "pipeline-$suffix" description "The first deployment"
generator="$(field 'it["generator"]["id"]')"
generator_pak="$(field 'it["pak"]')"
say "generator $generator; its key stays in this script"

step "As the administrator: create an agent, the identity of a cluster, label it $label and activate it"
send_json 201 "$BROKKR_ADMIN_PAK" POST /agents name "agent-$suffix" cluster_name "first-cluster"
agent="$(field 'it["agent"]["id"]')"
agent_pak="$(field 'it["initial_pak"]')"
send_json 201 "$BROKKR_ADMIN_PAK" POST "/agents/$agent/labels" agent_id "$agent" label "$label"
send_json 200 "$BROKKR_ADMIN_PAK" PUT "/agents/$agent" status ACTIVE
say "agent $agent is $(field 'it["status"]')"

step "As the agent: send a heartbeat and ask what to deploy"
request 204 "$agent_pak" POST "/agents/$agent/heartbeat"
poll 0
say "nothing yet"

step "As the generator: create a stack with the label $label; agents and stacks that share a label meet"
send_json 201 "$generator_pak" POST /stacks name "greeter-$suffix" generator_id "$generator"
stack="$(field 'it["id"]')"
request 201 "$generator_pak" POST "/stacks/$stack/labels" \
  --header 'Content-Type: application/json' --data-binary "\"$label\""
say "stack $stack"

step "As the generator: publish the application, $(find "$here/app" -name '*.yaml' | wc -l | tr -d ' ') objects in one manifest"
for file in "$here"/app/*.yaml; do
  echo "---"
  cat "$file"
done >"$work/version-1.yaml"
publish "$work/version-1.yaml"
first="$object"

step "As the agent: poll, apply, report"
poll_finds "$first" "$work/version-1.yaml"
report "$first" "8 objects applied"

step "As the generator: publish a second version with a newer image"
sed 's|\(nginx-unprivileged\):1.27.1|\1:1.27.3|' "$work/version-1.yaml" >"$work/version-2.yaml"
cmp --silent "$work/version-1.yaml" "$work/version-2.yaml" && fail "the second version is the first one"
publish "$work/version-2.yaml"
second="$object"

step "As the agent: poll; the second version has taken the place of the first"
poll_finds "$second" "$work/version-2.yaml"
report "$second" "1 object changed"

step "As the administrator: see what the agent has reported"
request 200 "$BROKKR_ADMIN_PAK" GET "/agents/$agent/events"
[[ "$(field '[event["deployment_object_id"] for event in it]')" == "['$second', '$first']" ]] ||
  fail "the events are not the two reports"
say "two reports of SUCCESS, one for each version"

step "As the generator: delete the stack"
request 204 "$generator_pak" DELETE "/stacks/$stack"
say "deleted"

step "As the agent: poll; a deletion marker says what to remove"
poll 1
[[ "$(field 'it[0]["is_deletion_marker"]')" == True ]] || fail "that is no deletion marker"
[[ "$(field 'it[0]["stack_id"]')" == "$stack" ]] || fail "the marker is for another stack"
marker="$(field 'it[0]["id"]')"
say "marker $marker"
report "$marker" "8 objects removed"

step "As the agent: poll once more"
poll 0
say "nothing is left to do"

step "As the administrator: take the generator and the agent away again"
request 204 "$BROKKR_ADMIN_PAK" DELETE "/agents/$agent"
request 204 "$BROKKR_ADMIN_PAK" DELETE "/generators/$generator"
request 401 "$agent_pak" GET "/agents/$agent/target-state"
say "deleted; their keys have stopped working"

printf '\n%s\n' "The first deployment went through."

#!/usr/bin/env bash
# Brings an object into the cluster of kubectl: makes an agent, starts it there, publishes hello.yaml for it, and says what
# the broker waits for until the agent has applied it. docs/how-to/first-cluster.md tells the steps.
set -euo pipefail

source "$(dirname "$0")/../calls.sh"
command -v kubectl >/dev/null || { echo "kubectl is needed." >&2; exit 2; }
# The broker's address as a pod of the cluster reaches it.
address="${BROKKR_URL_IN_CLUSTER:-$BROKKR_URL}"
# Seconds. The agent's image must be pulled, too.
patience="${PATIENCE:-300}"
name="first-cluster-$suffix"

step "Make an agent, the identity of this cluster, and let it work"
send 201 "$BROKKR_ADMIN_PAK" POST /agents "{\"name\": \"$name\", \"cluster_name\": \"first\", \"labels\": [\"$name\"]}"
agent="$(field 'it["agent"]["id"]')"
field 'it["initial_pak"]' >"$work/key"
send 200 "$BROKKR_ADMIN_PAK" PUT "/agents/$agent" '{"status": "ACTIVE"}'
say "agent $agent"

step "Start it in the cluster: $(kubectl config current-context)"
request 200 "$BROKKR_ADMIN_PAK" GET "/agents/$agent/install?format=manifests"
# The broker names the address that this script calls, and does not know the key.
python3 -ISc 'import sys; text, key = (open(path).read() for path in sys.argv[1:3])
print(text.replace("<the key of the agent>", key.strip()).replace(*sys.argv[3:]))' \
  "$answer" "$work/key" "${BROKKR_URL%/}" "${address%/}" >"$work/agent.yaml"
kubectl apply --filename "$work/agent.yaml" | sed 's/^/  /'

step "Make a stack with the agent's label, and publish hello.yaml"
send 201 "$BROKKR_ADMIN_PAK" POST /generators "{\"name\": \"$name\"}"
generator="$(field 'it["generator"]["id"]')"
generator_pak="$(field 'it["pak"]')"
send 201 "$generator_pak" POST /stacks "{\"name\": \"$name\", \"generator_id\": \"$generator\"}"
stack="$(field 'it["id"]')"
send 201 "$generator_pak" POST "/stacks/$stack/labels" "\"$name\""
request 201 "$generator_pak" POST "/stacks/$stack/deployment-objects" \
  --header 'Content-Type: application/yaml' --data-binary "@$here/hello.yaml"
say "stack $stack"

step "Wait for the agent, and say why it takes so long"
verdict="" told=""
for ((second = 0; second < patience; second++)); do
  request 200 "$BROKKR_ADMIN_PAK" GET "/agents/$agent/explain?stack_id=$stack"
  verdict="$(field 'it["verdict"]')"
  conclusion="$(field 'it["conclusion"]')"
  [[ "$conclusion" == "$told" ]] || say "$conclusion"
  told="$conclusion"
  [[ "$verdict" == deployed ]] && break
  sleep 1
done
[[ "$verdict" == deployed ]] || fail "not within $patience s; see docs/how-to/first-cluster.md"

step "Look into the cluster"
kubectl --namespace hello get configmap page --output 'jsonpath={.data.index\.html}' | sed 's/^/  /'
printf '\n%s\n' "It is there. Delete the stack, and the agent removes it: admin site, Stacks, $name."

#!/usr/bin/env bash
# A Lease that lightkube reads at a whole second it writes so that Kubernetes refuses it.
#
# Versions: lightkube 1.0.1 with lightkube-models 1.37.0.8 (Python), k8s.io/api v0.37.2 (Go).
# Behaviour: Kubernetes writes times of the type MicroTime with six digits, and takes no other number of them. Its schema says
# "date-time" for them, as for its other times, so lightkube makes a datetime of either and writes it by msgspec, which drops
# the digits of a whole second. Who renews a Lease by reading and replacing it is refused once in a million times, and always
# with a clock of whole seconds.
# Output seen:
#   lightkube 2026-01-31T12:00:00.000001Z -> 2026-01-31T12:00:00.000001Z
#   lightkube 2026-01-31T12:00:00.000000Z -> 2026-01-31T12:00:00Z
#   k8s.io/api 2026-01-31T12:00:00.000001Z: read
#   k8s.io/api 2026-01-31T12:00:00Z: cannot parse "Z" as ".000000"
# seen 2026-11-29
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
python3 -m venv env
env/bin/pip install --quiet lightkube==1.0.1 lightkube-models==1.37.0.8

env/bin/python > seen.txt <<'PY'
import json

from lightkube.resources.coordination_v1 import Lease

with open("leases.json", "w") as leases:
    for moment in ("2026-01-31T12:00:00.000001Z", "2026-01-31T12:00:00.000000Z"):
        read = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "spec": {"renewTime": moment}}
        written = Lease.from_dict(read).to_dict()
        print("lightkube", moment, "->", written["spec"]["renewTime"])
        print(json.dumps(written), file=leases)
PY
cat > go.mod <<'MOD'
module leases

go 1.26.0

require k8s.io/api v0.37.2
MOD
cat > main.go <<'GO'
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	coordination "k8s.io/api/coordination/v1"
)

func main() {
	texts := json.NewDecoder(os.Stdin)
	for texts.More() {
		var text json.RawMessage
		var written struct{ Spec struct{ RenewTime string } }
		var lease coordination.Lease
		if texts.Decode(&text) != nil || json.Unmarshal(text, &written) != nil {
			panic("no JSON")
		}
		said := "read"
		if err := json.Unmarshal(text, &lease); err != nil {
			var parsing *time.ParseError
			if !errors.As(err, &parsing) {
				panic(err)
			}
			said = fmt.Sprintf("cannot parse %q as %q", parsing.ValueElem, parsing.LayoutElem)
		}
		fmt.Printf("k8s.io/api %s: %s\n", written.Spec.RenewTime, said)
	}
}
GO
GOFLAGS=-mod=mod go run . < leases.json >> seen.txt 2> build.txt || { cat build.txt; exit 1; }

diff - seen.txt <<'OUT'
lightkube 2026-01-31T12:00:00.000001Z -> 2026-01-31T12:00:00.000001Z
lightkube 2026-01-31T12:00:00.000000Z -> 2026-01-31T12:00:00Z
k8s.io/api 2026-01-31T12:00:00.000001Z: read
k8s.io/api 2026-01-31T12:00:00Z: cannot parse "Z" as ".000000"
OUT

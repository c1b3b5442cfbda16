#!/usr/bin/env bash
# The patch that `kubectl apply` makes of a custom resource is empty when a large integer has changed.
#
# Versions: k8s.io/apimachinery v0.37.2 with gopkg.in/evanphx/json-patch.v4 v4.13.0, k8s.io/api v0.37.2 (Go).
# Behaviour: the API server stores integers of 64 bits exactly. kubectl patches a kind that it does not know by a JSON merge patch,
# whose library compares numbers as floats: two integers beyond 2^53 may be one to it. Nothing is sent then, and the cluster
# keeps the old number. A difference of a small number in the same object is found. For built-in kinds kubectl makes a strategic
# merge patch, which compares exactly.
# Output seen:
#   custom resource, 1700000000000000000 to 1700000000000000001: {}
#   custom resource, 1700000000 to 1700000001: {"spec":{"activeDeadlineSeconds":1700000001}}
#   Job, 1700000000000000000 to 1700000000000000001: {"spec":{"activeDeadlineSeconds":1700000000000000001}}
# seen 2026-11-29
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

cat > go.mod <<'MOD'
module patches

go 1.26.0

require (
	k8s.io/api v0.37.2
	k8s.io/apimachinery v0.37.2
)
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"

	batch "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/util/jsonmergepatch"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

func object(number int64) []byte {
	return fmt.Appendf(nil, `{"spec":{"activeDeadlineSeconds":%d}}`, number)
}

func show(kind string, from, to int64, patch []byte, err error) {
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s, %d to %d: %s\n", kind, from, to, patch)
}

func main() {
	const large, small = 1700000000000000000, 1700000000
	for _, number := range []int64{large, small} {
		old, wanted := object(number), object(number+1)
		// What was applied last, what is applied, and what is in the cluster.
		patch, err := jsonmergepatch.CreateThreeWayJSONMergePatch(old, wanted, old)
		show("custom resource", number, number+1, patch, err)
	}
	job, err := strategicpatch.NewPatchMetaFromStruct(batch.Job{})
	if err != nil {
		panic(err)
	}
	old, wanted := object(large), object(large+1)
	patch, err := strategicpatch.CreateThreeWayMergePatch(old, wanted, old, job, true)
	show("Job", large, large+1, patch, err)
}
GO
GOFLAGS=-mod=mod go run . > seen.txt 2> build.txt || { cat build.txt; exit 1; }

diff - seen.txt <<'OUT'
custom resource, 1700000000000000000 to 1700000000000000001: {}
custom resource, 1700000000 to 1700000001: {"spec":{"activeDeadlineSeconds":1700000001}}
Job, 1700000000000000000 to 1700000000000000001: {"spec":{"activeDeadlineSeconds":1700000000000000001}}
OUT

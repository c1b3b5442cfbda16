#!/usr/bin/env bash
# kustomize makes a moment of a date and a text of `yes`; kubectl reads a text and a truth value in the same manifest.
#
# Versions: sigs.k8s.io/kustomize/kustomize/v5 v5.8.1, sigs.k8s.io/yaml v1.4.0 (Go).
# Behaviour: a kustomization that changes nothing still reads its resources and writes them anew. Its reader takes a date without
# quotes for midnight in UTC, and `yes` for a text, as YAML 1.2 does. Kubernetes' own reader has no times, and reads `yes` by
# YAML 1.1. So the cluster gets other values when a manifest is applied by way of a kustomization. Quotes avoid both.
# Output seen:
#   as it stands
#   sigs.k8s.io/yaml {"apiVersion":"example.com/v1","kind":"Release","metadata":{"name":"web"},"spec":{"day":"2026-01-31","urgent":true}}
#   built by kustomize
#   sigs.k8s.io/yaml {"apiVersion":"example.com/v1","kind":"Release","metadata":{"name":"web"},"spec":{"day":"2026-01-31T00:00:00Z","urgent":"yes"}}
# seen 2026-11-29
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp -r "$(dirname "$0")/yaml_readers/go/." "$scratch"
cd "$scratch"
GOBIN="$scratch" go install sigs.k8s.io/kustomize/kustomize/v5@v5.8.1 2> build.txt || { cat build.txt; exit 1; }

mkdir base
echo 'resources: [release.yaml]' > base/kustomization.yaml
cat > base/release.yaml <<'YAML'
apiVersion: example.com/v1
kind: Release
metadata:
  name: web
spec:
  day: 2026-01-31
  urgent: yes
YAML
echo 'as it stands' > seen.txt
TEXT=$(cat base/release.yaml) go run . >> seen.txt
echo 'built by kustomize' >> seen.txt
TEXT=$(./kustomize build base) go run . >> seen.txt

diff - seen.txt <<'OUT'
as it stands
sigs.k8s.io/yaml {"apiVersion":"example.com/v1","kind":"Release","metadata":{"name":"web"},"spec":{"day":"2026-01-31","urgent":true}}
built by kustomize
sigs.k8s.io/yaml {"apiVersion":"example.com/v1","kind":"Release","metadata":{"name":"web"},"spec":{"day":"2026-01-31T00:00:00Z","urgent":"yes"}}
OUT

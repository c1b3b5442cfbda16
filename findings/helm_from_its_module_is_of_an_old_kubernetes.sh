#!/usr/bin/env bash
# helm, built from its Go module, renders charts for Kubernetes 1.20, however new its client library is.
#
# Versions: helm.sh/helm/v3 v3.19.5, which requires k8s.io/client-go v0.34.
# Behaviour: `helm template` without a cluster takes the version of Kubernetes from two variables that only the Makefile of helm
# sets when it links. `go install` leaves their defaults. A chart with `kubeVersion: ">=1.25-0"` is refused then, and one that asks
# `.Capabilities.KubeVersion` renders another branch than the released program of the same version.
# Output seen:
#   renders: for v1.20.0
#   Error: chart requires kubeVersion: >=1.25-0 which is incompatible with Kubernetes v1.20.0
# seen 2026-11-29
set -euo pipefail
scratch=$(mktemp -d)
trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
cd "$scratch"
GOBIN="$scratch" GOFLAGS=-modcacherw go install helm.sh/helm/v3/cmd/helm@v3.19.5 2> build.txt || { cat build.txt; exit 1; }

mkdir -p chart/templates
cat > chart/Chart.yaml <<'YAML'
apiVersion: v2
name: example
version: 1.0.0
YAML
echo 'renders: for {{ .Capabilities.KubeVersion }}' > chart/templates/seen.yaml
./helm template example chart | grep renders: > seen.txt
echo 'kubeVersion: ">=1.25-0"' >> chart/Chart.yaml
if ./helm template example chart 2> refused.txt; then exit 1; fi
grep ^Error refused.txt >> seen.txt

diff - seen.txt <<'OUT'
renders: for v1.20.0
Error: chart requires kubeVersion: >=1.25-0 which is incompatible with Kubernetes v1.20.0
OUT

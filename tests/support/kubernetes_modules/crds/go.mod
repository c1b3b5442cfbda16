// Where the custom resources that the chart may make are described. Nothing is built from these modules, so
// `go mod tidy` would remove them.
module brokkr/tests/crds

go 1.26

require (
	github.com/cloudnative-pg/cloudnative-pg v1.27.0
	github.com/prometheus-operator/prometheus-operator v0.85.0
	sigs.k8s.io/gateway-api v1.4.1
)

"""What the Helm chart makes: helm and a Kubernetes API server take it, and it agrees with the repository."""

import json
import re
from pathlib import Path

import pytest
import yaml

from tests.deploy.test_chart_values import WORLDS
from tests.support import kubernetes
from tests.support.chart import BASE, CHART, helm, kustomize_base, objects, rendered
from tests.support.cluster import Cluster
from tests.support.server import ROOT
from tests.support.waits import wait_for

PROMETHEUS_RULES = ROOT / "deploy" / "prometheus" / "brokkr.rules.yaml"
DASHBOARDS = ROOT / "deploy" / "grafana"


def _namespace(cluster: Cluster, name: str) -> str:
    """A new namespace that takes only pods that keep to the standard `restricted`."""
    cluster.kubectl("create", "namespace", name)
    cluster.kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
    return f"--namespace={name}"


@pytest.fixture(scope="module")
def cluster_with_definitions(cluster: Cluster) -> Cluster:
    """The cluster, which knows the custom resources of Gateway API, Prometheus operator and CloudNativePG."""
    # Some of them are too large for the annotation of a client-side apply.
    cluster.kubectl("apply", "--server-side", f"--filename={kubernetes.DEFINITIONS}")
    known = ("wait", "--for=condition=Established", "--timeout=5s", "customresourcedefinitions", "--all")
    # It fails at once for a definition that has no conditions yet.
    wait_for(lambda: cluster.try_kubectl(*known).returncode == 0, patience=120)
    return cluster


@pytest.mark.kubernetes
def test_helm_finds_nothing_wrong():
    done = helm("lint", "--strict", str(CHART))
    assert done.returncode == 0, done.stdout


@pytest.mark.kubernetes
@pytest.mark.parametrize("world", WORLDS)
def test_an_api_server_takes_every_object(cluster_with_definitions: Cluster, world: str):
    where = _namespace(cluster_with_definitions, f"dry-{world}")
    cluster_with_definitions.kubectl(
        where,
        "apply",
        "--server-side",
        "--dry-run=server",
        "--validate=strict",
        "--filename=-",
        stdin=rendered(WORLDS[world]),
    )


@pytest.mark.kubernetes
@pytest.mark.parametrize(
    ("world", "expected"),
    [("default", {"web"}), ("postgresql", {"web", "worker", "migration"})],
)
def test_pods_are_made_where_only_restricted_ones_may_be(
    cluster_with_definitions: Cluster, world: str, expected: set[str]
):
    cluster = cluster_with_definitions
    where = _namespace(cluster, f"pods-{world}")
    cluster.kubectl(where, "apply", "--server-side", "--filename=-", stdin=rendered(WORLDS[world]))

    def components() -> set[str]:
        pods = json.loads(cluster.kubectl(where, "get", "pods", "--output=json"))["items"]
        return {pod["metadata"]["labels"]["app.kubernetes.io/component"] for pod in pods}

    wait_for(lambda: components() == expected, patience=120)


@pytest.mark.kubernetes
@pytest.mark.parametrize("world", WORLDS)
def test_every_container_says_what_it_needs_and_is_locked_down(world: str):
    pods = [
        made["spec"]["template"]["spec"]
        for (kind, _), made in objects(rendered(WORLDS[world])).items()
        if kind in {"Deployment", "Job"}
    ]
    containers = [container for pod in pods for container in (*pod["initContainers"], *pod["containers"])]

    assert len(containers) >= 4
    for container in containers:
        assert {*container["resources"]} == {"requests", "limits"}
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert {pod["automountServiceAccountToken"] for pod in pods} == {False}


@pytest.mark.kubernetes
def test_a_change_of_the_release_makes_another_migration_job():
    def job(tag: str) -> str:
        made = objects(rendered({**WORLDS["postgresql"], "image": {"tag": tag}}))
        return next(name for kind, name in made if kind == "Job")

    assert job("1.0.0") == job("1.0.0")
    assert job("1.0.0") != job("1.0.1")


@pytest.mark.kubernetes
def test_rules_and_dashboards_are_those_of_the_repository_also_in_a_package(tmp_path: Path):
    done = helm("package", str(CHART), f"--destination={tmp_path}")
    assert done.returncode == 0, done.stderr
    (package,) = tmp_path.iterdir()
    made = objects(rendered(WORLDS["everything"], package))

    assert made["PrometheusRule", "brokkr-rules"]["spec"] == yaml.safe_load(PROMETHEUS_RULES.read_text())
    assert made["ConfigMap", "brokkr-dashboards"]["data"] == {
        path.name: path.read_text() for path in DASHBOARDS.glob("*.json")
    }


@pytest.mark.kubernetes
def test_rules_may_be_a_config_map():
    values = {"monitoring": {"rules": {"enabled": True, "kind": "ConfigMap"}}}
    rules = objects(rendered(values))["ConfigMap", "brokkr-rules"]["data"]
    assert rules == {"brokkr.rules.yaml": PROMETHEUS_RULES.read_text()}


@pytest.mark.kubernetes
def test_the_kustomize_base_is_what_the_chart_makes_by_default(cluster: Cluster):
    assert BASE.read_text(encoding="utf-8") == kustomize_base()
    assert objects(cluster.kubectl("kustomize", str(BASE.parent))) == objects(kustomize_base())


@pytest.mark.kubernetes
def test_pods_of_another_release_are_not_selected():
    def selector(release: str) -> object:
        made = objects(helm("template", release, str(CHART)).stdout)
        return made["Service", release]["spec"]["selector"]

    assert selector("one") != selector("two")


def test_the_chart_sets_no_variable_that_the_broker_does_not_read():
    known = set(
        re.findall(r"`(BROKKR\w+|DATABASE_URL\w*)`", (ROOT / "docs/reference/settings.md").read_text())
    )
    templates = "\n".join(path.read_text() for path in (CHART / "templates").iterdir())
    assert set(re.findall(r"\b(?:BROKKR_|DATABASE_URL)\w*", templates)) - known == set()


def test_the_chart_has_the_version_of_the_broker():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert chart["version"] == chart["appVersion"] == project[1]

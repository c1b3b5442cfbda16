"""The chart of the agent: a Kubernetes API server takes it, and its rights are enough for an agent."""

import re

import pytest

from tests.support.chart import AGENT_BASE, AGENT_CHART, agent_manifests, helm, objects
from tests.support.cluster import Cluster
from tests.support.server import ROOT

pytestmark = pytest.mark.kubernetes


def test_helm_finds_nothing_wrong():
    done = helm("lint", "--strict", str(AGENT_CHART))
    assert done.returncode == 0, done.stdout


def test_the_manifests_are_what_the_chart_makes_by_default():
    assert AGENT_BASE.read_text(encoding="utf-8") == agent_manifests()


def test_an_api_server_takes_every_object(cluster: Cluster):
    if cluster.try_kubectl("get", "namespace", "brokkr").returncode:
        cluster.kubectl("create", "namespace", "brokkr")
    cluster.kubectl(
        "label", "namespace", "brokkr", "pod-security.kubernetes.io/enforce=restricted", "--overwrite"
    )
    cluster.kubectl(
        "--namespace=brokkr",
        "apply",
        "--server-side",
        "--validate=strict",
        "--filename=-",
        stdin=agent_manifests(),
    )
    token = cluster.service_account_token("brokkr", "brokkr-agent")

    def may(verb: str, resource: str, namespace: str) -> bool:
        asked = ("auth", "can-i", verb, resource, "--namespace", namespace)
        return cluster.try_kubectl(*asked, token=token).returncode == 0

    assert may("update", "leases.coordination.k8s.io", "brokkr")
    assert may("patch", "deployments.apps", "default")
    assert not may("update", "leases.coordination.k8s.io", "default")
    assert not may("create", "clusterrolebindings", "default")


@pytest.mark.parametrize(
    "values", [{"broker": {"url": "nonsense"}}, {"replicas": -1}, {"unknown": 1}, {"readOnly": "no"}]
)
def test_wrong_values_are_refused(values):
    assert helm("template", "brokkr-agent", str(AGENT_CHART), values=values).returncode != 0


@pytest.mark.parametrize(
    "values",
    [
        {
            "broker": {"ca": {"configMapName": "ca"}},
            "proxy": {"https": "http://proxy:3128", "none": "10.0.0.0/8"},
        },
        {
            "replicas": 2,
            "readOnly": True,
            "extraRules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["get"]}],
        },
    ],
)
def test_values_of_all_kinds_give_objects(values):
    done = helm("template", "brokkr-agent", str(AGENT_CHART), values=values)
    assert done.returncode == 0, done.stderr
    assert ("Deployment", "brokkr-agent") in objects(done.stdout)


def test_a_cluster_role_of_ones_own_takes_the_place_of_the_charts():
    values = {"clusterRole": "mine", "replaces": "0193f0a4-11d2-7a53-9d0e-5a8c1f7b2e91"}
    made = objects(helm("template", "brokkr-agent", str(AGENT_CHART), values=values).stdout)
    (binding,) = (obj for (kind, _), obj in made.items() if kind == "ClusterRoleBinding")
    assert binding["roleRef"]["name"] == "mine"
    assert not [name for kind, name in made if kind == "ClusterRole"]


def test_the_chart_sets_no_variable_that_the_agent_does_not_read():
    code = (ROOT / "brokkr_agent" / "configuration.py").read_text(encoding="utf-8")
    known = {f"BROKKR_AGENT_{name}" for name in re.findall(r'(?:text|flag)\("([A-Z_]+)"', code)}
    template = (AGENT_CHART / "templates" / "deployment.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"BROKKR_AGENT_[A-Z_]+", template)) <= known

"""The cluster that other tests use behaves like one."""

import json

import pytest

from tests.support.cluster import Cluster
from tests.support.waits import wait_for

pytestmark = pytest.mark.kubernetes

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: controlled}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web}]}
"""


def _pods(cluster: Cluster) -> list[str]:
    pods = json.loads(cluster.kubectl("--namespace=controlled", "get", "pods", "--output=json"))
    return [pod["status"]["phase"] for pod in pods["items"]]


def test_a_deployment_gets_pods_that_go_with_their_namespace(cluster: Cluster) -> None:
    cluster.kubectl("create", "namespace", "controlled")
    cluster.kubectl("apply", "--filename=-", stdin=DEPLOYMENT)
    wait_for(lambda: _pods(cluster) == ["Pending", "Pending"], patience=120)
    cluster.kubectl("delete", "namespace", "controlled")
    assert cluster.try_kubectl("get", "namespace", "controlled").returncode != 0
    assert _pods(cluster) == []


def test_a_service_account_may_do_what_its_roles_say(cluster: Cluster) -> None:
    cluster.kubectl("create", "namespace", "rights")
    cluster.kubectl("--namespace=rights", "create", "serviceaccount", "reader")
    token = cluster.service_account_token("rights", "reader")
    look = ("--namespace=rights", "get", "configmaps")
    assert "Forbidden" in cluster.try_kubectl(*look, token=token).stderr
    cluster.kubectl(
        "--namespace=rights", "create", "role", "reader", "--verb=get,list", "--resource=configmaps"
    )
    binding = ("rolebinding", "reader", "--role=reader", "--serviceaccount=rights:reader")
    cluster.kubectl("--namespace=rights", "create", *binding)
    wait_for(lambda: cluster.try_kubectl(*look, token=token).returncode == 0, patience=120)

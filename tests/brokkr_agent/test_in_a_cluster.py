"""The agent beside a real API server: what a fake one cannot show."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from brokkr_agent import moments
from brokkr_agent.__main__ import make_rounds
from brokkr_agent.appliance import Patience
from brokkr_agent.broker import Broker
from brokkr_agent.cluster import connect
from brokkr_agent.configuration import Configuration
from brokkr_agent.leadership import Leadership
from brokkr_agent.rights import cluster_role
from brokkr_agent.rounds import Rounds
from health.models import DeploymentHealth
from tests.brokkr_agent.conftest import World, config_map, new_stack, remove
from tests.factories import make_work_order, unique
from tests.support.cluster import Cluster
from workorders.models import WorkOrderLogEntry
from workorders.services.targeting import Targeting

pytestmark = [pytest.mark.kubernetes, pytest.mark.django_db]

_PATIENCE = 120


class Place:
    """A namespace of the cluster for one test, and the agent that works there."""

    def __init__(self, world: World, cluster: Cluster) -> None:
        self.world, self.cluster = world, cluster
        self.namespace, self.token = unique("agent"), ""
        cluster.kubectl("create", "namespace", self.namespace)
        self.rounds = self.start()

    def start(self, kubeconfig: str = "") -> Rounds:
        configuration = Configuration(broker_url="http://broker.test", key_file=self.world.key_file)
        broker = Broker(configuration.broker_url, self.world.key_file, transport=self.world.transport)
        client = connect(kubeconfig or str(self.cluster.kubeconfig))
        client.namespace = self.namespace
        self.rounds = make_rounds(configuration, broker, client, str(self.world.row.id))
        self.rounds.clock = self.rounds.execution.clock = lambda: self.world.time
        self.rounds.appliance.patience = Patience(seconds=30)
        return self.rounds

    def run(self, rounds: int = 3) -> None:
        for _ in range(rounds):
            self.world.time += 1000
            self.rounds.run()

    def get(self, *what: str) -> Any:
        return json.loads(self.cluster.kubectl("--namespace", self.namespace, "get", *what, "--output=json"))

    def names(self, kind: str) -> set[str]:
        """Without inventories, and without what Kubernetes makes in each namespace."""
        found = (item["metadata"]["name"] for item in self.get(kind)["items"])
        return {name for name in found if not name.startswith(("brokkr-inventory", "kube-root-ca"))}

    def start_with_rights(self, *binding: str) -> None:
        """As a service account that has no rights but those of this binding."""
        here = ("--namespace", self.namespace)
        self.cluster.kubectl(*here, "create", "serviceaccount", "agent")
        kind, *roles = binding
        account = f"--serviceaccount={self.namespace}:agent"
        self.cluster.kubectl(*here, "create", kind, self.namespace, *roles, account)
        self.token = token = self.cluster.service_account_token(self.namespace, "agent")
        narrow = self.cluster.folder / f"{self.namespace}.kubeconfig"
        narrow.write_text(self.cluster.kubeconfig.read_text().replace(self.cluster.admin_token, token))
        self.rounds.cluster.close()
        self.start(str(narrow)).appliance.patience = Patience(seconds=0)

    def publish(self, stack: Any, *objects: str) -> Any:
        return self.world.publish(stack, *(text.replace("NAMESPACE", self.namespace) for text in objects))


@pytest.fixture
def there(world: World, cluster: Cluster) -> Iterator[Place]:
    made = Place(world, cluster)
    yield made
    made.rounds.errands.stop.set()
    made.rounds.errands.wait(_PATIENCE)
    made.rounds.cluster.close()


DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: NAMESPACE}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web}]}
"""


def definition(group: str) -> str:
    return f"""\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: trees.{group}}}
spec:
  group: {group}
  scope: Namespaced
  names: {{kind: Tree, plural: trees, singular: tree}}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}
"""


def test_the_life_of_a_stack(there):
    stack = new_stack(there.world)
    there.publish(stack, config_map("a", namespace=there.namespace), DEPLOYMENT)
    there.run()
    assert there.names("configmaps") == {"a"}
    assert there.world.said()[-1][1] == "SUCCESS"
    record = DeploymentHealth.objects.get()
    assert record.status == "degraded"
    version = there.publish(stack, config_map("b", namespace=there.namespace))
    there.run()
    assert (there.names("configmaps"), there.names("deployments")) == ({"b"}, set())
    assert there.world.said()[-1][:2] == (version.sequence_id, "SUCCESS")
    remove(stack.id)
    there.run()
    left = {item["metadata"]["name"] for item in there.get("configmaps")["items"]}
    assert left <= {"kube-root-ca.crt"}


def test_a_definition_and_an_instance_in_one_version(there):
    group = f"{there.namespace}.example.com"
    tree = f"apiVersion: {group}/v1\nkind: Tree\nmetadata: {{name: oak, namespace: NAMESPACE}}\n"
    stack = new_stack(there.world)
    there.publish(stack, tree, definition(group))
    there.run()
    assert there.world.said()[-1][1:] == ("SUCCESS", None)
    assert there.get(f"trees.{group}", "oak")["metadata"]["labels"]["brokkr.io/agent"]
    remove(stack.id)
    there.run()
    assert there.cluster.try_kubectl("get", "crd", f"trees.{group}").returncode != 0


def test_a_conflict_names_the_other_manager_and_forcing_it_takes_the_field(there):
    text = config_map("taken", "theirs", namespace=there.namespace)
    there.cluster.kubectl("apply", "--server-side", "--field-manager=gardener", "--filename=-", stdin=text)
    stack = new_stack(there.world)
    there.publish(stack, config_map("taken", "ours", namespace=there.namespace))
    there.run()
    assert 'with "gardener"' in (there.world.said()[-1][2] or "")
    assert there.get("configmap", "taken")["data"] == {"word": "theirs"}
    forced = config_map(
        "taken", "ours", namespace=there.namespace, annotations='{brokkr.io/force-conflicts: "true"}'
    )
    there.publish(stack, forced)
    there.run()
    assert there.get("configmap", "taken")["data"] == {"word": "ours"}


def test_what_the_agent_may_not_do_is_named_and_the_rest_is_done(there):
    rights = ("role", "agent", "--verb=*", "--resource=configmaps")
    there.cluster.kubectl("--namespace", there.namespace, "create", *rights)
    there.start_with_rights("rolebinding", "--role=agent")
    there.publish(new_stack(there.world), config_map("a", namespace=there.namespace), DEPLOYMENT)
    there.run()
    assert there.names("configmaps") == {"a"}
    assert "deployments.apps" in (there.world.said()[-1][2] or "")
    assert there.world.said()[-1][1] == "FAILURE"


def test_the_role_that_is_proposed_is_all_that_the_agent_needs(there):
    stack = new_stack(there.world)
    there.publish(stack, config_map("a", namespace=there.namespace), DEPLOYMENT)
    there.run()
    role = cluster_role(
        there.rounds.shelf.inventories.values(), there.rounds.cluster, agent_id=str(there.world.row.id)
    )
    there.cluster.kubectl("apply", "--server-side", "--validate=strict", "--filename=-", stdin=role)
    there.start_with_rights("clusterrolebinding", f"--clusterrole=brokkr-agent-{there.world.row.id}")
    Leadership(there.rounds.cluster, f"brokkr-agent-{there.world.row.id}", "one").try_to_lead()
    there.publish(stack, config_map("b", namespace=there.namespace), DEPLOYMENT.replace("web", "shop"))
    there.run()
    assert there.world.said()[-1][1:] == ("SUCCESS", None)
    assert (there.names("configmaps"), there.names("deployments")) == ({"b"}, {"shop"})
    assert there.get("lease", f"brokkr-agent-{there.world.row.id}")["spec"]["holderIdentity"] == "one"
    remove(stack.id)
    there.run()
    assert (there.names("configmaps"), there.names("deployments")) == (set(), set())
    assert there.cluster.try_kubectl("auth", "can-i", "create", "secrets", token=there.token).returncode != 0


def test_an_object_that_conflicts_is_tried_again_alone(there):
    here = ("--namespace", there.namespace)
    text = config_map("taken", "theirs", namespace=there.namespace)
    there.cluster.kubectl("apply", "--server-side", "--field-manager=gardener", "--filename=-", stdin=text)
    ours = (config_map(name, "ours", namespace=there.namespace) for name in ("a", "taken"))
    there.publish(new_stack(there.world), *ours)
    there.run()
    assert "1 of 2 objects failed. ConfigMap" in (there.world.said()[-1][2] or "")
    # It would come again if the whole version were applied again.
    there.cluster.kubectl(*here, "delete", "configmap", "a", "taken")
    there.run()
    assert there.world.said()[-1][1:] == ("SUCCESS", None)
    assert there.names("configmaps") == {"taken"}


def test_two_hundred_stacks_cost_a_quiet_round_what_one_costs(there):
    for number in range(200):
        there.publish(new_stack(there.world), config_map(f"c{number}", namespace=there.namespace))
    there.run()
    assert there.names("configmaps") == {f"c{number}" for number in range(200)}
    assert {status for _, status, _ in there.world.said()} == {"SUCCESS"}
    before = there.rounds.cluster.requests
    there.run(1)
    # The version of the API server; a ConfigMap has no status to look at.
    assert there.rounds.cluster.requests - before == 1


@pytest.mark.parametrize("days", [-1000, 1000])
def test_a_clock_that_is_wrong_keeps_nobody_from_leading_applying_and_telling(there, monkeypatch, days):
    wrong = (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="microseconds")
    clocks = {"one": wrong.replace("+00:00", "Z"), "other": moments.now()}
    replicas = {name: Leadership(there.rounds.cluster, "lease", name, clock=lambda: 0.0) for name in clocks}
    for name, replica in replicas.items():
        monkeypatch.setattr(moments, "now", lambda name=name: clocks[name])
        replica.try_to_lead()
    assert [replica.leads() for replica in replicas.values()] == [True, False]
    monkeypatch.setattr(moments, "now", lambda: clocks["one"])
    there.publish(new_stack(there.world), config_map("a", namespace=there.namespace), DEPLOYMENT)
    there.run()
    assert there.names("configmaps") == {"a"}
    assert there.world.said()[-1][1] == "SUCCESS"
    assert DeploymentHealth.objects.get().status == "degraded"


def test_an_order_with_a_job_waits_for_its_end(there):
    job = (
        f"apiVersion: batch/v1\nkind: Job\nmetadata: {{name: once, namespace: {there.namespace}}}\n"
        "spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}\n"
    )
    order = make_work_order(targeting=Targeting([there.world.row.id]), work_type="custom", yaml_content=job)
    outcome = there.rounds.errands._workshop
    claimed = there.rounds.broker.claim_order(str(order.id), str(there.world.row.id))
    outcome.sleep = lambda _: _finish(there)
    said = outcome.do(claimed, is_lost=lambda: False)
    assert (said["success"], "Job.batch" in said["message"]) == (True, True)
    there.rounds.broker.complete_order(str(order.id), {**said, "claim_token": claimed["claim_token"]})
    assert WorkOrderLogEntry.objects.get().success


def _finish(there: Place) -> None:
    pods = there.get("pods", "--selector=batch.kubernetes.io/job-name=once")["items"]
    for pod in pods:
        if pod.get("status", {}).get("phase") != "Succeeded":
            there.cluster.kubectl(
                "--namespace",
                there.namespace,
                "patch",
                "pod",
                pod["metadata"]["name"],
                "--subresource=status",
                "--patch",
                json.dumps({"status": {"phase": "Succeeded"}}),
            )

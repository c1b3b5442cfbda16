"""The way from nothing to an object in a cluster: the example, and an agent of v0.9.1 with the rights it is given."""

import json
import os
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.live.test_agent_v0_9 import API, CALLS, HEADERS, REPORT
from tests.support import kubernetes
from tests.support.cluster import Cluster
from tests.support.live_api import created, live_client
from tests.support.scripted_agent import EVENT, Call, ScriptedAgent
from tests.support.server import ROOT, LiveServer, Template
from tests.support.waits import wait_for

pytestmark = [pytest.mark.kubernetes, pytest.mark.live]

EXAMPLE = ROOT / "examples" / "first-cluster"
HELLO = (EXAMPLE / "hello.yaml").read_text(encoding="utf-8")
# Of a kind that is in nobody's rights here.
RUNTIME_CLASS = "apiVersion: node.k8s.io/v1\nkind: RuntimeClass\nmetadata:\n  name: mine\nhandler: mine\n"
NAMESPACE = "--namespace=brokkr-agent"
_PATIENCE = 120
# By their numbers in CALLS.
INTRODUCTION, TARGET_STATE, REPORTING = (2, 4, 6), 7, 8
SAYS = Call(
    REPORTING,
    f"POST {API}/agents/{{agent}}/events",
    {201},
    sends=REPORT | {"status": "{status}", "message": "{message}"},
    reads=EVENT,
)


@pytest.fixture
def broker(database_template: Template, tmp_path: Path) -> Iterator[LiveServer]:
    with database_template.broker(tmp_path) as server:
        yield server


class Agent:
    """The agent that the script has started, played: with its pod's environment and the rights of its account."""

    def __init__(self, cluster: Cluster, calls: ScriptedAgent) -> None:
        self._cluster, self._calls = cluster, calls
        self._token = cluster.service_account_token("brokkr-agent", "brokkr-agent")
        self._applied: dict[str, str] = {}

    def introduce_itself(self) -> None:
        for number in INTRODUCTION:
            self._calls.perform(number)

    def reconcile(self) -> None:
        """Poll once, apply or remove what is there, and report."""
        for wanted in self._calls.perform(TARGET_STATE):
            if wanted["is_deletion_marker"]:
                manifest = self._applied.pop(wanted["stack_id"])
                done = self._kubectl("delete", "--wait=false", "--filename=-", stdin=manifest)
            else:
                manifest = self._applied[wanted["stack_id"]] = wanted["yaml_content"]
                as_agents_do = ("--server-side", "--force-conflicts", "--field-manager=brokkr-controller")
                done = self._kubectl("apply", *as_agents_do, "--filename=-", stdin=manifest)
            outcome = {
                "status": "FAILURE" if done.returncode else "SUCCESS",
                "message": done.stderr or "done",
            }
            self._calls.perform(REPORTING, object=wanted["id"], **outcome)

    def may(self, *right: str) -> bool:
        """Whether it has a right in every namespace: a verb and a kind, as `kubectl auth can-i` takes them."""
        return self._kubectl("auth", "can-i", *right, "--all-namespaces").stdout.strip() == "yes"

    def _kubectl(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return self._cluster.try_kubectl(*arguments, stdin=stdin, token=self._token)


@contextmanager
def _script(broker: LiveServer, cluster: Cluster) -> Iterator[subprocess.Popen[str]]:
    folders = [str(Path(sys.executable).parent), str(kubernetes.PROGRAMS), os.environ["PATH"]]
    process = subprocess.Popen(
        [EXAMPLE / "run.sh"],
        env=os.environ
        | broker.credentials()
        | {"PATH": os.pathsep.join(folders), "KUBECONFIG": str(cluster.kubeconfig), "PATIENCE": "600"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@contextmanager
def _started_agent(broker: LiveServer, cluster: Cluster) -> Iterator[Agent]:
    """The agent of the manifests that are in the cluster."""
    get = (NAMESPACE, "get", "--output=json")
    (container,) = json.loads(cluster.kubectl(*get, "deployment", "brokkr-agent"))["spec"]["template"][
        "spec"
    ]["containers"]
    settings = {variable["name"].rpartition("__")[2]: variable["value"] for variable in container["env"]}
    secret = json.loads(cluster.kubectl(*get, "secret", "brokkr-agent"))["data"]
    assert settings["BROKER_URL"] == broker.url
    with ScriptedAgent(
        broker,
        b64decode(secret["BROKKR__AGENT__PAK"]).decode(),
        [*CALLS, SAYS],
        HEADERS,
        name=settings["AGENT_NAME"],
        cluster=settings["CLUSTER_NAME"],
    ) as calls:
        yield Agent(cluster, calls)


def _agents_pods(cluster: Cluster) -> list[object]:
    items: list[object] = json.loads(
        cluster.kubectl(NAMESPACE, "get", "pods", "--ignore-not-found", "--output=json") or '{"items": []}'
    )["items"]
    return items


def test_the_script_brings_an_object_into_the_cluster_and_deleting_its_stack_removes_it(
    broker: LiveServer, cluster: Cluster
):
    with _script(broker, cluster) as script, live_client(broker, broker.admin_key) as admin:
        # The controllers have made the agent's pod of the manifests.
        wait_for(
            lambda: bool(_agents_pods(cluster)) and bool(admin.get("/stacks").json()), patience=_PATIENCE
        )
        with _started_agent(broker, cluster) as agent:
            agent.introduce_itself()
            (stack,) = admin.get("/stacks").json()
            wait_for(
                lambda: admin.get(f"/stacks/{stack['id']}/deployment-objects").json() != [],
                patience=_PATIENCE,
            )
            agent.reconcile()
            told = script.communicate(timeout=_PATIENCE)[0]
            assert script.returncode == 0, told
            assert "It was brought here by Brokkr." in told
            assert broker.admin_key not in told

            assert admin.delete(f"/stacks/{stack['id']}").is_success
            agent.reconcile()
            wait_for(
                lambda: cluster.try_kubectl("get", "namespace", "hello").returncode != 0, patience=_PATIENCE
            )


def _install(broker: LiveServer, cluster: Cluster) -> str:
    """Start an agent in the cluster by the broker's manifests, with a stack as its target. Returns the stack's id."""
    with live_client(broker, broker.admin_key) as admin:
        made = created(admin.post("/agents", json={"name": "another", "cluster_name": "first"}))
        agent_id = made["agent"]["id"]
        created(admin.put(f"/agents/{agent_id}", json={"status": "ACTIVE"}))
        manifests = admin.get(f"/agents/{agent_id}/install?format=manifests").text
        cluster.kubectl(
            "apply", "--filename=-", stdin=manifests.replace("<the key of the agent>", made["initial_pak"])
        )
        generator_id = created(admin.post("/generators", json={"name": "another"}))["generator"]["id"]
        stack_id: str = created(
            admin.post("/stacks", json={"name": "another", "generator_id": generator_id})
        )["id"]
        created(admin.post(f"/agents/{agent_id}/targets", json={"stack_id": stack_id}))
    return stack_id


def _verdict(broker: LiveServer, stack_id: str) -> tuple[str, str]:
    """What is explained of the one agent and the stack: the verdict, and the sentence about its report."""
    with live_client(broker, broker.admin_key) as admin:
        (agent_id,) = (each["id"] for each in admin.get("/agents").json())
        told = created(admin.get(f"/agents/{agent_id}/explain?stack_id={stack_id}"))
    (report,) = (check["sentence"] for check in told["checks"] if check["check"] == "report")
    return told["verdict"], report


def _publish(broker: LiveServer, stack_id: str, manifest: str) -> None:
    with live_client(broker, broker.admin_key) as admin:
        created(admin.post(f"/stacks/{stack_id}/deployment-objects", json={"yaml_content": manifest}))


def test_what_the_agent_may_not_apply_is_explained(broker: LiveServer, cluster: Cluster):
    stack_id = _install(broker, cluster)
    _publish(broker, stack_id, RUNTIME_CLASS)
    with _started_agent(broker, cluster) as agent:
        agent.introduce_itself()
        agent.reconcile()

    verdict, sentence = _verdict(broker, stack_id)
    assert verdict == "failed"
    assert "runtimeclasses" in sentence


def test_with_the_least_rights_the_agent_applies_hello_and_writes_nowhere_else(
    broker: LiveServer, cluster: Cluster
):
    stack_id = _install(broker, cluster)
    cluster.kubectl("apply", f"--filename={EXAMPLE / 'least-rights.yaml'}")
    with _started_agent(broker, cluster) as agent:
        agent.introduce_itself()
        for manifest, expected in ((HELLO, "deployed"), (HELLO.replace(": hello", ": other"), "failed")):
            _publish(broker, stack_id, manifest)
            agent.reconcile()
            assert _verdict(broker, stack_id)[0] == expected


def test_the_agent_has_no_rights_over_others_rights(broker: LiveServer, cluster: Cluster):
    _install(broker, cluster)
    with _started_agent(broker, cluster) as agent:
        assert agent.may("patch", "deployments.apps")
        for right in (
            ("create", "pods"),
            ("create", "pods", "--subresource=exec"),
            ("create", "serviceaccounts", "--subresource=token"),
            ("create", "clusterrolebindings.rbac.authorization.k8s.io"),
            ("escalate", "clusterroles.rbac.authorization.k8s.io"),
            ("impersonate", "serviceaccounts"),
            ("get", "nodes"),
            ("*", "*"),
        ):
            assert not agent.may(*right), right


def test_the_agents_pod_keeps_to_the_restricted_standard(broker: LiveServer, cluster: Cluster):
    _install(broker, cluster)
    wait_for(lambda: bool(_agents_pods(cluster)), patience=_PATIENCE)
    label = "pod-security.kubernetes.io/enforce=restricted"
    # The API server warns of pods that the label would not admit.
    done = cluster.try_kubectl("label", "--dry-run=server", "namespace", "brokkr-agent", label)
    assert done.returncode == 0
    assert "Warning" not in done.stderr

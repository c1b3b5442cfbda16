"""A client that a tool writes from the document alone performs the first deployment."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from tests.support.server import ROOT, LiveServer

pytestmark = [pytest.mark.live, pytest.mark.any_database("what a tool makes of the document")]

PACKAGE = "generated_brokkr_client"
# The tool knows few media types by name; raw bytes are what it sends for this one.
_CONFIGURATION = "content_type_overrides:\n  application/yaml: application/octet-stream\npost_hooks: []\n"

FIRST = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: payments\n"
SECOND = FIRST + "  labels:\n    release: two\n"


class GeneratedClient:
    """The generated package: its functions by the names of the document's operations, its models by theirs."""

    def __init__(self) -> None:
        self.package = importlib.import_module(PACKAGE)
        self.models = importlib.import_module(f"{PACKAGE}.models")
        self.types = importlib.import_module(f"{PACKAGE}.types")

    def caller(self, broker: LiveServer, key: str) -> Any:
        def call(operation: str, *arguments: Any, **options: Any) -> Any:
            """Call `tag.operation`; its parsed answer, which must be a success."""
            response = self.response(broker, key, operation, *arguments, **options)
            assert 200 <= response.status_code < 300, response.content
            return response.parsed

        return call

    def response(self, broker: LiveServer, key: str, operation: str, *arguments: Any, **options: Any) -> Any:
        """The whole answer, which must have a documented status."""
        module = importlib.import_module(f"{PACKAGE}.api.{operation}")
        with self.package.AuthenticatedClient(
            base_url=broker.url, token=key, raise_on_unexpected_status=True, timeout=60
        ) as client:
            return module.sync_detailed(*arguments, client=client, **options)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GeneratedClient]:
    folder = tmp_path_factory.mktemp("client")
    configuration = folder / "configuration.yaml"
    configuration.write_text(_CONFIGURATION, encoding="utf-8")
    done = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("openapi-python-client")), "generate", "--fail-on-warning"),
            *("--path", str(ROOT / "openapi" / "brokkr-v1.yaml"), "--config", str(configuration)),
            *("--meta", "none", "--output-path", str(folder / PACKAGE)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in done.stdout.lower() + done.stderr.lower()
    sys.path.insert(0, str(folder))
    try:
        yield GeneratedClient()
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
            del sys.modules[name]


def test_every_module_of_a_generated_client_imports(generated: GeneratedClient):
    folder = Path(str(generated.package.__file__)).parent
    modules = [path.relative_to(folder.parent) for path in folder.rglob("*.py") if path.stem != "__init__"]
    assert len(modules) > 90
    for module in modules:
        importlib.import_module(".".join(module.with_suffix("").parts))


def test_a_generated_client_performs_the_first_deployment(generated: GeneratedClient, broker: LiveServer):
    models = generated.models
    admin = generated.caller(broker, broker.admin_key)

    made = admin(
        "generators.create_generator",
        body=models.CreateGeneratorBody(name="first-deployment", description=None),
    )
    generator = generated.caller(broker, made.pak)
    assert generator("auth.verify_pak").generator == made.generator.id
    introduced = admin(
        "agents.create_agent", body=models.CreateAgentBody(name="first-deployment", cluster_name="frankfurt")
    )
    agent = SimpleNamespace(id=introduced.agent.id, call=generated.caller(broker, introduced.initial_pak))
    assert introduced.agent.status == "INACTIVE"
    active = admin("agents.update_agent", agent.id, body=models.UpdateAgentBody(status="ACTIVE"))
    assert active.status == "ACTIVE"
    found = agent.call("agents.search_agent", name="first-deployment", cluster_name="frankfurt")
    assert found == active

    stack = generator("stacks.create_stack", body=models.CreateStackBody(name="first-deployment"))
    assert isinstance(stack.id, UUID)
    assert stack.deleted_at is None
    generator("stacks.stacks_add_label", stack.id, body="tier:first/deployment")
    admin("agents.agents_add_label", agent.id, body=models.LabelBody(label="tier:first/deployment"))

    def publish_json(text: str) -> Any:
        body = models.PublishBody(yaml_content=text)
        return generator("deployment_objects.create_deployment_object", stack.id, body=body)

    def publish_yaml(text: str) -> Any:
        body = generated.types.File(payload=text.encode())
        return generator("deployment_objects.create_deployment_object", stack.id, body=body)

    def state() -> list[Any]:
        return [one.to_dict() for one in agent.call("agents.get_target_state", agent.id)]

    def as_polled(published: Any) -> Any:
        """What a poll shows of a version: all but the warnings that its publisher got."""
        return {name: value for name, value in published.to_dict().items() if name != "warnings"}

    def report(deployment_object: Any) -> Any:
        body = models.ReportEventBody(
            deployment_object_id=deployment_object.id, event_type="DEPLOY", status=models.EventStatus.SUCCESS
        )
        return agent.call("events.create_event", agent.id, body=body)

    agent.call("agents.record_heartbeat", agent.id, body=models.HeartbeatBody(k8s_reachable=True))
    first = publish_json(FIRST)
    assert state() == [as_polled(first)]
    assert report(first).status == models.EventStatus.SUCCESS

    second = publish_yaml(SECOND)
    assert second.yaml_content == SECOND
    assert second.sequence_id > first.sequence_id
    assert state() == [as_polled(second)]
    report(second)
    incremental = agent.call("agents.get_target_state", agent.id, mode=models.GetTargetStateMode.INCREMENTAL)
    assert incremental == []

    generator("stacks.delete_stack", stack.id)
    (marker,) = agent.call("agents.get_target_state", agent.id)
    assert marker.is_deletion_marker
    assert (marker.stack_id, marker.yaml_content) == (stack.id, "")
    report(marker)
    assert agent.call("agents.get_target_state", agent.id) == []


def test_a_generated_client_reads_a_refusal(generated: GeneratedClient, broker: LiveServer):
    response = generated.response(broker, broker.admin_key, "stacks.get_stack", UUID(int=7))
    assert response.status_code == 404
    assert response.parsed.code == "stack_not_found"
    assert response.parsed.details.to_dict() == {"id": str(UUID(int=7))}

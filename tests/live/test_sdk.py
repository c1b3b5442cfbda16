"""The published Python client as its users use it: every method of `BrokkrClient`, against a live broker."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from brokkr import ApplyResult, BrokkrClient, BrokkrError
from brokkr_broker_client import models
from brokkr_broker_client.api.agents import list_agents
from brokkr_broker_client.api.auth import verify_pak
from brokkr_broker_client.api.stacks import get_stack

from tests.support.live_api import MANIFEST, Rows, created, live_client, make_rows
from tests.support.sdk import misfits
from tests.support.server import LiveServer, free_port

pytestmark = [pytest.mark.live, pytest.mark.any_database("what the client sends and reads")]

NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: payments\n"
UNKNOWN = UUID(int=7)


class Sdk:
    """BrokkrClient with one key, each call in an event loop of its own."""

    def __init__(self, base_url: str, key: str | None, **options: Any) -> None:
        self._base_url, self._key, self._options = base_url, key, options

    def __call__(self, use: Callable[[BrokkrClient], Awaitable[Any]]) -> Any:
        async def with_client() -> Any:
            client = BrokkrClient(self._base_url, token=self._key, **self._options)
            async with client.api:
                return await use(client)

        return asyncio.run(with_client())

    def apply(self, name: str, folder: Path, **options: Any) -> ApplyResult:
        result = self(lambda client: client.apply(name, folder, **options))
        assert isinstance(result, ApplyResult)
        return result

    def refused(self, use: Callable[[BrokkrClient], Awaitable[Any]]) -> BrokkrError:
        with pytest.raises(BrokkrError) as caught:
            self(use)
        return caught.value


@pytest.fixture(scope="module")
def rows(_shared_broker: LiveServer) -> Rows:
    return make_rows(_shared_broker, "high-level")


@pytest.fixture
def generator(broker: LiveServer, rows: Rows) -> Sdk:
    return Sdk(broker.url, rows.generator_key)


@pytest.fixture
def admin(broker: LiveServer) -> Sdk:
    # Both forms of the URL are the same to the client.
    return Sdk(f"{broker.url}/api/v1/", broker.admin_key)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "10-namespace.yaml").write_text(NAMESPACE, encoding="utf-8")
    (tmp_path / "20-settings.yml").write_text(MANIFEST, encoding="utf-8")
    (tmp_path / "notes.txt").write_text("no manifest", encoding="utf-8")
    return tmp_path


def target_state(broker: LiveServer, rows: Rows) -> dict[str, Any]:
    """What the agent is to have, by stack."""
    with live_client(broker, rows.agent_key) as agent:
        objects = created(agent.get(f"/agents/{rows.agent_id}/target-state"))
    return {obj["stack_id"]: obj for obj in objects}


def test_no_method_is_forgotten():
    methods = {
        name
        for name, _ in inspect.getmembers(BrokkrClient, inspect.iscoroutinefunction)
        if not name.startswith("_")
    }
    assert methods == {
        *("apply", "submit_manifests", "retry"),
        *("list_telemetry_events", "list_telemetry_logs", "list_ws_connections"),
    }


# --- apply ----------------------------------------------------------------------------------------


def test_a_folder_is_created_then_unchanged_then_updated(
    broker: LiveServer, rows: Rows, generator: Sdk, folder: Path
):
    first = generator.apply("apply-folder", folder, targeting=[rows.label, "apply"])
    assert first.status == "created"
    assert list(misfits(first.deployment_object, models.DeploymentObject)) == []
    assert first.deployment_object.yaml_content == f"{NAMESPACE.rstrip()}\n---\n{MANIFEST}"
    stack_id = str(first.deployment_object.stack_id)
    assert target_state(broker, rows)[stack_id]["yaml_content"] == first.deployment_object.yaml_content

    # The labels are there by now, and that is no error.
    again = generator.apply("apply-folder", folder, targeting=[rows.label, "apply"])
    assert again == ApplyResult("unchanged")

    (folder / "20-settings.yml").write_text(MANIFEST.replace("hello", "goodbye"), encoding="utf-8")
    changed = generator.apply("apply-folder", folder)
    assert changed.status == "updated"
    assert changed.deployment_object.sequence_id > first.deployment_object.sequence_id
    assert target_state(broker, rows)[stack_id]["id"] == str(changed.deployment_object.id)

    with live_client(broker, rows.generator_key) as client:
        labels = created(client.get(f"/stacks/{stack_id}/labels"))
        versions = created(client.get(f"/stacks/{stack_id}/deployment-objects"))
    assert {row["label"] for row in labels} == {rows.label, "apply"}
    assert len(versions) == 2


@pytest.mark.parametrize("by", ["name", "id"])
def test_an_admin_applies_for_the_generator_it_names(
    broker: LiveServer, rows: Rows, admin: Sdk, folder: Path, by: str
):
    wanted = rows.label if by == "name" else rows.generator_id
    result = admin.apply(f"apply-by-{by}", folder, generator=wanted)
    assert result.status == "created"
    with live_client(broker, rows.generator_key) as client:
        stack = created(client.get(f"/stacks/{result.deployment_object.stack_id}"))
    assert (stack["name"], stack["generator_id"]) == (f"apply-by-{by}", rows.generator_id)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (None, "needs the generator"),
        ("nobody", 'no tenant named "nobody"'),
        (str(UNKNOWN), "no tenant with id"),
    ],
)
def test_an_admin_must_name_a_generator_that_exists(admin: Sdk, folder: Path, wanted: str | None, said: str):
    error = admin.refused(lambda client: client.apply("apply-for-nobody", folder, generator=wanted))
    assert said in error.message


def test_a_generator_applies_for_itself_only(rows: Rows, generator: Sdk, folder: Path):
    assert generator.apply("apply-itself", folder, generator=rows.label).status == "created"
    assert generator.apply("apply-itself", folder, generator=rows.generator_id).status == "unchanged"
    error = generator.refused(lambda client: client.apply("apply-itself", folder, generator="other"))
    assert f'this PAK belongs to generator "{rows.label}"' in error.message


def test_a_stack_of_another_generator_is_not_touched(
    broker: LiveServer, rows: Rows, admin: Sdk, folder: Path
):
    with live_client(broker, broker.admin_key) as client:
        other = created(client.post("/generators", json={"name": "apply-other"}))
    # A generator does not see the stack, but cannot have its name either.
    error = Sdk(broker.url, other["pak"]).refused(lambda client: client.apply(rows.label, folder))
    assert error.status == 409
    error = admin.refused(lambda client: client.apply(rows.label, folder, generator="apply-other"))
    assert "belongs to another generator" in error.message
    with live_client(broker, rows.generator_key) as client:
        (version,) = created(client.get(f"/stacks/{rows.stack_id}/deployment-objects"))
    assert version["id"] == rows.object_id


def test_agents_and_strangers_do_not_apply(broker: LiveServer, rows: Rows, folder: Path):
    error = Sdk(broker.url, rows.agent_key).refused(lambda client: client.apply("apply-agent", folder))
    assert "requires a generator PAK or an admin PAK" in error.message
    error = Sdk(broker.url, "brokkr_BRnobody_nobody").refused(lambda client: client.apply("x", folder))
    assert (error.status, error.code) == (401, "unauthorized")


# --- the other methods ----------------------------------------------------------------------------


def test_manifests_are_submitted_to_a_stack_that_exists(rows: Rows, generator: Sdk, folder: Path):
    stack_id = UUID(rows.spare_stack_id)
    submitted = generator(lambda client: client.submit_manifests(stack_id, folder / "20-settings.yml"))
    assert list(misfits(submitted, models.DeploymentObject)) == []
    assert (submitted.stack_id, submitted.yaml_content) == (stack_id, MANIFEST)
    error = generator.refused(lambda client: client.submit_manifests(UNKNOWN, folder))
    assert (error.status, error.code) == (404, "stack_not_found")
    assert error.response.details.to_dict() == {"id": str(UNKNOWN)}


def test_what_the_client_lets_pass_and_the_broker_does_not_is_told(
    rows: Rows, generator: Sdk, tmp_path: Path
):
    # To the client's parser the last of two equal keys wins; agents stop at them.
    (tmp_path / "twice.yaml").write_text(NAMESPACE + "kind: Namespace\n", encoding="utf-8")
    error = generator.refused(lambda client: client.submit_manifests(UUID(rows.spare_stack_id), tmp_path))
    assert (error.status, error.code) == (400, "invalid_deployment_object")


@pytest.mark.parametrize(
    ("method", "model", "kept"),
    [
        ("list_telemetry_events", models.K8SEventHistoryResponse, "events"),
        ("list_telemetry_logs", models.PodLogHistoryResponse, "lines"),
    ],
)
def test_telemetry_is_read_and_is_empty(rows: Rows, generator: Sdk, method: str, model: Any, kept: str):
    history = generator(lambda client: getattr(client, method)(UUID(rows.stack_id), limit=5))
    assert list(misfits(history, model)) == []
    assert (getattr(history, kept), history.retention.retention_ceiling_seconds) == ([], 21600)
    error = generator.refused(lambda client: getattr(client, method)(UNKNOWN))
    assert (error.status, error.code) == (404, "stack_not_found")


def test_connections_are_read_and_are_none(admin: Sdk, generator: Sdk):
    snapshot = admin(lambda client: client.list_ws_connections())
    assert snapshot == models.WsConnectionsResponse(connected_agents=0, connections=[], live_subscribers=0)
    error = generator.refused(lambda client: client.list_ws_connections())
    assert (error.status, error.code) == (403, "admin_required")


def test_retry_hands_out_what_was_parsed_and_does_not_repeat_a_refusal(admin: Sdk, rows: Rows):
    asked: list[UUID] = []

    def read(stack_id: UUID) -> Callable[[BrokkrClient], Awaitable[Any]]:
        def once(api: Any) -> Awaitable[Any]:
            asked.append(stack_id)
            return get_stack.asyncio_detailed(stack_id, client=api)

        return lambda client: client.retry(once)

    assert admin(read(UUID(rows.stack_id))).name == rows.label
    error = admin.refused(read(UNKNOWN))
    assert (error.status, error.code, error.is_retryable()) == (404, "stack_not_found", False)
    assert asked == [UUID(rows.stack_id), UNKNOWN]
    agents = admin(lambda client: client.retry(lambda api: list_agents.asyncio_detailed(client=api)))
    assert UUID(rows.agent_id) in {agent.id for agent in agents}


def test_retry_repeats_what_did_not_reach_the_broker():
    tried: list[Any] = []

    def once(api: Any) -> Awaitable[Any]:
        tried.append(api)
        return verify_pak.asyncio_detailed(client=api)

    nowhere = Sdk(f"http://127.0.0.1:{free_port()}", None, max_retries=2, initial_backoff=0.001)
    error = nowhere.refused(lambda client: client.retry(once))
    assert (error.status, len(tried)) == (None, 3)

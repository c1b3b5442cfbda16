"""Bodies: lengths and chunks, and that nothing is half read."""

import io

import pytest
from gunicorn.http.errors import ChunkMissingTerminator, InvalidChunkSize, NoMoreData

from stacks.models import DeploymentObject, Stack
from tests.core.bodies import STACKS, padded
from tests.factories import MANIFEST, make_agent
from tests.support.api import refused
from tests.support.wsgi import call


class Broken(io.RawIOBase):
    """A connection that gives some bytes and then fails."""

    def __init__(self, first: bytes, error: Exception) -> None:
        self._first = [first] if first else []
        self._error = error

    def read(self, _size: int = -1) -> bytes:
        if self._first:
            return self._first.pop()
        raise self._error


def test_a_chunked_body_is_read(generator):
    response = call(
        "POST", STACKS, key=generator.key, body=b'{"name": "a"}', HTTP_TRANSFER_ENCODING="chunked"
    )
    assert response.status_code == 201


def test_a_chunked_manifest_is_read(generator, objects_path):
    response = call(
        "POST",
        f"/api/v1{objects_path}",
        key=generator.key,
        body=MANIFEST.encode(),
        content_type="application/yaml",
        HTTP_TRANSFER_ENCODING="chunked",
    )
    assert response.status_code == 201
    assert response.json()["yaml_content"] == MANIFEST


def test_a_chunked_body_over_the_limit_is_413(generator, settings):
    settings.MAX_JSON_BYTES = 5000
    response = call("POST", STACKS, key=generator.key, body=padded(5001), HTTP_TRANSFER_ENCODING="chunked")
    refused(response, 413, "payload_too_large")


@pytest.mark.parametrize("error", [NoMoreData(), ConnectionResetError(), TimeoutError()])
def test_a_chunked_body_that_breaks_off_is_400(generator, error):
    response = call(
        "POST",
        STACKS,
        key=generator.key,
        HTTP_TRANSFER_ENCODING="chunked",
        stream=Broken(b'{"name": "a"}', error),
    )
    refused(response, 400, "incomplete_body")
    assert not Stack.objects.exists()


@pytest.mark.parametrize("error", [InvalidChunkSize(b"zz"), ChunkMissingTerminator(b"")])
def test_chunks_that_the_server_cannot_read_are_400(generator, error):
    response = call(
        "POST",
        STACKS,
        key=generator.key,
        HTTP_TRANSFER_ENCODING="chunked",
        stream=Broken(b'{"name": "a"}', error),
    )
    refused(response, 400, "bad_request")
    assert not Stack.objects.exists()


def test_a_json_body_cut_short_is_400(generator):
    response = call("POST", STACKS, key=generator.key, body=b'{"name": "a"}', CONTENT_LENGTH="14")
    refused(response, 400, "incomplete_body")
    assert not Stack.objects.exists()


def test_a_manifest_cut_short_is_400_though_what_arrived_is_valid_yaml(generator, objects_path):
    response = call(
        "POST",
        f"/api/v1{objects_path}",
        key=generator.key,
        body=MANIFEST.encode(),
        content_type="application/yaml",
        CONTENT_LENGTH=str(len(MANIFEST) + 1),
    )
    refused(response, 400, "incomplete_body")
    assert not DeploymentObject.objects.exists()


def test_a_connection_that_breaks_off_is_400(generator):
    response = call(
        "POST",
        STACKS,
        key=generator.key,
        CONTENT_LENGTH="100",
        stream=Broken(b'{"name": "a"}', ConnectionResetError()),
    )
    refused(response, 400, "incomplete_body")


@pytest.mark.parametrize("first", [b"", b'{"k8s_reachable": true}'], ids=["at once", "later"])
@pytest.mark.parametrize("error", [ConnectionResetError(), TimeoutError()])
def test_a_heartbeat_whose_connection_breaks_off_is_400(db, first, error):
    agent, api = make_agent()
    response = call(
        "POST",
        f"/api/v1/agents/{agent.id}/heartbeat",
        key=api.key,
        CONTENT_LENGTH="100",
        stream=Broken(first, error),
    )
    refused(response, 400, "incomplete_body")


@pytest.mark.parametrize("length", ["\xb3", "abc", "1.5"])
def test_a_heartbeat_with_a_length_that_is_none_is_400(db, length):
    agent, api = make_agent()
    response = call(
        "POST", f"/api/v1/agents/{agent.id}/heartbeat", key=api.key, body=b"{}", CONTENT_LENGTH=length
    )
    refused(response, 400, "invalid_header")


@pytest.mark.parametrize("length", ["abc", "-1", "1.5", "+13", "9" * 30])
def test_a_length_that_is_none_is_400(generator, length):
    response = call("POST", STACKS, key=generator.key, body=b'{"name": "a"}', CONTENT_LENGTH=length)
    refused(response, 400, "invalid_header")


def test_only_as_much_as_the_length_says_is_read(generator):
    response = call("POST", STACKS, key=generator.key, body=b'{"name": "a"}GET /', CONTENT_LENGTH="13")
    assert response.status_code == 201

"""Bodies: how large they may be, compressed or not."""

import gzip
import io

import orjson
import pytest

from stacks.models import DeploymentObject
from tests.core.bodies import STACKS, padded
from tests.factories import MANIFEST
from tests.support.api import refused
from tests.support.wsgi import call


def test_a_body_as_large_as_the_limit_is_read(generator, settings):
    settings.MAX_JSON_BYTES = 5000
    assert generator.post("/stacks", raw=padded(5000)).status_code == 201


def test_a_body_over_the_limit_is_413_and_says_the_limit(generator, settings):
    settings.MAX_JSON_BYTES = 5000
    body = refused(generator.post("/stacks", raw=padded(5001)), 413, "payload_too_large")
    assert body["details"] == {"limit_bytes": 5000}


def test_the_limits_are_two_and_ten_mebibytes(settings):
    assert settings.MAX_JSON_BYTES == 2 * 1024 * 1024
    assert settings.MAX_MANIFEST_BYTES == 10 * 1024 * 1024


@pytest.mark.parametrize(
    ("content_type", "wrap"),
    [
        ("application/yaml", lambda text: text),
        ("application/json", lambda text: orjson.dumps({"yaml_content": text.decode()})),
    ],
    ids=["yaml", "json"],
)
def test_manifests_have_a_limit_of_their_own(generator, objects_path, settings, content_type, wrap):
    settings.MAX_JSON_BYTES, settings.MAX_MANIFEST_BYTES = 1000, 5000
    text = MANIFEST.encode() + b"#" * 3000
    response = generator.post(objects_path, raw=wrap(text), content_type=content_type)
    assert response.status_code == 201
    response = generator.post(objects_path, raw=wrap(text + b"#" * 2000), content_type=content_type)
    refused(response, 413, "payload_too_large")
    assert DeploymentObject.objects.count() == 1


def test_the_rest_of_an_oversized_body_is_read_so_that_the_client_hears_the_answer(generator, settings):
    settings.MAX_JSON_BYTES = 1024
    stream = io.BytesIO(b"x" * 500_000)
    response = call("POST", STACKS, key=generator.key, CONTENT_LENGTH="500000", stream=stream)
    refused(response, 413, "payload_too_large")
    assert stream.read() == b""


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip"])
def test_a_compressed_body_is_read(generator, encoding):
    raw = gzip.compress(b'{"name": "a"}')
    response = generator.post("/stacks", raw=raw, headers={"Content-Encoding": encoding})
    assert response.status_code == 201


def test_a_compressed_manifest_is_read(generator, objects_path):
    response = generator.post(
        objects_path,
        raw=gzip.compress(MANIFEST.encode()),
        content_type="application/yaml",
        headers={"Content-Encoding": "gzip"},
    )
    assert response.status_code == 201
    assert response.json()["yaml_content"] == MANIFEST


def test_identity_is_an_encoding(generator):
    response = generator.post("/stacks", {"name": "a"}, headers={"Content-Encoding": "identity"})
    assert response.status_code == 201


def test_what_counts_is_the_decompressed_size(generator, settings):
    settings.MAX_JSON_BYTES = 5000
    gzipped = {"Content-Encoding": "gzip"}
    response = generator.post("/stacks", raw=gzip.compress(padded(5001)), headers=gzipped)
    refused(response, 413, "payload_too_large")
    # Stored without compression, which makes it larger than the limit.
    response = generator.post("/stacks", raw=gzip.compress(padded(5000), compresslevel=0), headers=gzipped)
    assert response.status_code == 201


def test_a_small_body_that_grows_without_end_is_413(generator):
    bomb = gzip.compress(b" " * 100_000_000)
    response = generator.post("/stacks", raw=bomb, headers={"Content-Encoding": "gzip"})
    refused(response, 413, "payload_too_large")


@pytest.mark.parametrize(
    "raw",
    [
        b"not gzip",
        b'{"name": "a"}',
        gzip.compress(b'{"name": "a"}')[:-4],
        gzip.compress(b'{"name": "a"}')[:12],
        gzip.compress(b'{"name": "a"}')[:-8] + b"\0" * 8,
        gzip.compress(b'{"name": "a"}') + b"rest",
        gzip.compress(b"")[:10] + b"\xff" * 20,
    ],
    ids=["text", "plain json", "cut checksum", "cut data", "wrong checksum", "text after it", "bad deflate"],
)
def test_what_does_not_decompress_is_400(generator, raw):
    response = generator.post("/stacks", raw=raw, headers={"Content-Encoding": "gzip"})
    refused(response, 400, "invalid_encoding")


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip", "*"])
def test_other_encodings_are_415(generator, encoding):
    response = generator.post("/stacks", {"name": "a"}, headers={"Content-Encoding": encoding})
    refused(response, 415, "unsupported_media_type")

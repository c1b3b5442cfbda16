"""Bodies: what is read, what is refused, and that nothing is half read."""

import gzip
import io

import orjson
import pytest
from gunicorn.http.errors import ChunkMissingTerminator, InvalidChunkSize, NoMoreData

from stacks.models import DeploymentObject, Stack
from tests.factories import MANIFEST, make_agent, make_generator, make_stack
from tests.support.api import refused
from tests.support.wsgi import call

STACKS = "/api/v1/stacks"


@pytest.fixture
def owner(db):
    return make_generator()


@pytest.fixture
def generator(owner):
    return owner[1]


@pytest.fixture
def objects_path(owner):
    return f"/stacks/{make_stack(owner[0]).id}/deployment-objects"


class Broken(io.RawIOBase):
    """A connection that gives some bytes and then fails."""

    def __init__(self, first: bytes, error: Exception) -> None:
        self._first = [first] if first else []
        self._error = error

    def read(self, _size: int = -1) -> bytes:
        if self._first:
            return self._first.pop()
        raise self._error


# --- Syntax -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"{'name': 'a'}",
        b'{"name": "a",}',
        b'{"name": NaN}',
        b'{"name": Infinity}',
        b'{"name": "\xff"}',
        b'{"name": "\\ud800"}',
        b'{"name": "\\udfff\\ud800"}',
        b'{"name": "a\x00"}',
        b'{"name": "a"} trailing',
        b"\xef\xbb\xbf{}",
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    ],
    ids=[
        "unclosed", "single quotes", "trailing comma", "NaN", "Infinity", "not UTF-8", "lone surrogate",
        "swapped surrogates", "raw NUL", "two values", "byte order mark", "deep array", "deep object",
    ],
)  # fmt: skip
def test_what_is_not_json_is_400(generator, raw):
    refused(generator.post("/stacks", raw=raw), 400, "invalid_json")


def test_an_empty_body_where_json_is_required_is_400(generator):
    response = call("POST", STACKS, key=generator.key, CONTENT_LENGTH="0")
    refused(response, 400, "invalid_json")


@pytest.mark.parametrize(
    "body",
    [[], ["name"], "name", 5, 1.5, True, None],
    ids=["empty array", "array", "string", "integer", "float", "true", "null"],
)
def test_json_that_is_no_object_is_422(generator, body):
    refused(generator.post("/stacks", body), 422, "invalid_request_body")


@pytest.mark.parametrize("value", [None, 5, 1.5, True, [], ["a"], {}, {"a": 1}])
def test_a_field_of_another_type_is_422_and_named(generator, value):
    body = refused(generator.post("/stacks", {"name": value}), 422, "invalid_request_body")
    assert set(body["details"]["fields"]) == {"name"}


def test_a_missing_field_is_422_and_named(generator):
    body = refused(generator.post("/stacks", {}), 422, "invalid_request_body")
    assert set(body["details"]["fields"]) == {"name"}


@pytest.mark.parametrize("value", ["x", "", 5, [], {}, "0193f0a47c1e7d398b530a4f6f2b9c11", "{}"])
def test_a_bad_uuid_in_a_field_is_422(admin, value):
    refused(admin.post("/stacks", {"name": "a", "generator_id": value}), 422, "invalid_request_body")


def test_a_bad_item_of_a_list_is_422_and_named_by_its_place(admin):
    response = admin.post("/agents", {"name": "a", "cluster_name": "b", "generator_ids": ["x", 5]})
    body = refused(response, 422, "invalid_request_body")
    assert set(body["details"]["fields"]["generator_ids"]) == {"0", "1"}


@pytest.mark.parametrize(
    "number", ["2147483648", "-2147483649", "9223372036854775808", "1" + "0" * 40, "1.5"]
)
def test_a_number_beyond_its_column_is_422(db, number):
    agent, api = make_agent()
    raw = f'{{"k8s_reachable": true, "k8s_api_latency_ms": {number}}}'.encode()
    refused(api.post(f"/agents/{agent.id}/heartbeat", raw=raw), 422, "invalid_request_body")


@pytest.mark.parametrize("number", ["1e400", "-1e400"])
def test_a_number_beyond_all_floats_is_no_json(db, number):
    agent, api = make_agent()
    raw = f'{{"k8s_api_latency_ms": {number}}}'.encode()
    refused(api.post(f"/agents/{agent.id}/heartbeat", raw=raw), 400, "invalid_json")


@pytest.mark.parametrize(
    "body", [{"name": "a\0b"}, {"a\0": 1, "name": "b"}, {"name": "b", "x": [{"y": "\0"}]}]
)
def test_a_nul_anywhere_in_the_body_is_400(generator, body):
    refused(generator.post("/stacks", body), 400, "nul_character")


def test_an_escaped_backslash_before_u0000_is_no_nul(generator):
    response = generator.post("/stacks", raw=rb'{"name": "\\u0000"}')
    assert response.status_code == 201
    assert response.json()["name"] == "\\u0000"


def test_unknown_fields_are_not_looked_at(generator):
    assert generator.post("/stacks", {"name": "a", "colour": "red", "id": 5}).status_code == 201


# --- Content types ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "APPLICATION/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8;profile=x",
        "application/merge-patch+json",
        "application/vnd.brokkr+json",
    ],
)
def test_every_spelling_of_json_is_read(generator, content_type):
    assert generator.post("/stacks", {"name": "a"}, content_type=content_type).status_code == 201


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "text/html",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/yaml",
        "application/jsonp",
        "application",
        "text/x+json",
        ";",
    ],
)
def test_other_types_are_415(generator, content_type):
    response = generator.post("/stacks", {"name": "a"}, content_type=content_type)
    refused(response, 415, "unsupported_media_type")


def test_a_body_without_a_type_is_415(generator):
    refused(generator.post("/stacks", {"name": "a"}, content_type=None), 415, "unsupported_media_type")


def test_a_body_without_a_type_is_415_also_where_the_body_is_optional(admin):
    generator, _ = make_generator()
    path = f"/generators/{generator.id}/register"
    refused(admin.post(path, {}, content_type=None), 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "content_type", ["application/yaml", "text/yaml", "application/x-yaml; charset=utf-8"]
)
def test_every_spelling_of_yaml_is_read_as_a_manifest(generator, objects_path, content_type):
    response = generator.post(objects_path, raw=MANIFEST.encode(), content_type=content_type)
    assert response.status_code == 201
    assert response.json()["yaml_content"] == MANIFEST


# --- Size -------------------------------------------------------------------------------------------


def padded(size: int) -> bytes:
    """A stack of exactly `size` bytes."""
    start, end = b'{"name": "a", "padding": "', b'"}'
    return start + b"x" * (size - len(start) - len(end)) + end


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


# --- Compression ------------------------------------------------------------------------------------


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


# --- Length and chunks ------------------------------------------------------------------------------


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

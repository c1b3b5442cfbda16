"""What only a real socket shows: bodies in chunks, cut short or compressed, odd paths, and connections that live on."""

import gzip
from collections.abc import Iterator
from http.client import RemoteDisconnected
from urllib.parse import quote

import orjson
import pytest

from tests.support.live_api import MANIFEST, Rows, created, live_client, make_rows
from tests.support.raw_http import Answer, Wire, chunked
from tests.support.server import LiveServer

pytestmark = [pytest.mark.live, pytest.mark.any_database("bytes on a socket")]

MEBIBYTE = 1024 * 1024
_names = iter(range(1_000_000))


@pytest.fixture(scope="module")
def rows(_shared_broker: LiveServer) -> Rows:
    return make_rows(_shared_broker, "wire")


@pytest.fixture
def generator(broker: LiveServer, rows: Rows) -> Iterator[Wire]:
    """A connection that speaks with the key of the generator in `rows`."""
    with Wire(broker, rows.generator_key) as connection:
        yield connection


def _stack_body() -> bytes:
    return orjson.dumps({"name": f"wire-{next(_names)}"})


def _refused(answer: Answer, status: int, code: str) -> None:
    assert answer.status == status, answer.body
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    assert body["code"] == code
    assert body["error"] == body["message"]
    assert body["message"]


def _count_versions(broker: LiveServer, rows: Rows) -> int:
    with live_client(broker, rows.generator_key) as client:
        return len(created(client.get(f"/stacks/{rows.stack_id}/deployment-objects")))


# --- Bodies ---------------------------------------------------------------------------------------


def test_a_body_in_chunks_is_one_body(generator: Wire):
    body = _stack_body()
    head = generator.head("POST", "/stacks", Content_Type="application/json", Transfer_Encoding="chunked")
    generator.send(head + chunked(body[:3], body[3:]))
    answer = generator.answer()
    assert answer.status == 201
    assert answer.json()["name"] == orjson.loads(body)["name"]
    assert generator.is_open()


def test_a_manifest_in_chunks_is_kept_byte_for_byte(generator: Wire, rows: Rows):
    text = MANIFEST + "# ünïcödé\n"
    head = generator.head(
        "POST",
        f"/stacks/{rows.stack_id}/deployment-objects",
        Content_Type="application/yaml",
        Transfer_Encoding="chunked",
    )
    raw = text.encode()
    # The first cut goes through the middle of a character.
    cut = raw.index("ü".encode()) + 1
    generator.send(head + chunked(raw[:cut], raw[cut:]))
    answer = generator.answer()
    assert answer.status == 201
    assert answer.json()["yaml_content"] == text


def test_a_compressed_body_in_chunks_is_read(generator: Wire):
    head = generator.head(
        "POST",
        "/stacks",
        Content_Type="application/json",
        Content_Encoding="gzip",
        Transfer_Encoding="chunked",
    )
    generator.send(head + chunked(gzip.compress(_stack_body())))
    assert generator.answer().status == 201


def test_a_compressed_body_is_read(generator: Wire):
    answer = generator.exchange("POST", "/stacks", gzip.compress(_stack_body()), Content_Encoding="gzip")
    assert answer.status == 201


def test_a_small_body_that_grows_over_the_limit_is_refused(generator: Wire):
    bomb = gzip.compress(b'{"name": "' + b"x" * 64 * MEBIBYTE + b'"}')
    assert len(bomb) < MEBIBYTE
    _refused(generator.exchange("POST", "/stacks", bomb, Content_Encoding="gzip"), 413, "payload_too_large")
    assert generator.is_open()


def test_a_body_that_does_not_decompress_is_refused(generator: Wire):
    answer = generator.exchange("POST", "/stacks", b"not gzip at all", Content_Encoding="gzip")
    _refused(answer, 400, "invalid_encoding")
    assert generator.is_open()


@pytest.mark.parametrize("encoding", ["Content-Length", "Transfer-Encoding"])
def test_a_manifest_that_is_cut_short_is_refused_and_not_kept(
    broker: LiveServer, generator: Wire, rows: Rows, encoding: str
):
    before = _count_versions(broker, rows)
    # Cut here it is still valid YAML, with an object missing.
    whole = (MANIFEST + "---\n" + MANIFEST).encode()
    part = whole[: len(MANIFEST)]
    path = f"/stacks/{rows.stack_id}/deployment-objects"
    if encoding == "Content-Length":
        head = generator.head("POST", path, Content_Type="application/yaml", Content_Length=str(len(whole)))
        generator.send(head + part)
    else:
        head = generator.head("POST", path, Content_Type="application/yaml", Transfer_Encoding="chunked")
        generator.send(head + b"%x\r\n%s" % (len(whole), part))
    generator.end_sending()
    _refused(generator.answer(), 400, "incomplete_body")
    assert _count_versions(broker, rows) == before


def test_a_connection_that_closes_between_chunks_leaves_nothing(
    broker: LiveServer, generator: Wire, rows: Rows
):
    before = _count_versions(broker, rows)
    head = generator.head(
        "POST",
        f"/stacks/{rows.stack_id}/deployment-objects",
        Content_Type="application/yaml",
        Transfer_Encoding="chunked",
    )
    raw = MANIFEST.encode()
    generator.send(head + b"%x\r\n%s\r\n" % (len(raw), raw))
    generator.end_sending()
    _refused(generator.answer(), 400, "incomplete_body")
    assert _count_versions(broker, rows) == before


def test_a_chunk_whose_size_is_no_number_is_refused(generator: Wire):
    head = generator.head("POST", "/stacks", Content_Type="application/json", Transfer_Encoding="chunked")
    generator.send(head + b"zz\r\n{}\r\n0\r\n\r\n")
    _refused(generator.answer(), 400, "bad_request")
    # What follows on the connection may be the rest of the body, and must not be taken for a request.
    generator.send(generator.head("GET", "/stacks"))
    with pytest.raises((RemoteDisconnected, ConnectionError)):
        generator.answer()


def test_a_client_that_asks_first_is_told_to_go_on(generator: Wire):
    body = _stack_body()
    generator.send(
        generator.head(
            "POST",
            "/stacks",
            Content_Type="application/json",
            Content_Length=str(len(body)),
            Expect="100-continue",
        )
    )
    assert generator.read_line() == b"HTTP/1.1 100 Continue\r\n"
    assert generator.read_line() == b"\r\n"
    generator.send(body)
    assert generator.answer().status == 201
    assert generator.is_open()


def test_a_manifest_of_ten_mebibytes_is_taken_and_one_byte_more_is_not(
    broker: LiveServer, generator: Wire, rows: Rows
):
    path = f"/stacks/{rows.stack_id}/deployment-objects"
    comment = b"# " + b"x" * 97 + b"\n"
    text = MANIFEST.encode() + comment * ((10 * MEBIBYTE - len(MANIFEST)) // len(comment))
    text += b"#" * (10 * MEBIBYTE - len(text))
    assert len(text) == 10 * MEBIBYTE
    answer = generator.exchange("POST", path, text, Content_Type="application/yaml")
    assert answer.status == 201
    assert len(answer.json()["yaml_content"]) == len(text)
    before = _count_versions(broker, rows)
    over = generator.exchange("POST", path, text + b"#", Content_Type="application/yaml")
    _refused(over, 413, "payload_too_large")
    assert generator.is_open()
    assert _count_versions(broker, rows) == before


def test_a_manifest_over_the_limit_is_refused_in_chunks_too(generator: Wire, rows: Rows):
    head = generator.head(
        "POST",
        f"/stacks/{rows.stack_id}/deployment-objects",
        Content_Type="application/yaml",
        Transfer_Encoding="chunked",
    )
    generator.send(head + chunked(*[b"#" * MEBIBYTE] * 12))
    _refused(generator.answer(), 413, "payload_too_large")
    assert generator.is_open()


def test_json_over_two_mebibytes_is_refused(generator: Wire):
    body = b'{"name": "wire", "description": "' + b"x" * 2 * MEBIBYTE + b'"}'
    _refused(generator.exchange("POST", "/stacks", body), 413, "payload_too_large")
    assert generator.is_open()


# --- Connections ----------------------------------------------------------------------------------


def test_one_connection_carries_refusals_and_successes_in_turn(generator: Wire, rows: Rows):
    unread = b"{" + b" " * 4096 + b"}"
    _refused(generator.exchange("GET", "/stacks/7"), 400, "invalid_path")
    _refused(generator.exchange("POST", "/stacks", b"{"), 400, "invalid_json")
    _refused(generator.exchange("POST", "/stacks", b"[]"), 422, "invalid_request_body")
    _refused(generator.exchange("PATCH", f"/stacks/{rows.stack_id}", unread), 405, "method_not_allowed")
    _refused(generator.exchange("POST", "/nowhere", unread), 404, "not_found")
    _refused(generator.exchange("POST", "/agents", unread), 403, "admin_required")
    _refused(
        generator.exchange("POST", "/stacks", unread, Content_Type="text/plain"),
        415,
        "unsupported_media_type",
    )
    _refused(generator.exchange("POST", "/stacks", b" " * 3 * MEBIBYTE), 413, "payload_too_large")
    assert generator.exchange("POST", "/stacks", _stack_body()).status == 201
    assert generator.exchange("GET", f"/stacks/{rows.stack_id}").status == 200


def test_a_request_without_a_key_leaves_the_connection_usable(broker: LiveServer, rows: Rows):
    with Wire(broker, None) as stranger:
        _refused(stranger.exchange("POST", "/stacks", b"x" * 4096), 401, "unauthorized")
        _refused(stranger.exchange("GET", "/stacks"), 401, "unauthorized")
        with_key = stranger.exchange("GET", "/stacks", Authorization=f"Bearer {rows.generator_key}")
        assert with_key.status == 200


def test_head_answers_as_get_without_the_body(generator: Wire, rows: Rows):
    path = f"/stacks/{rows.stack_id}"
    whole = generator.exchange("GET", path)
    head = generator.exchange("HEAD", path)
    assert (head.status, head.body) == (200, b"")
    for name in ("ETag", "Content-Type", "Content-Length"):
        assert head.headers[name] == whole.headers[name]
    assert generator.is_open()


def test_two_requests_sent_at_once_are_answered_in_order(generator: Wire, rows: Rows):
    first = generator.head("GET", f"/stacks/{rows.stack_id}")
    second = generator.head("GET", "/stacks/7")
    generator.send(first + second)
    assert generator.answer().status == 200
    _refused(generator.answer(), 400, "invalid_path")


# --- What the HTTP server itself refuses ----------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        b"GET\r\n\r\n",
        b"GET /api/v1/stacks HTTP/9.9\r\n\r\n",
        b"GET /api/v1/stacks HTTP/1.1\r\nno colon\r\n\r\n",
        b"POST /api/v1/stacks HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"POST /api/v1/stacks HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ids=["no path", "no such version", "no header", "two lengths", "a length and chunks"],
)
def test_what_is_no_request_is_refused_in_the_one_shape(generator: Wire, head: bytes):
    generator.send(head)
    _refused(generator.answer(), 400, "bad_request")


# --- Paths ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "label",
    [
        "a/b",
        "/",
        "a%2Fb",
        "100%",
        "%",
        "a+b",
        "a?b#c",
        "grün",
        "日本",
        "🚀",
        "a:b;c,d",
        "..",
        "a\\b",
        "x" * 64,
    ],
)
@pytest.mark.parametrize("owner", ["stacks", "agents"])
def test_any_label_can_be_taken_off_again(broker: LiveServer, rows: Rows, owner: str, label: str):
    owner_id = rows.stack_id if owner == "stacks" else rows.agent_id
    path = f"/{owner}/{owner_id}/labels"
    with Wire(broker, broker.admin_key) as admin:
        added = admin.exchange("POST", path, orjson.dumps({"label": label}))
        assert added.status == 201, added.body
        assert admin.exchange("DELETE", f"{path}/{quote(label, safe='')}").status == 204
        assert label not in [row["label"] for row in admin.exchange("GET", path).json()]


@pytest.mark.parametrize("key", ["a/b", "example.com/team", "%2F", "grün"])
def test_any_annotation_can_be_taken_off_again(generator: Wire, rows: Rows, key: str):
    path = f"/stacks/{rows.stack_id}/annotations"
    assert generator.exchange("POST", path, orjson.dumps({"key": key, "value": "v"})).status == 201
    assert generator.exchange("DELETE", f"{path}/{quote(key, safe='')}").status == 204


def test_a_label_with_a_space_in_the_path_is_not_found(generator: Wire, rows: Rows):
    answer = generator.exchange("DELETE", f"/stacks/{rows.stack_id}/labels/a%20b")
    _refused(answer, 404, "stack_label_not_found")


def test_a_path_that_is_not_utf_8_is_refused(generator: Wire, rows: Rows):
    answer = generator.exchange("DELETE", f"/stacks/{rows.stack_id}/labels/%FF")
    assert 400 <= answer.status < 500
    assert answer.json()["code"]


def test_agents_with_and_without_a_slash_are_two_operations(broker: LiveServer, rows: Rows):
    with Wire(broker, rows.agent_key) as agent:
        _refused(agent.exchange("GET", "/agents"), 403, "generator_required")
        _refused(agent.exchange("GET", "/agents/"), 400, "name_and_cluster_required")
        found = agent.exchange("GET", "/agents/?name=wire&cluster_name=live")
        assert found.status == 200
        assert found.json()["id"] == rows.agent_id


@pytest.mark.parametrize("path", ["/stacks/", "/generators/", "/auth/pak/", "//stacks", "/agent-events/", ""])
def test_no_path_redirects(generator: Wire, path: str):
    answer = generator.exchange("GET", path)
    assert answer.status in {400, 404, 405}
    assert answer.headers["Location"] is None
    assert answer.json()["code"]

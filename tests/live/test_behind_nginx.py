"""Behind nginx, set up as the how-to says: what it compresses has a weak tag, and that is as good as the strong one."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.factories import manifest, unique
from tests.support.nginx import needs_nginx, nginx
from tests.support.server import NO_TLS, LiveServer

pytestmark = [pytest.mark.live, pytest.mark.no_database, needs_nginx]

_PLACES = {
    "127.0.0.1:3000": "127.0.0.1:{port}",
    "listen 443 ssl;": "listen 127.0.0.1:PORT;",
    "ssl_certificate     /etc/nginx/tls/brokkr.crt;": "",
    "ssl_certificate_key /etc/nginx/tls/brokkr.key;": "",
}


@pytest.fixture
def proxied(broker: LiveServer, tmp_path: Path) -> Iterator[httpx.Client]:
    places = {written: used.format(port=broker.port) for written, used in _PLACES.items()}
    with (
        nginx("docs/how-to/run-behind-nginx.md", places, tmp_path) as url,
        httpx.Client(
            base_url=f"{url}/api/v1",
            headers={"Authorization": f"Bearer {broker.admin_key}", "Accept-Encoding": "gzip"},
            timeout=60,
            verify=NO_TLS,
        ) as client,
    ):
        yield client


@pytest.fixture
def stack(proxied: httpx.Client) -> str:
    """The path of a stack."""
    owner = proxied.post("/generators", json={"name": unique("behind-nginx")}).json()["generator"]
    made = proxied.post("/stacks", json={"name": unique("behind-nginx"), "generator_id": owner["id"]}).json()
    return f"/stacks/{made['id']}"


def weak_tag(client: httpx.Client, path: str) -> str:
    """The tag of what nginx has compressed."""
    answer = client.get(path)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["ETag"].startswith('W/"')
    return answer.headers["ETag"]


def test_who_has_it_hears_304(proxied: httpx.Client, stack: str):
    tag = weak_tag(proxied, stack)
    assert proxied.get(stack, headers={"If-None-Match": tag}).status_code == 304


def test_a_change_of_the_state_that_was_read_is_made_and_of_an_older_one_is_not(
    proxied: httpx.Client, stack: str
):
    tag = weak_tag(proxied, stack)
    changed = proxied.put(stack, json={"description": "changed"}, headers={"If-Match": tag})
    assert changed.status_code == 200
    late = {"If-Match": tag}
    assert proxied.put(stack, json={"description": "too late"}, headers=late).status_code == 412
    assert proxied.delete(stack, headers=late).status_code == 412
    assert proxied.delete(stack, headers={"If-Match": weak_tag(proxied, stack)}).status_code == 204


def test_the_next_version_is_published_upon_the_one_that_was_read(proxied: httpx.Client, stack: str):
    objects = f"{stack}/deployment-objects"
    first = proxied.post(objects, json={"yaml_content": manifest(1)}).json()
    newest = {"If-Match": weak_tag(proxied, f"/deployment-objects/{first['id']}")}
    assert proxied.post(objects, json={"yaml_content": manifest(2)}, headers=newest).status_code == 201
    assert proxied.post(objects, json={"yaml_content": manifest(3)}, headers=newest).status_code == 412


def test_an_agents_poll_hears_304_while_nothing_changes(proxied: httpx.Client):
    made = proxied.post("/agents", json={"name": unique("behind-nginx"), "cluster_name": "far"}).json()
    owner = proxied.post("/generators", json={"name": unique("behind-nginx")}).json()["generator"]
    stack = proxied.post("/stacks", json={"name": unique("poll"), "generator_id": owner["id"]}).json()
    proxied.post(f"/stacks/{stack['id']}/deployment-objects", json={"yaml_content": manifest(1)})
    me = f"/agents/{made['agent']['id']}"
    assert proxied.post(f"{me}/targets", json={"stack_id": stack["id"]}).status_code == 201
    proxied.headers["Authorization"] = f"Bearer {made['initial_pak']}"
    poll = f"{me}/target-state?mode=full"
    tag = weak_tag(proxied, poll)
    assert proxied.get(poll, headers={"If-None-Match": tag}).status_code == 304

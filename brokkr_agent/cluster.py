"""The Kubernetes API, for objects of any kind as dictionaries: discovery, server-side apply, reading and deleting."""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2
from lightkube.config.client_adapter import Client, ConnectionParams
from lightkube.config.kubeconfig import KubeConfig
from lightkube.core.exceptions import ConfigError

from brokkr_agent.manifests import Object, group_and_version

FIELD_MANAGER = "brokkr-agent"
_PAGE = 500
_TIMEOUT = httpx2.Timeout(30.0, connect=10.0)
_TOO_MANY = 429


class ClusterError(Exception):
    """A call failed. The message is a sentence for the report, without any text of a manifest."""

    def __init__(self, message: str, *, status: int = 0, may_pass: bool = False) -> None:
        super().__init__(message)
        self.status = status
        # Whether the same call may succeed in a moment without anybody's doing.
        self.may_pass = may_pass


class ClusterAway(ClusterError):
    """The API server cannot be reached, or cannot answer now."""

    def __init__(self, message: str) -> None:
        super().__init__(message, status=503, may_pass=True)


class NotLeading(ClusterAway):
    """Another replica leads now, so this one may not write."""

    def __init__(self) -> None:
        super().__init__("Another replica leads now.")


class UnknownKind(ClusterError):
    """The API server does not know the kind, perhaps not yet."""

    def __init__(self, api_version: str, kind: str) -> None:
        super().__init__(f"The cluster knows no kind {kind} in {api_version}.", status=404, may_pass=True)


@dataclass(frozen=True, slots=True)
class Resource:
    """How a kind is spelled in URLs."""

    group: str
    version: str
    plural: str
    namespaced: bool

    @property
    def _base(self) -> str:
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    def path(self, namespace: str = "", name: str = "") -> str:
        """The path of one object or, without a name, of the collection."""
        place = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{self._base}{place}/{self.plural}{'/' + name if name else ''}"


def connect(kubeconfig: str = "", transport: httpx2.BaseTransport | None = None) -> "Cluster":
    """The cluster of the file, else the one that the pod runs in or that KUBECONFIG names. Raises ConfigError."""
    found = KubeConfig.from_file(kubeconfig) if kubeconfig else KubeConfig.from_env()
    config = found.get()
    if config is None:
        raise ConfigError("The configuration of the cluster names no context.")
    return Cluster(Client(config, ConnectionParams(timeout=_TIMEOUT, transport=transport)), config.namespace)


class Cluster:
    """One Kubernetes API server. Its methods raise ClusterError."""

    def __init__(self, client: httpx2.Client, namespace: str | None = None) -> None:
        self._client = client
        self.namespace = namespace or os.environ.get("POD_NAMESPACE") or "default"
        self._kinds: dict[str, dict[str, Resource]] = {}
        self.requests = 0
        # Asked before each write: whether this process may write. Another replica may lead by now.
        self.may_write: Callable[[], bool] = lambda: True

    def close(self) -> None:
        self._client.close()

    def latency_ms(self) -> int | None:
        """How long the API server takes to say that it is there, None if it is not."""
        started = time.perf_counter()
        try:
            self._call("GET", "/version")
        except ClusterError:
            return None
        return round((time.perf_counter() - started) * 1000)

    def resource(self, api_version: str, kind: str) -> Resource:
        """How the kind is spelled. What is not known is asked of the API server. Raises UnknownKind."""
        known = self._kinds.get(api_version, {})
        if kind not in known:
            known = self._kinds[api_version] = self._discover(api_version)
        if kind not in known:
            raise UnknownKind(api_version, kind)
        return known[kind]

    def resource_in_any_version(self, api_version: str, kind: str) -> Resource:
        """The same, in another version of the group if this one is not served any more. Raises UnknownKind."""
        try:
            return self.resource(api_version, kind)
        except UnknownKind:
            group, _ = group_and_version(api_version)
            for version in self._versions(group) if group else ():
                if (resource := self._discover(f"{group}/{version}").get(kind)) is not None:
                    return resource
            raise

    def forget_kinds(self) -> None:
        """Ask the API server again, because a CustomResourceDefinition may have changed."""
        self._kinds.clear()

    def get(self, resource: Resource, namespace: str, name: str) -> Object | None:
        """The object, or None if there is none."""
        try:
            return self._call("GET", resource.path(namespace, name))
        except ClusterError as error:
            if error.status == 404:
                return None
            raise

    def list(
        self, resource: Resource, *, namespace: str = "", labels: str = "", fields: str = "", limit: int = 0
    ) -> Iterator[Object]:
        """The objects of a collection, page by page; at most `limit` of them."""
        query: dict[str, str] = {"limit": str(min(limit, _PAGE) if limit else _PAGE)}
        query |= {name: text for name, text in (("labelSelector", labels), ("fieldSelector", fields)) if text}
        left = limit
        while True:
            page = self._call("GET", resource.path(namespace), query=query)
            for item in page.get("items") or []:
                yield item
                left -= 1
                if limit and not left:
                    return
            following = page.get("metadata", {}).get("continue")
            if not following:
                return
            query["continue"] = following

    def apply(self, resource: Resource, obj: Object, *, force: bool = False, dry_run: bool = False) -> Object:
        """Server-side apply. A conflict names the other managers and the fields."""
        metadata = obj["metadata"]
        query = {"fieldManager": FIELD_MANAGER, "force": "true" if force else "false"}
        if dry_run:
            query["dryRun"] = "All"
        path = resource.path(metadata.get("namespace", ""), metadata["name"])
        return self._call("PATCH", path, obj, query=query, content_type="application/apply-patch+yaml")

    def create(self, resource: Resource, obj: Object) -> Object:
        """Create an object that must not be there yet."""
        return self._call("POST", resource.path(obj["metadata"].get("namespace", "")), obj)

    def replace(self, resource: Resource, obj: Object) -> Object:
        """Replace an object, if nobody changed it since its `resourceVersion`."""
        return self._call("PUT", resource.path(obj["metadata"]["namespace"], obj["metadata"]["name"]), obj)

    def delete(self, resource: Resource, namespace: str, name: str, *, uid: str) -> None:
        """Delete this very object, with what depends on it. It is no error if it is gone, or another has its name."""
        body = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
            "preconditions": {"uid": uid},
        }
        try:
            self._call("DELETE", resource.path(namespace, name), body)
        except ClusterError as error:
            if error.status not in {404, 409}:
                raise

    def log_tail(self, namespace: str, pod: str, container: str, *, lines: int) -> str:
        """The last lines that a container wrote."""
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
        query = {"container": container, "tailLines": str(lines), "limitBytes": "65536"}
        return self._send("GET", path, None, query, "application/json").text

    def _versions(self, group: str) -> Sequence[str]:
        try:
            found = self._call("GET", f"/apis/{group}")
        except ClusterError as error:
            if error.status == 404:
                return []
            raise
        return [each["version"] for each in found.get("versions", [])]

    def _discover(self, api_version: str) -> dict[str, Resource]:
        group, version = group_and_version(api_version)
        try:
            found = self._call("GET", f"/apis/{api_version}" if group else f"/api/{version}")
        except ClusterError as error:
            if error.status == 404:
                return {}
            raise
        return {
            each["kind"]: Resource(group, version, each["name"], each["namespaced"])
            for each in found.get("resources", [])
            if "/" not in each["name"]
        }

    def _call(
        self,
        method: str,
        path: str,
        body: Object | None = None,
        *,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Object:
        response = self._send(method, path, body, query or {}, content_type)
        try:
            value: Any = response.json()
        except ValueError as error:
            raise ClusterAway("The API server's answer is no JSON.") from error
        if not isinstance(value, dict):
            raise ClusterAway("The API server's answer is no object.")
        return value

    def _send(
        self, method: str, path: str, body: Object | None, query: Mapping[str, str], content_type: str
    ) -> httpx2.Response:
        if method != "GET" and not self.may_write():
            raise NotLeading
        response, problem = self._exchange(method, path, body, query, content_type)
        if response is not None and response.status_code < 400:
            return response
        status = response.status_code if response is not None else 503
        if status == _TOO_MANY or (status >= 500 and not self._is_ready()):
            raise ClusterAway(problem)
        # A namespace or a kind that was made just now may be there in a moment. So may a webhook or the server of one
        # group that does not answer, for which the API server speaks.
        raise ClusterError(problem, status=status, may_pass=status in {404, 409} or status >= 500)

    def _is_ready(self) -> bool:
        """Whether the API server itself works. It may not say so to this agent, but then it answers."""
        response, _ = self._exchange("GET", "/readyz", None, {}, "application/json")
        return response is not None and response.status_code < 500

    def _exchange(
        self, method: str, path: str, body: Object | None, query: Mapping[str, str], content_type: str
    ) -> tuple[httpx2.Response | None, str]:
        """The answer, None if there is none, and the sentence for it if it is no success."""
        self.requests += 1
        content = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": content_type} if content is not None else {}
        try:
            response = self._client.request(method, path, content=content, params=query, headers=headers)
        except httpx2.HTTPError as error:
            return None, f"The API server did not answer: {type(error).__name__}."
        return response, "" if response.status_code < 400 else _sentence(response)


def _sentence(response: httpx2.Response) -> str:
    try:
        said = response.json()
        return str(said.get("message") or said.get("reason") or response.status_code)
    except (ValueError, AttributeError):
        return f"The API server answered {response.status_code}."

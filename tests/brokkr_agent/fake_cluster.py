"""A Kubernetes API in this process, for what the agent calls: enough of it to be wrong in the same places."""

import json
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx2

from brokkr_agent.cluster import Cluster
from tests.brokkr_agent import FOREIGN

_KINDS: dict[str, dict[str, tuple[str, bool]]] = {
    "v1": {"ConfigMap": ("configmaps", True), "Namespace": ("namespaces", False), "Pod": ("pods", True)},
    "apps/v1": {"Deployment": ("deployments", True)},
    "apiextensions.k8s.io/v1": {"CustomResourceDefinition": ("customresourcedefinitions", False)},
    "coordination.k8s.io/v1": {"Lease": ("leases", True)},
}
_PATH = re.compile(
    r"/(?:api|apis)/(?P<api>v1|[^/]+/[^/]+?)(?:/namespaces/(?P<ns>[^/]+)(?=/))?(?:/(?P<plural>[^/]+))?(?:/(?P<name>[^/]+))?"
)

_GROUP = re.compile(r"/apis/([^/]+)")

Object = dict[str, Any]


def answer_all(_method: str, _path: str) -> httpx2.Response | None:
    """Refuse nothing."""
    return None


def be_away(_method: str, _path: str) -> httpx2.Response | None:
    """Answer as an API server that is not ready."""
    return _status(503, "not ready")


class Stopped(BaseException):
    """The process of the agent is killed at this request."""


class FakeCluster:
    """The objects by path, and every request that changed something."""

    def __init__(self) -> None:
        self.objects: dict[str, Object] = {}
        self.kinds = {api: dict(kinds) for api, kinds in _KINDS.items()}
        self.requests: list[str] = []
        self.refuse: Callable[[str, str], httpx2.Response | None] = answer_all

    def connect(self) -> Cluster:
        """A client of it, in the namespace `brokkr`."""
        client = httpx2.Client(transport=httpx2.MockTransport(self._answer), base_url="https://cluster.test")
        return Cluster(client, "brokkr")

    def add_foreign(self, path: str, obj: Object) -> None:
        """An object that somebody else has made."""
        self.objects[path] = _made(obj, FOREIGN)

    def texts(self) -> dict[str, Any]:
        """What is in the cluster but inventories and leases, without what the cluster itself says."""
        return {
            path: obj.get("data")
            for path, obj in self.objects.items()
            if "brokkr-inventory" not in path and "/leases/" not in path
        }

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        method, path = request.method, request.url.path
        self.requests.append(f"{method} {path}")
        refused = self.refuse(method, path)
        if refused is not None:
            return refused
        if path in {"/version", "/readyz"}:
            return httpx2.Response(200, json={})
        if (group := _GROUP.fullmatch(path)) is not None:
            return self._versions(group[1])
        found = _PATH.fullmatch(path)
        assert found is not None, path
        return self._discovery(found["api"]) if found["plural"] is None else self._object(request, found)

    def _object(self, request: httpx2.Request, found: re.Match[str]) -> httpx2.Response:
        method, path = request.method, request.url.path
        names = [plural for plural, _ in self.kinds.get(found["api"], {}).values()]
        if found["plural"] not in names:
            return _status(404, "the server could not find the requested resource")
        body = json.loads(request.content) if request.content else {}
        if found["name"] is None:
            return self._collection(method, path, body, dict(request.url.params))
        answer: httpx2.Response = getattr(self, f"_{method.lower()}")(path, body, dict(request.url.params))
        return answer

    def _versions(self, group: str) -> httpx2.Response:
        versions = [api.partition("/")[2] for api in self.kinds if api.startswith(f"{group}/")]
        if not versions:
            return _status(404, "the server could not find the requested resource")
        return httpx2.Response(200, json={"versions": [{"version": version} for version in versions]})

    def _discovery(self, api: str) -> httpx2.Response:
        if api not in self.kinds:
            return _status(404, "the server could not find the requested resource")
        resources = [
            {"kind": kind, "name": plural, "namespaced": namespaced}
            for kind, (plural, namespaced) in self.kinds[api].items()
        ]
        return httpx2.Response(200, json={"resources": resources})

    def _collection(self, method: str, path: str, body: Object, query: dict[str, str]) -> httpx2.Response:
        if method == "POST":
            place = f"{path}/{body['metadata']['name']}"
            if place in self.objects:
                return _status(409, "it already exists")
            self.objects[place] = _made(body, "")
            return httpx2.Response(201, json=self.objects[place])
        wanted = [pair.partition("=") for pair in query.get("labelSelector", "").split(",") if pair]
        base, _, plural = path.rpartition("/")
        pattern = re.compile(rf"{re.escape(base)}(/namespaces/[^/]+)?/{plural}/[^/]+")
        items = [
            obj
            for place, obj in self.objects.items()
            if pattern.fullmatch(place) and _has(obj["metadata"].get("labels") or {}, wanted)
        ]
        return httpx2.Response(200, json={"metadata": {}, "items": items})

    def _get(self, path: str, _body: Object, _query: dict[str, str]) -> httpx2.Response:
        obj = self.objects.get(path)
        return httpx2.Response(200, json=obj) if obj else _status(404, "not found")

    def _put(self, path: str, body: Object, _query: dict[str, str]) -> httpx2.Response:
        present = self.objects[path]["metadata"]["resourceVersion"]
        if body["metadata"].get("resourceVersion") != present:
            return _status(409, "the object has been modified")
        self.objects[path] = _made(body, "")
        return httpx2.Response(200, json=self.objects[path])

    def _patch(self, path: str, body: Object, query: dict[str, str]) -> httpx2.Response:
        namespace = body["metadata"].get("namespace")
        if namespace and namespace != "brokkr" and f"/api/v1/namespaces/{namespace}" not in self.objects:
            return _status(404, f'namespaces "{namespace}" not found')
        present = self.objects.get(path)
        manager = query["fieldManager"]
        if present is not None and present["metadata"]["manager"] != manager and query["force"] != "true":
            words = f'Apply failed with 1 conflict: conflict with "{present["metadata"]["manager"]}"'
            return _status(409, words)
        made = _made(body, manager)
        if present is not None:
            made["metadata"]["uid"] = present["metadata"]["uid"]
        if "dryRun" not in query:
            self.objects[path] = made
            if body["kind"] == "CustomResourceDefinition":
                self._define(made)
        return httpx2.Response(200, json=made)

    def _define(self, definition: Object) -> None:
        definition["status"] = {"conditions": [{"type": "Established", "status": "True"}]}
        spec = definition["spec"]
        for version in spec["versions"]:
            kinds = self.kinds.setdefault(f"{spec['group']}/{version['name']}", {})
            kinds[spec["names"]["kind"]] = (spec["names"]["plural"], spec["scope"] == "Namespaced")

    def _delete(self, path: str, body: Object, _query: dict[str, str]) -> httpx2.Response:
        present = self.objects.get(path)
        if present is None:
            return _status(404, "not found")
        if body["preconditions"]["uid"] != present["metadata"]["uid"]:
            return _status(409, "another object has this name")
        for place in [each for each in self.objects if each == path or each.startswith(f"{path}/")]:
            del self.objects[place]
        return httpx2.Response(200, json={"kind": "Status"})


def _has(labels: dict[str, str], wanted: list[tuple[str, str, str]]) -> bool:
    return all(name in labels and (not sign or labels[name] == value) for name, sign, value in wanted)


def _made(obj: Object, manager: str) -> Object:
    made: Object = json.loads(json.dumps(obj))
    made["metadata"] |= {"uid": str(uuid4()), "manager": manager, "resourceVersion": str(uuid4())}
    return made


def _status(code: int, message: str) -> httpx2.Response:
    return httpx2.Response(code, json={"kind": "Status", "message": message})

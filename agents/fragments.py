"""Deployment objects as JSON bytes, kept in memory: they never change, so nothing here can be stale."""

from collections.abc import Callable, Sequence
from threading import Lock

from cachetools import LRUCache

from core.errors import DatabaseUnavailable
from stacks.models import DeploymentObject

# The API says how an object is written; it is handed in, so that this module stays below it.
Render = Callable[[DeploymentObject], bytes]


class Fragments:
    """A bounded store from object id, in hex digits, to bytes, shared by the threads of one process."""

    def __init__(self, render: Render, max_bytes: int) -> None:
        self._render = render
        self._kept: LRUCache[str, bytes] = LRUCache(max_bytes, getsizeof=len)
        self._lock = Lock()

    def join(self, object_ids: Sequence[str]) -> bytes:
        """A JSON array of these objects, in this order; one query when any of them is not in memory.

        Raises DatabaseUnavailable when an object has gone since its id was read: an answer without it would
        tell the agent to remove what it deployed.
        """
        with self._lock:
            found = {
                object_id: body for object_id in object_ids if (body := self._kept.get(object_id)) is not None
            }
        if len(found) < len(object_ids):
            missing = [object_id for object_id in object_ids if object_id not in found]
            fresh = {obj.id.hex: self._render(obj) for obj in DeploymentObject.objects.filter(id__in=missing)}
            if len(fresh) < len(missing):
                raise DatabaseUnavailable
            found |= fresh
            with self._lock:
                for object_id, body in fresh.items():
                    if len(body) <= self._kept.maxsize:
                        self._kept[object_id] = body
        return b"[" + b",".join(found[object_id] for object_id in object_ids) + b"]"

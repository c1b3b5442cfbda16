"""Deployment objects as JSON bytes, kept in memory. They never change, so the memory is never out of date."""

from collections.abc import Callable, Sequence
from threading import Lock

from cachetools import LRUCache

from agents.counters import FRAGMENT_HITS, FRAGMENT_MISSES
from core.errors import DatabaseUnavailable
from stacks.models import DeploymentObject

# The function that writes an object is passed in by the API, so that this module does not import the API.
Render = Callable[[DeploymentObject], bytes]


class Fragments:
    """A store of limited size, shared by the threads of one process. It maps object ids, as hex digits, to bytes."""

    def __init__(self, render: Render, max_bytes: int) -> None:
        self._render = render
        self._kept: LRUCache[str, bytes] = LRUCache(max_bytes, getsizeof=len)
        self._lock = Lock()

    def join(self, object_ids: Sequence[str]) -> bytes:
        """A JSON array of these objects, in this order; one query if any of them is not in memory.

        Raises DatabaseUnavailable if an object was removed after its id was read: an answer without it would
        tell the agent to remove what it deployed.
        """
        with self._lock:
            found = {
                object_id: body for object_id in object_ids if (body := self._kept.get(object_id)) is not None
            }
        FRAGMENT_HITS.inc(len(found))
        if len(found) < len(object_ids):
            missing = [object_id for object_id in object_ids if object_id not in found]
            FRAGMENT_MISSES.inc(len(missing))
            fresh = {obj.id.hex: self._render(obj) for obj in DeploymentObject.objects.filter(id__in=missing)}
            if len(fresh) < len(missing):
                raise DatabaseUnavailable
            found |= fresh
            with self._lock:
                for object_id, body in fresh.items():
                    if len(body) <= self._kept.maxsize:
                        self._kept[object_id] = body
        return b"[" + b",".join(found[object_id] for object_id in object_ids) + b"]"

"""Deployment objects as JSON bytes, kept in memory. They never change, so the memory is never out of date."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from threading import Lock

from agents.counters import FRAGMENT_HITS, FRAGMENT_MISSES
from core.errors import DatabaseUnavailable
from stacks.models import DeploymentObject

# The function that writes an object is passed in by the API, so that this module does not import the API.
Render = Callable[[DeploymentObject], bytes]


class Fragments:
    """A store of limited size, shared by the threads of one process. It maps object ids, as hex digits, to bytes."""

    def __init__(self, render: Render, max_bytes: int) -> None:
        self._render = render
        self._max_bytes = max_bytes
        # The object that was asked for last is at the end. Not cachetools' LRUCache, which is written in Python and
        # asked twenty times for one poll.
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def join(self, object_ids: Sequence[str]) -> bytes:
        """A JSON array of these objects, in this order; one query if any of them is not in memory.

        Raises DatabaseUnavailable if an object was removed after its id was read: an answer without it would
        tell the agent to remove what it deployed.
        """
        found = self._find(object_ids)
        FRAGMENT_HITS.inc(len(found))
        if len(found) < len(object_ids):
            missing = [object_id for object_id in object_ids if object_id not in found]
            FRAGMENT_MISSES.inc(len(missing))
            fresh = {obj.id.hex: self._render(obj) for obj in DeploymentObject.objects.filter(id__in=missing)}
            if len(fresh) < len(missing):
                raise DatabaseUnavailable
            found |= fresh
            self._keep(fresh)
        # In one step, because each copies the whole text.
        parts = [b"["]
        for object_id in object_ids:
            parts += found[object_id], b","
        parts[-1 if object_ids else 1 :] = [b"]"]
        return b"".join(parts)

    def _find(self, object_ids: Iterable[str]) -> dict[str, bytes]:
        kept, found = self._kept, {}
        with self._lock:
            for object_id in object_ids:
                if (body := kept.get(object_id)) is not None:
                    found[object_id] = body
                    kept.move_to_end(object_id)
        return found

    def _keep(self, fresh: dict[str, bytes]) -> None:
        with self._lock:
            for object_id, body in fresh.items():
                # Another thread may have kept it in the meantime.
                if object_id not in self._kept and len(body) <= self._max_bytes:
                    self._kept[object_id] = body
                    self._bytes += len(body)
            while self._bytes > self._max_bytes:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= len(oldest)

"""Clients that note what the broker told them, and when it did not answer."""

import http.client
import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import orjson

from tests.support.live_api import Rows
from tests.support.server import LiveServer

_PAUSE_SECONDS = 0.4
# Longer than the broker may take for any answer.
_PATIENCE_SECONDS = 15.0
_LATER = {502, 503, 504}
# What takes longer than this hangs.
_SOON_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request. `status` is None if there was no answer, `code` is that of a refusal by the broker."""

    began: float
    ended: float
    status: int | None
    code: str = ""

    @property
    def is_answered(self) -> bool:
        return self.status is not None and self.status not in _LATER


@dataclass
class Notes:
    """What all witnesses noted.

    `versions` and `orders` are those whose creation was acknowledged, `claims` and `completions` the acknowledged
    answers by order.
    """

    attempts: dict[str, list[Attempt]] = field(default_factory=dict)
    versions: list[str] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)
    claims: dict[str, list[str]] = field(default_factory=dict)
    completions: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    # When the request of each kind began that has no answer yet.
    waiting: dict[str, float] = field(default_factory=dict)

    def nothing_hangs(self) -> bool:
        """Whether every request that has no answer yet began just now."""
        now = time.monotonic()
        return all(now - began < _SOON_SECONDS for began in list(self.waiting.values()))

    def all_answered_since(self, moment: float) -> bool:
        """Whether each kind of call that began after the moment has been answered."""
        return all(
            any(each.began > moment and each.is_answered for each in attempts[-100:])
            for attempts in self.attempts.values()
        )

    def unavailable(self, *, after: float, before: float) -> tuple[float, str]:
        """For how many seconds after a moment anything went unanswered, and what did last. What had no answer at
        `before`, when another fault began, is left out.
        """
        failed = (
            (each.ended, f"{kind}: {each.status or 'no answer'} {each.code}".rstrip())
            for kind, attempts in self.attempts.items()
            for each in attempts
            if after < each.ended < before and not each.is_answered
        )
        ended, what = max(failed, default=(after, ""))
        return ended - after, what


class Witness:
    """Makes calls of one kind, one after another."""

    def __init__(self, kind: str, broker: LiveServer, notes: Notes) -> None:
        self._port, self._notes = broker.port, notes
        self._attempts = notes.attempts.setdefault(kind, [])
        self._kind = kind

    def ask(
        self, method: str, path: str, *, key: str, body: object = None, repeats: str = "", fits: set[int]
    ) -> Any:
        """The JSON of one answer; None without one, or where it says "later". `repeats` is the Idempotency-Key."""
        headers = {
            "Authorization": f"Bearer {key}",
            "Connection": "close",
            "Content-Type": "application/json",
        }
        if repeats:
            headers["Idempotency-Key"] = repeats
        began, status, text = time.monotonic(), None, b""
        self._notes.waiting[self._kind] = began
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE_SECONDS)
        try:
            connection.request(
                method, f"/api/v1{path}", None if body is None else orjson.dumps(body), headers
            )
            answer = connection.getresponse()
            text = answer.read()
            status = answer.status
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        del self._notes.waiting[self._kind]
        attempt = Attempt(began, time.monotonic(), status, _code(text) if status in _LATER else "")
        self._attempts.append(attempt)
        if not attempt.is_answered:
            return None
        if status not in fits:
            self._notes.wrong.append(f"{self._kind}: {method} {path} answered {status}: {text[:300]!r}")
            return None
        return orjson.loads(text) if text else {}

    def insist(self, stopping: Event, method: str, path: str, **options: Any) -> Any:
        """Ask until there is an answer; None if the run ends before."""
        while (answer := self.ask(method, path, **options)) is None and not stopping.wait(_PAUSE_SECONDS):
            pass
        return answer


def _code(text: bytes) -> str:
    """The code of a refusal; empty if it is not the broker's."""
    try:
        return str(orjson.loads(text)["code"])
    except (ValueError, KeyError, TypeError):
        return ""


def _polls(witness: Witness, rows: Rows, _key: str, _notes: Notes, _stopping: Event) -> None:
    witness.ask("GET", f"/agents/{rows.agent_id}/target-state", key=rows.agent_key, fits={200})


def _beats(witness: Witness, rows: Rows, _key: str, _notes: Notes, _stopping: Event) -> None:
    witness.ask("POST", f"/agents/{rows.agent_id}/heartbeat", key=rows.agent_key, fits={204})


def _reads(witness: Witness, rows: Rows, key: str, _notes: Notes, _stopping: Event) -> None:
    witness.ask("GET", f"/stacks/{rows.stack_id}", key=key, fits={200})


def _publishes(witness: Witness, rows: Rows, key: str, notes: Notes, stopping: Event) -> None:
    """Publish a text that nobody else publishes, and repeat it until it is acknowledged."""
    name = f"chaos-{uuid4().hex}"
    manifest = f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n"
    path = f"/stacks/{rows.stack_id}/deployment-objects"
    made = witness.insist(
        stopping, "POST", path, key=key, body={"yaml_content": manifest}, repeats=name, fits={201}
    )
    if made is not None:
        notes.versions.append(made["id"])


def _works(witness: Witness, rows: Rows, key: str, notes: Notes, stopping: Event) -> None:
    """Make an order, claim it until that is answered, and complete it once."""
    name = f"chaos-{uuid4().hex}"
    order = {
        "work_type": "chaos",
        "yaml_content": f"name: {name}",
        "targeting": {"agent_ids": [rows.agent_id]},
        "claim_timeout_seconds": 3600,
    }
    made = witness.insist(stopping, "POST", "/work-orders", key=key, body=order, repeats=name, fits={201})
    if made is None:
        return
    order_id = made["id"]
    notes.orders.append(order_id)
    # 404: an attempt that was not answered has claimed it, or completed it.
    claim = witness.insist(
        stopping,
        "POST",
        f"/work-orders/{order_id}/claim",
        key=key,
        body={"agent_id": rows.agent_id},
        fits={200, 404},
    )
    if claim is None or "claim_token" not in claim:
        return
    notes.claims.setdefault(order_id, []).append(claim["claim_token"])
    # Nobody else may have it now.
    again = witness.ask(
        "POST", f"/work-orders/{order_id}/claim", key=key, body={"agent_id": rows.agent_id}, fits={200, 404}
    )
    if again is not None and "claim_token" in again:
        notes.claims[order_id].append(again["claim_token"])
    said = {"success": True, "claim_token": claim["claim_token"]}
    done = witness.insist(
        stopping, "POST", f"/work-orders/{order_id}/complete", key=key, body=said, fits={200, 404}
    )
    if done is not None:
        notes.completions[order_id] = notes.completions.get(order_id, 0) + 1


Round = Callable[[Witness, Rows, str, Notes, Event], None]
_ROUNDS: dict[str, Round] = {
    "poll": _polls,
    "heartbeat": _beats,
    "read": _reads,
    "publish": _publishes,
    "order": _works,
}


@contextmanager
def watching(broker: LiveServer, rows: Rows) -> Iterator[Notes]:
    """Witnesses of each kind until the block ends. What they noted is complete after it."""
    notes, stopping = Notes(), Event()

    def go_on(witness: Witness, one_round: Round) -> None:
        for _ in itertools.count():
            one_round(witness, rows, broker.admin_key, notes, stopping)
            if stopping.wait(_PAUSE_SECONDS):
                return

    threads = [
        Thread(target=go_on, args=[Witness(kind, broker, notes), one_round], name=kind)
        for kind, one_round in _ROUNDS.items()
    ]
    for thread in threads:
        thread.start()
    try:
        yield notes
    finally:
        stopping.set()
        for thread in threads:
            thread.join()

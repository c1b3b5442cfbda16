"""The client of the fleet: it counts all calls, makes some wrong on purpose, and repeats those that must succeed."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Container, Sequence
from dataclasses import replace

from simulator.http import Answer, Connection, CutOff, Misbehaviour, NoAnswer, Request, Site
from simulator.stats import Calls

# The exceptions of a call without an answer, unless the call was cut on purpose.
FAILURES = (OSError, TimeoutError, NoAnswer)
_RETRY_SECONDS = 0.5
# The server may still work on a request that was cut off. The repetition must not overtake it.
_SETTLE_SECONDS = 1.0
_ATTEMPTS = 120
# The times of agents with a wrong clock: hours behind, and hours ahead.
_WRONG_DATES = ("Thu, 01 Jan 1998 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT")
_MISBEHAVIOUR = {
    "drop": (Misbehaviour.CUT_WHILE_SENDING, Misbehaviour.CUT_BEFORE_ANSWER),
    "slow": (Misbehaviour.READ_SLOWLY,),
}


class Unexpected(Exception):
    """The broker refused what it should not refuse."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class NotNow(Unexpected):
    """The broker had too much to do. It said so, and when to come again."""


class Client:
    """Makes calls. `calls` has the counts by kind.

    `faults` are the names of faults that requests can have, and `fault_share` is the share of requests with one.
    """

    def __init__(self, site: Site, faults: Sequence[str], fault_share: float, chance: random.Random) -> None:
        self.calls: dict[str, Calls] = defaultdict(Calls)
        self._site = site
        self._faults = faults
        self._fault_share = fault_share
        self._chance = chance

    def connect(self) -> Connection:
        """A new connection, which opens when it is used."""
        return Connection(self._site)

    def draw_fault(self) -> str | None:
        """Choose the fault of the next request, if it has one."""
        if not self._faults or self._chance.random() >= self._fault_share:
            return None
        return self._chance.choice(self._faults)

    async def call(
        self,
        kind: str,
        connection: Connection,
        request: Request,
        *,
        expected: Container[int],
        fault: str | None = None,
    ) -> Answer:
        """Make one counted request, with this fault.

        Raises Unexpected if the status is not an expected one, NotNow if the broker has no time, CutOff if the fault
        cut the request off, and one of FAILURES if there is no answer.
        """
        misbehaviour = self._chance.choice(_MISBEHAVIOUR[fault]) if fault in _MISBEHAVIOUR else None
        if fault == "skew":
            wrong = self._chance.choice(_WRONG_DATES)
            dates = {"Date": wrong, "If-Modified-Since": wrong}
            request = replace(request, headers={**(request.headers or {}), **dates})
        try:
            if fault == "duplicate":
                answer = await self._request_twice(connection, request)
            elif misbehaviour is not None:
                # It has its own connection, which has a small buffer if it reads slowly.
                answer = await self.connect().request(request, misbehaviour=misbehaviour)
            else:
                answer = await connection.request(request)
        except CutOff:
            self.calls[kind].count += 1
            self.calls[kind].on_purpose += 1
            raise
        except FAILURES as error:
            self.calls[kind].count += 1
            self.calls[kind].errors[type(error).__name__] += 1
            raise
        # Not looked up earlier, because the counts may be sent and reset while the request is running.
        calls = self.calls[kind]
        calls.count += 1
        calls.on_purpose += misbehaviour is not None
        calls.sent += answer.sent
        calls.received += answer.received
        calls.statuses[str(answer.status)] += 1
        if misbehaviour is None:
            calls.took(answer.ended - answer.began)
        if answer.status not in expected:
            calls.errors[str(answer.status)] += 1
            text = f"{request.method} {request.path}: {answer.status} {answer.body[:300]!r}"
            raise (NotNow if _is_for_now(answer) else Unexpected)(answer.status, text)
        return answer

    async def insist(
        self, kind: str, request: Request, *, expected: Container[int], fault: str | None = None
    ) -> Answer:
        """Repeat the same request until the answer is as expected. Only the first attempt has the fault.

        Raises Unexpected when the broker refuses it, and one of FAILURES or Unexpected when it fails again and again.
        """
        connection = self.connect()
        for attempt in range(_ATTEMPTS):
            try:
                return await self.call(kind, connection, request, expected=expected, fault=fault)
            except CutOff:
                await asyncio.sleep(_SETTLE_SECONDS)
            except (*FAILURES, Unexpected) as error:
                refused = isinstance(error, Unexpected) and error.status < 500
                if refused or attempt == _ATTEMPTS - 1:
                    raise
                await asyncio.sleep(_RETRY_SECONDS)
            finally:
                connection.close()
            fault = None
        raise NoAnswer(f"{request.method} {request.path}: cut off again and again")

    async def _request_twice(self, connection: Connection, request: Request) -> Answer:
        """Send the same request on two connections at the same time. Returns the answer on the first connection."""
        twin = self.connect()
        try:
            answer, _ = await asyncio.gather(connection.request(request), twin.request(request))
        finally:
            twin.close()
        return answer


def _is_for_now(answer: Answer) -> bool:
    """Whether the same request may be answered a little later (docs/reference/error-codes.md)."""
    is_ours = answer.headers.get("content-type", "").startswith("application/json")
    return answer.status == 503 and is_ours and answer.json()["code"] in {"busy", "overloaded"}

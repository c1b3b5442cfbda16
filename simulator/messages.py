"""What the processes of a run say to each other: what a cell tells the fleet, as lines of JSON on stdout.

| event | data |
|---|---|
| `progress` | `done` of `total` things are made in the broker |
| `ready` | all are made; it waits for a line on stdin; the director says its `generator` and `stacks` |
| `numbers` | `calls`, `violations` and `cpu` seconds since the last time; `joining` if that was while agents joined |
| `trouble` | `text`: the broker refused what it should not refuse, and the cell goes on |
| `verifying` | the agents and the publisher have ended |
| `done` | everything is verified and, unless it is to be kept, deleted |
| `history` | of the director: `stories` of the versions of rollout stacks |
| `failed` | `text`: why the cell ends early |

The fleet answers with single lines on stdin, which mean: go on.
"""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any

import orjson

from simulator.client import FAILURES, Unexpected


def tell(event: str, **data: object) -> None:
    """Send one message to the fleet, at once."""
    sys.stdout.buffer.write(orjson.dumps({"event": event} | data) + b"\n")
    sys.stdout.buffer.flush()


async def line_of_stdin() -> None:
    """Wait for the next line of the fleet."""
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


def exit_code(work: Coroutine[Any, Any, None]) -> int:
    """Do the work of a process. 1 when the broker cannot be reached or refuses to be used; the fleet is told why."""
    status = 0
    try:
        asyncio.run(work)
    except* (*FAILURES, Unexpected) as group:
        error, status = group.exceptions[0], 1
        tell("failed", text=f"{type(error).__name__}: {error}")
    return status

"""What a cell tells the fleet: lines of JSON on stdout.

| event | data |
|---|---|
| `progress` | `done` of `total` things are made in the broker |
| `ready` | all are made; it waits for a line on stdin; the director says its `generator` and `stacks` |
| `numbers` | `calls`, `violations` and `cpu` seconds since the last time; `joining` if that was while agents joined |
| `trouble` | `text`: the broker refused what it should not refuse, and the cell goes on |
| `verifying` | the agents and the publisher have ended |
| `done` | everything is verified and, unless it is to be kept, deleted |
| `history` | of the director: `stories` of the versions of rollout stacks, and the moment when it `ended` |
| `failed` | `text`: why the cell ends early |
"""

import sys

import orjson


def tell(event: str, **data: object) -> None:
    """Send one message to the fleet, at once."""
    sys.stdout.buffer.write(orjson.dumps({"event": event} | data) + b"\n")
    sys.stdout.buffer.flush()

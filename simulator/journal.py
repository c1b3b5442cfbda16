"""What a cell did, in a file that outlives it."""

import os
from pathlib import Path

import orjson

from simulator.truth import Record, Truth


class Journal:
    """Records, one to a line, and the truth that follows from them.

    A record is written before the broker is asked to do something, and another when it has answered, so that a cell
    that was killed goes on where it was.
    """

    def __init__(self, path: Path) -> None:
        self.truth = Truth()
        self._path = path
        self._file = path.open("ab", buffering=0)

    def write(self, record: Record) -> None:
        """Add a record to the file and to the truth."""
        self._file.write(orjson.dumps(record) + b"\n")
        self.truth.apply(record)

    def read(self) -> None:
        """Take in what an earlier process wrote. A kill may have cut its last line short: that line is dropped."""
        content = self._path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        os.truncate(self._path, len(whole))
        for line in whole.splitlines():
            self.truth.apply(orjson.loads(line))

    def close(self) -> None:
        """Close the file. Nothing can be written afterwards."""
        self._file.close()

"""What a cell did, in a file that remains after the cell was killed."""

import os
from pathlib import Path

import orjson

from simulator.truth import Record, Truth


class Journal:
    """Records, one in each line, and the truth that follows from them.

    One record is written before a request to the broker, and another after its answer, so that a killed cell can go
    on where it stopped.
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
        """Read what an earlier process wrote. A kill may have cut its last line; then that line is ignored."""
        content = self._path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        os.truncate(self._path, len(whole))
        for line in whole.splitlines():
            self.truth.apply(orjson.loads(line))

    def close(self) -> None:
        """Close the file. After that, nothing can be written."""
        self._file.close()

"""Which process this is, by the command line that started it."""

from collections.abc import Sequence
from pathlib import Path


def is_web(command_line: Sequence[str]) -> bool:
    """Whether gunicorn runs here: `gunicorn`, or `python -m gunicorn`, which is gunicorn/__main__.py."""
    return "gunicorn" in Path(command_line[0]).parts[-2:]


def is_broker(command_line: Sequence[str]) -> bool:
    """Whether this is a web process, a worker or both, rather than a command that ends."""
    return is_web(command_line) or (
        Path(command_line[0]).name == "manage.py" and list(command_line[1:2]) in (["serve"], ["run_worker"])
    )

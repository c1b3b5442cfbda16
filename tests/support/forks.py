"""Forked processes, for tests that kill workers: a new start of Django takes a hundred times as long.

The process that forks has no threads and no connections.
"""

import os
import sys
from collections.abc import Callable


def fork(work: Callable[[], object]) -> int:
    """The id of a new process that does the work."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            sys.stdout.flush()
            os._exit(code)
    return pid


def was_killed(pid: int) -> bool:
    """Wait for the process; whether a signal killed it. Raises SystemExit if it failed."""
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return True
    if status:
        raise SystemExit("a process failed")
    return False

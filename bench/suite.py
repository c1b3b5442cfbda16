"""How long the test suite takes, beside that of another revision: `python -m bench.suite --against REVISION`.

Runs `make test` there and here in turn, so that what else the machine does disturbs both alike, and prints the seconds
on the clock and of the processors (of every process that a run starts, servers too). Both use this tree's environment.
"""

import argparse
import ctypes
import os
import resource
import subprocess
import time
from pathlib import Path
from statistics import median

from tests.support.revision import checkout
from tests.support.server import ROOT

# linux/prctl.h: processes whose parents have ended, as PostgreSQL's does, become children of this one and are counted.
_PR_SET_CHILD_SUBREAPER = 36


def _run(tree: Path, arguments: list[str]) -> tuple[float, float]:
    """Seconds on the clock, seconds of the processors."""
    # So that `make` takes the environment for up to date and changes nothing in it.
    for stamp in (".installed", ".installed-dev"):
        (ROOT / ".venv" / stamp).touch()
    used, began = _processor_seconds(), time.monotonic()
    done = subprocess.run(["make", "test", *arguments], cwd=tree, check=False, capture_output=True, text=True)
    took = time.monotonic() - began
    _reap()
    if done.returncode:
        raise SystemExit(f"the tests in {tree} failed:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return took, _processor_seconds() - used


def _processor_seconds() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


def _reap() -> None:
    """Wait for the processes that a run left, which are about to end."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.1)
        except ChildProcessError:
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", required=True, metavar="REVISION")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("make_arguments", nargs="*", help='for make, e.g. PYTEST_ARGS="tests/agents"')
    given = parser.parse_args()
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise SystemExit("this kernel does not let us count the processes of servers")
    with checkout(given.against) as other:
        runs: dict[str, list[tuple[float, float]]] = {given.against: [], "here": []}
        for number in range(given.rounds):
            for name, tree in ((given.against, other), ("here", ROOT)):
                runs[name].append(_run(tree, given.make_arguments))
                print(f"round {number + 1}, {name}: {_words(*runs[name][-1])}", flush=True)
    there, here = ([median(column) for column in zip(*found, strict=True)] for found in runs.values())
    print(f"medians: {given.against} {_words(*there)}; here {_words(*here)}")
    print(
        f"here / {given.against}: {here[0] / there[0]:.2f} on the clock, {here[1] / there[1]:.2f} of the processors"
    )


def _words(took: float, used: float) -> str:
    return f"{took:.0f} s on the clock, {used:.0f} s of the processors"


if __name__ == "__main__":
    main()

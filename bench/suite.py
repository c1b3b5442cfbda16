"""How long the test suite takes, beside that of another revision: `python -m bench.suite --against REVISION`.

Runs `make test` there and here in turn, so that what else the machine does disturbs both alike, and prints the seconds
on the clock and of the processors (of every process that a run starts, servers too). Both use this tree's environment.
With `--same-tests`, only those tests run here whose function the other revision has too, by its name; with whatever
parameters they have today.
"""

import argparse
import ctypes
import os
import re
import resource
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import same_tests
from tests.support.revision import checkout
from tests.support.server import ROOT

# linux/prctl.h: processes whose parents have ended, as PostgreSQL's does, become children of this one and are counted.
_PR_SET_CHILD_SUBREAPER = 36


_PASSED = re.compile(r"\b(\d+) passed\b")


@dataclass(frozen=True, slots=True)
class _Took:
    """Seconds on the clock and of the processors; `tests` is how many passed, on both databases together."""

    clock: float
    processors: float
    tests: float

    def __str__(self) -> str:
        return f"{self.clock:.0f} s on the clock, {self.processors:.0f} s of the processors, {self.tests:.0f} tests"


def _run(tree: Path, arguments: list[str], environment: Mapping[str, str]) -> _Took:
    # So that `make` takes the environment for up to date and changes nothing in it.
    for stamp in (".installed", ".installed-dev"):
        (ROOT / ".venv" / stamp).touch()
    used, began = _processor_seconds(), time.monotonic()
    done = subprocess.run(
        ["make", "test", *arguments],
        cwd=tree,
        env=os.environ | environment,
        check=False,
        capture_output=True,
        text=True,
    )
    took = time.monotonic() - began
    _reap()
    if done.returncode:
        raise SystemExit(f"the tests in {tree} failed:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return _Took(took, _processor_seconds() - used, sum(map(int, _PASSED.findall(done.stdout))))


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
    parser.add_argument(
        "--same-tests",
        action="store_true",
        help="here run only tests whose function the other revision has too",
    )
    parser.add_argument("make_arguments", nargs="*", help='for make, e.g. PYTEST_ARGS="tests/agents"')
    given = parser.parse_args()
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise SystemExit("this kernel does not let us count the processes of servers")
    with ExitStack() as stack:
        other = stack.enter_context(checkout(given.against))
        environment = {}
        if given.same_tests:
            names = stack.enter_context(tempfile.NamedTemporaryFile("w", prefix="brokkr-tests-"))
            environment = _only_same_tests(other, Path(names.name))
        runs: dict[str, list[_Took]] = {given.against: [], "here": []}
        for number in range(given.rounds):
            for name, tree, variables in ((given.against, other, {}), ("here", ROOT, environment)):
                runs[name].append(_run(tree, given.make_arguments, variables))
                print(f"round {number + 1}, {name}: {runs[name][-1]}", flush=True)
    there, here = map(_median, runs.values())
    print(f"medians: {given.against} {there}; here {here}")
    print(
        f"here / {given.against}: {here.clock / there.clock:.2f} on the clock, "
        f"{here.processors / there.processors:.2f} of the processors"
    )


def _only_same_tests(other: Path, names: Path) -> dict[str, str]:
    """The variables of a run that leaves the others out. Prints how many test functions there are."""
    there, here = same_tests.test_functions(other), same_tests.test_functions(ROOT)
    print(
        f"{len(there & here)} test functions are in both, {len(there - here)} only there, "
        f"{len(here - there)} only here",
        flush=True,
    )
    names.write_text("\n".join(there & here))
    return {same_tests.VARIABLE: str(names), "PYTEST_ADDOPTS": f"-p {same_tests.__name__}"}


def _median(runs: list[_Took]) -> _Took:
    return _Took(
        median(run.clock for run in runs),
        median(run.processors for run in runs),
        median(run.tests for run in runs),
    )


if __name__ == "__main__":
    main()

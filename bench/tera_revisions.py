"""How fast templates compile and render, beside any other revision of this repository.

Run from the root of the project: `python -m bench.tera_revisions REVISION [rounds]`. Both sides take turns, each in a
process of its own; what counts is processor time.
"""

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
TASKS = {"compile": 20, "render": 200}


class Side:
    """A process that compiles and renders with the engine of one tree."""

    def __init__(self, tree: Path) -> None:
        command = [sys.executable, __file__, "--serve", str(tree)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def milliseconds(self, task: str) -> float:
        """Return the processor time of one run of `task`."""
        self._process.stdin.write(f"{task}\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()


def serve(tree: str) -> None:
    """Answer the names of tasks on the input with their times, using the engine of `tree`."""
    sys.path.insert(0, tree)
    try:
        from tera import compile_template
    except ModuleNotFoundError:  # where the engine was in older revisions
        from templates_app.tera import compile_template
    sys.path.insert(0, str(ROOT))
    from bench.tera_render import PARAMETERS, SHARED, in_language

    source = in_language(SHARED, 0)
    compiled = compile_template(source)
    tasks = {"compile": lambda: compile_template(source), "render": lambda: compiled.render(PARAMETERS)}
    for line in sys.stdin:
        name = line.strip()
        begin = time.process_time()
        for _ in range(TASKS[name]):
            tasks[name]()
        print((time.process_time() - begin) / TASKS[name] * 1000, flush=True)


def main() -> None:
    # The other process must not find the engine of this tree.
    from tests.support.revision import checkout

    revision = sys.argv[1]
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    with checkout(revision) as tree:
        here, there = Side(ROOT), Side(tree)
        print(f"{'':8} {'here':>9} {revision[:12]:>12}   times as fast")
        for task in TASKS:
            pairs = [(here.milliseconds(task), there.milliseconds(task)) for _ in range(rounds)]
            own, other = (median(side) for side in zip(*pairs, strict=True))
            ratio = median(other / own for own, other in pairs)
            print(f"{task:8} {own:6.3f} ms {other:9.3f} ms   {ratio:.2f}")
        here.close()
        there.close()


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        serve(sys.argv[2])
    else:
        main()

"""`make chaos`: faults at random around a simulated fleet, for ten minutes or `--seconds`; 1 if anything was wrong."""

import argparse
import secrets
import sys

from tests.chaos.run import run


def main() -> int:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10_000))
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--agents", type=int, default=60)
    given = parser.parse_args()
    report = run(seed=given.seed, seconds=given.seconds, agents=given.agents, say=_say)
    _say(report.as_text())
    return 0 if report.is_good else 1


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())

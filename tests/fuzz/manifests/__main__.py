"""Compares the check with agents' parser: `make fuzz-manifests`. Needs cargo.

Fails when the check lets a text through that agents refuse, or refuses more than a few that they read. With `--keep N`
the first N texts and what agents made of them become the data that the suite is tested against.
"""

import argparse
import json
import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import Final

from stacks.manifests import ManifestError, check_manifest
from tests.fuzz.manifests.texts import texts

FOLDER: Final = Path(__file__).parent
VERDICTS: Final = FOLDER / "verdicts.jsonl"
# Of 100,000 texts.
MAX_STRICTER: Final = 5


def agents_read(some: list[str]) -> list[tuple[str, object]]:
    """For each text `refused`, `unloadable` or `loaded`, and why or the objects."""
    build = [
        "cargo",
        "build",
        "--release",
        "--locked",
        "--quiet",
        "--manifest-path",
        str(FOLDER / "Cargo.toml"),
    ]
    subprocess.run(build, check=True)
    answers = subprocess.run(
        [FOLDER / "target" / "release" / "manifests"],
        input="".join(f"{json.dumps(text)}\n" for text in some),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    return [(word, rest) for word, rest in map(json.loads, answers.stdout.split("\n")[:-1])]


def we_read(text: str) -> str:
    """The same of the check: `refused`, `unloadable` or `loaded`."""
    try:
        findings = check_manifest(text)
    except ManifestError:
        return "refused"
    return "loaded" if all(found.is_loadable for found in findings) else "unloadable"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=int, default=0)
    options = parser.parse_args()
    some = list(islice(texts(options.seed), options.texts))
    laxer, stricter, unloadable = [], [], []
    verdicts = agents_read(some)
    for text, (verdict, why) in zip(some, verdicts, strict=True):
        ours = we_read(text)
        if verdict == "refused" and ours != "refused":
            laxer.append((text, why))
        # A text of null documents alone holds nothing to publish, which is a rule of ours.
        elif verdict != "refused" and ours == "refused" and why != []:
            stricter.append((text, why))
        elif verdict == "unloadable" and ours == "loaded":
            unloadable.append((text, why))
    for title, cases in [("laxer", laxer), ("stricter", stricter), ("loaded here alone", unloadable)]:
        print(f"{title}: {len(cases)} of {len(some):,}")
        for text, why in cases[:10]:
            print(f"  {text!r}\n    {str(why)[:200]}")
    words = [verdict for verdict, _ in verdicts]
    print(", ".join(f"{words.count(word):,} {word}" for word in sorted(set(words))))
    if options.keep:
        with VERDICTS.open("w") as file:
            for text, (verdict, why) in islice(zip(some, verdicts, strict=True), options.keep):
                file.write(json.dumps([text, verdict, why if isinstance(why, str) else ""]) + "\n")
    return int(bool(laxer or unloadable) or len(stricter) > MAX_STRICTER * max(1, len(some) // 100_000))


if __name__ == "__main__":
    sys.exit(main())

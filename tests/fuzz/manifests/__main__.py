"""Compares the check with agents' parser: `make fuzz-manifests`. Needs cargo.

Fails when the check lets a text through that agents refuse or cannot load, or refuses more than a few that they read.
With `--keep N`
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


def we_read(text: str) -> tuple[str, str]:
    """The same of the check: `refused`, `unloadable` or `loaded`, and the refusal."""
    try:
        findings = check_manifest(text)
    except ManifestError as error:
        return "refused", error.message
    return "loaded" if all(found.is_loadable for found in findings) else "unloadable", ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=int, default=0)
    options = parser.parse_args()
    some = list(islice(texts(options.seed), options.texts))
    groups: dict[str, list[tuple[str, object]]] = {"laxer": [], "stricter": [], "misread": [], "loaded": []}
    verdicts = agents_read(some)
    for text, (verdict, why) in zip(some, verdicts, strict=True):
        if group := _difference(text, verdict, why):
            groups[group].append((text, why))
    for group, cases in groups.items():
        print(f"{group}: {len(cases)} of {len(some):,}")
        for text, why in cases[:5]:
            print(f"  {text!r}\n    {str(why)[:200]}")
    words = [verdict for verdict, _ in verdicts]
    print(", ".join(f"{words.count(word):,} {word}" for word in sorted(set(words))))
    if options.keep:
        with VERDICTS.open("w") as file:
            for text, (verdict, why) in islice(zip(some, verdicts, strict=True), options.keep):
                file.write(json.dumps([text, verdict, why if isinstance(why, str) else ""]) + "\n")
    most = MAX_STRICTER * max(1, len(some) // 100_000)
    return int(bool(groups["laxer"] or groups["loaded"]) or len(groups["stricter"]) > most)


def _difference(text: str, verdict: str, why: object) -> str | None:
    """How the check differs from agents about a text: `laxer` lets through what they refuse, `loaded` what they cannot
    load; `stricter` refuses what they read, `misread` what they read otherwise than it says.
    """
    ours, refusal = we_read(text)
    if verdict == "refused":
        return None if ours == "refused" else "laxer"
    # A text of null documents alone holds nothing to publish, which is a rule of ours.
    if ours == "refused" and why != []:
        return "misread" if "agents take one for the other" in refusal else "stricter"
    return "loaded" if verdict == "unloadable" and ours == "loaded" else None


if __name__ == "__main__":
    sys.exit(main())

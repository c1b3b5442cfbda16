"""Comparisons of large upgrades beside git's own, and what their pages cost: `make bench-comparisons`.

The upgrades are those of the releases that the Go module of CloudNativePG carries, which the tests of the chart
use anyway. Without Go they are left out. What pages cost is the CPU time of the whole request in this process.
"""

import argparse
import json
import logging
import shutil
import statistics
import subprocess
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from bench import environment
from bench.manifests import DOCUMENTS, TEN_MIB, manifest
from tests.support.postgres import private_postgres

_MODULES = environment.ROOT / "tests/support/kubernetes_modules/crds"
_MODULE = "github.com/cloudnative-pg/cloudnative-pg"
_RELEASES = ("1.20.0", "1.21.0", "1.22.0", "1.23.0", "1.24.0", "1.25.0", "1.25.1", "1.26.0", "1.27.0")
_COMPARISON_SECONDS, _OBJECT_SECONDS = 3.0, 0.8
_OBJECT_BYTES = 5_800_000
_SECRET = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: credentials\nstringData:\n" + "".join(
    f"  key{number}: a value of twenty\n" for number in range(50)
)
_TINY = "apiVersion: v1\nkind: {kind}\nmetadata:\n  name: each-{number}\ndata:\n  key: dmFsdWU=\n"
_LINE = "a line of a configuration file, as long as such lines are, key=value"
_LIST = "apiVersion: example.com/v1\nkind: Things\nmetadata: {name: one}\n"
_ITEM = "- apiVersion: v1\n  kind: {kind}\n  metadata: {{name: one}}\n  data:\n    key: {line}\n"
_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata:\n"
_ALGORITHMS = ("myers", "minimal", "histogram")


def releases() -> list[Path]:
    """The manifests of the releases, in order; none without Go."""
    if shutil.which("go") is None:
        return []
    asked = ["go", "mod", "download", "-json", _MODULE]
    answer = subprocess.run(asked, cwd=_MODULES, capture_output=True, text=True, check=True).stdout
    folder = Path(json.loads(answer)["Dir"]) / "releases"
    return [folder / f"cnpg-{release}.yaml" for release in _RELEASES]


def of_git(old: Path, new: Path, algorithm: str) -> tuple[int, int]:
    """The lines that git says were added and removed."""
    asked = ["git", "diff", "--no-index", "--numstat", f"--diff-algorithm={algorithm}", str(old), str(new)]
    added, removed, *_ = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split()
    return int(added), int(removed)


def compare_upgrades() -> bool:
    """Prints each upgrade. Whether no comparison was longer than git's."""
    from core.admin.diff import compare
    from stacks.admin.manifests import manifest_side

    print(f"{'upgrade':<20}{'MB':>6}{'here':>14}" + "".join(f"{name:>14}" for name in _ALGORITHMS))
    holds = True
    for old, new in pairwise(releases()):
        found = compare(*(manifest_side(path.read_text()) for path in (old, new)))
        others = [of_git(old, new, algorithm) for algorithm in _ALGORITHMS]
        holds = holds and found.changes <= sum(others[0]) and not found.is_stopped
        columns = "".join(
            f"{f'+{added} -{removed}':>14}" for added, removed in [(found.added, found.removed), *others]
        )
        name = f"{old.stem.removeprefix('cnpg-')} -> {new.stem.removeprefix('cnpg-')}"
        print(f"{name:<20}{new.stat().st_size / 1e6:>6.1f}{columns}")
    return holds


def changed(text: str) -> str:
    """The text with a blank after every hundredth line."""
    lines = text.split("\n")
    lines[50::100] = [f"{line} " for line in lines[50::100]]
    return "\n".join(lines)


def extreme_texts(size: int = TEN_MIB) -> dict[str, str]:
    """By what is extreme in them, texts of up to so many bytes, or of 20,000 objects."""
    words = "word " * (size // 5)
    nested = "".join(f"{' ' * depth}k:\n" for depth in range(90))
    return {
        "one huge config map": f"{_MAP}  file: |\n" + f"    {_LINE}\n" * (size // (len(_LINE) + 5)),
        "20,000 tiny objects": "---\n".join(_TINY.format(kind="ConfigMap", number=n) for n in range(20_000)),
        "tiny Secrets": "---\n".join(_TINY.format(kind="Secret", number=n) for n in range(size // 150)),
        "one list": f"{_LIST}items:\n" + _ITEM.format(kind="ConfigMap", line=_LINE) * (size // 150),
        "one list of Secrets": f"{_LIST}items:\n" + _ITEM.format(kind="Secret", line=_LINE) * (size // 150),
        "deeply nested": "---\n".join([f"{_MAP}{nested}"] * (size // 4_300)),
        "one very long line": f'{_MAP}  line: "{words}"\n',
        "comments only": "# a comment and nothing else\n" * (size // 30) + _MAP,
        "blank lines": "\n" * size + _MAP,
        "Secrets mentioned everywhere": manifest(
            _TINY.format(kind="Deployment", number=0) + "spec:\n  imagePullSecrets: [{name: registry}]\n",
            # More would be more parts than a manifest may have.
            size * 3 // 5,
        ),
    }


def seconds(client: object, path: str, rounds: int) -> float:
    """The median CPU time of a page."""
    from stacks.masking import hides_values
    from stacks.secret_places import _documents, _found

    times = []
    for _ in range(rounds):
        _documents.cache_clear()
        _found.cache_clear()
        hides_values.cache_clear()
        start = time.process_time()
        response = client.get(path, HTTP_HOST="localhost")  # type: ignore[attr-defined]
        times.append(time.process_time() - start)
        assert response.status_code == 200, response.status_code
    return statistics.median(times)


def measure_pages(rounds: int) -> bool:
    """Prints what the pages cost. Whether they keep to their bounds."""
    from django.contrib.auth.models import User
    from django.test import Client
    from django.urls import reverse

    from tests.factories import make_generator, make_object, make_stack

    client = Client()
    client.force_login(User.objects.create_superuser("bench"))
    generator, _ = make_generator()
    rows = []
    for kind, document in {**DOCUMENTS, "nothing but Secrets": _SECRET}.items():
        stack = make_stack(generator)
        # The changed one is a little longer.
        text = manifest(document, TEN_MIB - TEN_MIB // 50)
        old, new = (make_object(stack, each) for each in (text, changed(text)))
        small = make_object(make_stack(generator), manifest(document, _OBJECT_BYTES))
        query = f"?from={old.pk}&to={new.pk}"
        comparison = seconds(
            client, f"{reverse('admin:stacks_stack_objects', args=[stack.pk])}{query}", rounds
        )
        page = seconds(client, reverse("admin:stacks_deploymentobject_change", args=[small.pk]), rounds)
        rows.append((kind, comparison, page))
    pages = []
    for kind, text in extreme_texts().items():
        large = make_object(make_stack(generator), text)
        url = reverse("admin:stacks_deploymentobject_change", args=[large.pk])
        # The first part, and one in the middle.
        pages.append((kind, *(seconds(client, f"{url}?part={part}", rounds) for part in (1, 9))))
    print(f"\n{'':<36}{'first part':>18}{'ninth part':>18}")
    for kind, *times in pages:
        print(f"{kind:<36}" + "".join(f"{each:>17.2f}s" for each in times))
    print(f"\n{'':<36}{'10 MiB compared':>18}{'page of 5.8 MB':>18}")
    for kind, comparison, page in rows:
        print(f"{kind:<36}{comparison:>17.2f}s{page:>17.2f}s")
    return all(
        comparison <= _COMPARISON_SECONDS and page <= _OBJECT_SECONDS for _, comparison, page in rows
    ) and all(each <= _OBJECT_SECONDS for _, *times in pages for each in times)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="brokkr-bench-") as name, private_postgres() as postgres:
        environment.start_django(postgres.url, Path(name))
        logging.disable(logging.INFO)
        print(environment.machine())
        holds = [compare_upgrades(), measure_pages(options.rounds)]
    print("holds" if all(holds) else "MISSED")
    return 0 if all(holds) else 1


if __name__ == "__main__":
    raise SystemExit(main())

"""What checking 10 MiB of YAML costs, by its kind: `make bench-manifests`.

The parser's own events are measured beside it, because what they cost is not ours to save.
"""

import time
from statistics import median

import yaml

from stacks.manifests import check_manifest

TEN_MIB = 10 * 1024 * 1024
_LINE = "a line of a configuration file, as long as such lines are, key=value\n"
_INDENTED = f"        {_LINE}"
DEFINITIONS = "like custom resource definitions"
# By its kind, one document: how many events a byte makes is what differs.
DOCUMENTS = {
    "text in config maps": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: text\ndata:\n  file: |\n"
    + f"    {_LINE}" * 1000,
    DEFINITIONS: "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n"
    "metadata:\n  name: things.example.com\nspec:\n  properties:\n"
    + "".join(
        f"    property{number}:\n      description: >-\n{_INDENTED * 4}      type: string\n      maxLength: 253\n"
        for number in range(200)
    ),
    "short fields, nothing else": "apiVersion: example.com/v1\nkind: Things\nmetadata:\n  name: things\nspec:\n"
    + "".join(
        f"- name: item-{number:05}\n  image: registry.example/app\n  pullPolicy: Always\n"
        for number in range(1000)
    ),
}


def manifest(document: str, size: int = TEN_MIB) -> str:
    """As many of the documents as fit into so many bytes, 10 MiB by default."""
    return "---\n".join([document] * (size // (len(document) + 4)))


def seconds(text: str, rounds: int = 5) -> tuple[float, float]:
    """Medians: the check, and the parser's events alone, in turns."""
    checks, events = [], []
    for _ in range(rounds):
        start = time.perf_counter()
        check_manifest(text)
        middle = time.perf_counter()
        for _event in yaml.parse(text, Loader=yaml.CSafeLoader):
            pass
        checks.append(middle - start)
        events.append(time.perf_counter() - middle)
    return median(checks), median(events)


def main() -> None:
    print(f"{'':<36}{'check':>8}{'parser':>9}{'ratio':>8}")
    for kind, document in DOCUMENTS.items():
        whole, parsing = seconds(manifest(document))
        print(f"{kind:<36}{whole:>7.2f}s{parsing:>8.2f}s{whole / parsing:>8.2f}")


if __name__ == "__main__":
    main()

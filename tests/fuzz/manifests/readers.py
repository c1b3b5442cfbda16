"""What four readers make of the same manifests: agents, kubectl, the API server and the check.

`python -m tests.fuzz.manifests.readers` asks the first three, which needs cargo and go, and keeps their answers in
`readers.json`. The table of `docs/reference/manifests.md` says the same in words, and the suite compares them.
"""

import json
import subprocess
from pathlib import Path
from typing import Final

from tests.fuzz.manifests.__main__ import agents_read

FOLDER: Final = Path(__file__).parent
READERS: Final = FOLDER / "readers.json"

_CONFIG_MAP: Final = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
_POD: Final = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: "
_DEPLOYMENT: Final = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: "
# By their names in the table.
CASES: Final[dict[str, str]] = {
    "`minReadySeconds: 0644`": f"{_DEPLOYMENT}{{minReadySeconds: 0644}}\n",
    "`minReadySeconds: 0o644`": f"{_DEPLOYMENT}{{minReadySeconds: 0o644}}\n",
    "`minReadySeconds: 08`": f"{_DEPLOYMENT}{{minReadySeconds: 08}}\n",
    "`minReadySeconds: 1_000`": f"{_DEPLOYMENT}{{minReadySeconds: 1_000}}\n",
    "`minReadySeconds: 0X1F`": f"{_DEPLOYMENT}{{minReadySeconds: 0X1F}}\n",
    "`minReadySeconds: 0x1F`": f"{_DEPLOYMENT}{{minReadySeconds: 0x1F}}\n",
    "`minReadySeconds: 1e3`": f"{_DEPLOYMENT}{{minReadySeconds: 1e3}}\n",
    "`minReadySeconds: 5.0`": f"{_DEPLOYMENT}{{minReadySeconds: 5.0}}\n",
    "`minReadySeconds: .inf`": f"{_DEPLOYMENT}{{minReadySeconds: .inf}}\n",
    "`minReadySeconds: .nan`": f"{_DEPLOYMENT}{{minReadySeconds: .nan}}\n",
    "`minReadySeconds: 20240101123456789012345`": f"{_DEPLOYMENT}{{minReadySeconds: 20240101123456789012345}}\n",
    "`minReadySeconds: -9223372036854775809`": f"{_DEPLOYMENT}{{minReadySeconds: -9223372036854775809}}\n",
    "`hostNetwork: yes`": f"{_POD}{{hostNetwork: yes}}\n",
    "`hostNetwork: off`": f"{_POD}{{hostNetwork: off}}\n",
    "`hostNetwork: y`": f"{_POD}{{hostNetwork: y}}\n",
    "`hostNetwork: True`": f"{_POD}{{hostNetwork: True}}\n",
    "`data: {on: x}`": f"{_CONFIG_MAP}data: {{on: x}}\n",
    "`data: {9000: x}`": f"{_CONFIG_MAP}data: {{9000: x}}\n",
    "`data: {true: x}`": f"{_CONFIG_MAP}data: {{true: x}}\n",
    "`data: {port: 9000}`": f"{_CONFIG_MAP}data: {{port: 9000}}\n",
    "`data: {port: null}`": f"{_CONFIG_MAP}data: {{port: null}}\n",
    "`data: {port: [9000]}`": f"{_CONFIG_MAP}data: {{port: [9000]}}\n",
    "`data: {a: 2030-01-31}`": f"{_CONFIG_MAP}data: {{a: 2030-01-31}}\n",
    "a key of a list": f"{_CONFIG_MAP}data: {{? [a] : x}}\n",
    "`labels: {cost-center: 123}`": _CONFIG_MAP.replace("name: a", "name: a, labels: {cost-center: 123}"),
    "`annotations: {prometheus.io/scrape: true}`": _CONFIG_MAP.replace(
        "name: a", "name: a, annotations: {prometheus.io/scrape: true}"
    ),
    "`labels: {a: null}`": _CONFIG_MAP.replace("name: a", "name: a, labels: {a: null}"),
    "`name: 5`": _CONFIG_MAP.replace("name: a", "name: 5"),
    "no name": _CONFIG_MAP.replace("name: a", "labels: {a: b}"),
    "`generateName` and no name": _CONFIG_MAP.replace("name: a", "generateName: a-"),
    "`generateName` and a name": _CONFIG_MAP.replace("name: a", "name: a, generateName: a-"),
    "`metadata` is a list": _CONFIG_MAP.replace("{name: a}", "[{name: a}]"),
    "no metadata": _CONFIG_MAP.replace("metadata: {name: a}\n", ""),
    "`<<: *a` in data": f"x-a: &a {{b: c}}\n{_CONFIG_MAP}data: {{<<: *a, d: e}}\n",
    "`<<: *a` in labels": "x-a: &a {b: c}\n" + _CONFIG_MAP.replace("name: a", "name: a, labels: {<<: *a}"),
    "`a: 1` twice in a mapping": f"{_CONFIG_MAP}data: {{a: '1', a: '2'}}\n",
    "keys `1` and `0x1`": f"{_CONFIG_MAP}data: {{1: a, 0x1: b}}\n",
    '`!!int "08"`': f'{_DEPLOYMENT}{{minReadySeconds: !!int "08"}}\n',
    "`!!bool yes`": f"{_POD}{{hostNetwork: !!bool yes}}\n",
    "`!!null x`": f"{_POD}{{hostNetwork: !!null x}}\n",
    "`!!str 5`": f"{_CONFIG_MAP}data: {{a: !!str 5}}\n",
    "`!!binary aGk=`": f"{_CONFIG_MAP}data: {{a: !!binary aGk=}}\n",
    "`!secret x`": f"{_CONFIG_MAP}data: {{a: !secret x}}\n",
    "`&a 1`, `&a 2`, `&b 3`, then `*a`": f"{_CONFIG_MAP}x: [&a 1, &a 2, &b 3, *a]\n",
    "`kind: List`": f"apiVersion: v1\nkind: List\nitems:\n- {_CONFIG_MAP.rstrip().replace(chr(10), chr(10) + '  ')}\n",
    "a list of objects": '[{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}]\n',
    "a single value": "hello world\n",
    "`kin: ConfigMap`": _CONFIG_MAP.replace("kind", "kin"),
    "`{{ .Release.Name }}`": _CONFIG_MAP.replace("name: a", "name: {{ .Release.Name }}"),
    "JSON with `\\ud83d\\ude00`": json.dumps(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "\U0001f600"}}
    ),
}  # fmt: skip


def kubernetes_reads(asked: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """For each reader, `kubectl` or `server`, and text: `reads` and what, or `refuses` and why."""
    program = FOLDER / "target" / "kubernetes"
    subprocess.run(["go", "build", "-o", str(program), "."], cwd=FOLDER / "kubernetes", check=True)
    given = "".join(f"{json.dumps(each)}\n" for each in asked)
    done = subprocess.run(
        [program], input=given, capture_output=True, text=True, encoding="utf-8", check=True
    )
    return [(word, rest) for word, rest in map(json.loads, done.stdout.splitlines())]


def answers() -> dict[str, dict[str, list[str]]]:
    """By case and reader; `server` is what the API server makes of the object that an agent sends."""
    texts = list(CASES.values())
    agents = agents_read(texts)
    kubectl = kubernetes_reads([("kubectl", text) for text in texts])
    sent = [
        json.dumps(objects[0]) if isinstance(objects, list) and objects else None for _, objects in agents
    ]
    asked = iter(kubernetes_reads([("server", each) for each in sent if each is not None]))
    return {
        case: {
            "agents": [agent[0], agent[1] if isinstance(agent[1], str) else str(each)],
            "kubectl": list(ctl),
            "server": list(next(asked)) if each is not None else ["receives nothing", ""],
        }
        for case, agent, ctl, each in zip(CASES, agents, kubectl, sent, strict=True)
    }


if __name__ == "__main__":
    READERS.write_text(json.dumps(answers(), indent=1, ensure_ascii=False) + "\n")

"""The Helm charts of broker and agent: what helm makes of them, and the manifests that are made from them.

`python -m tests.support.chart` writes both below deploy/kustomize anew.
"""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.support import kubernetes
from tests.support.server import ROOT

CHART = ROOT / "deploy" / "helm" / "brokkr"
EXAMPLES = sorted((ROOT / "deploy" / "helm" / "examples").glob("*.yaml"))
BASE = ROOT / "deploy" / "kustomize" / "base" / "brokkr.yaml"
AGENT_CHART = ROOT / "deploy" / "helm" / "brokkr-agent"
AGENT_BASE = ROOT / "deploy" / "kustomize" / "agent" / "brokkr-agent.yaml"
# Labels that say something about Helm.
_HELM_LABELS = ("app.kubernetes.io/managed-by", "helm.sh/chart")
_HEAD = "# What the Helm chart makes by default. `make kustomize` writes this file.\n"


def helm(*arguments: str, values: Mapping[str, Any] | None = None) -> subprocess.CompletedProcess[str]:
    """Run helm, with these values in its standard input if there are any."""
    given = [] if values is None else ["--values=-"]
    return subprocess.run(
        [kubernetes.PROGRAMS / "helm", *arguments, *given],
        input=json.dumps(values or {}),
        capture_output=True,
        text=True,
        check=False,
    )


def rendered(values: Mapping[str, Any], chart: Path = CHART) -> str:
    """The manifests that the chart gives for the values, as YAML.

    Raises:
        AssertionError: helm refused the values. The message is its own.
    """
    done = helm("template", "brokkr", str(chart), values=values)
    assert done.returncode == 0, done.stderr
    return done.stdout


def objects(manifests: str) -> dict[tuple[str, str], dict[str, Any]]:
    """The objects of these manifests by kind and name."""
    documents = (document for document in yaml.safe_load_all(manifests) if document)
    return {(document["kind"], document["metadata"]["name"]): document for document in documents}


def agent_manifests() -> str:
    """What the agent's chart makes by default in the namespace `brokkr`, without what is about Helm."""
    arguments = ("template", "brokkr-agent", str(AGENT_CHART), "--namespace=brokkr")
    done = helm(*arguments, values={})
    assert done.returncode == 0, done.stderr
    return _without_helm(done.stdout)


def kustomize_base() -> str:
    """What the broker's chart makes by default, without what is about Helm."""
    return _without_helm(rendered({}))


def _without_helm(manifests: str) -> str:
    """The objects as one text of YAML."""
    # Objects of several kinds may have one name, and two of one kind may not.
    documents = list(objects(manifests).values())
    for document in documents:
        metadata = document["metadata"]
        metadata["labels"] = {
            name: value for name, value in metadata["labels"].items() if name not in _HELM_LABELS
        }
        metadata.pop("annotations", None)
        if document["kind"] == "Deployment":
            # It holds the checksum of settings that overlays will change.
            document["spec"]["template"]["metadata"].pop("annotations", None)
    return _HEAD + yaml.safe_dump_all(documents, sort_keys=False, width=120)


if __name__ == "__main__":
    BASE.write_text(kustomize_base(), encoding="utf-8")
    AGENT_BASE.write_text(agent_manifests(), encoding="utf-8")

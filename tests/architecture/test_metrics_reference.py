"""docs/reference/metrics.md says of every metric what the code says, and Prometheus finds nothing wrong with them."""

import re
import shutil
import subprocess

import pytest
from django.db import connection
from prometheus_client.core import Metric

from core.metrics import exposition
from tests.support.metrics import ONLY_POSTGRESQL, all_families
from tests.support.server import ROOT

Described = tuple[str, str, str, str]


def _described(family: Metric, labels: tuple[str, ...]) -> Described:
    name = f"{family.name}_total" if family.type == "counter" else family.name
    kind = "untyped" if family.type == "unknown" else family.type
    return name, kind, ", ".join(labels), family.documentation


@pytest.mark.django_db
def test_the_page_describes_the_metrics_of_the_code_and_no_others():
    page = (ROOT / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
    written = re.findall(r"^\| `(brokkr_\w+)` \| (\w+) \| (.*?) ?\| (.+) \|$", page, re.MULTILINE)
    written = [(name, kind, labels.replace("`", ""), meaning) for name, kind, labels, meaning in written]
    if connection.vendor != "postgresql":
        written = [line for line in written if line[0] not in ONLY_POSTGRESQL]
    assert sorted(written) == sorted({_described(family, labels) for family, labels in all_families()})


@pytest.mark.skipif(
    not shutil.which("promtool"), reason="promtool is not installed here: apt install prometheus"
)
@pytest.mark.django_db
def test_promtool_finds_nothing_wrong_with_the_metrics():
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=exposition(), capture_output=True, check=False
    )
    ours = [line for line in done.stderr.decode().splitlines() if line.startswith("brokkr_")]
    assert ours == []
    assert not done.stdout

"""A Prometheus that scrapes a live broker every two seconds, with the delivered rules in a shorter time."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.support.server import ROOT, LiveServer, free_port, http_get, wait_until_answered

RULES = ROOT / "deploy" / "prometheus" / "brokkr.rules.yaml"
# Times of the rules are divided by this: five minutes become a quarter of one, two minutes six seconds.
HASTE = 20
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_WINDOW = re.compile(r"\[(\d+)([smhd])\]")
_WAIT = re.compile(r"(\bfor: )(\d+)([smhd])\b")
# A worker renews its mark every ten seconds, so a sixtieth of a minute would be too little.
_WORKER = ("brokkr_worker_last_seen_age_seconds) > 60", "brokkr_worker_last_seen_age_seconds) > 15")
_PATIENCE_SECONDS = 60


def hasty_rules() -> str:
    """The delivered rules with windows and waits divided by HASTE."""

    def hasten(number: str, unit: str) -> str:
        return f"{max(1, int(number) * _SECONDS[unit] // HASTE)}s"

    text = _WINDOW.sub(lambda found: f"[{hasten(found[1], found[2])}]", RULES.read_text(encoding="utf-8"))
    assert _WORKER[0] in text
    return _WAIT.sub(lambda found: found[1] + hasten(found[2], found[3]), text.replace(*_WORKER))


class Prometheus:
    """Asks the server at a URL."""

    def __init__(self, url: str) -> None:
        self._url = url

    def ask(self, query: str) -> list[dict[str, Any]]:
        """The result of a query now."""
        answer = http_get(f"{self._url}/api/v1/query", params={"query": query}, timeout=_PATIENCE_SECONDS)
        result: list[dict[str, Any]] = answer.json()["data"]["result"]
        return result

    def firing(self) -> set[tuple[str, str]]:
        """The alerts that fire: each with its objective, or an empty text."""
        answer = http_get(f"{self._url}/api/v1/alerts", timeout=_PATIENCE_SECONDS)
        return {
            (alert["labels"]["alertname"], alert["labels"].get("slo", ""))
            for alert in answer.json()["data"]["alerts"]
            if alert["state"] == "firing"
        }


@contextmanager
def prometheus(broker: LiveServer, folder: Path) -> Iterator[Prometheus]:
    """Prometheus as long as the block, with the broker as its only target."""
    (folder / "rules.yaml").write_text(hasty_rules(), encoding="utf-8")
    job = {"job_name": "brokkr", "static_configs": [{"targets": [f"127.0.0.1:{broker.port}"]}]}
    config = {
        "global": {"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yaml"],
        "scrape_configs": [job],
    }
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    address = f"127.0.0.1:{free_port()}"
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder / 'prometheus.yaml'}",
                f"--storage.tsdb.path={folder / 'series'}",
                f"--web.listen-address={address}",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        wait_until_answered(process, f"http://{address}/-/ready")
        yield Prometheus(f"http://{address}")
    finally:
        process.kill()
        process.wait(_PATIENCE_SECONDS)

"""brokkr-agent as a process of its own, beside a broker and a cluster."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.cluster import Cluster
from tests.support.server import ROOT, LiveServer


def start_agent(
    broker: LiveServer,
    cluster: Cluster,
    key_file: Path,
    *arguments: str,
    log: Path,
    environment: Mapping[str, str] | None = None,
    stdout: int | None = None,
) -> "subprocess.Popen[bytes]":
    """The process, which the caller ends. It has no port but by `environment`, and logs to the end of the file."""
    variables = {
        "BROKKR_AGENT_BROKER_URL": broker.url,
        "BROKKR_AGENT_KEY_FILE": str(key_file),
        "BROKKR_AGENT_KUBECONFIG": str(cluster.kubeconfig),
        "BROKKR_AGENT_PROBE_PORT": "0",
    }
    with log.open("ab") as stderr:
        return subprocess.Popen(
            [sys.executable, "-m", "brokkr_agent", *arguments],
            cwd=ROOT,
            env=os.environ | variables | dict(environment or {}),
            stdout=stdout,
            stderr=stderr,
        )

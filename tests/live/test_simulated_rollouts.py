"""`manage.py simulate_fleet --rollouts`: good and bad versions by strategies, over HTTP, with every fault."""

import json
import subprocess
import sys

import pytest

from simulator.plan import FAULTS
from tests.support.server import ROOT

pytestmark = pytest.mark.live


def test_bad_versions_stop_and_good_ones_end_and_nobody_sees_what_is_held(own_broker):
    command = [sys.executable, "manage.py", "simulate_fleet", "--url", own_broker.url, "--json", "--rollouts"]
    command += ["--agents", "20", "--interval", "1", "--soak", "1", "--duration", "5", "--processes", "2"]
    command += ["--stacks", "2", "--matched", "1", "--object-bytes", "300", "--changes", "0.5"]
    with own_broker.worker():
        done = subprocess.run(
            [*command, "--faults", ",".join(FAULTS)],
            cwd=ROOT,
            env=own_broker.environment | own_broker.credentials(),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr + done.stdout
    report = json.loads(done.stdout)
    assert report["violations"] == []
    rollouts = report["rollouts"]
    assert rollouts["bad"] >= 5
    assert rollouts["bad_that_reached_everybody"] == 0
    assert rollouts["ended"]["succeeded"] >= 1

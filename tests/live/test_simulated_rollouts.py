"""`manage.py simulate_fleet --rollouts`: good and bad versions by strategies, over HTTP, with every fault."""

import json
import subprocess
import sys

import pytest

from simulator.plan import FAULTS
from tests.support.server import ROOT

pytestmark = pytest.mark.live


def test_bad_versions_stop_and_good_ones_end_and_nobody_sees_what_is_held(own_broker):
    worker = subprocess.Popen(
        [sys.executable, "manage.py", "run_worker"],
        cwd=ROOT,
        env=own_broker.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    arguments = ["--agents", "40", "--interval", "1", "--soak", "2", "--duration", "70", "--processes", "2"]
    load = ["--stacks", "4", "--matched", "2", "--object-bytes", "300", "--changes", "0.5"]
    command = [sys.executable, "manage.py", "simulate_fleet", "--url", own_broker.url, "--json"]
    command += [*arguments, *load, "--rollouts", "--faults", ",".join(FAULTS)]
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=own_broker.environment | {"BROKKR_ADMIN_PAK": own_broker.admin_key},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        worker.terminate()
        worker.wait(30)
    assert done.returncode == 0, done.stderr + done.stdout
    report = json.loads(done.stdout)
    rollouts = report["rollouts"]
    assert report["violations"] == []
    assert rollouts["bad"] >= 1
    assert rollouts["bad_that_reached_everybody"] == 0
    assert rollouts["ended"]["succeeded"] >= 3
    assert "canary 1" in rollouts["waves"].keys() | rollouts["disturbed_waves"].keys()

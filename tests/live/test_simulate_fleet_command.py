"""`manage.py simulate_fleet`: a small fleet with every fault, against a broker that really runs."""

import json
import subprocess
import sys

import pytest

from simulator.plan import FAULTS
from tests.support.commands import manage, refused_command
from tests.support.server import ROOT, LiveServer, http_get

pytestmark = pytest.mark.live


def simulate(server: LiveServer, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "simulate_fleet", "--url", server.url, *arguments],
        cwd=ROOT,
        env=server.environment | {"BROKKR_ADMIN_PAK": server.admin_key} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_fleet_with_every_fault_finds_nothing_wrong_and_leaves_nothing_behind(broker):
    arguments = ["--agents", "50", "--interval", "1", "--processes", "2", "--json"]
    arguments += ["--joining", "2", "--duration", "5"]
    load = ["--stacks", "30", "--matched", "5", "--object-bytes", "500", "--changes", "10"]
    done = simulate(broker, *arguments, *load, "--faults", ",".join(FAULTS), "--fault-share", "0.2")
    assert done.returncode == 0, done.stderr + done.stdout
    report = json.loads(done.stdout)
    assert report["violations"] == []
    assert report["troubles"] == {}
    assert report["kills"] >= 1
    assert {"poll", "heartbeat", "look for work", "publish", "report many"} <= report["calls"].keys()
    assert report["calls"]["poll"]["statuses"]["200"] > 0
    assert report["calls"]["poll"]["faulty_on_purpose"] > 0
    assert report["while_joining"]["poll"]["count"] > 0
    headers = {"Authorization": f"Bearer {broker.admin_key}"}
    for kind in ("agents", "stacks", "generators"):
        rows = http_get(f"{broker.url}/api/v1/{kind}", headers=headers).json()
        assert [row["name"] for row in rows if row["name"].startswith("sim-")] == []


def test_a_fleet_that_syncs_finds_nothing_wrong_either(broker):
    arguments = ["--agents", "20", "--interval", "1", "--processes", "1", "--json", "--protocol", "sync"]
    arguments += ["--duration", "4", "--stacks", "10", "--matched", "3", "--object-bytes", "500"]
    done = simulate(broker, *arguments, "--changes", "5", "--faults", "drop,slow,duplicate,skew")
    assert done.returncode == 0, done.stderr + done.stdout
    report = json.loads(done.stdout)
    assert (report["violations"], report["troubles"], report["protocol"]) == ([], {}, "sync")
    assert report["calls"]["sync"]["statuses"]["200"] > 0
    assert report["calls"]["sync with reports"]["statuses"]["200"] > 0
    assert not {"poll", "heartbeat", "look for work", "report one", "report many"} & report["calls"].keys()


def test_without_a_key_it_is_wrong_usage(monkeypatch):
    monkeypatch.setenv("BROKKR_ADMIN_PAK", "")
    refused_command(manage("simulate_fleet"), 2, "BROKKR_ADMIN_PAK")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--faults", "flood"),
        ("--agents", "0"),
        ("--interval", "nan"),
        ("--joining", "-1"),
        ("--url", "ftp://x"),
    ],
)
def test_what_it_does_not_know_is_wrong_usage(monkeypatch, arguments):
    monkeypatch.setenv("BROKKR_ADMIN_PAK", "never used")
    refused_command(manage("simulate_fleet", *arguments), 2)


def test_a_key_that_is_none_is_no_run(broker):
    done = simulate(broker, "--agents", "2", BROKKR_ADMIN_PAK="brokkr_BRnone_none")
    assert done.returncode == 1
    assert "401" in done.stderr

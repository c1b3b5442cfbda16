import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.server import ROOT, LiveServer

pytestmark = [pytest.mark.live, pytest.mark.any_database("what the script sends and says")]

SCRIPT = ROOT / "examples" / "first-deployment" / "run.sh"


def _run(broker: LiveServer, **environment: str) -> subprocess.CompletedProcess[str]:
    # Its python3 is this one. That of a version manager is a script that takes longer to start than all the rest.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        [SCRIPT],
        env=os.environ | {"PATH": path} | broker.credentials() | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_the_example_goes_through_and_can_be_repeated(broker: LiveServer):
    for _ in range(2):
        done = _run(broker)

        assert done.returncode == 0, done.stdout
        assert done.stdout.endswith("The first deployment went through.\n")
        assert "brokkr_" not in done.stdout


def test_the_example_stops_at_the_first_refusal_without_showing_the_key(broker: LiveServer):
    done = _run(broker, BROKKR_ADMIN_PAK="brokkr_BRwrong0_notTheKey")

    assert done.returncode == 1
    assert "POST /generators answered 401 instead of 201: ['unauthorized'" in done.stdout
    assert "notTheKey" not in done.stdout


def test_the_example_says_what_it_needs(broker: LiveServer):
    done = _run(broker, BROKKR_ADMIN_PAK="")

    assert done.returncode == 2
    assert done.stdout.startswith("Set BROKKR_ADMIN_PAK:")

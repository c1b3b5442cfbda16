import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import ROOT, LiveServer, Template, is_answered

pytestmark = [pytest.mark.live, pytest.mark.any_database("two processes that live and end together")]


@pytest.fixture(scope="module")
def prepared(database_template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A broker that is not running."""
    folder = tmp_path_factory.mktemp("serve")
    with database_template.copy(folder) as url:
        yield LiveServer(database_url=url, data_dir=folder)


@pytest.fixture
def serve(prepared: LiveServer) -> Iterator[subprocess.Popen[str]]:
    """`manage.py serve`, ready."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "serve"],
        cwd=ROOT,
        env=prepared.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        prepared.wait_until_ready(process)
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=60)


def _child(process: subprocess.Popen[str], word: str) -> int:
    """The pid of the one child whose command line has the word in it."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    (pid,) = [int(pid) for pid in children if word in Path(f"/proc/{pid}/cmdline").read_text()]
    return pid


def test_serve_says_where_to_go_and_ends_both_on_ctrl_c(prepared: LiveServer, serve: subprocess.Popen[str]):
    worker = _child(serve, "run_worker")

    serve.send_signal(signal.SIGINT)
    said, _ = serve.communicate(timeout=60)

    assert serve.returncode == 0
    assert f"{prepared.url}/swagger-ui" in said
    assert said.endswith("Brokkr has stopped.\n")
    assert not is_answered(f"{prepared.url}/healthz")
    assert not Path(f"/proc/{worker}").exists()


@pytest.mark.parametrize(("word", "name"), [("run_worker", "worker"), ("gunicorn", "web")])
def test_serve_ends_with_an_error_when_one_of_the_two_dies(
    prepared: LiveServer, serve: subprocess.Popen[str], word: str, name: str
):
    worker = _child(serve, "run_worker")

    subprocess.run(["kill", "-KILL", str(_child(serve, word))], check=True)
    _, complaint = serve.communicate(timeout=60)

    assert serve.returncode == 1
    assert complaint.endswith(f"The {name} process ended by itself; everything has been stopped.\n")
    assert not is_answered(f"{prepared.url}/healthz")
    assert not Path(f"/proc/{worker}").exists()

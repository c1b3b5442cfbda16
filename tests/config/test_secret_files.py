import subprocess
import sys
from pathlib import Path

from config.secret_files import load_or_create_secret_key
from tests.support.server import ROOT

_PRINT_IT = """
import sys
from pathlib import Path
from config.secret_files import load_or_create_secret_key
print(load_or_create_secret_key(Path(sys.argv[1])))
"""


def test_the_key_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path):
    key = load_or_create_secret_key(tmp_path)

    assert len(key) >= 50
    assert load_or_create_secret_key(tmp_path) == key
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


def test_processes_that_start_together_agree_on_one_key(tmp_path: Path):
    starters = [
        subprocess.Popen(
            [sys.executable, "-c", _PRINT_IT, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]

    keys = {starter.communicate()[0].strip() for starter in starters}

    assert keys == {load_or_create_secret_key(tmp_path)}

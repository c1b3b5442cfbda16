"""nginx as the documentation sets it up."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.server import ROOT, free_port, wait_until_answered

needs_nginx = pytest.mark.skipif(
    shutil.which("nginx") is None, reason="nginx is not here: apt-get install nginx-light"
)


@contextmanager
def nginx(page: str, replaced: Mapping[str, str], folder: Path) -> Iterator[str]:
    """The URL of an nginx that runs as the page of the documentation says, but for what is replaced in it.

    Of `replaced`, the value `PORT` stands for a free port, on which it then listens.
    """
    (block,) = re.findall(r"```nginx\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    port = free_port()
    for written, used in replaced.items():
        assert written in block
        block = block.replace(written, used.replace("PORT", str(port)))
    configuration = folder / "nginx.conf"
    places = "".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration.write_text(
        f"daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{ access_log off; {places}\n{block} }}\n"
    )
    process = subprocess.Popen(["nginx", "-c", str(configuration), "-p", str(folder)])
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_answered(process, f"{url}/readyz")
        yield url
    finally:
        process.terminate()
        process.wait(60)

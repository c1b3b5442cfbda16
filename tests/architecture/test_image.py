import tomllib

from tests.support.server import ROOT


def test_the_image_holds_every_package_of_the_product():
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    kept = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }

    assert kept == set(tools["importlinter"]["root_packages"]) | {
        "manage.py",
        "gunicorn.conf.py",
        "locks/runtime.txt",
    }

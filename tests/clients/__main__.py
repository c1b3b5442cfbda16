"""Clients that tools write from openapi/: each is generated, compiled, and performs the first deployment.

`python -m tests.clients [--cached] [NAME…]`, beside a fresh broker that BROKKR_URL and BROKKR_ADMIN_PAK name: all of
them, or those of the names. A client whose tools are not on this machine is left out, with a line that says so; with
`--cached` nothing is downloaded, and a client whose packages are not here is left out too. What was generated stays
in .clients/. Ends with 1 when a client fails.
"""

import argparse
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.server import ROOT

WORK = ROOT / ".clients"
_BIN = Path(sys.executable).parent
_DOCUMENT = str(ROOT / "openapi" / "brokkr-v1.yaml")
# Where package managers find nothing new.
_OFFLINE = {
    "CARGO_NET_OFFLINE": "true",
    "GOPROXY": "off",
    "GOFLAGS": "-mod=readonly",
    "npm_config_offline": "true",
}

_Command = tuple[str, ...]


@dataclass(frozen=True)
class GeneratedClient:
    """A folder beside this file, copied to where it is generated and built.

    The commands run in that copy: `fetch` brings its packages, `build` generates and compiles, `run` deploys.
    """

    name: str
    tools: tuple[str, ...]
    fetch: tuple[_Command, ...]
    build: tuple[_Command, ...]
    run: _Command

    def missing_tools(self) -> list[str]:
        return [tool for tool in self.tools if shutil.which(tool) is None]

    def copy(self) -> Path:
        """The folder to work in, without what an earlier run generated."""
        folder = WORK / self.name
        if folder.exists():
            shutil.rmtree(folder)
        return Path(shutil.copytree(Path(__file__).with_name(self.name), folder))


def _openapi_generator(language: str, output: str, properties: str) -> _Command:
    return (
        *(
            str(_BIN / "openapi-generator-cli"),
            "generate",
            "--input-spec",
            _DOCUMENT,
            "--generator-name",
            language,
        ),
        *("--output", output, "--additional-properties", properties),
        *(
            "--global-property",
            "models,apis,supportingFiles,apiTests=false,modelTests=false,apiDocs=false,modelDocs=false",
        ),
    )


_TSC = ("node_modules/.bin/tsc",)
_NODE = ("node", "dist/main.js")
_NPM = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")

CLIENTS = (
    GeneratedClient(
        name="oapi-codegen",
        tools=("go",),
        fetch=(("go", "mod", "download"),),
        build=(
            ("mkdir", "brokkr"),
            ("go", "tool", "oapi-codegen", "-config", "oapi-codegen.yaml", _DOCUMENT),
            ("go", "build", "-o", "first-deployment", "."),
        ),
        run=("./first-deployment",),
    ),
    GeneratedClient(
        name="openapi-typescript",
        tools=("node", "npm"),
        fetch=(_NPM,),
        build=(("node_modules/.bin/openapi-typescript", _DOCUMENT, "--output", "brokkr.d.ts"), _TSC),
        run=_NODE,
    ),
    GeneratedClient(
        name="openapi-generator-python",
        tools=("java",),
        fetch=(),
        build=(_openapi_generator("python", ".", "packageName=brokkr"),),
        run=(sys.executable, "first_deployment.py"),
    ),
    GeneratedClient(
        name="openapi-generator-go",
        tools=("java", "go"),
        fetch=(("go", "mod", "download"),),
        build=(
            # Without the prefix, the values of two enumerations have one name.
            _openapi_generator("go", "brokkr", "packageName=brokkr,enumClassPrefix=true"),
            # A package of our module, not a module of its own.
            ("rm", "brokkr/go.mod", "brokkr/go.sum"),
            ("go", "build", "-o", "first-deployment", "."),
        ),
        run=("./first-deployment",),
    ),
    GeneratedClient(
        name="openapi-generator-typescript",
        tools=("java", "node", "npm"),
        fetch=(_NPM,),
        build=(_openapi_generator("typescript-fetch", "brokkr", "importFileExtension=.js"), _TSC),
        run=_NODE,
    ),
    GeneratedClient(
        name="openapi-generator-rust",
        tools=("java", "cargo"),
        fetch=(("cargo", "fetch", "--locked"),),
        build=(
            _openapi_generator("rust", "brokkr", "packageName=brokkr"),
            ("cargo", "build", "--locked", "--quiet"),
        ),
        run=("target/debug/first-deployment",),
    ),
    GeneratedClient(
        name="progenitor",
        tools=("cargo",),
        fetch=(("cargo", "fetch", "--locked"),),
        build=(
            ("cp", _DOCUMENT.replace(".yaml", "-3.0.yaml"), "."),
            ("cargo", "build", "--locked", "--quiet"),
        ),
        run=("target/debug/first-deployment",),
    ),
)


def _succeeds(command: _Command, folder: Path, environment: dict[str, str]) -> bool:
    """Whether the command ends well; what it printed is shown when it does not."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        # The beginning of what a compiler says is the part that tells.
        print(f"  {' '.join(command)}\n{done.stdout[:4000]}", flush=True)
    return done.returncode == 0


def _perform(client: GeneratedClient, *, cached: bool) -> bool:
    """Whether the client deploys, or is left out."""
    missing = client.missing_tools()
    if missing:
        print(f"{client.name}: left out, for want of {', '.join(missing)}", flush=True)
        return True
    folder = client.copy()
    environment = os.environ | (_OFFLINE if cached else {})
    if not all(_succeeds(command, folder, environment) for command in client.fetch):
        print(
            f"{client.name}: {'left out, its packages are not here' if cached else 'cannot be fetched'}",
            flush=True,
        )
        return cached
    deploys = all(_succeeds(command, folder, environment) for command in (*client.build, client.run))
    print(f"{client.name}: {'performs the first deployment' if deploys else 'FAILED'}", flush=True)
    return deploys


def main(names: list[str], *, cached: bool) -> int:
    """Try the clients of these names, or all; the exit status."""
    unknown = set(names) - {client.name for client in CLIENTS}
    if unknown:
        print(f"There is no client {', '.join(sorted(unknown))}.")
        return 2
    chosen = [client for client in CLIENTS if not names or client.name in names]
    outcomes = [_perform(client, cached=cached) for client in chosen]
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.clients")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--cached", action="store_true", help="download nothing")
    arguments = parser.parse_args()
    raise SystemExit(main(arguments.names, cached=arguments.cached))

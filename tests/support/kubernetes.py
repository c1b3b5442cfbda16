"""The programs of a Kubernetes cluster for tests, helm, and the custom resources that the chart may make.

`python -m tests.support.kubernetes` builds and installs what is missing: a quarter of an hour the first time. It needs
Go, and root for etcd, which is Debian's. All else comes from the Go modules pinned in `kubernetes_modules/`. The folder
it goes to is named by KUBERNETES_PROGRAMS; without it, it is in the user's cache, so that other checkouts find it.
With `--check` it does nothing, and fails if something is missing.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_MODULES = Path(__file__).parent / "kubernetes_modules"
_VERSION = "v1.31.14"
_MAJOR, _MINOR, _ = _VERSION.removeprefix("v").split(".")
_VERSION_FLAGS = " ".join(
    f"-X k8s.io/component-base/version.{name}={value}"
    for name, value in {"gitVersion": _VERSION, "gitMajor": _MAJOR, "gitMinor": _MINOR}.items()
)

_HELM_FLAGS = " ".join(
    f"-X helm.sh/helm/v3/pkg/{package}.{name}={value}"
    for package in ("chartutil", "lint/rules")
    for name, value in {"k8sVersionMajor": _MAJOR, "k8sVersionMinor": _MINOR}.items()
)


@dataclass(frozen=True)
class _Program:
    """A program, and the module and package that it is built from."""

    name: str
    module: str
    package: str
    flags: str = ""


_ALL = (
    _Program("kube-apiserver", "cluster", "k8s.io/kubernetes/cmd/kube-apiserver", _VERSION_FLAGS),
    _Program("mini-kcm", "cluster", "./controllers", _VERSION_FLAGS),
    _Program("kubectl", "cluster", "k8s.io/kubernetes/cmd/kubectl", _VERSION_FLAGS),
    # The version of Kubernetes that it renders for when it asks no cluster. Without flags: 1.20.
    _Program("helm", "helm", "helm.sh/helm/v3/cmd/helm", _HELM_FLAGS),
)
# Modules that hold definitions of custom resources, and the files with those that the chart may make.
_DEFINITIONS = {
    "github.com/cloudnative-pg/cloudnative-pg": ["config/crd/bases/postgresql.cnpg.io_clusters.yaml"],
    "github.com/prometheus-operator/prometheus-operator": [
        "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
        "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
    ],
    "sigs.k8s.io/gateway-api": ["config/crd/standard/gateway.networking.k8s.io_httproutes.yaml"],
}


def _folder() -> Path:
    """Another one as soon as the modules change."""
    named = os.environ.get("KUBERNETES_PROGRAMS")
    if named:
        return Path(named)
    pins = b"".join(path.read_bytes() for path in sorted(_MODULES.rglob("*")) if path.is_file())
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "brokkr" / f"kubernetes-{hashlib.sha256(pins).hexdigest()[:12]}"


PROGRAMS = _folder()
# Definitions of custom resources, to be applied to a cluster.
DEFINITIONS = PROGRAMS / "definitions"


def is_complete() -> bool:
    """Whether nothing must be built or installed."""
    return shutil.which("etcd") is not None and not _missing() and DEFINITIONS.exists()


def _missing() -> list[_Program]:
    return [program for program in _ALL if not (PROGRAMS / program.name).exists()]


def _build(program: _Program) -> None:
    _say(f"Building {program.name} …")
    # Another name until it is whole.
    built = PROGRAMS / f".{program.name}-{os.getpid()}"
    flags = f"-s -w {program.flags}".strip()
    subprocess.run(
        ["go", "build", "-buildvcs=false", "-ldflags", flags, "-o", str(built), program.package],
        cwd=_MODULES / program.module,
        env=os.environ | {"CGO_ENABLED": "0"},
        check=True,
    )
    built.replace(PROGRAMS / program.name)


def _copy_definitions() -> None:
    _say("Fetching the definitions of custom resources …")
    modules = _MODULES / "crds"
    copies = Path(f"{DEFINITIONS}-{os.getpid()}")
    copies.mkdir()
    for module, paths in _DEFINITIONS.items():
        answer = subprocess.run(
            ["go", "mod", "download", "-json", module],
            cwd=modules,
            capture_output=True,
            text=True,
            check=True,
        )
        for path in paths:
            shutil.copy(Path(json.loads(answer.stdout)["Dir"]) / path, copies)
    copies.rename(DEFINITIONS)


def main(arguments: list[str]) -> int:
    if arguments == ["--check"]:
        return 0 if is_complete() else 1
    PROGRAMS.mkdir(parents=True, exist_ok=True)
    _say(f"Kubernetes for tests: {PROGRAMS}")
    for program in _missing():
        _build(program)
    if not DEFINITIONS.exists():
        _copy_definitions()
    if shutil.which("etcd") is None:
        _say("Installing etcd …")
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (["apt-get", "update", "-q"], ["apt-get", "install", "-q", "-y", "etcd-server"]):
            subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    return 0


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

"""A Kubernetes cluster of one API server, etcd and a few controllers, on loopback, for tests.

Nothing runs containers: there is no scheduler and no kubelet, so pods stay Pending until a test patches their status.
The programs are those of `tests.support.kubernetes`. Tests take the fixture `cluster` and carry the mark `kubernetes`.

`python -m tests.support.cluster COMMAND…` runs a command beside a fresh cluster, with KUBECONFIG naming its
administrator's configuration, and `kubectl` in PATH.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support import kubernetes
from tests.support.server import free_port
from tests.support.waits import wait_for

_PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Cluster:
    """A running cluster. Rights are those of RBAC; `admin_token` may do everything. `folder` goes with the cluster."""

    folder: Path
    url: str
    admin_token: str = "administrator"

    @property
    def certificate(self) -> Path:
        """The certificate of the API server, to be trusted by clients."""
        return self.folder / "apiserver.crt"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's."""
        return self.folder / "admin.kubeconfig"

    def kubectl(self, *arguments: str, stdin: str = "", token: str = "") -> str:
        """What `kubectl` prints, called with this token or as administrator.

        Raises:
            AssertionError: it failed. The message is what it wrote to stderr.
        """
        done = self.try_kubectl(*arguments, stdin=stdin, token=token)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def try_kubectl(
        self, *arguments: str, stdin: str = "", token: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """The same for calls that may fail."""
        who = [f"--kubeconfig={self.kubeconfig}"]
        if token:
            who = [f"--server={self.url}", f"--certificate-authority={self.certificate}", f"--token={token}"]
        return subprocess.run(
            [kubernetes.PROGRAMS / "kubectl", *who, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    def service_account_token(self, namespace: str, name: str) -> str:
        """A token with the rights of that service account."""
        return self.kubectl("--namespace", namespace, "create", "token", name).strip()


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """A fresh cluster that is ready. It runs until the block ends."""
    with tempfile.TemporaryDirectory(prefix="brokkr-cluster-") as name, ExitStack() as programs:
        folder = Path(name)
        cluster = Cluster(folder, f"https://127.0.0.1:{free_port()}")
        cluster.kubeconfig.write_text(_kubeconfig(cluster))
        etcd, peers = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        programs.enter_context(_running(folder, _etcd(folder, etcd, peers)))
        server = programs.enter_context(_running(folder, _api_server(cluster, etcd)))
        try:
            wait_for(
                lambda: server.poll() is not None or _is_ready(cluster),
                patience=_PATIENCE_SECONDS,
            )
            assert server.poll() is None, "the API server has ended"
        except AssertionError as error:
            raise AssertionError(f"{error}\n{_tail(folder / 'kube-apiserver.log')}") from error
        programs.enter_context(_running(folder, ["mini-kcm", str(cluster.kubeconfig)]))
        yield cluster


def _is_ready(cluster: Cluster) -> bool:
    return cluster.certificate.exists() and cluster.try_kubectl("get", "--raw", "/readyz").returncode == 0


def _tail(log: Path) -> str:
    return "\n".join(log.read_text().splitlines()[-20:])


@contextmanager
def _running(folder: Path, command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """The program, which runs until the block ends. It logs to a file in the folder."""
    with (folder / f"{command[0]}.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=_environment(), cwd=folder)
    try:
        yield process
    finally:
        # All its data goes with the folder.
        process.kill()
        process.wait()


def _environment() -> dict[str, str]:
    return os.environ | {"PATH": f"{kubernetes.PROGRAMS}{os.pathsep}{os.environ['PATH']}"}


def _etcd(folder: Path, clients: str, peers: str) -> list[str]:
    return [
        "etcd",
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls={clients}",
        f"--advertise-client-urls={clients}",
        f"--listen-peer-urls={peers}",
        f"--initial-advertise-peer-urls={peers}",
        f"--initial-cluster=default={peers}",
        "--unsafe-no-fsync",
    ]


def _api_server(cluster: Cluster, etcd: str) -> list[str]:
    folder = cluster.folder
    tokens = folder / "tokens.csv"
    tokens.write_text(f"{cluster.admin_token},administrator,administrator,system:masters\n")
    signing_key = folder / "service-accounts.key"
    signing_key.write_bytes(
        rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    return [
        "kube-apiserver",
        f"--etcd-servers={etcd}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={cluster.url.rpartition(':')[2]}",
        # It makes its own certificate there.
        f"--cert-dir={folder}",
        f"--token-auth-file={tokens}",
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={signing_key}",
        f"--service-account-signing-key-file={signing_key}",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--endpoint-reconciler-type=none",
        # No controller makes the service accounts that it demands.
        "--disable-admission-plugins=ServiceAccount",
    ]


def _kubeconfig(cluster: Cluster) -> str:
    def named(kind: str, value: dict[str, str]) -> list[dict[str, object]]:
        return [{"name": "test", kind: value}]

    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "clusters": named(
                "cluster", {"server": cluster.url, "certificate-authority": str(cluster.certificate)}
            ),
            "users": named("user", {"token": cluster.admin_token}),
            "contexts": named("context", {"cluster": "test", "user": "test"}),
        }
    )


def main(command: list[str]) -> int:
    with running_cluster() as cluster:
        environment = _environment() | {"KUBECONFIG": str(cluster.kubeconfig)}
        return subprocess.run(command, check=False, env=environment).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

"""What the agent is told by its environment and its command line."""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


class ConfigurationError(Exception):
    """A value is missing or wrong. The message names it."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """How this agent runs."""

    broker_url: str
    key_file: Path
    ca_file: str = ""
    kubeconfig: str = ""
    namespace: str = ""
    identity: str = ""
    probe_host: str = "127.0.0.1"
    # 0 starts none.
    probe_port: int = 8080
    elects_leader: bool = False
    read_only: bool = False
    dry_run: bool = False
    once: bool = False
    # The id of an agent whose objects this one may take over.
    replaces: str = ""
    print_role: bool = False


_FLAGS = {"true": True, "1": True, "false": False, "0": False, "": False}


def read_configuration(
    arguments: Sequence[str], environment: Mapping[str, str] = os.environ
) -> Configuration:
    """The configuration. Raises ConfigurationError."""
    parser = argparse.ArgumentParser(
        prog="brokkr-agent", description="Applies what a broker has for this cluster."
    )
    parser.add_argument(
        "--once", action="store_true", help="make rounds until nothing is left to say, and end"
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="let the API server check everything and print what it says; change and report nothing",
    )
    parser.add_argument(
        "--print-role",
        action="store_true",
        help="print a ClusterRole that allows no more than what was applied needs, and end",
    )
    flags = parser.parse_args(arguments)

    def text(name: str, default: str = "") -> str:
        return environment.get(f"BROKKR_AGENT_{name}", default)

    def flag(name: str) -> bool:
        value = text(name).lower()
        if value not in _FLAGS:
            raise ConfigurationError(f"BROKKR_AGENT_{name} must be true or false.")
        return _FLAGS[value]

    broker_url = text("BROKER_URL")
    if not broker_url.startswith(("http://", "https://")):
        raise ConfigurationError("BROKKR_AGENT_BROKER_URL must be the http or https URL of the broker.")
    port = text("PROBE_PORT", "8080")
    if not port.isdecimal() or int(port) > 65535:
        raise ConfigurationError("BROKKR_AGENT_PROBE_PORT must be a port, or 0 for no probes.")
    return Configuration(
        broker_url=broker_url,
        key_file=Path(text("KEY_FILE", "/etc/brokkr-agent/key")),
        ca_file=text("CA_FILE"),
        kubeconfig=text("KUBECONFIG"),
        namespace=text("NAMESPACE"),
        identity=text("IDENTITY") or environment.get("HOSTNAME", "brokkr-agent"),
        probe_host=text("PROBE_HOST", "127.0.0.1"),
        probe_port=int(port),
        elects_leader=flag("LEADER_ELECTION"),
        read_only=flag("READ_ONLY"),
        dry_run=flags.dry_run,
        once=flags.once,
        replaces=text("REPLACES"),
        print_role=flags.print_role,
    )

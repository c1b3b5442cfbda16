"""`python -m brokkr_agent`: runs the agent until it is told to stop."""

import logging
import signal
import sys
import threading
from contextlib import suppress

from lightkube.core.exceptions import ConfigError

from brokkr_agent.appliance import Appliance, Patience
from brokkr_agent.broker import Broker, BrokerAway, BrokerRefusal
from brokkr_agent.cluster import Cluster, ClusterError, connect
from brokkr_agent.configuration import Configuration, ConfigurationError, read_configuration
from brokkr_agent.diagnostics import Finder
from brokkr_agent.errands import Errands
from brokkr_agent.execution import Execution
from brokkr_agent.leadership import Leadership
from brokkr_agent.logs import start_logging
from brokkr_agent.observation import Observer
from brokkr_agent.outbox import Outbox
from brokkr_agent.probes import Vitals, serve_probes
from brokkr_agent.rights import cluster_role
from brokkr_agent.rounds import Rounds
from brokkr_agent.shelf import Shelf
from brokkr_agent.work_orders import Workshop

logger = logging.getLogger("brokkr_agent")

# While the key is refused, or another replica leads.
_PATIENT = 10.0
# What waits for something else is said to have failed long before that.
_MOST_ROUNDS_ONCE = 60
_SOON = 1.0


class _StopWaiting(BaseException):
    """The process shall end while it only waits for news."""


def main(arguments: list[str]) -> int:
    """Run. The exit code is 2 for a wrong configuration and, with --once, 1 if something is left to do."""
    start_logging()
    try:
        configuration = read_configuration(arguments)
        cluster = _connect(configuration)
        broker = _call(configuration)
    except (ConfigurationError, ConfigError) as error:
        logger.error("the configuration is wrong", extra={"problem": str(error)})
        return 2
    stop = threading.Event()

    def stop_soon(*_: object) -> None:
        stop.set()
        if broker.is_waiting:
            raise _StopWaiting

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop_soon)
    vitals = Vitals()
    probes = None
    if configuration.probe_port and not (configuration.once or configuration.print_role):
        probes = serve_probes(vitals, configuration.probe_host, configuration.probe_port)
    try:
        return _run(configuration, broker, cluster, vitals, stop)
    finally:
        if probes is not None:
            probes.shutdown()
            probes.server_close()
        broker.close()
        cluster.close()


def _call(configuration: Configuration) -> Broker:
    try:
        return Broker(configuration.broker_url, configuration.key_file, ca_file=configuration.ca_file)
    except OSError as error:
        raise ConfigurationError(
            f"BROKKR_AGENT_CA_FILE cannot be used: {error.strerror or error}."
        ) from error


def _connect(configuration: Configuration) -> Cluster:
    cluster = connect(configuration.kubeconfig)
    cluster.namespace = configuration.namespace or cluster.namespace
    return cluster


def _run(
    configuration: Configuration, broker: Broker, cluster: Cluster, vitals: Vitals, stop: threading.Event
) -> int:
    ends_soon = configuration.once or configuration.print_role
    agent_id = _identify(broker, vitals, stop, is_patient=not ends_soon)
    if agent_id is None:
        return 0 if stop.is_set() else 1
    rounds = make_rounds(configuration, broker, cluster, agent_id)
    if configuration.print_role:
        return _print_role(rounds.shelf, cluster, agent_id)
    if configuration.once:
        return _run_once(rounds, stop)
    leadership = None
    if configuration.elects_leader:
        # With a connection of its own, because this one may write only while it leads.
        leadership = Leadership(_connect(configuration), f"brokkr-agent-{agent_id}", configuration.identity)
        cluster.may_write = leadership.leads
        leadership.start()
    led, pause = leadership is None, _PATIENT
    while not stop.is_set():
        vitals.beat()
        if leadership is not None and not leadership.leads():
            led = False
            vitals.leads.set(0)
            vitals.is_ready = True
            stop.wait(1.0)
            continue
        if not led:
            # Another replica may have written.
            rounds.execution.forget()
            led = True
        vitals.leads.set(1)
        with suppress(_StopWaiting):
            pause = _turn(rounds, vitals, cluster, wait=not pause)
        stop.wait(pause)
    rounds.errands.stop.set()
    rounds.errands.wait(_PATIENT)
    if leadership is not None:
        leadership.end()
    logger.info("stopped")
    return 0


def _turn(rounds: Rounds, vitals: Vitals, cluster: Cluster, *, wait: bool) -> float:
    try:
        pause = rounds.run(wait=wait)
    except BrokerRefusal as error:
        logger.warning("the broker refuses", extra={"status": error.status, "code": error.code})
        vitals.is_ready = False
        return _PATIENT
    vitals.is_ready = True
    vitals.rounds.inc()
    vitals.stacks.set(len(rounds.shelf.inventories))
    vitals.held_back.set(len(rounds.held_back))
    vitals.requests.set(cluster.requests)
    return pause


def _run_once(rounds: Rounds, stop: threading.Event) -> int:
    """Rounds until of everything it was said, and heard, what became of it."""
    try:
        for _ in range(_MOST_ROUNDS_ONCE):
            rounds.run()
            is_heard = rounds.outbox.is_empty or rounds.appliance.dry_run
            if (is_heard and rounds.has_said_all) or stop.wait(_SOON if is_heard else 0):
                break
    except BrokerRefusal as error:
        logger.warning("the broker refuses", extra={"status": error.status, "code": error.code})
        return 1
    rounds.errands.wait(3600)
    if rounds.appliance.dry_run:
        return 1 if rounds.execution.has_refusals or not rounds.has_said_all else 0
    return 0 if rounds.is_settled else 1


def _print_role(shelf: Shelf, cluster: Cluster, agent_id: str) -> int:
    try:
        shelf.read()
        sys.stdout.write(cluster_role(shelf.inventories.values(), cluster, agent_id=agent_id))
    except ClusterError as error:
        logger.warning("the role cannot be told", extra={"status": error.status})
        return 1
    return 0


def _identify(broker: Broker, vitals: Vitals, stop: threading.Event, *, is_patient: bool) -> str | None:
    while not stop.is_set():
        vitals.beat()
        try:
            return broker.identify()
        except (BrokerAway, BrokerRefusal) as error:
            logger.warning("the broker does not say who this is", extra={"problem": str(error)})
            if not is_patient:
                break
            stop.wait(_PATIENT)
    return None


def make_rounds(configuration: Configuration, broker: Broker, cluster: Cluster, agent_id: str) -> Rounds:
    """The agent with all its parts."""
    shelf, outbox = Shelf(cluster, agent_id), Outbox()
    appliance = Appliance(
        cluster, agent_id, Patience(), dry_run=configuration.dry_run, replaces=configuration.replaces
    )
    workshop = Workshop(Appliance(cluster, agent_id, Patience()))
    return Rounds(
        broker=broker,
        cluster=cluster,
        agent_id=agent_id,
        appliance=appliance,
        shelf=shelf,
        outbox=outbox,
        observer=Observer(cluster, agent_id),
        errands=Errands(broker, agent_id, workshop, Finder(cluster, shelf)),
        execution=Execution(appliance, shelf, outbox, say=_print),
        read_only=configuration.read_only,
    )


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

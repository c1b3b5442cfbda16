"""What runs in a chaos run: two PostgreSQL servers behind an address that moves, a broker, and two of its workers."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tests.support.proxy import Proxy
from tests.support.receiver import LOOPBACK_ALLOWED
from tests.support.replication import Replicated, replicated
from tests.support.server import LiveServer
from tests.support.waits import wait_for

_WORKERS = 2
# Agents of the fleet beat every five seconds, so that none that is announced silent was.
_GRACE = {"BROKKR_AGENT_SILENT_AFTER_SECONDS": "30"}


class Stand:
    """Everything that can be killed, and how it is started again, as an orchestrator would."""

    def __init__(self, folder: Path, database: Replicated, proxy: Proxy) -> None:
        self.database, self.proxy = database, proxy
        self.broker = LiveServer(
            database_url=f"postgresql://postgres@127.0.0.1:{proxy.port}/postgres",
            data_dir=folder,
            environment=LOOPBACK_ALLOWED | _GRACE,
        )
        self.broker.prepare()
        self.broker.start()
        self._workers = [self.broker.start_worker() for _ in range(_WORKERS)]

    def web_processes(self) -> list[int]:
        """The process ids of gunicorn's workers."""
        master = self.broker.pid
        return [int(pid) for pid in Path(f"/proc/{master}/task/{master}/children").read_text().split()]

    def kill_web_process(self, number: int) -> None:
        """Kill one; the master starts another."""
        processes = self.web_processes()
        with suppress(ProcessLookupError):
            os.kill(processes[number % len(processes)], signal.SIGKILL)

    def pause_web_process(self, number: int) -> int:
        """Pause one, until `go_on` with what this returns."""
        processes = self.web_processes()
        pid = processes[number % len(processes)]
        os.kill(pid, signal.SIGSTOP)
        return pid

    def go_on(self, pid: int) -> None:
        """Let a paused process go on, if its master has not ended it meanwhile."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    def restart_broker(self) -> None:
        """Kill all web processes in the middle of their work, and start the broker again."""
        self.broker.kill()
        self.broker.start()

    def replace_worker(self, number: int) -> None:
        """Kill a worker, and start another."""
        index = number % _WORKERS
        self._workers[index].kill()
        self._workers[index].wait()
        self._workers[index] = self.broker.start_worker()

    def restart_database(self) -> None:
        """Restart the primary as an administrator does."""
        self.database.primary.stop("fast")
        self.database.primary.start()

    def fail_over(self) -> None:
        """Fence the primary, promote the follower, and move the address."""
        self.proxy.move(self.database.fail_over().socket)

    def workers_run(self) -> bool:
        """Whether no worker has ended by itself."""
        return all(worker.poll() is None for worker in self._workers)

    def stop(self) -> None:
        """Stop the broker and its workers."""
        for worker in self._workers:
            worker.kill()
            worker.wait()
        self.broker.kill()


@contextmanager
def running_stand(folder: Path) -> Iterator[Stand]:
    """A stand that runs until the block ends."""
    with ExitStack() as running:
        database = running.enter_context(replicated())
        proxy = running.enter_context(Proxy(database.primary.socket))
        stand = Stand(folder, database, proxy)
        running.callback(stand.stop)
        wait_for(stand.workers_run, patience=60)
        yield stand

"""A TCP proxy in front of a server that can stop forwarding while it keeps its connections open."""

import socket
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Self

# A Unix socket, or a port of this machine.
Target = Path | int


class Proxy:
    """Listens on a loopback port and forwards everything to the target, until `fall_silent` is called."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        # Each connection keeps the event that was current when the connection began.
        self._silence = Event()
        self._sockets: list[socket.socket] = []
        # Held from the choice of a connection's target until the connection can be closed by `move`.
        self._choosing = Lock()
        Thread(target=self._accept, daemon=True).start()

    def fall_silent(self, *, for_new_ones: bool) -> None:
        """Stop forwarding for all open connections, and for later ones too if `for_new_ones`."""
        self._silence.set()
        if not for_new_ones:
            self.heal()

    def heal(self) -> None:
        """Forward again for new connections; silent connections stay silent."""
        self._silence = Event()

    def move(self, target: Target) -> None:
        """Close all connections and forward new ones to `target`, as if an address moved to another server."""
        with self._choosing:
            self._target = target
            for each in self._sockets:
                # The connection may be closed already.
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                with self._choosing:
                    server, refused = _connection(self._target)
                    if refused:
                        # Nobody listens there now.
                        client.close()
                        server.close()
                        continue
                    self._sockets += [client, server]
                for source, sink in ((client, server), (server, client)):
                    Thread(target=_pass_on, args=[source, sink, self._silence], daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._listener, *self._sockets):
            each.close()


def _connection(target: Target) -> tuple[socket.socket, int]:
    """A socket, and the error if nobody answers there."""
    if isinstance(target, int):
        server = socket.socket()
        return server, server.connect_ex(("127.0.0.1", target))
    server = socket.socket(socket.AF_UNIX)
    return server, server.connect_ex(str(target))


def _pass_on(source: socket.socket, sink: socket.socket, silence: Event) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            if not silence.is_set():
                sink.sendall(data)
    # Also after a reset: PostgreSQL resets a connection that it closes before it has read everything.
    if not silence.is_set():
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

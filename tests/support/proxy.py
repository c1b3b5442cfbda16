"""A TCP proxy in front of PostgreSQL that can fall silent while it keeps its connections alive."""

import socket
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Self


class Proxy:
    """Listens on a loopback port and passes everything on to a Unix socket, until it is told to fall silent."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        # Each connection keeps the one that was current when it began.
        self._silence = Event()
        self._sockets: list[socket.socket] = []
        Thread(target=self._accept, daemon=True).start()

    def fall_silent(self, *, for_new_ones: bool) -> None:
        """Pass nothing on any more for the connections there are, and for those still to come if `for_new_ones`."""
        self._silence.set()
        if not for_new_ones:
            self.heal()

    def heal(self) -> None:
        """Serve connections that come from now on; those that fell silent stay so."""
        self._silence = Event()

    def move(self, target: Path) -> None:
        """Cut all connections; new ones go there, as when an address moves to another server."""
        self._target = target
        for each in self._sockets:
            # It may be cut already.
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(str(self._target))
                self._sockets += [client, server]
                for source, sink in ((client, server), (server, client)):
                    Thread(target=_pass_on, args=[source, sink, self._silence], daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._listener, *self._sockets):
            each.close()


def _pass_on(source: socket.socket, sink: socket.socket, silence: Event) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            if not silence.is_set():
                sink.sendall(data)
        if not silence.is_set():
            sink.shutdown(socket.SHUT_WR)

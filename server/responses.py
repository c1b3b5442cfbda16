"""How answers of the application go out."""

from typing import Any

from gunicorn.http import wsgi


class WebResponse(wsgi.Response):  # type: ignore[misc]  # gunicorn is not typed
    """Sends the head of the answer together with the beginning of the body, where gunicorn sends two packets."""

    sock: Any

    def write(self, arg: bytes) -> None:
        if self.headers_sent:
            super().write(arg)
            return
        sock, packet = self.sock, _Packet()
        self.sock = packet
        try:
            super().write(arg)
        finally:
            self.sock = sock
        sock.sendall(b"".join(packet.parts))


class _Packet:
    """Takes what would be sent."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def sendall(self, part: bytes) -> None:
        self.parts.append(part)

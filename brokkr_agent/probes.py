"""The endpoints /healthz, /readyz and /metrics."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

# A round that takes longer hangs.
_LONGEST_ROUND = 600.0


class Vitals:
    """What the endpoints tell."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.rounds = Counter("brokkr_agent_rounds", "Rounds that came to an end.", registry=self.registry)
        self.stacks = Gauge("brokkr_agent_stacks", "Stacks with an inventory.", registry=self.registry)
        self.held_back = Gauge(
            "brokkr_agent_held_back_removals",
            "Removals that wait for a confirmation.",
            registry=self.registry,
        )
        self.requests = Gauge(
            "brokkr_agent_api_requests", "Requests to the API server since the start.", registry=self.registry
        )
        self.leads = Gauge("brokkr_agent_leads", "Whether this replica leads.", registry=self.registry)
        self._last = time.monotonic()
        self.is_ready = False

    def beat(self) -> None:
        """Note that the agent still turns."""
        self._last = time.monotonic()

    @property
    def is_alive(self) -> bool:
        return time.monotonic() - self._last < _LONGEST_ROUND


def serve_probes(vitals: Vitals, host: str, port: int) -> ThreadingHTTPServer:
    """Answer in a thread. Close it with `shutdown` and `server_close`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._answer(200, generate_latest(vitals.registry))
            elif self.path == "/healthz":
                self._answer(200 if vitals.is_alive else 503, b"")
            elif self.path == "/readyz":
                self._answer(200 if vitals.is_ready else 503, b"")
            else:
                self._answer(404, b"")

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Probes are not logged."""

    server = ThreadingHTTPServer((host, port), Handler)
    threading.Thread(target=server.serve_forever, name="probes", daemon=True).start()
    return server

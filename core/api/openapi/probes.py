"""The public operations: probes and metrics, which are no views of the API."""

from typing import Any

_Document = dict[str, Any]

HEALTH_SCHEMA = {
    "type": "object",
    "required": ["status", "database"],
    "properties": {
        name: {"type": "string", "enum": ["ok", "unavailable"]} for name in ("status", "database")
    },
}


def _probe(
    operation_id: str, summary: str, description: str, answers: dict[str, tuple[str, str, Any]]
) -> _Document:
    """A public GET; `answers` maps a status to its description, media type and example."""
    return {
        "get": {
            "operationId": operation_id,
            "summary": summary,
            "description": description,
            "tags": ["health"],
            "security": [],
            "responses": {
                status: {
                    "description": meaning,
                    "content": {media_type: {"schema": _schema_of(example), "example": example}},
                }
                for status, (meaning, media_type, example) in answers.items()
            },
        }
    }


def _schema_of(example: object) -> _Document:
    return {"$ref": "#/components/schemas/Health"} if isinstance(example, dict) else {"type": "string"}


_ALIVE = {"200": ("The process answers.", "text/plain", "OK")}
_READY = {
    "200": ("Requests can be served.", "text/plain", "Ready"),
    "503": ("The database cannot be reached, or takes no changes.", "text/plain", "database unavailable"),
}
_LIVE_TEXT = "Says nothing about the database: a restart would not bring that back. Needs no key."
_READY_TEXT = "Asks the database. Needs no key."


def probe_operations(metrics: str) -> _Document:
    """The paths of the probes; `metrics` is the example of a scrape."""
    return {
        "/healthz": _probe("healthz", "Is the process alive", _LIVE_TEXT, _ALIVE),
        "/health/live": _probe("health_live", "Is the process alive", _LIVE_TEXT, _ALIVE),
        "/readyz": _probe("readyz", "Can the process serve", _READY_TEXT, _READY),
        "/health/ready": _probe("health_ready", "Can the process serve", _READY_TEXT, _READY),
        "/health": _probe(
            "health",
            "The state of the broker in one object",
            _READY_TEXT,
            {
                "200": ("All is well.", "application/json", {"status": "ok", "database": "ok"}),
                "503": (
                    "The database cannot be reached.",
                    "application/json",
                    {"status": "unavailable", "database": "unavailable"},
                ),
            },
        ),
        "/metrics": _probe(
            "metrics",
            "Metrics for Prometheus",
            "Summed over the processes of this server, computed when asked for. Needs no key.",
            {
                "200": ("The text exposition format.", "text/plain", metrics),
                "503": ("The database cannot be reached.", "text/plain", "database unavailable"),
            },
        ),
    }

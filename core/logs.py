"""Structured logs: one processor chain for our own lines and for those of libraries."""

import logging
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog

REQUEST_LOGGER = "brokkr.request"
# The fields of the line for a request, in their order, and the one that only a client with a trace causes.
REQUEST_FIELDS = ("caller", "duration_ms", "method", "request_id", "route", "status")
TRACE_FIELD = "trace_id"

_LEVELS = {"trace": "DEBUG", "debug": "DEBUG", "info": "INFO", "warn": "WARNING", "error": "ERROR"}


def logging_level(level: str) -> str:
    """The logging module's name for one of our levels."""
    return _LEVELS[level]


def logging_config(*, level: str, style: str) -> dict[str, Any]:
    """A `logging.config` dictionary: JSON or text lines on stderr."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer = (
        structlog.processors.JSONRenderer()
        if style == "json"
        else structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "lines": {
                "()": Lines,
                "style": style,
                "foreign_pre_chain": shared,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["stderr"], "level": _LEVELS[level]},
        "loggers": {
            # RequestMiddleware writes the line for every request; Django's own would be a second one.
            "django.request": {"level": "CRITICAL"},
            "django.server": {"level": "CRITICAL"},
        },
    }


class Lines(structlog.stdlib.ProcessorFormatter):
    """Formats lines by the processors, except the line that every request writes.

    That line has known, plain fields, and the processors would take a quarter of the time of a poll that finds nothing
    new. So it is formatted here, in the form that the processors would give it.
    """

    def __init__(self, *, style: str, **chain: Any) -> None:
        super().__init__(**chain)
        self._of_request = _request_as_json if style == "json" else _request_as_text

    def format(self, record: logging.LogRecord) -> str:
        if record.name != REQUEST_LOGGER:
            return super().format(record)
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds")
        return self._of_request(record, moment.replace("+00:00", "Z"))


def _said(record: logging.LogRecord) -> dict[str, Any]:
    said = record.__dict__
    line = {name: said[name] for name in REQUEST_FIELDS}
    if TRACE_FIELD in said:
        line[TRACE_FIELD] = said[TRACE_FIELD]
    return line


def _request_as_json(record: logging.LogRecord, timestamp: str) -> str:
    line = _said(record)
    level = record.levelname.lower()
    return orjson.dumps(
        {"event": record.msg, **line, "level": level, "logger": record.name, "timestamp": timestamp}
    ).decode()


def _request_as_text(record: logging.LogRecord, timestamp: str) -> str:
    said = record.__dict__
    trace = f" {TRACE_FIELD}={said[TRACE_FIELD]}" if TRACE_FIELD in said else ""
    return (
        f"{timestamp} [{record.levelname.lower():<9}] {record.msg:<30} [{record.name}] "
        f"caller={said['caller']} duration_ms={said['duration_ms']} method={said['method']} "
        f"request_id={said['request_id']} route={said['route']} status={said['status']}{trace}"
    )

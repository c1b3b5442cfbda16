"""Environment variables that nothing reads, and settings that contradict each other."""

import os
import re
from collections.abc import Iterator
from difflib import get_close_matches
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as Caution

from config.database import database_timeouts
from config.env import READ
from core.installation_checks import register_process_check

# Kubernetes sets these in every pod beside a Service named `brokkr`.
_SERVICE_LINK = re.compile(r"BROKKR_(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP)(_(ADDR|PORT|PROTO))?)")
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@register_process_check
def unknown_variables() -> Iterator[CheckMessage]:
    """Variables named like ours that no setting is called by. Their values are not shown; they may be secrets."""
    for name in sorted(os.environ):
        if not name.startswith("BROKKR_") or name in READ or _SERVICE_LINK.fullmatch(name):
            continue
        alike = get_close_matches(name, READ, n=1, cutoff=0.8)
        yield Caution(
            f"{name} is set, and nothing reads it.",
            hint=f"Is {alike[0]} meant?"
            if alike
            else "docs/reference/settings.md has all variables. Remove it.",
            id="brokkr.unknown_variable",
        )


@register_process_check
def debug_pages() -> Iterator[CheckMessage]:
    """The debug pages where others can reach them."""
    if settings.DEBUG and settings.WEB_HOST not in _LOOPBACK:
        yield Error(
            f"BROKKR_DEBUG is on and the broker listens on {settings.WEB_HOST}: error pages show internals.",
            hint="Turn BROKKR_DEBUG off, or set BROKKR_BIND=127.0.0.1.",
            id="brokkr.debug_reachable",
        )


@register_process_check
def contradictions() -> Iterator[CheckMessage]:
    """Settings of which one undoes the other."""
    yield from _cookies()
    if "BROKKR_RATE_LIMIT_BURST" in os.environ and not settings.RATE_LIMIT_PER_SECOND:
        yield _contradiction(
            "BROKKR_RATE_LIMIT_BURST is set and BROKKR_RATE_LIMIT_PER_SECOND is 0, so there is no limit.",
            hint="Set BROKKR_RATE_LIMIT_PER_SECOND too, or remove BROKKR_RATE_LIMIT_BURST.",
        )
    if "BROKKR_CONFIG_WATCHER_ENABLED" in os.environ and "BROKKR_CONFIG_FILE" not in os.environ:
        yield _contradiction(
            "BROKKR_CONFIG_WATCHER_ENABLED is set and BROKKR_CONFIG_FILE is not, so there is nothing to watch.",
            hint="Set BROKKR_CONFIG_FILE, or remove BROKKR_CONFIG_WATCHER_ENABLED.",
        )
    yield from _timeouts_that_never_come()


def _contradiction(sentence: str, *, hint: str) -> CheckMessage:
    return Caution(sentence, hint=hint, id="brokkr.contradiction")


def _cookies() -> Iterator[CheckMessage]:
    plain = [origin for origin in settings.CSRF_TRUSTED_ORIGINS if urlsplit(origin).scheme == "http"]
    if settings.SESSION_COOKIE_SECURE and plain:
        yield _contradiction(
            f"BROKKR_CSRF_TRUSTED_ORIGINS names {plain[0]} while BROKKR_COOKIE_SECURE is on: browsers send no such "
            "cookie over http, so nobody can log in there.",
            hint="Serve https, or set BROKKR_COOKIE_SECURE=false.",
        )
    if not settings.SESSION_COOKIE_SECURE and settings.SECURE_PROXY_SSL_HEADER:
        yield _contradiction(
            "BROKKR_BEHIND_TLS_PROXY is on and BROKKR_COOKIE_SECURE is off: cookies of the admin may go over http.",
            hint="Remove BROKKR_COOKIE_SECURE; its default is true.",
        )


def _timeouts_that_never_come() -> Iterator[CheckMessage]:
    kinds = {
        "BROKKR_DB": ["gunicorn"],
        "BROKKR_DB_WORKER": ["manage.py", "run_worker"],
        "BROKKR_DB_MIGRATE": ["manage.py", "migrate"],
    }
    waits = {prefix: database_timeouts(command_line) for prefix, command_line in kinds.items()}
    for prefix, wait in waits.items():
        if wait.lock >= wait.statement:
            yield _contradiction(
                f"{prefix}_LOCK_TIMEOUT_SECONDS ({wait.lock}) is not below {prefix}_STATEMENT_TIMEOUT_SECONDS "
                f"({wait.statement}): the statement ends before the wait for a lock does.",
                hint="Let the lock's be the shorter one.",
            )
    if waits["BROKKR_DB_MIGRATE"].lock >= waits["BROKKR_DB"].lock:
        yield _contradiction(
            "BROKKR_DB_MIGRATE_LOCK_TIMEOUT_SECONDS is not below BROKKR_DB_LOCK_TIMEOUT_SECONDS: while a migration "
            "waits for a table, requests that need the table are refused.",
            hint="Let the migration's be the shorter one.",
        )


@register_process_check
def proxies() -> Iterator[CheckMessage]:
    """A proxy that one setting tells of and the other does not."""
    named = {
        "BROKKR_BEHIND_TLS_PROXY": bool(settings.SECURE_PROXY_SSL_HEADER),
        "BROKKR_CSRF_TRUSTED_ORIGINS": bool(settings.CSRF_TRUSTED_ORIGINS),
    }
    tells = [name for name, is_set in named.items() if is_set]
    if tells and not settings.TRUSTED_PROXY_COUNT:
        yield Caution(
            f"{tells[0]} tells of a proxy and BROKKR_TRUSTED_PROXY_COUNT is 0: every client counts as the proxy.",
            hint="Set BROKKR_TRUSTED_PROXY_COUNT to the number of your own proxies, 1 for instance.",
            id="brokkr.proxy_untrusted",
        )

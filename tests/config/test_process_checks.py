"""What `manage.py doctor` says of settings, the environment and the machine."""

import resource
import shutil
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.checks import ERROR, WARNING, CheckMessage

from config.installation_checks import machine, variables
from core.installation_checks import registered_checks

MIB = 1024 * 1024


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BROKKR_RATE_LIMIT_BURST", "BROKKR_CONFIG_FILE", "BROKKR_CONFIG_WATCHER_ENABLED"):
        monkeypatch.delenv(name, raising=False)


def said(check: Iterable[CheckMessage]) -> str:
    return " ".join(message.msg for message in check)


def test_a_misspelt_variable_is_named_with_the_one_that_is_meant_and_without_its_value(monkeypatch):
    monkeypatch.setenv("BROKKR_WEB_WORKER", "hunter2")
    found = [message for message in variables.unknown_variables() if "BROKKR_WEB_WORKER " in message.msg]
    assert [message.hint for message in found] == ["Is BROKKR_WEB_WORKERS meant?"]
    assert "hunter2" not in str(found)


def test_a_variable_of_two_underscores_that_nothing_reads_is_named(monkeypatch):
    monkeypatch.setenv("BROKKR__TELEMETRY__ENABLED", "true")
    assert "BROKKR__TELEMETRY__ENABLED is set" in said(variables.unknown_variables())


@pytest.mark.parametrize(
    "name",
    [
        "BROKKR_WEB_WORKERS",
        "BROKKR_DB_POOLER",
        "BROKKR__BROKER__PAK_HASH_FILE",
        "BROKKR__LOG__LEVEL",
        "BROKKR_SERVICE_HOST",
        "BROKKR_SERVICE_PORT_HTTP",
        "BROKKR_PORT_3000_TCP_ADDR",
    ],
)
def test_what_is_read_or_set_by_kubernetes_is_not_unknown(monkeypatch, name):
    monkeypatch.setenv(name, "x")
    assert f"{name} " not in said(variables.unknown_variables())


@pytest.mark.parametrize(
    ("debug", "host", "is_wrong"),
    [(True, "0.0.0.0", True), (True, "127.0.0.1", False), (False, "0.0.0.0", False)],  # noqa: S104
)
def test_debug_pages_are_wrong_where_others_reach_them(settings, debug, host, is_wrong):
    settings.DEBUG, settings.WEB_HOST = debug, host
    assert [message.level for message in variables.debug_pages()] == [ERROR] * is_wrong


def test_defaults_do_not_contradict_each_other():
    assert said(variables.contradictions()) == ""


@pytest.mark.parametrize(
    ("environment", "word"),
    [
        ({"BROKKR_RATE_LIMIT_BURST": "5"}, "there is no limit"),
        ({"BROKKR_CONFIG_WATCHER_ENABLED": "true"}, "nothing to watch"),
        ({"BROKKR_DB_LOCK_TIMEOUT_SECONDS": "8"}, "BROKKR_DB_STATEMENT_TIMEOUT_SECONDS"),
        ({"BROKKR_DB_WORKER_STATEMENT_TIMEOUT_SECONDS": "10"}, "BROKKR_DB_WORKER_LOCK_TIMEOUT_SECONDS"),
        ({"BROKKR_DB_MIGRATE_LOCK_TIMEOUT_SECONDS": "3"}, "while a migration"),
    ],
)
def test_variables_that_undo_each_other_are_named(monkeypatch, environment, word):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = list(variables.contradictions())
    assert [(message.level, word in message.msg) for message in found] == [(WARNING, True)]


def test_a_burst_with_a_rate_is_no_contradiction(monkeypatch, settings):
    monkeypatch.setenv("BROKKR_RATE_LIMIT_BURST", "5")
    settings.RATE_LIMIT_PER_SECOND = 1
    assert said(variables.contradictions()) == ""


@pytest.mark.parametrize(
    ("secure", "origin", "word"),
    [
        (True, "http://brokkr.example.com", "nobody can log in"),
        (True, "https://brokkr.example.com", ""),
        (False, "http://brokkr.example.com", ""),
    ],
)
def test_secure_cookies_do_not_go_with_an_origin_of_plain_http(settings, secure, origin, word):
    settings.SESSION_COOKIE_SECURE, settings.CSRF_TRUSTED_ORIGINS = secure, [origin]
    found = said(variables.contradictions())
    assert word in found
    assert bool(found) == bool(word)


def test_cookies_over_http_do_not_go_with_a_tls_proxy(settings):
    settings.SESSION_COOKIE_SECURE = False
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert "BROKKR_COOKIE_SECURE is off" in said(variables.contradictions())


@pytest.mark.parametrize(
    ("header", "origins", "count", "is_wrong"),
    [
        (("HTTP_X_FORWARDED_PROTO", "https"), [], 0, True),
        (None, ["https://brokkr.example.com"], 0, True),
        (("HTTP_X_FORWARDED_PROTO", "https"), [], 1, False),
        (None, [], 0, False),
    ],
)
def test_a_proxy_that_settings_tell_of_is_to_be_counted(settings, header, origins, count, is_wrong):
    settings.SECURE_PROXY_SSL_HEADER, settings.CSRF_TRUSTED_ORIGINS = header, origins
    settings.TRUSTED_PROXY_COUNT = count
    assert [message.id for message in variables.proxies()] == ["brokkr.proxy_untrusted"] * is_wrong


@pytest.mark.parametrize(
    ("most", "is_wrong"), [(1024, True), (4095, True), (4096, False), (resource.RLIM_INFINITY, False)]
)
def test_a_low_limit_of_files_is_told(monkeypatch, most, is_wrong):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, most))
    assert [message.level for message in machine.file_limit()] == [WARNING] * is_wrong


@pytest.mark.parametrize(("mib", "levels"), [(99, [ERROR]), (100, [WARNING]), (1023, [WARNING]), (1024, [])])
def test_little_room_on_the_disk_is_a_warning_and_none_an_error(monkeypatch, mib, levels):
    usage: Any = SimpleNamespace(free=mib * MIB)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert [message.level for message in machine.disk()] == levels


def test_every_check_is_registered_once():
    names = [f"{check.__module__}.{check.__name__}" for check in registered_checks()]
    assert len(names) == len(set(names))
    assert {name.split(".")[0] for name in names} == {"audit", "config", "paks", "webhooks"}

"""What the settings make of the environment."""

import os
import re
import runpy
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.support.server import ROOT

DEVELOPMENT_HASH = "4c697273df3d764cba950bb5c04368097685f09259f5bd880d892cf1ff9f4cdd"


Start = Callable[..., dict[str, Any]]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Start:
    """The settings of a process that starts with these variables and no others of ours."""
    for name in [name for name in os.environ if name.startswith(("BROKKR", "DATABASE_URL"))]:
        monkeypatch.delenv(name)

    def start(**variables: str) -> dict[str, Any]:
        for name, value in ({"BROKKR_DATA_DIR": str(tmp_path)} | variables).items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(ROOT / "brokkr_site" / "settings.py"))

    return start


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        (
            {"BROKKR_SESSION_HOURS": "0"},
            "BROKKR_SESSION_HOURS is '0'; it must be a whole number from 1 to 720.",
        ),
        (
            {"BROKKR_PORT": "tcp://10.0.0.1:3000"},
            "BROKKR_PORT is 'tcp://10.0.0.1:3000'; it must be a whole number",
        ),
        ({"BROKKR_COOKIE_SECURE": "maybe"}, "BROKKR_COOKIE_SECURE is 'maybe'; it must be true or false."),
        ({"BROKKR_MANIFESTS": "loose"}, "BROKKR_MANIFESTS is 'loose'; it must be one of lenient, strict"),
        ({"BROKKR_TARGET_STATE_DEFAULT": "all"}, "BROKKR_TARGET_STATE_DEFAULT is 'all'; it must be one of"),
        ({"BROKKR__LOG__LEVEL": "loud"}, "BROKKR__LOG__LEVEL is 'loud'; it must be one of"),
        (
            {"BROKKR__PAK__PREFIX": "our_own"},
            "BROKKR__PAK__PREFIX and BROKKR__PAK__SHORT_TOKEN_PREFIX may not",
        ),
        ({"BROKKR__BROKER__PAK_HASH": "abc"}, "BROKKR__BROKER__PAK_HASH must be the 64 hex digits"),
        (
            {"BROKKR__BROKER__PAK_HASH": DEVELOPMENT_HASH},
            "BROKKR__BROKER__PAK_HASH is the public development hash",
        ),
        (
            {"BROKKR__BROKER__PAK_HASH": DEVELOPMENT_HASH.upper()},
            "BROKKR__BROKER__PAK_HASH is the public development hash",
        ),
        ({"DATABASE_URL": "mysql://somewhere/db"}, "DATABASE_URL must begin with sqlite:// or postgres://."),
        ({"DATABASE_URL": "somewhere"}, "DATABASE_URL cannot be understood"),
        (
            {"DATABASE_URL": "sqlite:////one", "BROKKR__DATABASE__URL": "sqlite:////two"},
            "DATABASE_URL and BROKKR__DATABASE__URL name different databases; set only one.",
        ),
        (
            {"BROKKR__BROKER__WEBHOOK_ENCRYPTION_KEY": "abc"},
            "BROKKR__BROKER__WEBHOOK_ENCRYPTION_KEY must be 64 hex digits",
        ),
        ({"BROKKR_WEBHOOK_ALLOWED_NETWORKS": "home"}, "BROKKR_WEBHOOK_ALLOWED_NETWORKS does not name"),
        ({"BROKKR_DATA_DIR": "/dev/null/data"}, "BROKKR_DATA_DIR names /dev/null/data, which cannot be made"),
    ],
)
def test_a_wrong_value_stops_the_start_with_a_sentence_that_names_the_variable(
    start: Start, variables: dict[str, str], sentence: str
):
    with pytest.raises(ImproperlyConfigured, match=f"^{re.escape(sentence)}"):
        start(**variables)


def test_what_stops_the_start_is_the_last_line_of_the_process(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "BROKKR_DATA_DIR": str(tmp_path), "BROKKR_PORT": "x"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "ImproperlyConfigured: BROKKR_PORT is 'x'" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "url", ["postgres://u:swordfish@h:port/name", "mysql://u:swordfish@h/name", "x:swordfish"]
)
def test_a_database_url_that_cannot_be_used_is_not_shown(start: Start, url: str):
    with pytest.raises(ImproperlyConfigured) as refusal:
        start(DATABASE_URL=url)

    # With what it came from, which a traceback shows too.
    assert "swordfish" not in "".join(traceback.format_exception(refusal.value))


def test_the_development_hash_is_for_trials(start: Start):
    assert start(BROKKR__BROKER__PAK_HASH=DEVELOPMENT_HASH, BROKKR_DEBUG="true")["DEBUG"] is True


def test_both_names_of_the_database_may_say_the_same(start: Start):
    url = "postgres://user@host/name"

    for variables in ({"BROKKR__DATABASE__URL": url}, {"DATABASE_URL": url, "BROKKR__DATABASE__URL": url}):
        assert start(**variables)["DATABASES"]["default"]["HOST"] == "host"


def test_the_database_url_may_be_in_a_file(start: Start, tmp_path: Path):
    (tmp_path / "url").write_text("postgres://user:swordfish@host/name\n")

    settings = start(DATABASE_URL_FILE=str(tmp_path / "url"))

    assert settings["DATABASES"]["default"]["PASSWORD"] == "swordfish"


def test_without_a_database_url_it_is_sqlite_in_the_data_folder_which_is_made(start: Start, tmp_path: Path):
    data = tmp_path / "not" / "there"

    settings = start(BROKKR_DATA_DIR=str(data), BROKKR_SECRET_KEY="given")

    assert settings["DATABASES"]["default"]["NAME"] == str(data / "brokkr.sqlite3")
    assert data.is_dir()


@pytest.mark.parametrize(("variables", "secure"), [({}, True), ({"BROKKR_COOKIE_SECURE": "false"}, False)])
def test_debug_is_off_and_cookies_are_secure_unless_said_otherwise(
    start: Start, variables: dict[str, str], secure
):
    settings = start(**variables)

    assert settings["DEBUG"] is False
    assert settings["SESSION_COOKIE_SECURE"] is settings["CSRF_COOKIE_SECURE"] is secure


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, ["0.0.0.0:3000"]),
        (
            {
                "BROKKR_BIND": "127.0.0.1",
                "BROKKR_PORT": "8080",
                "BROKKR_WEB_WORKERS": "3",
                "BROKKR_WEB_THREADS": "7",
            },
            ["127.0.0.1:8080", "3", "7"],
        ),
    ],
)
def test_the_web_server_listens_where_it_is_told(
    tmp_path: Path, variables: dict[str, str], expected: list[str]
):
    code = (
        "import runpy; c = runpy.run_path('gunicorn.conf.py'); print(c['bind'], c['workers'], c['threads'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "BROKKR_DATA_DIR": str(tmp_path)} | variables,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split()[: len(expected)] == expected


def test_the_audit_key_in_the_data_folder_counts_when_none_is_configured(start: Start, tmp_path: Path):
    (tmp_path / "audit_signing_key").write_text("01" * 32)

    for variables, key in (({}, "01"), ({"BROKKR_AUDIT_SIGNING_KEY": "02" * 32}, "02")):
        assert start(**variables)["AUDIT_SIGNING_KEYS"] == [bytes.fromhex(key * 32)]


_AUDIT_KEY_OF = """
import sys
sys.argv = sys.argv[1:]
from django.conf import settings
print(settings.AUDIT_SIGNING_KEYS[0].hex())
"""


@pytest.mark.parametrize("command", [["manage.py", "serve"], ["manage.py", "run_worker"], ["gunicorn"]])
def test_web_and_worker_keep_a_key_for_the_audit_log_when_none_is_configured(
    tmp_path: Path, command: list[str]
):
    environment = {
        "PATH": os.environ["PATH"],
        "BROKKR_DATA_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "brokkr_site.settings",
    }
    keys = [
        subprocess.run(
            [sys.executable, "-c", _AUDIT_KEY_OF, *command],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for _ in range(2)
    ]

    kept = tmp_path / "audit_signing_key"
    assert keys == [kept.read_text()] * 2
    assert len(bytes.fromhex(keys[0])) == 32
    assert kept.stat().st_mode & 0o777 == 0o600


def test_other_commands_run_without_a_key_for_the_audit_log(start: Start):
    assert start()["AUDIT_SIGNING_KEYS"] == []


def test_the_webhook_key_in_the_data_folder_counts_when_none_is_configured(start: Start, tmp_path: Path):
    (tmp_path / "webhook_encryption_key").write_text("01" * 32)

    for variables, key in (({}, "01"), ({"BROKKR__BROKER__WEBHOOK_ENCRYPTION_KEY": "02" * 32}, "02")):
        assert start(**variables)["WEBHOOK_ENCRYPTION_KEYS"] == [bytes.fromhex(key * 32)]


_LOADED = """
import sys

import django
from django.contrib import admin
from django.core.checks import run_checks

django.setup()
assert "agents.admin" not in sys.modules, "pages are loaded"
assert run_checks(tags=["admin"]) == []
assert admin.site.is_registered(sys.modules["agents.models"].Agent), "no page was checked"
"""


def test_commands_load_no_page_of_the_admin_and_django_s_checks_load_all(tmp_path: Path):
    subprocess.run(
        [sys.executable, "-c", _LOADED],
        cwd=ROOT,
        env=os.environ | {"BROKKR_DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "brokkr_site.settings"},
        check=True,
    )

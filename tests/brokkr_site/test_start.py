"""What the settings make of the environment, seen from a process that starts with it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.server import ROOT

DEVELOPMENT_HASH = "4c697273df3d764cba950bb5c04368097685f09259f5bd880d892cf1ff9f4cdd"


def _start(data_dir: Path, code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", f"from brokkr_site import settings; {code}"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "BROKKR_DATA_DIR": str(data_dir)} | variables,
        capture_output=True,
        text=True,
        check=False,
    )


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
    tmp_path: Path, variables: dict[str, str], sentence: str
):
    done = _start(tmp_path, "", **variables)

    assert done.returncode == 1
    assert f"ImproperlyConfigured: {sentence}" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "url", ["postgres://u:swordfish@h:port/name", "mysql://u:swordfish@h/name", "x:swordfish"]
)
def test_a_database_url_that_cannot_be_used_is_not_shown(tmp_path: Path, url: str):
    done = _start(tmp_path, "", DATABASE_URL=url)

    assert done.returncode == 1
    assert "swordfish" not in done.stderr


def test_the_development_hash_is_for_trials(tmp_path: Path):
    done = _start(tmp_path, "", BROKKR__BROKER__PAK_HASH=DEVELOPMENT_HASH, BROKKR_DEBUG="true")

    assert done.returncode == 0, done.stderr


def test_both_names_of_the_database_may_say_the_same(tmp_path: Path):
    url = "postgres://user@host/name"
    code = "print(settings.DATABASES['default']['HOST'])"

    assert _start(tmp_path, code, DATABASE_URL=url, BROKKR__DATABASE__URL=url).stdout == "host\n"
    assert _start(tmp_path, code, BROKKR__DATABASE__URL=url).stdout == "host\n"


def test_the_database_url_may_be_in_a_file(tmp_path: Path):
    (tmp_path / "url").write_text("postgres://user:swordfish@host/name\n")
    code = "print(settings.DATABASES['default']['PASSWORD'])"

    assert _start(tmp_path, code, DATABASE_URL_FILE=str(tmp_path / "url")).stdout == "swordfish\n"


def test_without_a_database_url_it_is_sqlite_in_the_data_folder_which_is_made(tmp_path: Path):
    data = tmp_path / "not" / "there"
    code = "print(settings.DATABASES['default']['NAME'])"

    assert _start(data, code, BROKKR_SECRET_KEY="given").stdout == f"{data / 'brokkr.sqlite3'}\n"
    assert data.is_dir()


def test_debug_is_off_and_cookies_are_secure_unless_said_otherwise(tmp_path: Path):
    code = "print(settings.DEBUG, settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE)"

    assert _start(tmp_path, code).stdout == "False True True\n"
    assert _start(tmp_path, code, BROKKR_COOKIE_SECURE="false").stdout == "False False False\n"


def test_the_web_server_listens_where_it_is_told(tmp_path: Path):
    code = (
        "import runpy; c = runpy.run_path('gunicorn.conf.py'); print(c['bind'], c['workers'], c['threads'])"
    )

    assert _start(tmp_path, code).stdout.startswith("0.0.0.0:3000 ")
    assert (
        _start(
            tmp_path,
            code,
            BROKKR_BIND="127.0.0.1",
            BROKKR_PORT="8080",
            BROKKR_WEB_WORKERS="3",
            BROKKR_WEB_THREADS="7",
        ).stdout
        == "127.0.0.1:8080 3 7\n"
    )


def test_the_webhook_key_in_the_data_folder_counts_when_none_is_configured(tmp_path: Path):
    (tmp_path / "webhook_encryption_key").write_text("01" * 32)
    show = "print([key.hex() for key in settings.WEBHOOK_ENCRYPTION_KEYS])"

    assert _start(tmp_path, show).stdout.strip() == str(["01" * 32])
    configured = _start(tmp_path, show, BROKKR__BROKER__WEBHOOK_ENCRYPTION_KEY="02" * 32)
    assert configured.stdout.strip() == str(["02" * 32])

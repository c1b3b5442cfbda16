"""generate_pak: a key and its hash, made without a database."""

import hashlib
import os
import subprocess
import sys

import orjson
import pytest
from django.conf import settings

from core.events import SYSTEM
from paks.services import ensure_configured_admin
from tests.support.api import Api
from tests.support.commands import manage

# No database mark: a query in these tests is an error, unless the test asks for one.


def test_the_hash_is_that_of_the_keys_third_part():
    outcome = manage("generate_pak")
    assert outcome.code == 0
    long_token = outcome.field("PAK").split("_")[2]
    assert outcome.field("Hash") == hashlib.sha256(long_token.encode()).hexdigest()


def test_json_is_one_object_of_key_and_hash():
    answer = manage("generate_pak", "--json").json
    assert set(answer) == {"pak", "pak_hash"}
    assert answer["pak_hash"] == hashlib.sha256(answer["pak"].split("_")[2].encode()).hexdigest()


def test_no_two_keys_are_the_same():
    assert manage("generate_pak", "--json").json != manage("generate_pak", "--json").json


@pytest.mark.django_db
def test_the_key_works_once_its_hash_is_configured():
    answer = manage("generate_pak", "--json").json
    ensure_configured_admin(key_hash=answer["pak_hash"], actor=SYSTEM)
    assert Api(answer["pak"]).post("/auth/pak").json()["admin"] is True


def test_the_key_has_the_configured_format(settings):
    settings.PAK_PREFIX, settings.PAK_SHORT_TOKEN_PREFIX, settings.PAK_SHORT_TOKEN_LENGTH = "acme", "XY", 10
    prefix, short, _ = manage("generate_pak", "--json").json["pak"].split("_")
    assert (prefix, short[:2], len(short)) == ("acme", "XY", 10)


def test_it_runs_where_the_database_is_unreachable(tmp_path):
    ended = subprocess.run(
        [sys.executable, "manage.py", "generate_pak", "--json"],
        cwd=settings.BASE_DIR,
        env=os.environ
        | {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "BROKKR_DATA_DIR": str(tmp_path)},
        capture_output=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert set(orjson.loads(ended.stdout)) == {"pak", "pak_hash"}

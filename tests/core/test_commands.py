"""What every command promises: no answer, no change; a reason a person can act on."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError

from core.commands import Answer, as_json, fields, table
from paks.models import Pak
from tests.support.commands import manage, refused_command


class Full:
    """A stdout whose disk is full, or whose reader has gone."""

    def write(self, _text: str) -> int:
        raise OSError(28, "No space left on device")

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False


@pytest.mark.django_db
def test_a_key_that_cannot_be_printed_is_not_made():
    stdout: Any = Full()
    with pytest.raises(CommandError, match="cannot be printed") as refusal:
        call_command("create_pak", "admin", name="ops", stdout=stdout)
    assert refusal.value.returncode == 1
    assert not Pak.objects.exists()


@pytest.mark.django_db
def test_a_database_that_cannot_be_used_is_exit_75_with_the_way_out(monkeypatch):
    def gone(**arguments: Any) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr("paks.management.commands.list_paks.listed_paks", gone)
    refused_command(manage("list_paks"), 75, "connection refused", "migrate")


@pytest.mark.parametrize(
    "command",
    [
        ["create_pak", "admin", "--name", "ops"],
        ["bootstrap"],
        ["createsuperuser", "--no-input", "--username", "ops", "--email", "ops@example.com"],
        ["check_holds"],
    ],
    ids=lambda command: command[0],
)
def test_a_database_without_tables_is_exit_75_with_the_way_out(tmp_path, command):
    in_one_sentence(tmp_path, f"sqlite:///{tmp_path / 'new.sqlite3'}", *command)


@pytest.mark.parametrize(
    "command", [["migrate"], ["bootstrap"], ["changepassword", "ops"]], ids=lambda command: command[0]
)
@pytest.mark.parametrize(
    "url",
    ["postgres://nobody@127.0.0.1:1/none", "sqlite:////nowhere/none.sqlite3"],
    ids=["PostgreSQL", "SQLite"],
)
def test_a_database_that_cannot_be_reached_is_exit_75_in_one_sentence(tmp_path, url, command):
    in_one_sentence(tmp_path, url, *command)


def in_one_sentence(folder: Path, url: str, *command: str) -> None:
    ended = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=settings.BASE_DIR,
        env=os.environ
        | {"DATABASE_URL": url, "BROKKR_DATA_DIR": str(folder), "DJANGO_SUPERUSER_PASSWORD": "x" * 20},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, "manage.py migrate" in ended.stderr, ended.stderr.count("\n")) == (
        75,
        True,
        1,
    ), ended


def test_an_answer_shows_no_secret_when_it_is_logged():
    assert "brokkr_" not in repr(Answer(text="PAK: brokkr_a_b", data={"pak": "brokkr_a_b"}))


def test_only_known_kinds_of_values_become_json():
    with pytest.raises(TypeError, match="object"):
        as_json({"x": object()})


def test_values_stand_below_one_another():
    assert fields({"ID": 7, "Long label": None}) == "ID:         7\nLong label: -"


def test_columns_are_as_wide_as_their_longest_value():
    assert table(["A", "B"], [["xxx", None], ["y", "z"]]) == "A    B\nxxx  -\ny    z"

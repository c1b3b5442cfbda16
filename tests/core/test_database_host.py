"""Looking up the database's host: bounded, whatever the resolver does."""

import socket
from threading import Event

import psycopg
import pytest

from core.postgresql.base import BoundedConnection


@pytest.fixture
def silent_resolver(monkeypatch):
    over = Event()

    def look_up(*_args, **_options):
        over.wait(60)
        raise OSError("nobody answers")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield
    over.set()


@pytest.mark.usefixtures("silent_resolver")
def test_a_resolver_that_says_nothing_is_waited_for_as_long_as_for_a_connection():
    with pytest.raises(psycopg.OperationalError, match=r"looking up db\.example takes longer than 1 s"):
        BoundedConnection.connect(host="db.example", connect_timeout=1)


def test_a_host_that_has_no_address_is_said_to_have_none():
    with pytest.raises(psycopg.OperationalError, match="cannot be looked up"):
        BoundedConnection.connect(host="db.invalid", connect_timeout=20)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "/nowhere"])
@pytest.mark.usefixtures("silent_resolver")
def test_what_is_an_address_or_a_folder_is_not_looked_up(host):
    with pytest.raises(psycopg.OperationalError, match="connection"):
        BoundedConnection.connect(host=host, port=1, connect_timeout=20)


def test_a_name_is_connected_to_by_its_address():
    with pytest.raises(psycopg.OperationalError, match=r"127\.0\.0\.1|::1"):
        BoundedConnection.connect(host="localhost", port=1, connect_timeout=20)

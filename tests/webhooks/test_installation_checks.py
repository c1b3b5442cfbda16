"""What `manage.py doctor` says of webhooks: keys and receivers."""

import socket

import pytest

from tests.factories import make_webhook
from webhooks import installation_checks
from webhooks.models import Subscription

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("connections to receivers")]


def test_a_receiver_that_answers_is_well_and_is_sent_nothing(receiver):
    make_webhook(url=receiver.url())
    assert list(installation_checks.receivers()) == []
    assert receiver.received == []


def test_a_receiver_that_refuses_connections_is_told_by_the_name_of_its_webhook():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        make_webhook(name="chat", url=f"http://127.0.0.1:{closed.getsockname()[1]}/hook")
        (found,) = installation_checks.receivers()
    assert "chat" in found.msg
    assert "refused" in found.msg


def test_a_receiver_that_the_settings_forbid_is_told():
    make_webhook(url="http://127.0.0.2/hook")
    (found,) = installation_checks.receivers()
    assert "BROKKR_WEBHOOK_ALLOWED_NETWORKS" in found.msg


def test_a_receiver_that_speaks_no_tls_is_told(receiver):
    make_webhook(url=receiver.url().replace("http://", "https://"))
    (found,) = installation_checks.receivers()
    assert found.id == "brokkr.webhook_receiver"


def test_a_receiver_that_never_answers_is_told_within_the_time(monkeypatch):
    monkeypatch.setattr(installation_checks, "_PATIENCE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        make_webhook(url=f"https://127.0.0.1:{silent.getsockname()[1]}/hook")
        (found,) = installation_checks.receivers()
    assert "no answer within 0.2 s" in found.msg


def test_a_webhook_that_is_switched_off_is_not_tried():
    make_webhook(url="http://127.0.0.2/hook")
    Subscription.objects.update(enabled=False)
    assert list(installation_checks.receivers()) == []


def test_what_cannot_be_decrypted_is_told(settings):
    make_webhook()
    settings.WEBHOOK_ENCRYPTION_KEYS = [bytes([9]) * 32]
    assert [message.id for message in installation_checks.receivers()] == ["brokkr.webhook_unreadable"]


def test_a_missing_key_is_told_once(settings):
    make_webhook()
    settings.WEBHOOK_ENCRYPTION_KEYS = []
    assert [message.id for message in installation_checks.encryption_key()] == ["brokkr.webhook_key"]
    assert list(installation_checks.receivers()) == []


def test_a_key_that_is_there_is_not_mentioned():
    assert list(installation_checks.encryption_key()) == []

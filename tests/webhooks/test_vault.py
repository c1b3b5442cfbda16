"""What is stored of webhooks: AES-256-GCM in the contract's format, with keys that can be changed."""

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.events import SYSTEM
from tests.factories import make_webhook
from tests.support.commands import audited, manage, refused_command
from webhooks.endpoints import open_endpoint
from webhooks.errors import WebhookKeyMissing, WebhookUnreadable
from webhooks.models import Subscription
from webhooks.services.subscriptions import delete_subscription
from webhooks.vault import open_text, seal_text

OLD, NEW = bytes([1]) * 32, bytes([2]) * 32


def test_the_format_is_version_nonce_ciphertext_and_tag():
    sealed = seal_text("https://hooks.example.com")
    assert sealed[:1] == b"\x01"
    assert len(sealed) == 1 + 12 + len("https://hooks.example.com") + 16
    assert AESGCM(bytes(32)).decrypt(sealed[1:13], sealed[13:], None) == b"https://hooks.example.com"


def test_the_same_text_is_never_sealed_twice_alike():
    assert seal_text("x") != seal_text("x")


def test_the_first_key_seals_and_each_opens(settings):
    settings.WEBHOOK_ENCRYPTION_KEYS = [OLD]
    earlier = seal_text("x")
    settings.WEBHOOK_ENCRYPTION_KEYS = [NEW, OLD]
    later = seal_text("x")
    assert open_text(earlier) == open_text(later) == "x"
    settings.WEBHOOK_ENCRYPTION_KEYS = [NEW]
    assert open_text(later) == "x"
    with pytest.raises(WebhookUnreadable):
        open_text(earlier)


@pytest.mark.parametrize("place", [0, 1, 13, -1])
def test_what_was_tampered_with_does_not_open(place):
    sealed = bytearray(seal_text("https://hooks.example.com"))
    sealed[place] ^= 1
    with pytest.raises(WebhookUnreadable):
        open_text(bytes(sealed))


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" + bytes(12), bytes(40)])
def test_what_was_never_sealed_does_not_open(sealed):
    with pytest.raises(WebhookUnreadable):
        open_text(sealed)


def test_without_a_key_nothing_is_sealed_or_opened(settings):
    sealed = seal_text("x")
    settings.WEBHOOK_ENCRYPTION_KEYS = []
    with pytest.raises(WebhookKeyMissing, match="BROKKR__BROKER__WEBHOOK_ENCRYPTION_KEY"):
        seal_text("x")
    with pytest.raises(WebhookKeyMissing):
        open_text(sealed)


@pytest.mark.django_db
def test_the_database_holds_no_url_header_or_secret_in_the_clear():
    webhook = make_webhook(url="http://127.0.0.1/in-the-clear", auth_header="Bearer in-the-clear")
    columns = Subscription.objects.filter(pk=webhook.pk).values_list().get()
    stored = b"".join(
        bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode() for value in columns
    )
    assert b"in-the-clear" not in stored
    assert b"whsec_" not in stored


@pytest.mark.django_db
def test_the_command_seals_with_the_first_key_so_that_the_other_can_go(settings, now):
    settings.WEBHOOK_ENCRYPTION_KEYS = [OLD]
    webhook = make_webhook(auth_header="Bearer x")
    gone = make_webhook()
    delete_subscription(subscription=gone, actor=SYSTEM)
    before = open_endpoint(webhook, now=now)
    settings.WEBHOOK_ENCRYPTION_KEYS = [NEW, OLD]
    assert manage("seal_webhooks").code == 0
    settings.WEBHOOK_ENCRYPTION_KEYS = [NEW]
    webhook.refresh_from_db()
    assert open_endpoint(webhook, now=now) == before
    assert audited("webhook.sealed_anew", "seal_webhooks").resource_id == webhook.id


@pytest.mark.django_db
def test_the_command_changes_nothing_when_a_key_is_missing(settings):
    settings.WEBHOOK_ENCRYPTION_KEYS = [OLD]
    make_webhook()
    settings.WEBHOOK_ENCRYPTION_KEYS = [NEW]
    refused_command(manage("seal_webhooks"), 1, "BROKKR__BROKER__WEBHOOK_ENCRYPTION_KEY")
    settings.WEBHOOK_ENCRYPTION_KEYS = []
    refused_command(manage("seal_webhooks"), 1, "BROKKR__BROKER__WEBHOOK_ENCRYPTION_KEY")

"""Signatures, as the reference library of Standard Webhooks verifies them."""

import pytest
from django.utils import timezone
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from webhooks.signing import new_secret, signature_headers

BODY = '{"data":{"name":"Grüße"}}'.encode()


def headers(*secrets: str) -> dict[str, str]:
    return signature_headers(message_id="msg", at=timezone.now(), body=BODY, secrets=secrets)


def test_the_library_accepts_the_signature():
    secret = new_secret()
    assert Webhook(secret).verify(BODY, headers(secret)) == {"data": {"name": "Grüße"}}


def test_with_two_secrets_either_of_them_verifies_and_a_third_does_not():
    old, new, other = new_secret(), new_secret(), new_secret()
    signed = headers(new, old)
    for secret in (old, new):
        Webhook(secret).verify(BODY, signed)
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(BODY, signed)


@pytest.mark.parametrize("change", [{"webhook-id": "other"}, {"webhook-timestamp": "1"}])
def test_id_and_time_are_signed_too(change):
    secret = new_secret()
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY, headers(secret) | change)


def test_secrets_are_random_and_of_the_length_that_the_standard_wants():
    secrets = {new_secret() for _ in range(10)}
    assert len(secrets) == 10
    assert all(secret.startswith("whsec_") and len(secret) == len("whsec_") + 44 for secret in secrets)

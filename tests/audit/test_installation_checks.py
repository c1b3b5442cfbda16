"""What `manage.py doctor` says of the key that signs the audit log."""

from audit.installation_checks import signing_key


def test_a_missing_signing_key_is_told(settings):
    settings.AUDIT_SIGNING_KEYS = []
    assert [message.id for message in signing_key()] == ["brokkr.audit_key"]


def test_a_signing_key_that_is_there_is_not_mentioned():
    assert list(signing_key()) == []

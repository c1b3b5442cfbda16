"""What `manage.py doctor` says of admin keys."""

import pytest

from paks import installation_checks
from paks.models import Pak

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("keys that lack or are public")]


def test_no_admin_key_is_told():
    assert [message.id for message in installation_checks.admin_key()] == ["brokkr.admin_key"]


def test_an_admin_key_that_works_is_enough(admin):
    assert list(installation_checks.admin_key()) == []
    assert list(installation_checks.development_key()) == []


def test_the_public_development_key_is_told(admin, settings):
    Pak.objects.update(key_hash=settings.DEVELOPMENT_PAK_HASH)
    assert [message.id for message in installation_checks.development_key()] == ["brokkr.development_key"]

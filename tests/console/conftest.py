import pytest
from django.contrib.auth.models import User


@pytest.fixture
def astrid(settings, db: None) -> User:
    """Somebody who may log in with "the right one", from an address that may fail three times."""
    settings.AXES_FAILURE_LIMIT = 3
    return User.objects.create_superuser("astrid", password="the right one")

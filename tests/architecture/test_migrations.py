"""The migrations lead to the models."""

import io

import pytest
from django.core.management import call_command


@pytest.mark.django_db
def test_no_model_has_a_change_without_a_migration():
    output = io.StringIO()
    call_command("makemigrations", check=True, dry_run=True, stdout=output)
    assert output.getvalue().strip() == "No changes detected"

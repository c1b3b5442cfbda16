"""What keys tell the OpenAPI generator and `manage.py doctor`. What is imported here registers itself."""

from paks import installation_checks
from paks.api import schema

__all__ = ["installation_checks", "schema"]

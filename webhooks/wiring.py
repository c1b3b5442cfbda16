"""What webhooks tell `manage.py doctor`: importing the checks registers them."""

from webhooks import installation_checks

__all__ = ["installation_checks"]

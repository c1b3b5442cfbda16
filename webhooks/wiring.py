"""What webhooks tell `manage.py doctor`, whose checks are registered when they are imported, and the audit log."""

from core.events import register_question_of_hearing
from webhooks import installation_checks
from webhooks.services.outbox import question_of_listeners

__all__ = ["installation_checks"]

register_question_of_hearing(question_of_listeners)

"""What the audit log lacks."""

from collections.abc import Iterator

from django.conf import settings
from django.core.checks import CheckMessage, Error

from core.installation_checks import register_process_check


@register_process_check
def signing_key() -> Iterator[CheckMessage]:
    """The key without which web processes and workers do not start."""
    if not settings.AUDIT_SIGNING_KEYS:
        yield Error(
            "BROKKR_AUDIT_SIGNING_KEY is not set, so neither web nor worker starts.",
            hint="Set it to 64 hex digits (`openssl rand -hex 32`), or run `manage.py bootstrap --with-audit-key`.",
            id="brokkr.audit_key",
        )

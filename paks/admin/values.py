"""What pages say of a key: whether it works and until when, where it was used, what it may do."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timeuntil

from core import clock
from core.admin import ago, badge, counted
from paks.models import Pak


def state_badge(pak: Any) -> SafeString:
    """Whether the key works, and how long it still does. The row must come from `with_usable`."""
    if pak.revoked_at is not None:
        return badge("revoked", "bad")
    if not pak.is_usable:
        return badge("ended", "bad")
    if pak.ends_at is None:
        return badge("usable", "good")
    now = clock.now()
    words = f"ends in {timeuntil(pak.ends_at, now, depth=1)}"
    if pak.is_replaced:
        return format_html("{} {}", badge("replaced"), badge(words, "wait"))
    is_soon = pak.ends_at <= now + timedelta(days=settings.KEY_WARNING_DAYS)
    return badge(words, "wait" if is_soon else "good")


def use_words(pak: Pak) -> SafeString | str:
    """When and from where the key was last used."""
    if pak.last_used_at is None:
        return "never"
    if not pak.last_used_address:
        return ago(pak.last_used_at) or "never"
    return format_html("{} from {}", ago(pak.last_used_at), pak.last_used_address)


def limits_words(pak: Pak) -> str | None:
    """What the key is limited to; None for a key without limits."""
    if pak.is_read_only:
        return "reading"
    if not pak.limits:
        return None
    stacks, labels = pak.limits["stacks"], pak.limits["labels"]
    words = [counted(len(stacks), "stack")] if stacks else []
    words += [f"stacks labelled {label}" for label in labels]
    return ", ".join(words)

"""The keys of one owner, as a table on a page of the owner."""

from typing import Any
from uuid import UUID

from django.urls import reverse

from core.admin import ago, link
from paks.admin.values import limits_words, state_badge, use_words
from paks.models import Pak, Role

_SHOWN = 50


def keys_of_owner(role: Role, owner_id: UUID) -> dict[str, Any]:
    """The context of paks/admin/owned_keys.html: the keys that work, the newest first. One query."""
    rows: Any = Pak.objects.of_subject(role, owner_id).usable().with_usable().order_by("-created_at", "-id")
    return {
        "keys": {
            "headers": ["Key", "State", "Limited to", "Last used", "Made"],
            "rows": [
                [
                    link("paks_pak_change", pak.name, pak.pk),
                    state_badge(pak),
                    limits_words(pak) or "-",
                    use_words(pak),
                    ago(pak.created_at),
                ]
                for pak in rows[:_SHOWN]
            ],
        },
        "all_keys_url": f"{reverse('admin:paks_pak_changelist')}?subject_id__exact={owner_id}&revoked=all",
    }

"""How the search of the admin finds keys: by their id, which the audit log names."""

from collections.abc import Sequence

from django.urls import reverse

from core.admin.finders import Hit, is_id, register_finder
from paks.models import Pak


def _keys(text: str, limit: int) -> Sequence[Hit]:
    by = is_id(text)
    if by is None:
        return []
    return [
        Hit(
            row.name,
            row.role if row.revoked_at is None else f"{row.role}, revoked",
            reverse("admin:paks_pak_change", args=[row.pk]),
        )
        for row in Pak.objects.filter(by)[:limit]
    ]


register_finder("Keys", _keys, "paks.view_pak")

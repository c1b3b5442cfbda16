"""Names of the rows of a job."""

from collections.abc import Sequence
from uuid import UUID

from django.apps import apps
from django.contrib import admin

from core.admin import BaseAdmin


def names_of(model: str, ids: Sequence[UUID]) -> dict[UUID, str]:
    """What the pages of the model call these rows, in the order of the ids; of rows that are gone, the id."""
    pages = admin.site._registry[apps.get_model(model)]
    rows = pages.model._default_manager.in_bulk(ids)
    if isinstance(pages, BaseAdmin):
        pages.prepare(list(rows.values()))
        return {pk: pages.name_of(rows[pk]) if pk in rows else str(pk) for pk in ids}
    return {pk: str(rows.get(pk, pk)) for pk in ids}

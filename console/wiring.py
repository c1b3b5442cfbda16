"""Django's checks of the admin's pages, which by themselves find no pages where no routes have been loaded."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.contrib import admin
from django.contrib.admin.checks import check_admin_app
from django.core.checks import CheckMessage, Tags, register


@register(Tags.admin)
def check_pages(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """What is wrong with the pages, all of which it loads."""
    admin.autodiscover()
    return check_admin_app(app_configs, **options)

"""The admin's pages of templates: read-only pages of versions, and an editor with a preview that adds versions."""

from templates_app.admin import finders
from templates_app.admin.templates import TemplateAdmin

__all__ = ["TemplateAdmin", "finders"]

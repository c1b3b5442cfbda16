"""The operator's pages of templates: versions that only read, and an editor with a live preview that adds them."""

from templates_app.admin.templates import TemplateAdmin

__all__ = ["TemplateAdmin"]

"""The template language: Tera 1.20, rendered within a budget and without access to anything but JSON.

The package raises two errors: TemplateSyntaxError when compiling, and TemplateRenderError when rendering.
"""

from tera.engine import Template, compile_template, template_for
from tera.errors import TemplateError, TemplateRenderError, TemplateSyntaxError

__all__ = [
    "Template",
    "TemplateError",
    "TemplateRenderError",
    "TemplateSyntaxError",
    "compile_template",
    "template_for",
]

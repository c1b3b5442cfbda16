"""Short ways to render, for the tests of the template language."""

import pytest

from tera import TemplateRenderError, TemplateSyntaxError, compile_template


def render(template: str, **parameters: object) -> str:
    return compile_template(template).render(parameters)


def syntax_error(template: str) -> TemplateSyntaxError:
    with pytest.raises(TemplateSyntaxError) as caught:
        compile_template(template)
    return caught.value


def render_error(template: str, parameters: object = None) -> TemplateRenderError:
    compiled = compile_template(template)
    with pytest.raises(TemplateRenderError) as caught:
        compiled.render(parameters)
    return caught.value

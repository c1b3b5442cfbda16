"""Compiles templates, keeps the compiled ones, and renders them."""

import hashlib
import logging
from collections import OrderedDict
from threading import Lock
from typing import Final

from tera import limits
from tera.errors import Failure, TemplateRenderError, TemplateSyntaxError
from tera.parser import Parser
from tera.program import Program, program_of
from tera.runtime import Runtime
from tera.scanner import Lines
from tera.values import context_from, is_unicode

logger = logging.getLogger(__name__)

CACHED_TEMPLATES: Final = 256


class Template:
    """A compiled template, which any number of threads can render at the same time."""

    def __init__(self, program: Program, lines: Lines) -> None:
        self._program = program
        self._lines = lines

    def render(self, parameters: object) -> str:
        """Return the text for `parameters`. If they are an object, its members become variables.

        Any other value gives no variables. Raises TemplateRenderError.
        """
        try:
            return Runtime(self._program, context_from(parameters)).render()
        except Failure as failure:
            line, column = self._lines.at(failure.position or 0)
            raise TemplateRenderError(failure.message, line, column) from None
        except RecursionError:
            # Depths are bounded one by one, but their sum depends on how deep the caller already is.
            raise TemplateRenderError("The template nests macros and expressions too deeply.") from None


def compile_template(source: str) -> Template:
    """Compile `source`.

    Raises TemplateSyntaxError, also for filters, tests and functions that do not exist.
    """
    if len(source) > limits.MAX_SOURCE_CHARACTERS:
        raise TemplateSyntaxError(f"The template is longer than {limits.MAX_SOURCE_CHARACTERS} characters.")
    if not is_unicode(source):
        raise TemplateSyntaxError("The template holds half of a surrogate pair, which is not Unicode text.")
    parser = Parser(source)
    try:
        program = program_of(parser.parse(), parser.scanner.lines)
    except RecursionError:
        # Depths are bounded one by one, but their sum depends on how deep the caller already is.
        raise TemplateSyntaxError("The template is nested too deeply.") from None
    for position in parser.expressions.effective_negations:
        line, column = parser.scanner.lines.at(position)
        logger.info(
            "Template line %d, column %d: `not` is applied here, where Tera ignores it.", line, column
        )
    return Template(program, parser.scanner.lines)


class _Cache:
    """The templates that were used last, by the digest of their source."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._templates: OrderedDict[bytes, Template] = OrderedDict()
        self._lock = Lock()

    def get(self, source: str) -> Template:
        digest = hashlib.sha256(source.encode("utf-8", "surrogatepass")).digest()
        with self._lock:
            if (template := self._templates.get(digest)) is not None:
                self._templates.move_to_end(digest)
                return template
        # Outside the lock, two threads may compile the same source. That is better than waiting for each other.
        template = compile_template(source)
        with self._lock:
            self._templates[digest] = template
            while len(self._templates) > self._size:
                self._templates.popitem(last=False)
        return template


_cache: Final = _Cache(CACHED_TEMPLATES)


def template_for(source: str) -> Template:
    """Return the compiled template, from the cache if it is there. Raises TemplateSyntaxError."""
    return _cache.get(source)

"""Reads the source of a template: a position, and the few ways to move it forward."""

import re
from bisect import bisect_right
from typing import NoReturn

from tera.errors import TemplateSyntaxError

_SPACE = re.compile(r"[ \t\r\n]*")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Lines:
    """Turns offsets in a source into lines and columns, both counted from 1."""

    def __init__(self, source: str) -> None:
        self._starts = [0, *(match.end() for match in re.finditer("\n", source))]

    def at(self, position: int) -> tuple[int, int]:
        line = bisect_right(self._starts, position)
        return line, position - self._starts[line - 1] + 1


class Scanner:
    """A cursor over the source. What it reads depends on the grammar, so there are no tokens."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.position = 0
        self.lines = Lines(source)

    def at_end(self) -> bool:
        return self.position >= len(self.source)

    def at(self, *texts: str) -> bool:
        """Tell whether one of `texts` comes next."""
        return self.source.startswith(texts, self.position)

    def take(self, text: str) -> bool:
        """Step over `text` if it comes next."""
        if not self.source.startswith(text, self.position):
            return False
        self.position += len(text)
        return True

    def expect(self, text: str) -> None:
        if not self.take(text):
            self.fail(f"Expected `{text}`")

    def match(self, pattern: re.Pattern[str]) -> str | None:
        """Step over what `pattern` matches here, and return it."""
        found = pattern.match(self.source, self.position)
        if found is None:
            return None
        self.position = found.end()
        return found.group()

    def space(self) -> bool:
        """Step over white space, and tell whether there was any."""
        return bool(self.match(_SPACE))

    def expect_space(self) -> None:
        if not self.space():
            self.fail("Expected white space")

    def identifier(self) -> str:
        name = self.match(_IDENTIFIER)
        if name is None:
            self.fail("Expected a name")
        return name

    def string(self) -> str | None:
        """Step over a quoted string, in which nothing is an escape, and return what it holds."""
        quote = self.source[self.position : self.position + 1]
        if quote not in {'"', "'", "`"}:
            return None
        end = self.source.find(quote, self.position + 1)
        if end == -1:
            self.fail("This string is not closed")
        text = self.source[self.position + 1 : end]
        self.position = end + 1
        return text

    def fail(self, message: str, position: int | None = None) -> NoReturn:
        """Refuse the template here or at `position`."""
        line, column = self.lines.at(self.position if position is None else position)
        raise TemplateSyntaxError(f"{message}.", line, column)

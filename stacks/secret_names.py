"""Finds what a template brings into its Secrets: the names of their values, and the texts given to these names. Pure.

A name counts wherever the template uses it, so that no text is missed; some are found that never get into a Secret.
"""

import re
from collections.abc import Iterator
from typing import Final

from stacks.located_yaml import TAG, Span, without_tags
from stacks.secret_places import secret_spans

_TEXT: Final = re.compile(r'"[^"]*"|\'[^\']*\'|`[^`]*`')
_WORDS: Final = (
    "and|else|elif|endfor|endif|endmacro|false|filter|for|if|in|is|loop|macro|not|or|self|set|set_global|true"
)
# Neither a filter, nor a field of something, nor the name of an argument.
_NAME: Final = re.compile(rf"(?<![\w.|])(?<!\|[ ])(?!(?:{_WORDS})\b)[A-Za-z_]\w*(?!\w|[ ]*=(?!=))")
# The tags that give values to names, up to the last of these names.
_GIVING: Final = re.compile(
    r"\{%-?\s*(?:set(?:_global)?\s+(?P<set>\w+)\s*=|for\s+(?P<for>\w+(?:\s*,\s*\w+)?)\s+in\s|macro\s+(?P<macro>\w+))"
)
# Everything that the template is given.
_ALL: Final = "__tera_context"


def secret_names(source: str) -> frozenset[str] | None:
    """The parameters, variables and macros of a template whose values may get into a Secret; None means all."""
    spans = secret_spans(without_tags(source), source)
    if spans is None:
        return None
    names = {
        name
        for start, end, _ in spans
        for tag in TAG.finditer(source, start, end)
        for name in _names_in(tag[0])
    }
    given = [(_given_by(tag[0]), _names_in(tag[0])) for tag in TAG.finditer(source)]
    found = None
    while found != len(names):
        found = len(names)
        for by, others in given:
            if by & names:
                names |= others
    return None if _ALL in names else frozenset(names)


def texts_given(source: str, names: frozenset[str] | None) -> Iterator[Span]:
    """The texts in those tags of a template that use one of the names, with their quotes. None means all names."""
    for tag in TAG.finditer(source) if names is None or names else ():
        if not tag[0].startswith("{#") and (names is None or _names_in(tag[0]) & names):
            yield from (text.span() for text in _TEXT.finditer(source, *tag.span()) if len(text[0]) > 2)


def _names_in(tag: str) -> set[str]:
    return {*_given_by(tag), *_NAME.findall(_TEXT.sub(" ", tag))}


def _given_by(tag: str) -> set[str]:
    found = _GIVING.match(tag)
    return set(re.findall(r"\w+", found[found.lastgroup])) if found and found.lastgroup else set()

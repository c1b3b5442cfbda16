"""Keys that are too long for agents, though not for our parser. Pure.

YAML allows 1,024 characters from the beginning of a key without `?` to its colon. Agents' parser counts bytes.
"""

import re
from collections.abc import Iterator
from typing import Final

import yaml

from stacks.manifests.findings import ManifestError
from stacks.manifests.syntax import BOM, index_of, line_of

MAX_BYTES: Final = 1_024
# Only a line like this may have such a key; a character has at most four bytes.
_LONG_LINE: Final = re.compile(rf"[^\n\r\x85\u2028\u2029]{{{MAX_BYTES // 4},}}")


def refuse_long_keys(text: str) -> None:
    """Raise ManifestError for the first key of more than MAX_BYTES bytes. The text has been read without an error."""
    if text.isascii() or not any(len(line[0].encode()) > MAX_BYTES for line in _LONG_LINE.finditer(text)):
        return
    # As `reading` does: PyYAML drops one byte order mark, and agents do not.
    document = 0
    for start, end, line, document in _keys(BOM + text):
        if len(text[start:end].encode()) > MAX_BYTES:
            problem = f"a key has more than {MAX_BYTES:,} bytes, which agents cannot read; shorten it."
            raise ManifestError(problem, document=document, line=line)


def _keys(text: str) -> Iterator[tuple[int, int, int | None, int]]:
    """Of each key without `?` where it begins, where its colon is, the line and the number of the document."""
    begun: list[tuple[int, yaml.Token]] = []
    depth = document = 0
    is_open = False
    for token in yaml.scan(text, Loader=yaml.CBaseLoader):
        kind = type(token)
        if kind in {yaml.DocumentStartToken, yaml.DocumentEndToken, yaml.DirectiveToken}:
            is_open = kind is yaml.DocumentStartToken
            document += is_open
            continue
        if not is_open and kind not in {yaml.StreamStartToken, yaml.StreamEndToken}:
            is_open = True
            document += 1
        if kind in {yaml.FlowMappingStartToken, yaml.FlowSequenceStartToken}:
            depth += 1
        elif kind in {yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken}:
            depth -= 1
        elif kind is yaml.KeyToken and index_of(token.start_mark) == index_of(token.end_mark):
            begun.append((depth, token))
        # Between the beginning of such a key and its colon, other colons are deeper.
        elif kind is yaml.ValueToken and begun and begun[-1][0] == depth:
            _, key = begun.pop()
            yield index_of(key.start_mark), index_of(token.start_mark), line_of(key.start_mark), document

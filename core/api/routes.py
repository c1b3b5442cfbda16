"""Finds the route of a path quickly.

Django tries one pattern after another, which for the last of a hundred takes longer than to answer the call.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from django.urls import Resolver404, ResolverMatch, URLPattern, URLResolver
from django.urls.resolvers import RoutePattern


class WordResolver(URLResolver):
    """Routes below a prefix, each made by `path`. It tries only those that begin with the first word of the path.

    `patterns` may hold lists that are included without a prefix. Its last pattern takes what no route takes.
    """

    def __init__(self, prefix: str, patterns: Iterable[URLPattern | URLResolver]) -> None:
        *routes, self._otherwise = _flat(patterns)
        super().__init__(RoutePattern(prefix, is_endpoint=False), [*routes, self._otherwise])
        self._by_word: dict[str, list[URLPattern]] = defaultdict(list)
        for route in routes:
            self._by_word[_first_word(str(route.pattern))].append(route)

    def resolve(self, path: Any) -> ResolverMatch:
        """The route of a path. Raises Resolver404 for a path without the prefix."""
        matched = self.pattern.match(str(path))
        if matched is None:
            raise Resolver404({"path": path})
        rest = matched[0]
        for route in (*self._by_word.get(_first_word(rest), ()), self._otherwise):
            found: ResolverMatch | None = route.resolve(rest)
            if found is not None:
                return found
        raise Resolver404({"path": path})


def _flat(patterns: Iterable[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _flat(pattern.url_patterns)
        else:
            yield pattern


def _first_word(path: str) -> str:
    return path.partition("/")[0]

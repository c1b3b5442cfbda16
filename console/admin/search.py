"""The search of the whole admin: one text, results in groups."""

from itertools import count
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from core.admin.finders import HITS_SHOWN, MIN_CHARACTERS, finders

_MAX_CHARACTERS = 200


@never_cache
def search_view(request: HttpRequest) -> HttpResponse:
    """The results for `s` that the user may see, as a part of a page."""
    text = request.GET.get("s", "").strip()[:_MAX_CHARACTERS].replace("\0", "")
    numbers = count(1)
    groups: list[tuple[str, list[tuple[int, Any]]]] = []
    if len(text) >= MIN_CHARACTERS:
        for finder in finders():
            hits = finder.find(text, HITS_SHOWN) if request.user.has_perm(finder.permission) else ()
            if hits:
                groups.append((finder.title, [(next(numbers), hit) for hit in hits]))
    found = sum(len(hits) for _, hits in groups)
    return render(request, "unfold/helpers/command_results.html", {"groups": groups, "count": found})

"""Searching for the regular expressions of schemas, on one of two engines.

Patterns run on the linear engine if it can search for them. Only patterns with look-arounds or back-references run on
an engine that backtracks: on short texts and for a limited time, which is charged to the budget.
"""

import time
from functools import lru_cache
from typing import Any, Final

import regex  # type: ignore[import-untyped]  # it has no types

from parameter_schemas.ecma import EcmaPattern, read_ecma
from tera.errors import Failure, OverBudget
from tera.limits import MAX_SECONDS, MAX_STEPS, Budget
from tera.patterns import check_size, compile_pattern, matches

MAX_BACKTRACKED_CHARACTERS = 10_000
MAX_BACKTRACKING_SECONDS = 0.2
_STEPS_PER_SECOND: Final = MAX_STEPS / MAX_SECONDS


def check_pattern(pattern: str) -> None:
    """Return if `pattern` can be searched for. Raises Failure, and OverBudget for a very large pattern."""
    ecma = read_ecma(pattern)
    if ecma.needs_backtracking:
        _backtracking(ecma)
    else:
        compile_pattern(ecma.linear)


def found(pattern: str, text: str, budget: Budget) -> bool:
    """Tell whether `pattern` matches anywhere in `text`. Raises OverBudget."""
    ecma = read_ecma(pattern)
    if not ecma.needs_backtracking:
        return matches(ecma.linear, text, budget)
    if len(text) > MAX_BACKTRACKED_CHARACTERS:
        raise OverBudget(
            f"A regular expression that looks around or refers back is searched for in at most "
            f"{MAX_BACKTRACKED_CHARACTERS} characters."
        )
    compiled = _backtracking(ecma)
    begin = time.thread_time()
    try:
        match = compiled.search(text, concurrent=True, timeout=MAX_BACKTRACKING_SECONDS)
    except TimeoutError:
        raise OverBudget("The regular expression takes too long to search this text for.") from None
    finally:
        budget.step(1 + int((time.thread_time() - begin) * _STEPS_PER_SECOND))
    return match is not None


@lru_cache(maxsize=64)
def _backtracking(ecma: EcmaPattern) -> Any:
    check_size(ecma.backtracking)
    try:
        return regex.compile(ecma.backtracking, regex.VERSION0 | regex.ASCII)
    except regex.error as error:
        raise Failure(f"The regular expression is not valid: {error.msg}.") from None

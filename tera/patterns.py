"""Regular expressions in the syntax and with the Unicode rules of Rust, searched in linear time.

The engine is the one inside pydantic-core, the same library Tera uses. It never backtracks, but a pattern
may still be large: the work of a search is estimated beforehand as the size of the expanded pattern times
the length of the text.
"""

import re
from functools import lru_cache
from typing import Final

from pydantic_core import SchemaError, SchemaValidator, core_schema

from tera.errors import Failure, OverBudget
from tera.limits import Budget

MAX_PATTERN_CHARACTERS = 2_000
# The engine keeps the patterns compiled last: a hundred of this weight take some 200 MB.
MAX_PATTERN_WEIGHT = 6_500
MAX_SEARCH_WORK = 20_000_000
_WORK_PER_STEP = 64

_REPETITION = re.compile(r"\{([0-9]{1,9})(?:,([0-9]{0,9}))?\}")
_BRACED_ESCAPE = re.compile(r"\\[xuUpP]\{[^}]*\}")
# The classes of Unicode word characters alone take hundreds of states; most others take a few.
_CLASS_WEIGHTS: Final = {"w": 100, "W": 100, "p": 100, "P": 100, "d": 20, "D": 20, "s": 20, "S": 20}
_CACHED_WEIGHT = 1_000
_ALLOCATION_PER_WEIGHT = 100


class InvalidPattern(Failure):
    """The pattern is not a regular expression of this engine."""


class Pattern:
    """A compiled regular expression that can be searched for."""

    def __init__(self, pattern: str) -> None:
        self.weight = _weight(pattern)
        schema = core_schema.str_schema(pattern=pattern, regex_engine="rust-regex")
        try:
            self._validator = SchemaValidator(schema)
        except SchemaError as error:
            raise InvalidPattern(f"The regular expression is not valid: {_reason(error)}.") from None

    def found_in(self, text: str) -> bool:
        """Tell whether the pattern matches anywhere in `text`. Raises OverBudget."""
        if self.weight * len(text) > MAX_SEARCH_WORK:
            raise OverBudget("The regular expression is too large to search this text for.")
        return self._validator.isinstance_python(text)


def compile_pattern(pattern: str) -> Pattern:
    """Return the compiled pattern. Raises InvalidPattern, and OverBudget for a very large one."""
    return _cached(pattern) if check_size(pattern) <= _CACHED_WEIGHT else Pattern(pattern)


def check_size(pattern: str) -> int:
    """Return the weight of a pattern that is not too large. Raises OverBudget."""
    if len(pattern) > MAX_PATTERN_CHARACTERS:
        raise OverBudget(f"A regular expression is longer than {MAX_PATTERN_CHARACTERS} characters.")
    weight = _weight(pattern)
    if weight > MAX_PATTERN_WEIGHT:
        raise OverBudget("A regular expression repeats too much.")
    return weight


@lru_cache(maxsize=64)
def _cached(pattern: str) -> Pattern:
    return Pattern(pattern)


def matches(pattern: str, text: str, budget: Budget) -> bool:
    """Search `text` for `pattern` and account for the work."""
    compiled = budget.patterns.get(pattern)
    if compiled is None:
        compiled = compile_pattern(pattern)
        budget.allocate(compiled.weight * _ALLOCATION_PER_WEIGHT)
        budget.patterns[pattern] = compiled
    found = compiled.found_in(text)
    budget.step(1 + compiled.weight * (len(text) + 10) // _WORK_PER_STEP)
    return found


def _reason(error: SchemaError) -> str:
    # The last line of the engine's message is the sentence, the ones before it draw the place.
    line = str(error).strip().splitlines()[-1].strip()
    return line.removeprefix("error:").removeprefix("SchemaError:").strip().rstrip(".")


def _weight(pattern: str) -> int:
    """Estimate how many states the pattern has once its counted repetitions are written out."""
    totals = [1]
    last = 0
    position = 0
    while position < len(pattern):
        character = pattern[position]
        if character == "\\":
            last = _CLASS_WEIGHTS.get(pattern[position + 1 : position + 2], 1)
            totals[-1] += last
            braced = _BRACED_ESCAPE.match(pattern, position)
            position = braced.end() if braced else position + 2
            continue
        if character == "{" and (repetition := _REPETITION.match(pattern, position)):
            count = int(repetition.group(2) or repetition.group(1)) + 1
            totals[-1] += last * count
            last *= count
            position = repetition.end()
            continue
        if character == "(":
            totals.append(1)
        elif character == ")" and len(totals) > 1:
            last = totals.pop()
            totals[-1] += last
        elif character not in "*+?|":
            last = 8 if character in ".[^" else 2
            totals[-1] += last
        position += 1
    return sum(totals)

"""What a template may use: fixed limits, and the budget one rendering spends."""

import time
from typing import TYPE_CHECKING

from tera.errors import OverBudget

if TYPE_CHECKING:
    from tera.patterns import Pattern

MAX_SOURCE_CHARACTERS = 256 * 1024
MAX_TAGS = 3_000
MAX_EXPRESSIONS = 12_000
MAX_EXPRESSION_DEPTH = 40
MAX_BLOCK_DEPTH = 32
MAX_LOOP_DEPTH = 16

MAX_PARAMETER_VALUES = 100_000
MAX_PARAMETER_CHARACTERS = 4 * 1024 * 1024
MAX_VALUE_DEPTH = 128

MAX_MACRO_DEPTH = 40
MAX_RANGE_ITEMS = 100_000
MAX_STRING_CHARACTERS = 1024 * 1024
MAX_OUTPUT_CHARACTERS = 4 * 1024 * 1024
MAX_KEY_CHARACTERS = 4096
MAX_STEPS = 1_000_000
# Characters of every string and a share for every array element made while rendering, kept or not.
MAX_ALLOCATION = 8 * 1024 * 1024
ITEM_ALLOCATION = 8
MAX_SECONDS = 0.7

_STEPS_BETWEEN_CLOCK_READINGS = 256


class Budget:
    """Counts what one rendering does, and stops it with a message if it does too much.

    The time is processor time of this thread, so that a busy server does not fail innocent templates.
    """

    def __init__(self) -> None:
        # Nodes add to it directly. Loops and calls, which repeat nodes, use `step`, which checks the limits.
        self.steps = 0
        self._next_reading = _STEPS_BETWEEN_CLOCK_READINGS
        self._allocated = 0
        self._output = 0
        self.patterns: dict[str, Pattern] = {}
        # The time begins at the first reading, because reading the clock takes as long as a small template.
        self._deadline: float | None = None

    def step(self, count: int = 1) -> None:
        """Account for `count` small operations."""
        self.steps += count
        if self.steps >= self._next_reading:
            self._read_clock()

    def _read_clock(self) -> None:
        self._next_reading = self.steps + _STEPS_BETWEEN_CLOCK_READINGS
        if self.steps > MAX_STEPS:
            raise OverBudget(f"The template does more than {MAX_STEPS} steps.")
        now = time.thread_time()
        if self._deadline is None:
            self._deadline = now + MAX_SECONDS
        if now > self._deadline:
            raise OverBudget(f"The template takes longer than {MAX_SECONDS:g} s to render.")

    def string(self, characters: int) -> None:
        """Account for a string before it is made, or after it is made if its size was limited already."""
        if characters > MAX_STRING_CHARACTERS:
            raise OverBudget(f"A text would be longer than {MAX_STRING_CHARACTERS} characters.")
        self.allocate(characters)

    def items(self, count: int) -> None:
        """Account for array elements or object members before they are made."""
        self.allocate(count * ITEM_ALLOCATION)

    def allocate(self, amount: int) -> None:
        """Account for memory, in characters."""
        self._allocated += amount
        if self._allocated > MAX_ALLOCATION:
            raise OverBudget("The template makes too many large values.")
        # Copying a kilobyte costs about as much as one step.
        if amount >= 1024:
            self.step(amount >> 10)

    def output(self, characters: int) -> None:
        """Account for text that was written, to the result or to a macro's text."""
        self._output += characters
        if self._output > MAX_OUTPUT_CHARACTERS:
            raise OverBudget(f"The rendered text is longer than {MAX_OUTPUT_CHARACTERS} characters.")

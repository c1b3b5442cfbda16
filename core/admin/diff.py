"""Two texts side by side. The texts may come from anybody, so the work is bounded."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import Match, SequenceMatcher
from itertools import accumulate
from typing import Final

from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.admin.code import split_lines

CONTEXT: Final = 3
MAX_ROWS: Final = 4_000
# The budget: comparisons of two lines, each about a microsecond. When it is spent, the rest counts as different.
MAX_STEPS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Side:
    """A text as it is shown, and its lines as they are compared. The two differ where values are masked."""

    lines: Sequence[str]
    compared: Sequence[str]
    # The whole compared text, with its line ends.
    text: str

    @classmethod
    def of(cls, shown: str, compared: str | None = None) -> "Side":
        """`compared` must have as many lines as `shown`."""
        lines = split_lines(shown)
        return cls(
            lines,
            lines if compared is None else split_lines(compared),
            shown if compared is None else compared,
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: numbers count from 1, None where that side has no line here.

    A row that skips equal lines has their number in `skipped`. `is_hidden` is true for a changed row whose texts look
    the same because the change is masked.
    """

    old_number: int | None = None
    new_number: int | None = None
    old: SafeString | str = ""
    new: SafeString | str = ""
    has_changed: bool = False
    is_hidden: bool = False
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Diff:
    rows: list[Row] = field(default_factory=list)
    added: int = 0
    removed: int = 0
    # Whether rows beyond the limit were left out.
    is_cut: bool = False
    # No line differs, but the texts do: in their line ends.
    only_line_ends: bool = False

    @property
    def changes(self) -> int:
        return self.added + self.removed


def compare(old: Side, new: Side) -> Diff:
    """The changes with some equal lines around them."""
    blocks = _Matcher(old.compared, new.compared).blocks()
    rows: list[Row] = []
    added = removed = 0
    for tag, old_start, old_end, new_start, new_end in _opcodes(blocks):
        if tag == "equal":
            rows += _equal(old, new, range(old_start, old_end), new_start - old_start)
            continue
        changed = list(_changed(old, new, range(old_start, old_end), range(new_start, new_end)))
        removed += sum(row.has_changed and row.old_number is not None for row in changed)
        added += sum(row.has_changed and row.new_number is not None for row in changed)
        rows += changed
    return Diff(
        rows[:MAX_ROWS],
        added,
        removed,
        is_cut=len(rows) > MAX_ROWS,
        only_line_ends=not added and not removed and old.text != new.text,
    )


def diff_table(old: Side, new: Side, *, old_title: object, new_title: object) -> SafeString:
    """The comparison as HTML."""
    context = {"diff": compare(old, new), "old_title": old_title, "new_title": new_title}
    return SafeString(render_to_string("core/admin/diff.html", context))


def diff_text(old: Side, new: Side, *, limit: int) -> list[str]:
    """The comparison as lines that begin with a blank, `-` or `+`, at most `limit` of them.

    Of equal lines only those beside a change are there; a line `…` stands for the others.
    """
    lines: list[str] = []
    for row in compare(old, new).rows:
        if row.skipped:
            lines.append("…")
        elif not row.has_changed:
            lines.append(f" {new.lines[(row.new_number or 1) - 1]}")
        else:
            lines += [f"-{old.lines[row.old_number - 1]}"] if row.old_number else []
            lines += [f"+{new.lines[row.new_number - 1]}"] if row.new_number else []
    return lines if len(lines) <= limit else [*lines[:limit], "…"]


class _Matcher(SequenceMatcher[str]):
    """Finds equal blocks until the budget is spent."""

    def __init__(self, old: Sequence[str], new: Sequence[str]) -> None:
        # Most versions differ in a few lines, so strip the equal beginning and end first, which is cheap.
        self._start = _common(old, new)
        end = _common(old[self._start :][::-1], new[self._start :][::-1])
        self._old_size, self._new_size, self._end = len(old), len(new), end
        inner_old, inner_new = old[self._start : len(old) - end], new[self._start : len(new) - end]
        super().__init__(None, inner_old, inner_new)
        self._steps_left = MAX_STEPS
        # The library compares each line with its equals, except lines that it leaves out as too frequent.
        times, most = Counter(inner_new), max(200, len(inner_new) // 100 + 1)
        self._costs = [0, *accumulate(1 + min(times[line], most) for line in inner_old)]

    def find_longest_match(
        self, alo: int = 0, ahi: int | None = None, blo: int = 0, bhi: int | None = None
    ) -> Match:
        self._steps_left -= self._costs[-1 if ahi is None else ahi] - self._costs[alo]
        if self._steps_left < 0:
            return Match(alo, blo, 0)
        return super().find_longest_match(alo, ahi, blo, bhi)

    def blocks(self) -> Iterator[Match]:
        """Equal stretches in order, the last one empty and at the end of both."""
        yield Match(0, 0, self._start)
        for block in self.get_matching_blocks()[:-1]:
            yield Match(block.a + self._start, block.b + self._start, block.size)
        yield Match(self._old_size - self._end, self._new_size - self._end, self._end)
        yield Match(self._old_size, self._new_size, 0)


def _common(old: Sequence[str], new: Sequence[str]) -> int:
    return next(
        (i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new))
    )


def _opcodes(blocks: Iterator[Match]) -> Iterator[tuple[str, int, int, int, int]]:
    old_at = new_at = 0
    for block in blocks:
        if block.a > old_at or block.b > new_at:
            yield "change", old_at, block.a, new_at, block.b
        if block.size:
            yield "equal", block.a, block.a + block.size, block.b, block.b + block.size
        old_at, new_at = block.a + block.size, block.b + block.size


def _equal(old: Side, new: Side, olds: range, shift: int) -> Iterator[Row]:
    """The rows of a stretch of equal lines: the lines beside a change, and the number of lines skipped between."""
    before = CONTEXT if olds.start or olds.start + shift else 0
    after = CONTEXT if olds.stop < len(old.lines) or olds.stop + shift < len(new.lines) else 0
    skipped = range(olds.start + before, olds.stop - after)
    # A row that says "2 lines skipped" takes as much space as the lines.
    if len(skipped) <= 2:
        skipped = range(0)
    for number in olds:
        if number not in skipped:
            text = new.lines[number + shift]
            yield Row(number + 1, number + shift + 1, text, text)
        elif number == skipped.start:
            yield Row(skipped=len(skipped))


def _changed(old: Side, new: Side, olds: range, news: range) -> Iterator[Row]:
    for index in range(max(len(olds), len(news))):
        number = olds[index] if index < len(olds) else None
        other = news[index] if index < len(news) else None
        before = old.lines[number] if number is not None else ""
        after = new.lines[other] if other is not None else ""
        is_pair = number is not None and other is not None
        # The matcher passes over lines that are frequent or beyond its budget, equal though they may be.
        if number is not None and other is not None and old.compared[number] == new.compared[other]:
            yield Row(number + 1, other + 1, before, after)
            continue
        yield Row(
            None if number is None else number + 1,
            None if other is None else other + 1,
            *(_marked(before, after) if is_pair else (before, after)),
            has_changed=True,
            is_hidden=is_pair and before == after,
        )


def _marked(before: str, after: str) -> tuple[SafeString | str, SafeString | str]:
    """Both lines as HTML. The part between their common beginning and end is marked."""
    start = _common(before, after)
    if start == 0 or before == after:
        return before, after
    end = _common(before[start:][::-1], after[start:][::-1])
    return _mark(before, start, end), _mark(after, start, end)


def _mark(line: str, start: int, end: int) -> SafeString | str:
    middle = line[start : len(line) - end]
    if not middle:
        return line
    return format_html("{}<mark>{}</mark>{}", line[:start], middle, line[len(line) - end :])

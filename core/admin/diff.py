"""Two texts side by side. The texts may come from anybody, so the work is bounded.

Which lines differ is found by git's own algorithm (libgit2). It is given one short word for each line instead of the
line, so that nobody can make lines that it is slow to tell apart.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from math import ceil
from typing import Final, NamedTuple

import pygit2
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.admin.code import split_lines

CONTEXT: Final = 3
# The rows of one page.
MAX_ROWS: Final = 4_000
# The budget: lines of both sides that are not in their common beginning or end. Git's algorithm takes 2 µs for each.
MAX_LINES: Final = 700_000


class Part(NamedTuple):
    """Lines that belong together, up to the next part. Parts with the same name are compared with each other.

    Lines before the first part, and parts without a name, have no counterpart.
    """

    # Counts from 0.
    first_line: int
    name: str


@dataclass(frozen=True, slots=True)
class Side:
    """A text as it is shown, and its lines as they are compared. The two differ where values are masked."""

    lines: Sequence[str]
    compared: Sequence[str]
    # The whole compared text, with its line ends.
    text: str
    parts: Sequence[Part] = ()

    @classmethod
    def of(cls, shown: str, compared: str | None = None, *, parts: Sequence[Part] = ()) -> "Side":
        """`compared` must have as many lines as `shown`."""
        lines = split_lines(shown)
        return cls(
            lines,
            lines if compared is None else split_lines(compared),
            shown if compared is None else compared,
            parts,
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: numbers count from 1, None where that side has no line here.

    A row that skips equal lines has their number in `skipped`, and in `part` the name of the part that goes on below.
    `is_hidden` is true for a changed row whose texts look the same because the change is masked.
    """

    old_number: int | None = None
    new_number: int | None = None
    old: SafeString | str = ""
    new: SafeString | str = ""
    has_changed: bool = False
    is_hidden: bool = False
    skipped: int = 0
    part: str = ""


@dataclass(frozen=True, slots=True)
class Diff:
    """One page of the comparison; the counts are of the whole."""

    rows: list[Row] = field(default_factory=list)
    added: int = 0
    removed: int = 0
    page: int = 1
    pages: int = 1
    # No line differs, but the texts do: in their line ends.
    only_line_ends: bool = False
    # Parts are in another order; each is compared with its counterpart.
    is_reordered: bool = False
    # The texts differ in more lines than the budget allows. All lines between their common beginning and end count as
    # different.
    is_stopped: bool = False

    @property
    def changes(self) -> int:
        return self.added + self.removed

    @property
    def is_cut(self) -> bool:
        """Whether there are rows on further pages."""
        return self.page < self.pages


class _Block(NamedTuple):
    """A stretch of both texts, from and to which line. Equal stretches have the same length."""

    is_equal: bool
    old_start: int
    old_end: int
    new_start: int
    new_end: int


def compare(old: Side, new: Side, *, page: int = 1) -> Diff:
    """The changes with some equal lines around them, one page of them. A page that does not exist is the last."""
    order = _order(old, new)
    words: dict[str, int] = {}
    before = [words.setdefault(old.compared[index], len(words)) for index in order]
    after = [words.setdefault(line, len(words)) for line in new.compared]
    blocks, is_stopped = _blocks(before, after)
    # Python takes about a microsecond for a row, so only those of the page are made.
    counts = [_row_count(block, len(before), len(after)) for block in blocks]
    pages = max(1, ceil(sum(counts) / MAX_ROWS))
    page = min(max(page, 1), pages)
    changed = [block for block in blocks if not block.is_equal]
    added = sum(block.new_end - block.new_start for block in changed)
    removed = sum(block.old_end - block.old_start for block in changed)
    is_reordered = order != range(len(order))
    return Diff(
        list(_page_of_rows(_Table(old, new, order), list(zip(blocks, counts, strict=True)), page)),
        added,
        removed,
        page,
        pages,
        only_line_ends=not added and not removed and not is_reordered and old.text != new.text,
        is_reordered=is_reordered,
        is_stopped=is_stopped,
    )


def diff_table(
    old: Side,
    new: Side,
    *,
    old_title: object,
    new_title: object,
    page: int = 1,
    pages_at: str = "",
    pages_form: str = "",
    anchor: str = "comparison",
) -> SafeString:
    """The comparison as HTML.

    `pages_at` is the address of its pages, without the number at the end; `anchor` is the id of what holds it on the
    page. With `pages_form`, the id of a form, its pages are asked for by sending that form with the number as `part`.
    """
    diff = compare(old, new, page=page)
    context = {
        "diff": diff,
        "old_title": old_title,
        "new_title": new_title,
        "pages_at": pages_at,
        "pages_form": pages_form,
        "anchor": anchor,
    }
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


def _order(old: Side, new: Side) -> Sequence[int]:
    """The old text's lines in the order in which they are compared: parts are in the order of their counterparts."""
    everything = range(len(old.compared))
    names = [Counter(part.name for part in side.parts) for side in (old, new)]
    both = {name for name in names[0] if name and all(count[name] == 1 for count in names)}
    wanted = [part.name for part in new.parts if part.name in both]
    if wanted == [part.name for part in old.parts if part.name in both]:
        return everything
    # A part without a counterpart stays behind the one that it follows.
    head, groups = everything[: old.parts[0].first_line], {"": list[range]()}
    name = ""
    for number, part in enumerate(old.parts):
        end = old.parts[number + 1].first_line if number + 1 < len(old.parts) else len(everything)
        name = part.name if part.name in both else name
        groups.setdefault(name, []).append(everything[part.first_line : end])
    return list(chain(head, *groups[""], *(lines for each in wanted for lines in groups[each])))


def _blocks(old: list[int], new: list[int]) -> tuple[list[_Block], bool]:
    """The stretches in order, and whether the budget was too small to find the equal ones."""
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    inner = _Block(False, start, len(old) - end, start, len(new) - end)
    is_stopped = len(old) + len(new) - 2 * (start + end) > MAX_LINES
    changes = [inner] if is_stopped else list(_changes(old, new, inner))
    blocks: list[_Block] = []
    old_at = new_at = 0
    for change in [*changes, _Block(False, len(old), len(old), len(new), len(new))]:
        if change.old_start > old_at:
            blocks.append(_Block(True, old_at, change.old_start, new_at, change.new_start))
        if change.old_end > change.old_start or change.new_end > change.new_start:
            blocks.append(change)
        old_at, new_at = change.old_end, change.new_end
    return blocks, is_stopped


def _changes(old: list[int], new: list[int], inner: _Block) -> Iterator[_Block]:
    """What git finds changed. Lines that stand beside each other and are equal are not."""
    before, after = (
        b"".join(b"%x\n" % word for word in words)
        for words in (old[inner.old_start : inner.old_end], new[inner.new_start : inner.new_end])
    )
    patch = pygit2.Patch.create_from(before, after, context_lines=0, interhunk_lines=0)
    for hunk in patch.hunks:
        # The start of an empty side is the line before it.
        old_at = inner.old_start + hunk.old_start - (1 if hunk.old_lines else 0)
        new_at = inner.new_start + hunk.new_start - (1 if hunk.new_lines else 0)
        yield from _unequal(
            old, new, _Block(False, old_at, old_at + hunk.old_lines, new_at, new_at + hunk.new_lines)
        )


def _unequal(old: list[int], new: list[int], change: _Block) -> Iterator[_Block]:
    both = min(change.old_end - change.old_start, change.new_end - change.new_start)
    start = 0
    for number in range(both):
        if old[change.old_start + number] == new[change.new_start + number]:
            if number > start:
                yield _shifted(change, start, number)
            start = number + 1
    rest = _Block(False, change.old_start + start, change.old_end, change.new_start + start, change.new_end)
    if rest.old_start < rest.old_end or rest.new_start < rest.new_end:
        yield rest


def _shifted(change: _Block, start: int, end: int) -> _Block:
    return _Block(
        False,
        change.old_start + start,
        change.old_start + end,
        change.new_start + start,
        change.new_start + end,
    )


def _common(old: Sequence[object], new: Sequence[object]) -> int:
    return next(
        (i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new))
    )


def _row_count(block: _Block, old_size: int, new_size: int) -> int:
    if not block.is_equal:
        return max(block.old_end - block.old_start, block.new_end - block.new_start)
    shown, skipped = _shown(block, old_size, new_size)
    return shown + (skipped > 0)


def _shown(block: _Block, old_size: int, new_size: int) -> tuple[int, int]:
    """How many equal lines are shown, and how many are skipped."""
    size = block.old_end - block.old_start
    before, after = _context(block, old_size, new_size)
    # A row that says "2 lines skipped" takes as much space as the lines.
    skipped = size - before - after
    return (size, 0) if skipped <= 2 else (before + after, skipped)


def _context(block: _Block, old_size: int, new_size: int) -> tuple[int, int]:
    """How many equal lines are shown for the change before them and for the change after them."""
    before = CONTEXT if block.old_start or block.new_start else 0
    after = CONTEXT if block.old_end < old_size or block.new_end < new_size else 0
    return before, after


@dataclass(frozen=True, slots=True)
class _Table:
    """Makes rows. Lines of the old text are counted in the order in which they are compared."""

    old: Side
    new: Side
    order: Sequence[int]

    def rows(self, block: _Block) -> Iterator[Row]:
        return self._equal(block) if block.is_equal else self._changed(block)

    def _equal(self, block: _Block) -> Iterator[Row]:
        sizes = len(self.order), len(self.new.lines)
        _, skipped = _shown(block, *sizes)
        first_skipped = _context(block, *sizes)[0] if skipped else -1
        number = 0
        while number < block.old_end - block.old_start:
            if number == first_skipped:
                number += skipped
                yield Row(skipped=skipped, part=self._part_at(block.new_start + number))
                continue
            text = self.new.lines[block.new_start + number]
            yield Row(self.order[block.old_start + number] + 1, block.new_start + number + 1, text, text)
            number += 1

    def _changed(self, block: _Block) -> Iterator[Row]:
        for number in range(max(block.old_end - block.old_start, block.new_end - block.new_start)):
            at, other = block.old_start + number, block.new_start + number
            old_index = self.order[at] if at < block.old_end else None
            new_index = other if other < block.new_end else None
            before = "" if old_index is None else self.old.lines[old_index]
            after = "" if new_index is None else self.new.lines[new_index]
            is_pair = old_index is not None and new_index is not None
            yield Row(
                None if old_index is None else old_index + 1,
                None if new_index is None else new_index + 1,
                *(_marked(before, after) if is_pair else (before, after)),
                has_changed=True,
                is_hidden=is_pair and before == after,
            )

    def _part_at(self, line: int) -> str:
        return next((part.name for part in reversed(self.new.parts) if part.first_line <= line), "")


def _page_of_rows(table: _Table, blocks: Sequence[tuple[_Block, int]], page: int) -> Iterator[Row]:
    first, last = (page - 1) * MAX_ROWS, page * MAX_ROWS
    at = 0
    for block, count in blocks:
        if at < last and at + count > first:
            rows = enumerate(table.rows(block), start=at)
            yield from (row for number, row in rows if first <= number < last)
        at += count


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

"""Two texts side by side."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.admin import diff
from core.admin.diff import MAX_ROWS, Row, Side, compare, diff_table

LINES = [f"line {number}" for number in range(40)]


def text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def between(old: list[str], new: list[str]) -> diff.Diff:
    return compare(Side.of(text(old)), Side.of(text(new)))


def test_a_changed_line_stands_beside_its_old_self_with_the_difference_marked():
    found = between(LINES, [*LINES[:20], "line xx", *LINES[21:]])
    (row,) = [row for row in found.rows if row.has_changed]
    assert row == Row(21, 21, "line <mark>20</mark>", "line <mark>xx</mark>", has_changed=True)
    assert (found.added, found.removed) == (1, 1)


def test_three_equal_lines_are_kept_on_each_side_of_a_change_and_the_others_counted():
    rows = between(LINES, [*LINES[:20], *LINES[21:]]).rows
    assert [row.skipped for row in rows if row.skipped] == [17, 16]
    assert [row.old_number for row in rows if not row.skipped] == [18, 19, 20, 21, 22, 23, 24]


def test_added_and_removed_lines_have_nothing_beside_them():
    rows = [row for row in between(["a", "b"], ["b", "c"]).rows if row.has_changed]
    assert [(row.old_number, row.new_number, row.old, row.new) for row in rows] == [
        (1, None, "a", ""),
        (None, 2, "", "c"),
    ]


def test_equal_texts_differ_in_nothing():
    found = between(LINES, LINES)
    assert (found.changes, found.only_line_ends) == (0, False)
    assert "Nothing differs" in diff_table(Side.of("a\n"), Side.of("a\n"), old_title="1", new_title="2")


def test_other_line_ends_are_told():
    assert compare(Side.of("a\nb\n"), Side.of("a\r\nb\n")).only_line_ends
    assert compare(Side.of("a\n"), Side.of("a")).only_line_ends


def test_hidden_values_are_compared_and_not_shown():
    table = diff_table(
        Side.of("key: ***\nsame: ***\n", "key: 1\nsame: 3\n"),
        Side.of("key: ***\nsame: ***\n", "key: 2\nsame: 3\n"),
        old_title="old",
        new_title="new",
    )
    assert table.count("hidden value changed") == 1
    assert "key: 1" not in table
    assert "key: 2" not in table


def test_texts_are_escaped():
    table = diff_table(Side.of("<b>x"), Side.of("<b>y"), old_title="<i>", new_title="2")
    assert "<b>" not in table
    assert "<i>" not in table


_TEXTS = st.lists(st.sampled_from(["a", "b", "c", "", "d"]), max_size=30)


@pytest.mark.parametrize("steps", [diff.MAX_STEPS, 20])
@given(old=_TEXTS, new=_TEXTS)
def test_the_rows_give_both_texts_whatever_the_budget(steps, old, new):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diff, "MAX_STEPS", steps)
        patch.setattr(diff, "CONTEXT", 100)
        found = between(old, new)
    if not found.changes:
        assert old == new
        return
    rows = found.rows
    olds = {row.old_number: row.old for row in rows if row.old_number}
    news = {row.new_number: row.new for row in rows if row.new_number}
    assert [str(each).replace("<mark>", "").replace("</mark>", "") for each in olds.values()] == old
    assert [str(each).replace("<mark>", "").replace("</mark>", "") for each in news.values()] == new
    assert all(row.old == row.new for row in rows if not row.has_changed)


def test_texts_made_to_be_slow_end():
    # Nine lines in ten have many equals on the other side, each just rare enough to be looked at.
    old, new = ([str(n * step % 97) if n % 10 else f"{n}" for n in range(5_000)] for step in (31, 57))
    assert between(old, new).changes > 0
    assert between(LINES * 100, LINES[::-1] * 100).changes > 0


def test_no_more_rows_than_a_page_can_hold_are_kept():
    found = between(["a"] * 10, [str(number) for number in range(MAX_ROWS + 1)])
    assert found.is_cut
    assert len(found.rows) == MAX_ROWS


def test_equal_lines_that_the_matcher_passes_over_are_no_change():
    """Lines that are frequent are matched with none, and pairs of them stand beside each other."""
    old, new = ("".join(f"{side}{n}\n  same\n" for n in range(120)) for side in "ab")
    diff = compare(Side.of(old), Side.of(new))
    assert (diff.added, diff.removed) == (120, 120)
    assert not any(row.is_hidden for row in diff.rows)
    assert {(row.old, row.new) for row in diff.rows if not row.has_changed} == {("  same", "  same")}

"""Two texts side by side."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.admin import diff
from core.admin.diff import MAX_ROWS, Part, Row, Side, compare, diff_table

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


@pytest.mark.parametrize("lines", [diff.MAX_LINES, 20])
@given(old=_TEXTS, new=_TEXTS)
def test_the_rows_give_both_texts_whatever_the_budget(lines, old, new):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diff, "MAX_LINES", lines)
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


def test_few_changes_among_many_equal_lines_are_found_and_no_others():
    """As between two releases of an operator with large custom resource definitions."""
    lines = [f"  type: {number % 40}" if number % 4 else f"  field{number}:" for number in range(20_000)]
    changed = [
        *lines[:500],
        "  added: 1",
        *lines[500:9_000],
        "  other: 2",
        *lines[9_001:15_000],
        *lines[15_002:],
    ]
    found = between(lines, changed)
    assert (found.added, found.removed, found.is_stopped) == (2, 3, False)


def test_a_comparison_that_stopped_says_so_and_still_shows_both_texts(monkeypatch):
    monkeypatch.setattr(diff, "MAX_LINES", 3)
    old, new = Side.of("a\nb\nc\nd\n"), Side.of("a\nc\nb\nd\n")
    found = compare(old, new)
    assert (found.is_stopped, found.added, found.removed) == (True, 2, 2)
    assert "The comparison stopped" in diff_table(old, new, old_title="1", new_title="2")


def test_parts_in_another_order_are_compared_with_their_counterparts():
    old = Side.of("a\n1\nb\n2\nc\n3\n", parts=[Part(0, "a"), Part(2, "b"), Part(4, "c")])
    new = Side.of("c\n3\na\n1\nb\n4\n", parts=[Part(0, "c"), Part(2, "a"), Part(4, "b")])
    found = compare(old, new)
    assert found.is_reordered
    assert [(row.old_number, row.new_number) for row in found.rows if row.has_changed] == [(4, 6)]
    assert "another order" in diff_table(old, new, old_title="1", new_title="2")


@given(
    st.permutations([("a", "1"), ("b", "2"), ("c", "3"), ("", "4"), ("d", "5"), ("d", "6")]),
    st.permutations([("a", "1"), ("b", "7"), ("c", "3"), ("e", "4"), ("d", "5"), ("", "6")]),
)
@settings(max_examples=30)
def test_no_line_is_lost_when_parts_are_in_another_order(old, new):
    def side(parts: list[tuple[str, str]]) -> Side:
        named = [Part(2 * number, name) for number, (name, _) in enumerate(parts)]
        return Side.of("".join(f"{name}\n{word}\n" for name, word in parts), parts=named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diff, "CONTEXT", 100)
        rows = compare(side(old), side(new)).rows
    assert sorted(row.old_number for row in rows if row.old_number) == list(range(1, 13))
    assert [row.new_number for row in rows if row.new_number] == list(range(1, 13))


def test_the_pages_of_a_comparison_make_up_the_whole(monkeypatch):
    old, new = Side.of(text(LINES)), Side.of(text(["x", *LINES[10:], "y"]))
    whole = compare(old, new).rows
    monkeypatch.setattr(diff, "MAX_ROWS", 4)
    first = compare(old, new)
    assert first.is_cut
    paged = [row for page in range(1, first.pages + 1) for row in compare(old, new, page=page).rows]
    assert paged == whole
    assert compare(old, new, page=99).page == first.pages
    table = diff_table(old, new, old_title="1", new_title="2", pages_at="?from=1&part=")
    assert 'href="?from=1&amp;part=2#comparison"' in table


def test_a_skipped_stretch_names_the_part_below_it():
    parts = [Part(0, "one"), Part(20, "two")]
    found = compare(
        Side.of(text(LINES), parts=parts), Side.of(text([*LINES[:30], "x", *LINES[31:]]), parts=parts)
    )
    assert [row.part for row in found.rows if row.skipped] == ["two", "two"]


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

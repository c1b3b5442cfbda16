"""Filters that take an array."""

from collections.abc import Callable, Mapping
from typing import Final

from tera import limits
from tera.arguments import Arguments
from tera.errors import Failure, OverBudget
from tera.filters.signature import FilterFunction
from tera.limits import Budget
from tera.paths import Missing, attribute_tokens, follow
from tera.values import (
    MAX_I64,
    Value,
    charge_copy,
    describe,
    is_number,
    same,
    to_json,
    to_text,
)


def unescape(text: str) -> str:
    """Make line breaks and tabs of what is written `\\n` and `\\t`, as strings have no escapes."""
    return text.replace("\\n", "\n").replace("\\t", "\t")


def _first(value: Value, arguments: Arguments, budget: Budget) -> Value:  # noqa: ARG001  (all alike)
    items = arguments.array_value(value)
    return items[0] if items else ""


def _last(value: Value, arguments: Arguments, budget: Budget) -> Value:  # noqa: ARG001  (all alike)
    items = arguments.array_value(value)
    return items[-1] if items else ""


def _nth(value: Value, arguments: Arguments, budget: Budget) -> Value:  # noqa: ARG001  (all alike)
    items = arguments.array_value(value)
    if not items:
        return ""
    arguments.required("n")
    index = arguments.index("n", 0)
    return items[index] if index < len(items) else ""


def _join(value: Value, arguments: Arguments, budget: Budget) -> Value:
    items = arguments.array_value(value)
    separator = unescape(arguments.string("sep", ""))
    budget.step(len(items))
    texts = [to_text(item, budget) for item in items]
    length = sum(map(len, texts)) + len(separator) * max(len(texts) - 1, 0)
    if length > limits.MAX_STRING_CHARACTERS:
        raise OverBudget(f"A text would be longer than {limits.MAX_STRING_CHARACTERS} characters.")
    return separator.join(texts)


def _required_attributes(items: list[Value], arguments: Arguments) -> list[Value]:
    attribute = arguments.string("attribute", "")
    tokens = attribute_tokens(attribute)
    found = []
    for item in items:
        key = follow(item, tokens)
        if isinstance(key, Missing):
            raise Failure(f"The {arguments.owner} finds no attribute `{attribute}` in an element.")
        found.append(key)
    return found


def _sort_key(key: Value) -> tuple[str, float | str | int]:
    """Return what kind of key this is and what to order it by."""
    if isinstance(key, bool):
        return "bools", int(key)
    if is_number(key):
        return "numbers", float(key)
    if isinstance(key, str):
        return "strings", key
    if isinstance(key, list):
        return "arrays", len(key)
    raise Failure(f"The filter `sort` can not order {describe(key)}.")


def _order(number: float | str | int) -> tuple[float | str | int, bool]:
    # Minus zero comes before zero.
    return number, not str(number).startswith("-")


def _sort(value: Value, arguments: Arguments, budget: Budget) -> Value:
    items = arguments.array_value(value)
    if not items:
        return items
    keys = [_sort_key(key) for key in _required_attributes(items, arguments)]
    if len({kind for kind, _ in keys}) > 1:
        raise Failure("The filter `sort` needs elements of one kind.")
    budget.items(len(items))
    budget.step(2 * len(items))
    numbers = [key for _, key in keys]
    order: Callable[[int], object] = (
        (lambda at: _order(numbers[at])) if keys[0][0] == "numbers" else lambda at: numbers[at]
    )
    return [items[at] for at in sorted(range(len(items)), key=order)]  # type: ignore[arg-type]  # one kind each


def _unique_key(key: Value, *, case_sensitive: bool) -> tuple[str, bool | int | str]:
    if isinstance(key, bool):
        return "bools", key
    if isinstance(key, float):
        raise Failure("The filter `unique` does not compare numbers with a fraction.")
    if isinstance(key, int):
        if key > MAX_I64:
            raise Failure(f"The filter `unique` can not compare {key}: it is too large.")
        return "numbers", key
    if isinstance(key, str):
        return "strings", key if case_sensitive else key.lower()
    raise Failure(f"The filter `unique` can not compare {describe(key)}.")


def _unique(value: Value, arguments: Arguments, budget: Budget) -> Value:
    items = arguments.array_value(value)
    if not items:
        return items
    case_sensitive = arguments.boolean("case_sensitive")
    tokens = attribute_tokens(arguments.string("attribute", ""))
    if isinstance(follow(items[0], tokens), Missing):
        raise Failure("The filter `unique` finds no such attribute in the first element.")
    budget.items(len(items))
    budget.step(len(items))
    seen: set[bool | int | str] = set()
    kinds: set[str] = set()
    kept = []
    for item in items:
        found = follow(item, tokens)
        if isinstance(found, Missing):
            continue
        kind, key = _unique_key(found, case_sensitive=case_sensitive)
        kinds.add(kind)
        if len(kinds) > 1:
            raise Failure("The filter `unique` needs elements of one kind.")
        if key not in seen:
            seen.add(key)
            kept.append(item)
    return kept


def _group_by(value: Value, arguments: Arguments, budget: Budget) -> Value:
    items = arguments.array_value(value)
    if not items:
        return {}
    tokens = attribute_tokens(arguments.string("attribute"))
    charge_copy([items], budget)
    groups: dict[str, Value] = {}
    for item in items:
        key = follow(item, tokens)
        if isinstance(key, Missing) or key is None:
            continue
        name = key if isinstance(key, str) else to_json(key, budget)
        group = groups.setdefault(name, [])
        assert isinstance(group, list)  # noqa: S101  (narrows the type: every group is made above)
        group.append(item)
    return dict(sorted(groups.items()))


def _filter(value: Value, arguments: Arguments, budget: Budget) -> Value:
    items = arguments.array_value(value)
    if not items:
        return items
    tokens = attribute_tokens(arguments.string("attribute"))
    wanted = arguments.any("value")
    budget.items(len(items))
    budget.step(len(items))
    kept = []
    for item in items:
        found = follow(item, tokens)
        actual = None if isinstance(found, Missing) else found
        if actual is not None if wanted is None else same(actual, wanted, budget):
            kept.append(item)
    return kept


def _map(value: Value, arguments: Arguments, budget: Budget) -> Value:
    items = arguments.array_value(value)
    if not items:
        return items
    tokens = attribute_tokens(arguments.string("attribute"))
    budget.items(len(items))
    budget.step(len(items))
    found = [follow(item, tokens) for item in items]
    return [item for item in found if not isinstance(item, Missing) and item is not None]


def _slice_index(number: float, length: int) -> int:
    return max(int(number if number >= 0 else length + number), 0)


def _slice(value: Value, arguments: Arguments, budget: Budget) -> Value:
    items = arguments.array_value(value)
    if not items:
        return items
    start = _slice_index(arguments.number("start", 0), len(items))
    end = _slice_index(arguments.number("end", len(items)), len(items))
    part = items[start:end]
    budget.items(len(part))
    return part


def _concat(value: Value, arguments: Arguments, budget: Budget) -> Value:
    items = arguments.array_value(value)
    added = arguments.required("with")
    extra: list[Value] = added if isinstance(added, list) else [added]
    budget.items(len(items))
    charge_copy(extra, budget)
    return items + extra


ARRAY_FILTERS: Final[Mapping[str, FilterFunction]] = {
    "first": _first,
    "last": _last,
    "nth": _nth,
    "join": _join,
    "sort": _sort,
    "unique": _unique,
    "group_by": _group_by,
    "filter": _filter,
    "map": _map,
    "slice": _slice,
    "concat": _concat,
}

"""The variables that are visible at one point of a rendering: frames of loops and macros, and the parameters."""

from collections.abc import Iterator

from tera.errors import Fatal
from tera.paths import MISSING, Key, Missing, follow
from tera.values import Value


class Frame:
    """What was set since the template or a macro began. Look-ups stop here and go on in the parameters."""

    is_loop = False

    def __init__(self, variables: dict[str, Value] | None = None) -> None:
        self.variables: dict[str, Value] = {} if variables is None else variables

    def find(self, key: Key) -> Value | Missing:
        if key.root in self.variables:
            return follow(self.variables[key.root], key.tokens)
        return MISSING

    def visible(self) -> dict[str, Value]:
        return self.variables


class LoopFrame(Frame):
    """One running loop of `length` turns. A variable that is set inside exists until the end of the turn."""

    is_loop = True

    def __init__(
        self, key_name: str | None, value_name: str, keys: list[str], values: list[Value], length: int
    ) -> None:
        super().__init__()
        self.length = length
        self._key_name = key_name
        self._value_name = value_name
        self._keys = keys
        self._values = values
        self._index = 0

    def turns(self) -> Iterator[int]:
        for index in range(self.length):
            self._index = index
            self.variables.clear()
            yield index

    def find(self, key: Key) -> Value | Missing:
        root = key.root
        if root in self.variables:
            found = follow(self.variables[root], key.tokens)
            if found is not MISSING:
                return found
        if key.text == self._key_name:
            return self._keys[self._index]
        if root == "loop":
            return self._state(key.rest)
        if root == self._value_name:
            value = self._value()
            return follow(value, key.tokens) if key.tokens else value
        return MISSING

    def _value(self) -> Value:
        if self._index >= len(self._values):
            raise Fatal("A loop over a string can not handle characters of several code points.")
        return self._values[self._index]

    def _state(self, name: str | None) -> Value | Missing:
        if name == "index":
            return self._index + 1
        if name == "index0":
            return self._index
        if name == "first":
            return self._index == 0
        if name == "last":
            return self._index == self.length - 1
        return MISSING

    def visible(self) -> dict[str, Value]:
        seen = {**self.variables, self._value_name: self._value()}
        if self._key_name is not None:
            seen[self._key_name] = self._keys[self._index]
        return seen

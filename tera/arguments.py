"""The keyword arguments of one call of a filter or function, read by type."""

from tera.errors import Failure
from tera.values import MAX_I64, MAX_U64, MIN_I64, Value, describe, is_number


class Arguments:
    """Arguments by name. Names that a filter does not use are ignored; wrong types are refused."""

    def __init__(self, kind: str, name: str, values: dict[str, Value]) -> None:
        self._kind = kind
        self._name = name
        self._values = values

    @property
    def owner(self) -> str:
        """The name of the filter or function in messages."""
        return f"{self._kind} `{self._name}`"

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def any(self, name: str) -> Value:
        """Return the argument of any type; null if it is not given."""
        return self._values.get(name)

    def required(self, name: str) -> Value:
        if name not in self._values:
            raise Failure(f"The {self.owner} needs the argument `{name}`.")
        return self._values[name]

    def string(self, name: str, default: str | None = None) -> str:
        """Return a string argument. It is required if there is no default."""
        if default is not None and name not in self._values:
            return default
        value = self.required(name)
        if not isinstance(value, str):
            raise self._wrong(name, "a string")
        return value

    def boolean(self, name: str) -> bool:
        """Return a bool argument; false if it is not given."""
        value = self._values.get(name, False)
        if not isinstance(value, bool):
            raise self._wrong(name, "a bool")
        return value

    def integer(self, name: str, default: int, *, low: int = MIN_I64, high: int = MAX_I64) -> int:
        """Return an integer argument in a range. A float is refused, even if it is a whole number."""
        value = self._values.get(name, default)
        if type(value) is not int or not low <= value <= high:
            raise self._wrong(name, f"an integer from {low} to {high}")
        return value

    def index(self, name: str, default: int) -> int:
        """Return an unsigned integer argument."""
        return self.integer(name, default, low=0, high=MAX_U64)

    def number(self, name: str, default: float) -> float:
        """Return a number argument as a float."""
        value = self._values.get(name, default)
        if not is_number(value):
            raise self._wrong(name, "a number")
        return float(value)

    def _wrong(self, name: str, expected: str) -> Failure:
        got = describe(self._values.get(name))
        return Failure(f"The {self.owner} needs {expected} as `{name}`, not {got}.")

    def value_failure(self, value: Value, expected: str) -> Failure:
        """Return the failure for a value to which the filter cannot be applied."""
        return Failure(f"The {self.owner} needs {expected}, not {describe(value)}.")

    def string_value(self, value: Value) -> str:
        """Return the filtered value, which must be a string."""
        if not isinstance(value, str):
            raise self.value_failure(value, "a string")
        return value

    def array_value(self, value: Value) -> list[Value]:
        """Return the filtered value, which must be an array."""
        if not isinstance(value, list):
            raise self.value_failure(value, "an array")
        return value

    def number_value(self, value: Value) -> int | float:
        """Return the filtered value, which must be a number."""
        if not is_number(value):
            raise self.value_failure(value, "a number")
        return value

"""What a filter is to the rest of the package."""

from collections.abc import Callable

from tera.arguments import Arguments
from tera.limits import Budget
from tera.values import Value

FilterFunction = Callable[[Value, Arguments, Budget], Value]

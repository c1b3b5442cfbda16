"""What a filter is to the rest of the package."""

from collections.abc import Callable

from templates_app.tera.arguments import Arguments
from templates_app.tera.limits import Budget
from templates_app.tera.values import Value

FilterFunction = Callable[[Value, Arguments, Budget], Value]

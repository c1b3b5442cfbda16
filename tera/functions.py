"""The functions a template can call."""

import secrets
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from tera import limits
from tera.arguments import Arguments
from tera.errors import Failure, Fatal, OverBudget
from tera.limits import Budget
from tera.values import Value

TemplateFunction = Callable[[Arguments, Budget], Value]


def _range(arguments: Arguments, budget: Budget) -> Value:
    start = arguments.index("start", 0)
    step = arguments.index("step_by", 1)
    arguments.required("end")
    end = arguments.index("end", 0)
    if start > end:
        raise Failure("The function `range` needs a `start` that is not greater than its `end`.")
    if step == 0:
        raise Fatal("The function `range` needs a `step_by` of at least 1.")
    numbers = range(start, end, step)
    # `len` fails on ranges longer than a machine word.
    count = (end - start + step - 1) // step
    if count > limits.MAX_RANGE_ITEMS:
        raise OverBudget(f"The function `range` makes at most {limits.MAX_RANGE_ITEMS} numbers.")
    budget.items(count)
    return list(numbers)


def _now(arguments: Arguments, budget: Budget) -> Value:  # noqa: ARG001  (the signature of every function)
    utc, as_timestamp = arguments.boolean("utc"), arguments.boolean("timestamp")
    seconds, nanoseconds = divmod(time.time_ns(), 10**9)
    if as_timestamp:
        return seconds
    moment = datetime.fromtimestamp(seconds, UTC)
    if not utc:
        moment = moment.astimezone()
    fraction = f".{nanoseconds:09}" if nanoseconds else ""
    offset = f"{moment:%z}"
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}{offset[:3]}:{offset[3:5]}"


def _throw(arguments: Arguments, budget: Budget) -> Value:  # noqa: ARG001  (the signature of every function)
    raise Failure(arguments.string("message"))


def _get_random(arguments: Arguments, budget: Budget) -> Value:  # noqa: ARG001  (the same)
    start = arguments.integer("start", 0)
    arguments.required("end")
    end = arguments.integer("end", 0)
    if start >= end:
        raise Fatal("The function `get_random` needs a `start` that is less than its `end`.")
    return start + secrets.randbelow(end - start)


def _get_env(arguments: Arguments, budget: Budget) -> Value:  # noqa: ARG001  (the same)
    # Authors of templates must not see the environment of the server, so they see an empty one.
    name = arguments.string("name")
    if "default" in arguments:
        return arguments.any("default")
    raise Failure(f"The environment variable `{name}` is not set.")


FUNCTIONS: Final[Mapping[str, TemplateFunction]] = {
    "range": _range,
    "now": _now,
    "throw": _throw,
    "get_random": _get_random,
    "get_env": _get_env,
}

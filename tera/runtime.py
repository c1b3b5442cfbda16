"""One rendering: its variables, its budget, and the operations the generated code calls."""

from collections.abc import Callable, Iterable, Iterator

from jinja2.runtime import Context

from tera import limits
from tera.errors import Failure, OverBudget
from tera.expressions import Array, Default, Expression, FunctionCall, Path
from tera.filters.strings import graphemes
from tera.frames import Frame, LoopFrame
from tera.limits import Budget
from tera.operators import Filtered
from tera.paths import MISSING, Key, Missing, bracketed_variables, follow, key_from, paste
from tera.program import Loop, Program
from tera.values import (
    Value,
    charge_copy,
    describe,
    is_number,
    number_json,
    to_pretty_json,
    to_text,
)


class Runtime:
    """The state of one rendering.

    The public methods without `find`, `key`, `dump` and `call_macro`, which expressions use, are what
    generated code can call, and all it can call.
    """

    def __init__(self, program: Program, parameters: dict[str, Value]) -> None:
        self.budget = Budget()
        self._context: Context | None = None
        self._program = program
        self._parameters = parameters
        self._frames: list[Frame] = [Frame()]
        self._macro_depth = 0

    # Called by generated code.

    def text(self, index: int) -> str:
        """Return the text of an output tag."""
        expression = self._program.expressions[index]
        try:
            self.budget.step()
            return to_text(expression.evaluate(self), self.budget)
        except Failure as failure:
            failure.locate(expression.position)
            raise

    def holds(self, index: int) -> bool:
        """Tell whether the condition of an `if` is true."""
        expression = self._program.expressions[index]
        try:
            self.budget.step()
            return expression.truth(self)
        except Failure as failure:
            failure.locate(expression.position)
            raise

    def assign(self, index: int) -> None:
        """Carry out a `set` or a `set_global`."""
        assignment = self._program.assignments[index]
        try:
            self.budget.step()
            value = assignment.expression.evaluate(self)
        except Failure as failure:
            failure.locate(assignment.position)
            raise
        frame = self._frames[-1]
        if assignment.is_global:
            frame = next(frame for frame in reversed(self._frames) if not frame.is_loop)
        frame.variables[assignment.name] = value

    def enter(self, index: int) -> bool:
        """Begin a loop, and tell whether it has any turns."""
        loop = self._program.loops[index]
        try:
            frame = self._loop_frame(loop)
        except Failure as failure:
            failure.locate(loop.position)
            raise
        if frame is None:
            return False
        self._frames.append(frame)
        return True

    def turns(self) -> Iterator[int]:
        """Go through the turns of the loop entered last."""
        frame = self._frames[-1]
        assert isinstance(frame, LoopFrame)  # noqa: S101  (narrows the type: `enter` comes before)
        for turn in frame.turns():
            self.budget.step()
            yield turn

    def leave(self) -> None:
        """End the loop entered last."""
        self._frames.pop()

    def section(self, index: int) -> str:
        """Return the text of a filter section."""
        section = self._program.sections[index]
        try:
            text = self._written(section.unit)
            if section.filter is None:
                return text
            return to_text(section.filter.apply(text, self), self.budget)
        except Failure as failure:
            failure.locate(section.position)
            raise

    def refuse(self, index: int) -> None:
        """Fail, because of a tag that cannot be carried out."""
        position, message = self._program.refusals[index]
        raise Failure(message, position)

    # Called by expressions.

    def find(self, key: Key) -> Value | Missing:
        """Look up a variable from the innermost frame outwards, and in the parameters last."""
        for frame in reversed(self._frames):
            found = frame.find(key)
            if not isinstance(found, Missing):
                return found
            if not frame.is_loop:
                break
        if key.root in self._parameters:
            return follow(self._parameters[key.root], key.tokens)
        return MISSING

    def key(self, text: str) -> Key:
        """Return what a path means now that the variables in its brackets have values. Raises Failure."""
        pasted = text
        for variable in bracketed_variables(text):
            value = self._index_value(variable, text)
            pasted = paste(pasted, variable, value)
            if len(pasted) > limits.MAX_KEY_CHARACTERS:
                raise OverBudget(f"A path is longer than {limits.MAX_KEY_CHARACTERS} characters.")
        self.budget.step(1 + (len(pasted) >> 3))
        return key_from(pasted)

    def _index_value(self, variable: str, text: str) -> str:
        value = self.find(self.key(variable))
        if isinstance(value, Missing):
            raise Failure(f"The variable `{variable}` in `{text}` is not defined.")
        if isinstance(value, str):
            return f'"{value}"'
        if not is_number(value):
            raise Failure(f"`{variable}` in `{text}` must be a string or a number, not {describe(value)}.")
        return number_json(value)

    def dump(self) -> str:
        """Return everything visible as JSON over several lines; in a macro, only what is its own."""
        visible: dict[str, Value] = {}
        for frame in reversed(self._frames):
            visible.update(frame.visible())
            if not frame.is_loop:
                break
        if self._macro_depth == 0:
            visible = {**self._parameters, **visible}
        charge_copy(visible, self.budget)
        text = to_pretty_json(dict(sorted(visible.items())), self.budget)
        self.budget.string(len(text))
        return text

    def call_macro(self, namespace: str, name: str, arguments: dict[str, Expression]) -> str:
        """Return the text a macro writes. Raises Failure."""
        macro = self._program.macros.get(name)
        if namespace != "self" or macro is None:
            raise Failure(f"There is no macro `{namespace}::{name}`.")
        variables: dict[str, Value] = {}
        for parameter, default in macro.parameters.items():
            argument = arguments.get(parameter, default)
            if argument is None:
                raise Failure(f"The macro `{name}` needs the argument `{parameter}`.")
            variables[parameter] = argument.evaluate(self)
        if self._macro_depth >= limits.MAX_MACRO_DEPTH:
            raise OverBudget(f"Macros call each other deeper than {limits.MAX_MACRO_DEPTH} levels.")
        self.budget.step()
        height = len(self._frames)
        self._frames.append(Frame(variables))
        self._macro_depth += 1
        try:
            return self._written(macro.unit)
        finally:
            self._macro_depth -= 1
            del self._frames[height:]

    # Running the units.

    def write(self, context: Context) -> str:
        """Return the text of the whole template. Raises Failure."""
        self._context = context
        return "".join(_counted(self._program.units[0](context), self.budget.output))

    def _written(self, unit: int) -> str:
        assert self._context is not None  # noqa: S101  (narrows the type: `write` sets it first)
        text = "".join(_counted(self._program.units[unit](self._context), self.budget.string))
        self.budget.string(len(text))
        return text

    def _loop_frame(self, loop: Loop) -> LoopFrame | None:
        container = _loop_container(loop.container).evaluate(self)
        if not isinstance(container, str | list | dict):
            raise Failure(f"A loop needs an array, a string or an object, not {describe(container)}.")
        self.budget.step(1 + (len(container) >> 3))
        if not isinstance(container, dict) and loop.key_name is not None:
            raise Failure("A loop with two names needs an object.")
        if isinstance(container, list):
            frame = LoopFrame(None, loop.value_name, [], container, len(container))
        elif isinstance(container, str):
            self.budget.items(len(container))
            # Tera makes a turn for every code point, though it hands out what readers see as characters.
            frame = LoopFrame(None, loop.value_name, [], list(graphemes(container)), len(container))
        elif loop.key_name is None:
            raise Failure("A loop over an object needs two names, for the key and for the value.")
        else:
            values = list(container.values())
            frame = LoopFrame(loop.key_name, loop.value_name, list(container), values, len(values))
        return frame if frame.length else None


def _counted(chunks: Iterable[str], account: Callable[[int], None]) -> Iterator[str]:
    for chunk in chunks:
        account(len(chunk))
        yield chunk


def _loop_container(container: Expression) -> Expression:
    """Return `container` if it is of a kind that loops run over, with or without filters."""
    operand = container.operand if isinstance(container, Filtered) else container
    if not isinstance(operand, Path | Default | FunctionCall | Array):
        raise Failure("A loop runs over a variable, a function call or an array only.")
    return container

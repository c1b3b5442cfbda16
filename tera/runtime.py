"""One rendering: its variables, its budget, and the text that was written."""

from collections.abc import Callable, Sequence
from typing import Final

from tera import limits
from tera.errors import Failure, OverBudget
from tera.expressions import Expression
from tera.frames import Frame
from tera.limits import Budget
from tera.nodes import Block, Node, write_all
from tera.paths import MISSING, Key, Missing, bracketed_variables, follow, key_from, paste
from tera.program import Program
from tera.values import Value, charge_copy, describe, is_number, number_json, to_pretty_json

# Pieces are mostly short, and accounting for each would take as long as writing it.
_UNACCOUNTED_PIECES: Final = 256


class Runtime:
    """The state of one rendering, which nodes and expressions work on."""

    def __init__(self, program: Program, parameters: dict[str, Value]) -> None:
        self.budget = Budget()
        self._program = program
        self._parameters = parameters
        self._frames: list[Frame] = [Frame()]
        self._macro_depth = 0
        # The texts that nodes append; how many of them are accounted for already, and by which function: as output, or
        # as parts of a text that is kept in memory.
        self.pieces: list[str] = []
        self._accounted = 0
        self._account: Callable[[int], None] = self.budget.output

    def render(self) -> str:
        """Return the text of the whole template. Raises Failure."""
        write_all(self._program.body, self)
        self._settle()
        return "".join(self.pieces)

    # Called by nodes.

    def turn(self) -> None:
        """Account for a turn of a loop, and for what was written before it. Raises OverBudget."""
        self.budget.step()
        if len(self.pieces) > self._accounted + _UNACCOUNTED_PIECES:
            self._settle()

    def _settle(self) -> None:
        self._account(sum(map(len, self.pieces[self._accounted :])))
        self._accounted = len(self.pieces)

    def text_of(self, nodes: Sequence[Node]) -> str:
        """Return the text of `nodes` instead of writing it. Raises Failure."""
        outer = self.pieces, self._accounted, self._account
        self.pieces, self._accounted, self._account = [], 0, self.budget.string
        try:
            write_all(nodes, self)
            self._settle()
            text = "".join(self.pieces)
        finally:
            self.pieces, self._accounted, self._account = outer
        self.budget.string(len(text))
        return text

    def assign(self, name: str, value: Value, *, is_global: bool) -> None:
        """Set a variable of the innermost frame, or of the nearest one that is no loop."""
        frame = self._frames[-1]
        if is_global:
            frame = next(frame for frame in reversed(self._frames) if not frame.is_loop)
        frame.variables[name] = value

    def enter(self, frame: Frame) -> None:
        """Make the variables of `frame` visible."""
        self._frames.append(frame)

    def leave(self) -> None:
        """Undo the last `enter`. It is not called after a failure: then a macro call drops the frames above its own."""
        self._frames.pop()

    def in_loop(self) -> bool:
        """Tell whether a loop of the template, or of the running macro, has turns left to jump over."""
        return self._frames[-1].is_loop

    def block(self, block: Block) -> Block:
        """Return the definition of the name of `block`."""
        return self._program.blocks.get(block.name, block)

    # Called by expressions.

    def find(self, key: Key) -> Value | Missing:
        """Look up a variable from the innermost frame outwards, and in the parameters last."""
        root = key.root
        for frame in reversed(self._frames):
            if frame.is_loop or root in frame.variables:
                found = frame.find(key)
                if found is not MISSING:
                    return found
            if not frame.is_loop:
                break
        if root not in self._parameters:
            return MISSING
        value = self._parameters[root]
        return follow(value, key.tokens) if key.tokens else value

    def key(self, text: str) -> Key:
        """Return the key of a path, with the values of the variables in its brackets. Raises Failure."""
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
        self.enter(Frame(variables))
        self._macro_depth += 1
        try:
            return self.text_of(macro.body)
        finally:
            self._macro_depth -= 1
            del self._frames[height:]

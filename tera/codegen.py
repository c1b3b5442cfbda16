"""Turns the nodes of a template into Python code, by way of the nodes of jinja2.

jinja2 generates the code for text, conditions and loops. Whatever computes a value is a call to one of the
runtime's operations, with the place of its operand as the only argument, so that nothing of jinja2's own
semantics, and no attribute of any object, can be reached from a template.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MethodType
from typing import Any, Final, NoReturn

from jinja2 import nodes as jinja
from jinja2.environment import Template as JinjaTemplate
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tera import limits
from tera.errors import TemplateSyntaxError
from tera.expressions import Expression
from tera.nodes import (
    Block,
    Break,
    Continue,
    FilterSection,
    For,
    If,
    Include,
    Macro,
    Node,
    Output,
    Raw,
    Set,
    Super,
    Text,
)
from tera.program import Assignment, Loop, MacroDefinition, Program, Section
from tera.runtime import Runtime
from tera.scanner import Lines

# The name under which the product renders every template.
_OWN_NAME: Final = "template"
_OPERATIONS: Final = ("text", "holds", "assign", "enter", "turns", "leave", "section", "refuse")
_FUNCTIONS: Final = frozenset(getattr(Runtime, name) for name in _OPERATIONS)


class _Environment(ImmutableSandboxedEnvironment):
    """Calls the runtime's operations, and refuses everything else."""

    def __init__(self) -> None:
        super().__init__(autoescape=False, cache_size=0)
        self.globals.clear()
        self.filters.clear()
        self.tests.clear()

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG002, N805  (as inherited)
        if type(__obj) is not MethodType or __obj.__func__ not in _FUNCTIONS:
            raise SecurityError("Only the operations of the runtime can be called.")
        # The keyword arguments are jinja2's own scopes, which nothing of ours needs.
        return __obj(*args)

    def getattr(self, obj: Any, attribute: str) -> NoReturn:  # noqa: ARG002  (as inherited)
        raise SecurityError("Templates have no access to attributes.")

    def getitem(self, obj: Any, argument: Any) -> NoReturn:  # noqa: ARG002  (as inherited)
        raise SecurityError("Templates have no access to items.")


_ENVIRONMENT: Final = _Environment()


def context_for(runtime: Runtime) -> Context:
    """Return the context in which the generated code finds the operations of `runtime`."""
    operations = {name: getattr(runtime, name) for name in _OPERATIONS}
    return Context(_ENVIRONMENT, operations, name=None, blocks={}, globals={})


def generate(nodes: Sequence[Node], lines: Lines) -> Program:
    """Return the program of a template. Raises TemplateSyntaxError for duplicate blocks."""
    return _Generator(lines).program(nodes)


class _Generator:
    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._program = Program()
        self._blocks: dict[str, Block] = {}
        self._open_blocks: list[str] = []
        self._count = 0

    def program(self, nodes: Sequence[Node]) -> Program:
        self._collect_blocks(nodes)
        # The template itself is the first unit; the units of its macros and sections follow.
        self._program.units.append(lambda _context: ())
        self._program.units[0] = self._unit(nodes)
        return self._program

    def _collect_blocks(self, nodes: Sequence[Node]) -> None:
        """Find the blocks that stand at the top or directly in another block: their names are unique."""
        for node in nodes:
            if isinstance(node, Block):
                if node.name in self._blocks:
                    self._fail(f"The block `{node.name}` is defined twice.", node)
                self._blocks[node.name] = node
                self._collect_blocks(node.body)

    def _fail(self, message: str, node: Node) -> NoReturn:
        raise TemplateSyntaxError(message, *self._lines.at(node.position))

    def _unit(self, nodes: Sequence[Node]) -> Callable[[Context], Any]:
        template = jinja.Template(self._statements(nodes), lineno=1)
        code = _ENVIRONMENT.compile(template)
        return JinjaTemplate.from_code(_ENVIRONMENT, code, {}).root_render_func

    def _add_unit(self, nodes: Sequence[Node]) -> int:
        self._program.units.append(self._unit(nodes))
        return len(self._program.units) - 1

    def _statements(self, nodes: Sequence[Node]) -> list[jinja.Node]:
        statements: list[jinja.Node] = []
        for node in nodes:
            statements.extend(self._statement(node))
        return statements

    def _statement(self, node: Node) -> list[jinja.Node]:
        self._count += 1
        if self._count > limits.MAX_STATEMENTS:
            self._fail("The template repeats its blocks too often.", node)
        if isinstance(node, Text | Raw):
            return [jinja.Output([jinja.TemplateData(node.text)])]
        if isinstance(node, Break):
            return [jinja.Break()]
        if isinstance(node, Continue):
            return [jinja.Continue()]
        translate = self._translations().get(type(node))
        return translate(node) if translate else []

    def _translations(self) -> Mapping[type[Node], Callable[[Any], list[jinja.Node]]]:
        return {
            Output: self._output,
            Set: self._set,
            If: self._if,
            For: self._for,
            FilterSection: self._section,
            Block: self._block,
            Macro: self._macro,
            Include: self._include,
            Super: self._super,
        }

    def _output(self, node: Output) -> list[jinja.Node]:
        return [jinja.Output([self._call("text", self._expression(node.expression))])]

    def _set(self, node: Set) -> list[jinja.Node]:
        self._program.assignments.append(
            Assignment(node.position, node.name, node.expression, node.is_global)
        )
        return [jinja.ExprStmt(self._call("assign", len(self._program.assignments) - 1))]

    def _if(self, node: If) -> list[jinja.Node]:
        first, *others = [
            jinja.If(self._condition(branch.condition), self._statements(branch.body), [], [])
            for branch in node.branches
        ]
        first.elif_ = others
        if node.otherwise is not None:
            first.else_ = self._statements(node.otherwise.body)
        return [first]

    def _condition(self, condition: Expression | None) -> jinja.Expr:
        assert condition is not None  # noqa: S101  (narrows the type: only an `else` has no condition)
        return self._call("holds", self._expression(condition))

    def _for(self, node: For) -> list[jinja.Node]:
        assert node.container is not None  # noqa: S101  (narrows the type: the parser always sets it)
        self._program.loops.append(Loop(node.position, node.key_name, node.value_name, node.container))
        enter = self._call("enter", len(self._program.loops) - 1)
        turn = jinja.Name("_turn", "store")
        body = self._statements(node.body)
        turns = jinja.For(turn, self._call("turns"), body, [], None, False)
        leave = jinja.ExprStmt(self._call("leave"))
        return [jinja.If(enter, [turns, leave], [], self._statements(node.otherwise or []))]

    def _section(self, node: FilterSection) -> list[jinja.Node]:
        unit = self._add_unit(node.body)
        self._program.sections.append(Section(node.position, unit, node.filter))
        return [jinja.Output([self._call("section", len(self._program.sections) - 1)])]

    def _block(self, node: Block) -> list[jinja.Node]:
        # Tera renders the one definition of a name wherever the name appears again.
        definition = self._blocks.get(node.name, node)
        if node.name in self._open_blocks:
            self._fail(f"The block `{node.name}` contains itself.", node)
        self._open_blocks.append(node.name)
        statements = self._statements(definition.body)
        self._open_blocks.pop()
        return statements

    def _macro(self, node: Macro) -> list[jinja.Node]:
        self._program.macros[node.name] = MacroDefinition(
            node.name, node.parameters, self._add_unit(node.body)
        )
        return []

    def _include(self, node: Include) -> list[jinja.Node]:
        if _OWN_NAME in node.names:
            return self._refusal(node, "A template can not include itself.")
        if node.ignore_missing:
            return []
        names = ", ".join(node.names)
        return self._refusal(node, f"There is no template `{names[:60]}` to include.")

    def _super(self, node: Super) -> list[jinja.Node]:
        return self._refusal(node, "`super()` needs a block of another template to extend.")

    def _refusal(self, node: Node, message: str) -> list[jinja.Node]:
        self._program.refusals.append((node.position, message))
        return [jinja.ExprStmt(self._call("refuse", len(self._program.refusals) - 1))]

    def _expression(self, expression: Expression) -> int:
        self._program.expressions.append(expression)
        return len(self._program.expressions) - 1

    def _call(self, operation: str, *arguments: int) -> jinja.Call:
        operands: list[jinja.Expr] = [jinja.Const(argument) for argument in arguments]
        return jinja.Call(jinja.Name(operation, "load"), operands, [], None, None)

"""A program to a graph: statements in order, names to nodes, the last one is the result."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Mapping

from cgcli.errors import ArgumentError, CgError, ParseError, ShapeError, Span, UnknownNameError
from cgcli.graph.node import CONSTANT, VARIABLE, Graph, Node, constant, variable
from cgcli.graph.operation import Shape
from cgcli.lowering.arguments import Value, known
from cgcli.lowering.formula import expand
from cgcli.lowering.machine import Machine, Scope
from cgcli.ops.statics import brief, integers, shape_text
from cgcli.ops.table import CONSTANTS
from cgcli.syntax import tree


def lower(program: tree.Program, shapes: Mapping[str, Shape] | None = None) -> Graph:
    """The graph of a program.

    shapes: the shape of each input that is known; other free names are scalars, unless the
    program declares them. A name in `shapes` wins over a constant of the language.
    Raises UnknownNameError, ArgumentError, ShapeError, ParseError with their place in the text.
    """
    try:
        return _Lowering(program, shapes or {}).graph()
    except CgError as error:
        raise error.at(None, program.source) from None


class _Lowering:
    def __init__(self, program: tree.Program, shapes: Mapping[str, Shape]) -> None:
        self.program = program
        self.shapes = dict(shapes)
        self.names: dict[str, Value] = {}
        self.labels: dict[Node, str] = {}
        self.origins: dict[Node, Span] = {}
        self.functions = _functions(program.statements)
        self.assigned = {item.name: item.span for item in program.statements if isinstance(item, tree.Assign)}
        self.machine = Machine(self.lookup, ChainMap(self.names, self.shapes), self.functions, self.origins, expand)

    def graph(self) -> Graph:
        statements = self.program.statements
        if not statements:
            raise ParseError("there is no expression", hint="as in: cg eval '1 + 1'")
        for statement in statements:
            if isinstance(statement, tree.Declare):
                self.declare(statement)
        result: Value = None
        computed = [item for item in statements if not isinstance(item, tree.Define | tree.Declare)]
        for item in computed:
            result = self.assign(item) if isinstance(item, tree.Assign) else self.machine.run(item, Scope({}))
        last = statements[-1]
        if isinstance(last, tree.Define) and (not computed or isinstance(computed[-1], tree.Assign)):
            result = self.machine.run(last.body, Scope({}))  # f(x, y) = x*y, alone, means its body
        if not isinstance(result, Node):
            raise ParseError("the program has no result", last.span, hint="end it with an expression")
        idle = tuple(item.span for item in computed[:-1] if not isinstance(item, tree.Assign))
        return Graph((result,), self.labels, self.origins, self.program.source, idle)

    def declare(self, statement: tree.Declare) -> None:
        try:
            raw = known(self.machine.run(statement.shape, Scope({})), "a shape")
            shape = integers(raw, "a shape")
        except CgError as error:
            raise error.at(statement.shape.span) from None
        if any(size < 0 for size in shape):
            raise ArgumentError(f"a shape has no negative sizes, but {brief(raw)} has", statement.shape.span)
        given = self.shapes.setdefault(statement.name, shape)
        if given != shape:
            raise ShapeError(
                f"'{statement.name}' is declared with shape {shape_text(shape)}, but given with {shape_text(given)}",
                statement.span,
            )

    def assign(self, statement: tree.Assign) -> Value:
        value = self.machine.run(statement.value, Scope({}))
        if not isinstance(value, Node):
            raise ArgumentError("only a value can be named", statement.value.span)
        self.names[statement.name] = value
        if value.op is not VARIABLE and value.op is not CONSTANT:
            self.labels.setdefault(value, statement.name)
        return value

    def lookup(self, name: str, span: Span) -> Value:
        if name in self.names:
            return self.names[name]
        if name in self.shapes:
            return variable(name, self.shapes[name])
        if name in CONSTANTS:
            return constant(CONSTANTS[name])
        later = self.assigned.get(name)
        if later is not None and span.start < later.start:
            raise UnknownNameError(f"'{name}' is used before it is assigned", span, also=(later,))
        if name in self.functions:
            raise UnknownNameError(f"'{name}' is a function, not a value", span, hint=f"write {name}(…)")
        return variable(name)


def _functions(statements: Iterable[tree.Statement]) -> dict[str, tree.Define]:
    functions: dict[str, tree.Define] = {}
    for statement in statements:
        if isinstance(statement, tree.Define):
            names = [parameter.name for parameter in statement.parameters]
            if statement.function in functions:
                raise ArgumentError(f"'{statement.function}' is defined twice", statement.span)
            if len(set(names)) < len(names):
                raise ArgumentError(f"'{statement.function}' has one parameter twice", statement.span)
            functions[statement.function] = statement
    return functions

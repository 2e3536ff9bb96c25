"""A program to a graph: statements in order, names to nodes, the last one is the result, or several."""

from __future__ import annotations

import itertools

from cgcli.annotations import TYPE_CHECKING, Collection, Iterable, Mapping, Sequence
from cgcli.errors import ArgumentError, CgError, ParseError, ShapeError, Span, UnknownNameError, quoted
from cgcli.graph.node import Graph, Node, apply, constant, is_given, rebuild, variable
from cgcli.graph.operation import Shape
from cgcli.graph.shapes import shaped
from cgcli.lean import re
from cgcli.lowering.formula import expand
from cgcli.lowering.invoke import Several
from cgcli.lowering.machine import MAX_STEPS, Machine
from cgcli.lowering.sizes import check_sizes, names_of_sizes, sized, sizes_by_shape, without_sizes
from cgcli.lowering.standing import Moving
from cgcli.ops.table import CONSTANTS
from cgcli.syntax import tree

if TYPE_CHECKING:
    from cgcli.lowering.arguments import Value
    from cgcli.lowering.calls import Recorder

STEPS_PER_CHARACTER = 5  # in the bodies of functions, for a program longer than most

_COMMENT = r"""(`[^`\n]+`|"[^"\n]*"|'[^'\n]*')|\#[^\n]*"""


def lower(
    program: tree.Program,
    shapes: Mapping[str, Shape] | None = None,
    sizes: Mapping[str, int] | None = None,
    *,
    exactly: bool = False,
    book: bool = False,
    record: Recorder | None = None,
) -> Graph:
    """The graph of a program.

    shapes: the shape of each input that is known; other free names are scalars, unless the
    program declares them. A name in `shapes` wins over a constant of the language.
    sizes: of those names in declared shapes that are known; the shapes of inputs tell others.
    exactly: numerals keep digits that no float64 has. book: derivatives by a name, D(f, x), are those of a book, which
    hold where formulas do, and not at kinks and edges. record: told of the calls of its functions.
    Raises UnknownNameError, ArgumentError, ShapeError, ParseError with their place in the text.
    """
    try:
        return _Lowering(program, shapes or {}, sizes or {}, record, exactly=exactly, book=book).graph()
    except CgError as error:
        raise error.at(None, program.source) from None


class _Lowering:
    def __init__(
        self, program: tree.Program, shapes: Mapping[str, Shape], sizes: Mapping[str, int], record: Recorder | None,
        *, exactly: bool, book: bool,
    ) -> None:  # fmt: skip
        self.program = program
        self.shapes = dict(shapes)
        self.sized = sized(program.statements)
        self.sizes = sizes_by_shape(self.sized, shapes, sizes)
        self.unknown = [name for name in names_of_sizes(self.sized) if name not in self.sizes]
        self.unsized = {item.name for item in self.sized for size in item.sizes if size.name in self.unknown}
        self.names: dict[str, Value] = {}
        self.labels: dict[Node, str] = {}
        self.record = record
        self.origins: dict[Node, Span] = {} if record is None else record
        self.functions = _functions(program.statements)
        self.assigned = {item.name: item.span for item in program.statements if isinstance(item, tree.Assign)}
        self.rules = _rules(program.statements, self.functions)
        self.machine = Machine(
            self.lookup,
            self,
            self.functions,
            self.origins,
            expand,
            self.rules,
            max(MAX_STEPS, STEPS_PER_CHARACTER * len(program.source.text)),
            self.exact_numeral if exactly else None,
            program.source.text,
            Moving(_moving_names(program), self.origins, book, {}, [], {}, set()),
        )
        self.machine.invocations.record = record
        self.standing = self.machine.moving.standing()

    def __contains__(self, name: object) -> bool:
        """Whether a name has a value."""
        return name in self.names or name in self.shapes or name in self.sizes

    def graph(self) -> Graph:
        statements = self.program.statements
        if not statements:
            raise ParseError("there is no expression", hint="as in: x^2 + 1")
        parameters = opened_parameters(statements)
        check_sizes(self.sized, statements, parameters)
        for statement in statements:
            if isinstance(statement, tree.Declare) and statement.name not in self.unsized:
                self.declare(statement)
        for name in parameters:
            self.shapes.setdefault(name, ())
        computed = [item for item in statements if not isinstance(item, tree.Define | tree.DefineJvp | tree.Declare)]
        results: tuple[Value, ...] = ()
        for item in computed:
            results = self.results(item, last=item is computed[-1])
        if opened := opened_function(statements):
            results = (self.body(opened, statements[-1].span),)
        outputs = tuple(result for result in results if isinstance(result, Node))
        if not outputs or len(outputs) < len(results):
            raise ParseError("the program has no result", statements[-1].span, hint="end it with an expression")
        idle = tuple(
            item.span for item in computed[:-1] if not isinstance(item, tree.Assign | tree.AssignSeveral | tree.Flow)
        )
        for span in idle:
            _check_no_arrow(self.program.source.text, span)
        names = self.output_names(computed[-1], len(outputs)) if len(outputs) > 1 else ()
        functions = self.machine.invocations.named
        outputs = self.settled(outputs)
        carried = self.machine.carried
        if self.machine.has_blocks:
            outputs, carried = self.narrowed(outputs)
        calls = None if self.record is None else self.record.calls()
        made = self.machine.moving.settled() if self.machine.moving.made else ()
        return Graph(
            outputs, self.labels, self.origins, self.program.source, idle, names, functions, carried, calls, made,
            self.machine.moving.absent,
        )  # fmt: skip

    def results(
        self, item: tree.Expression | tree.Assign | tree.AssignSeveral | tree.Outputs | tree.Flow, last: bool
    ) -> tuple[Value, ...]:
        """The value of a statement, or its values."""
        if isinstance(item, tree.Assign):
            return (self.assign(item),)
        if isinstance(item, tree.Flow):
            value = self.run(item)
            if value is not None and not last and not isinstance(item, tree.If):
                last_span = item.body.statements[-1].span
                raise ArgumentError("nothing uses the value of this statement", last_span,
                                    hint="name the values of the trips: y = repeat 3 { x = x^2; x }")  # fmt: skip
            if last and value is None:
                raise ParseError("the program ends with a block", item.span, hint="end it with an expression")
            return self.results_of(value) if last else ()
        if isinstance(item, tree.AssignSeveral):
            return self.assign_several(item)
        if not isinstance(item, tree.Outputs):
            value = self.machine.run(item)
            return self.results_of(value) if last else (value,)
        if not last:
            raise ParseError("several outputs stand in the last statement only", item.span,
                             hint="an array is written in brackets: [1, 2]")  # fmt: skip
        return tuple(self.output(expression) for expression in item.items)

    def results_of(self, value: Value) -> tuple[Value, ...]:
        return value.values if isinstance(value, Several) else (value,)

    def run(self, item: tree.Expression | tree.Outputs | tree.Flow) -> Value:
        """A value; a loop or a branch changes the names, too."""
        if not isinstance(item, tree.Flow):
            return self.machine.run(item)
        value = self.machine.run(item, self.names)
        self.label(self.names)
        return value

    def output(self, expression: tree.Expression) -> Value:
        value = self.machine.run(expression)
        if not isinstance(value, Node):
            raise ArgumentError("an output must be a value", expression.span)
        return value

    def output_names(self, last: tree.Statement, count: int) -> tuple[str, ...]:
        """What several outputs are called: their name, else their text; numbered where two are called the same."""
        names: dict[str, None] = {}
        for item in last.items if isinstance(last, tree.Outputs) else [last] * count:
            name = item.name if isinstance(item, tree.Name) else self.text(item.span)
            numbered = (f"{name} ({at})" for at in itertools.count(2))
            names[next(other for other in itertools.chain([name], numbered) if other not in names)] = None
        return tuple(names)

    def text(self, span: Span) -> str:
        """What stands at a span, on one line, without comments; cut when it is long."""
        text = self.program.source.text[span.start : span.end]
        if "#" in text:
            text = re.sub(_COMMENT, lambda match: match[1] or " ", text)
        return quoted(text, Span(0, len(text)))

    def body(self, name: str, span: Span) -> Value:
        """A program that ends with a definition, as f(x, y) = x*y, means its body."""
        function = self.functions[name]
        if name not in self.rules:
            return self.machine.run(function.body)
        return self.machine.run(tree.Call(function.function, function.parameters, (), span, span))

    def exact_numeral(self, item: tree.Number) -> Node:
        """A numeral with all the digits that it is written with."""
        from cgcli.lowering.numerals import exact_numeral

        return exact_numeral(item.value, self.program.source.text[item.span.start : item.span.end])

    def declare(self, statement: tree.Declare) -> None:
        from cgcli.lowering.arguments import known
        from cgcli.ops.statics import sizes_of

        try:
            shape = sizes_of(known(self.machine.run(statement.shape), "a shape"))
        except CgError as error:
            raise error.at(statement.shape.span) from None
        given = self.shapes.setdefault(statement.name, shape)
        if given != shape:
            raise ShapeError(
                f"'{statement.name}' is declared with {shaped(shape)}, but given with {shaped(given)}",
                statement.span,
            )

    def assign(self, statement: tree.Assign) -> Value:
        value = self.run(statement.value)
        if not isinstance(value, Node):
            raise ArgumentError("only a value can be named", statement.value.span)
        self.names[statement.name] = self.standing.of(statement.name, value) if self.standing else value
        self.label({statement.name: value})
        return value

    def assign_several(self, statement: tree.AssignSeveral) -> tuple[Value, ...]:
        from cgcli.lowering.blocks import assigned_values

        values = assigned_values(statement, self.run(statement.value))
        self.names.update(values)
        self.label(values)
        return tuple(values.values())

    def settled(self, outputs: tuple[Node, ...]) -> tuple[Node, ...]:
        """The outputs with the values of names by which the program differentiates in the places of their leaves."""
        if self.standing is None:
            return outputs
        become = self.standing.settled(outputs)
        for node, new in become.items():
            if node in self.labels and not is_given(new):
                self.labels.setdefault(new, self.labels[node])
        return tuple(become.get(output, output) for output in outputs)

    def narrowed(self, outputs: tuple[Node, ...]) -> tuple[tuple[Node, ...], Mapping[object, tuple[str, ...]]]:
        """The outputs, whose loops carry nothing that nobody reads, and the names of these.

        What the program names keeps its name.
        """
        from cgcli.graph.loops import names_kept
        from cgcli.lowering.loops import narrowed

        self.label({name: node for node, name in self.machine.indices.items()})
        carried = self.machine.carried
        while True:
            with names_kept(carried) as carried:
                become = narrowed(outputs, self.origins)
            if not become:
                return outputs, carried
            become = become | rebuild(outputs, apply, become)
            for node, new in become.items():
                if node in self.labels:
                    self.labels.setdefault(new, self.labels[node])
                if node in self.origins:
                    self.origins.setdefault(new, self.origins[node])
            outputs = tuple(become.get(output, output) for output in outputs)

    def label(self, values: Mapping[str, Value]) -> None:
        """Call nodes what the program calls them."""
        for name, value in values.items():
            if isinstance(value, Node) and not is_given(value):
                self.labels.setdefault(value, name)

    def lookup(self, name: str, span: Span) -> Value:
        if name in self.names:
            return self.names[name]
        if name in self.unsized or name in self.unknown:
            raise without_sizes(self.sized, self.unknown)
        if name in self.sizes:
            return constant(float(self.sizes[name]))
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


def _moving_names(program: tree.Program) -> Collection[str]:
    """The names that a program differentiates by."""
    if "D" not in program.source.text:
        return ()
    from cgcli.lowering.differentials import moving_names

    return moving_names(program.statements)


def opened_function(statements: Sequence[tree.Statement]) -> str:
    """The function whose body the program means, since it ends with its definition; '' when there is none."""
    if not statements or not isinstance(last := statements[-1], tree.Define | tree.DefineJvp):
        return ""
    computed = [item for item in statements if not isinstance(item, tree.Define | tree.DefineJvp | tree.Declare)]
    return last.function if not computed or isinstance(computed[-1], tree.Assign) else ""


def opened_parameters(statements: Sequence[tree.Statement]) -> set[str]:
    """The parameters of that function: they are inputs even where the language has constants of these names."""
    opened = opened_function(statements)
    functions = (item for item in statements if isinstance(item, tree.Define) and item.function == opened)
    return {parameter.name for function in functions for parameter in function.parameters}


def _rules(statements: Iterable[tree.Statement], functions: Mapping[str, tree.Define]) -> dict[str, tree.DefineJvp]:
    """The derivative rule of each function that has one of the user's own."""
    rules: dict[str, tree.DefineJvp] = {}
    for statement in statements:
        if isinstance(statement, tree.DefineJvp):
            from cgcli.lowering.own_rule import check_rule

            check_rule(statement, functions)
            if statement.function in rules:
                raise ArgumentError(f"'{statement.function}' has two derivative rules", statement.where,
                                    also=(rules[statement.function].where,))  # fmt: skip
            rules[statement.function] = statement
    return rules


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


def _check_no_arrow(text: str, span: Span) -> None:
    """Raise ParseError for a statement without effect that reads like R's assignment, and compares."""
    found = re.match(r"([^\W\d]\w*)\s*<-\s+(\S.*)", text[span.start : span.end], re.DOTALL)
    if found:
        name, value = found[1], found[2]
        raise ParseError("'<-' gives no name a value: it compares with a negative one", span,
                         hint=f"write {name} = {value}; to compare, {name} < -{value}")  # fmt: skip

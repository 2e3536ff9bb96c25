"""A program at the values or the shapes of its names: the graph, what it reads, what to differentiate it by."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Any, Collection, Iterable, Iterator, Mapping, Sequence
from cgcli.api.notices import Notice
from cgcli.api.program import Program
from cgcli.errors import Span, UnknownNameError, UsageError, did_you_mean
from cgcli.graph.node import Graph, Node, name_of, toposort, variable, variables
from cgcli.graph.operation import Shape
from cgcli.graph.shapes import shape_of
from cgcli.lowering.inputs import check_bound, doubtful_constants
from cgcli.lowering.lower import opened_function
from cgcli.ops.table import FUNCTIONS
from cgcli.records import EMPTY, NamedTuple
from cgcli.syntax import tree

if TYPE_CHECKING:
    from cgcli.derivatives.jacobian import Evaluate

_IN_WORDS = {"tau": "2*pi", "τ": "2*pi", "e": "exp(1)"}  # constants that may be meant as variables
_PRINTED = ["e"]  # those of them that cg itself writes, so that in a pipe nobody asks about them
_SHOWN = 20  # names of inputs, and statements without effect, in messages


class Point(NamedTuple):
    """A program lowered at the shapes of its names.

    shapes: those that were given. bindings: the arrays, for the names that have them here.
    inputs: the variables that the graph reads, in order of appearance. columns: the names that have a value in
    each of many rows. sizes: those of the program's names for sizes that the shapes do not tell; free:
    those of them for which a number was assumed.
    """

    program: Program
    graph: Graph
    shapes: Mapping[str, Shape]
    bindings: Mapping[str, Any]
    inputs: tuple[Node, ...]
    columns: Collection[str] = ()
    sizes: Mapping[str, int] = EMPTY
    free: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What the inputs are called."""
        return tuple(map(name_of, self.inputs))

    @property
    def result(self) -> str:
        """What the program calls its only result: `E = m*c^2`, `E(m, c) = m*c^2`; '' where it has no name for it."""
        last = self.program.syntax.statements[-1]
        if self.graph.names:
            return ""
        if isinstance(last, tree.Define | tree.DefineJvp):
            return last.function
        return self.graph.labels.get(self.graph.output, "")

    def with_calls(self) -> Graph:
        """The graph, with a record of the calls of the program's functions: of the same nodes."""
        if not any(isinstance(statement, tree.Define) for statement in self.program.syntax.statements):
            return self.graph
        return self.program.graph(self.shapes, self.sizes, calls=True)

    def __reduce__(self) -> tuple[object, ...]:
        parts = dict(self.shapes), dict(self.bindings), dict(self.sizes), tuple(self.columns), self.free
        return _at_again, (self.program, *parts)

    def resized(self, sizes: Mapping[str, int]) -> Point:
        """The same with other numbers for the sizes that are free."""
        made = at_shapes(self.program, self.shapes, self.bindings, {**self.sizes, **sizes})
        return made._replace(columns=self.columns, free=self.free)

    def value(self, evaluate: Evaluate) -> Any:
        """The values of the outputs."""
        return self.by_output(evaluate(self.graph.outputs))

    def by_output(self, results: Iterable[Any]) -> Any:
        """The result of the only output, or those of several by name."""
        names = self.graph.names
        return dict(zip(names, results, strict=True)) if names else next(iter(results))

    def per_output(self, labelled: Any) -> Iterator[tuple[str, Any]]:
        """What `by_output` has made, as pairs again: the name of an only output is ''."""
        return iter(labelled.items() if self.graph.names else [("", labelled)])

    def _redefined(self) -> tree.Define | None:
        """The definition that the program ends with, if it is one of a function of the language."""
        last = self.program.syntax.statements[-1]
        if not isinstance(last, tree.Define) or last.function not in FUNCTIONS:
            return None
        return last if opened_function(self.program.syntax.statements) else None

    def check_any(self, wrt: Sequence[Node]) -> None:
        """Raise UsageError where there are no names to differentiate by."""
        if not wrt:
            redefined = self._redefined()
            hint = "the expression has no names, as in: x^2"
            if redefined:
                hint = f"this defines '{redefined.function}' anew, with no names in it; to compare, write =="
            raise UsageError("there is nothing to differentiate by", hint=hint)

    def check_complete(self) -> None:
        """Raise UnknownNameError for the inputs that have no value, all at once."""
        if not self.shapes.keys() >= set(self.names):
            check_bound(self.graph, self.shapes)

    def chosen(self, wrt: Sequence[str] | None) -> list[Node]:
        """The variables to differentiate by: all inputs, or those of the names.

        A name that the program does not read has a variable, too, of the shape that was given; see
        `notices`. Raises UsageError for the name of what the program computes.
        """
        if wrt is None:
            return list(self.inputs)
        read = dict(zip(self.names, self.inputs, strict=True))
        return [read.get(name) or self._absent(name) for name in dict.fromkeys(wrt)]

    def _absent(self, name: str) -> Node:
        """The variable of a name that the program does not read."""
        if name in self.program.sizes:
            raise UsageError(f"cannot differentiate by '{name}': it is a size, not an input", hint=self._inputs_are())
        if name in self.graph.labels.values():
            raise UsageError(f"cannot differentiate by '{name}': it is computed by the program, not an input",
                             hint=self._inputs_are())  # fmt: skip
        if "," in name and name not in self.shapes:
            listed = [each.strip() for each in name.split(",")]
            raise UsageError(f"cannot differentiate by '{name}': it is no name of the program",
                             hint=f"several names are a list: {listed}")  # fmt: skip
        return variable(name, self.shapes.get(name, self.program.shapes.get(name, ())))

    def check_present(self, wrt: Iterable[Node]) -> None:
        """Raise UnknownNameError for a variable whose name the program does not have."""
        known = {*self.names, *self.program.inputs}
        for node in wrt:
            if name_of(node) not in known:
                raise UnknownNameError(f"cannot differentiate by '{name_of(node)}': it is not in the expression",
                                       source=self.graph.source, hint=self.nearest(name_of(node)))  # fmt: skip

    def nearest(self, name: str) -> str:
        """A hint: the input that may have been meant, or which inputs there are."""
        return did_you_mean(name, self.names) or self._inputs_are()

    def _inputs_are(self) -> str:
        return f"the inputs are: {', '.join(self.names[:_SHOWN]) or 'none'}"

    def notices(self, wrt: Iterable[Node] = ()) -> Iterator[Notice]:
        """What has no effect, statements, values and variables to differentiate by; constants that may mean a variable.

        wrt: the variables that were chosen.
        """
        for span in self.graph.idle[:_SHOWN]:
            hint = "name it, as in: a = x^2; a + 1. A line goes on over the next one only inside brackets"
            yield Notice("nothing uses the value of this statement", hint, span, {"kind": "unused"})
        if redefined := self._redefined():
            message = f"'{redefined.function}' is a function of the language, and is defined anew here"
            yield Notice(message, "to compare, write ==", redefined.span, {"kind": "redefined"})
        yield from _arrows(self.program.syntax.source.text)
        if "repeat" in self.program.syntax.source.text:
            yield from _broken_trips(self)
        graph = self.graph
        inside = toposort([node for each in graph.differentiated for node in each.read])
        read = {*self.names, *map(name_of, variables(inside))}
        places = {name_of(node): span for node, span in graph.absent.items() if name_of(node) not in self.names}
        absent = [*dict.fromkeys([*(name for name in map(name_of, wrt) if name not in read), *places])]
        for name in self.shapes:
            if name not in read and name not in absent and name not in self.columns:
                yield Notice(f"'{name}' is bound, but the expression does not use it", details={"kind": "unused"})
        for name in absent[:_SHOWN]:
            message = f"'{name}' is not in the expression: its derivative is 0"
            yield Notice(message, did_you_mean(name, sorted(read)), places.get(name), details={"kind": "absent"})
        if len(absent) > _SHOWN:
            message = f"{len(absent) - _SHOWN} more names are not in the expression: their derivatives are 0"
            yield Notice(message, details={"kind": "absent"})
        if any(node.shape for node in self.inputs):
            from cgcli.api.elementwise import doubtful

            yield from doubtful(self.graph)
        syntax = self.program.syntax
        known = {
            *self.shapes,
            *self.program.shapes,
            *self.program.opened,
            *(_PRINTED * (syntax.source.name == "<stdin>")),
        }
        for name, span in doubtful_constants(syntax):
            if name not in known and syntax.source.text.strip() != name:  # `cg eval e` asks for the number
                hint = f"give it a value, or declare it: {name}: []"
                yield Notice(f"{name} is read as {_IN_WORDS[name]}", hint, span, {"kind": "reading", "node": name})


def _arrows(text: str) -> Iterator[Notice]:
    """What looks like R's assignment, and compares with a negative value."""
    if "<- " in text:
        import re

        from cgcli.syntax.brackets import without_comments

        for arrow in re.finditer(r"([^\W\d]\w*) ?<- +(?=[\w(\[])", without_comments(text)):
            hint = f"to give a name a value, write {arrow[1]} = …; to compare, write {arrow[1]} < -…"
            yield Notice("'<-' compares with a negative value", hint, Span(*arrow.span()), {"kind": "reading"})


def _broken_trips(point: Point) -> Iterator[Notice]:
    """Statements that are repeated so many times as an input says, whose value is no whole number."""
    from cgcli.graph.loops import Loop
    from cgcli.ops.loops import last_index

    text, origins = point.program.syntax.source.text, point.graph.origins
    for loop in toposort(point.graph.outputs):
        end, span = last_index(loop) if isinstance(loop.params, Loop) else None, origins.get(loop)
        if end in point.inputs and span and text.startswith("repeat", span.start):
            trips = point.bindings.get(name_of(end))
            if trips is not None and trips % 1 != 0 and trips - trips == 0:
                message = f"'{name_of(end)}' is {float(trips)!r}, and only whole trips are made: {max(int(trips), 0)}"
                yield Notice(message, "round(x) is the nearest whole number", span, {"kind": "trips"})


def at_shapes(
    program: Program,
    shapes: Mapping[str, Shape],
    bindings: Mapping[str, Any] = EMPTY,
    sizes: Mapping[str, int] = EMPTY,
) -> Point:
    """The program lowered for names of these shapes; names may still be without. bindings: arrays of these shapes.

    sizes: those that the shapes do not tell. Raises UnknownNameError, ArgumentError, ShapeError with their place in
    the text.
    """
    graph = program.graph(shapes, sizes)
    return Point(program, graph, shapes, bindings, tuple(variables(toposort(graph.outputs))), sizes=sizes)


def _at_again(
    program: Program, shapes: Mapping[str, Shape], bindings: Mapping[str, Any], sizes: Mapping[str, int],
    columns: Collection[str], free: tuple[str, ...],
) -> Point:  # fmt: skip
    """The point that was pickled."""
    return at_shapes(program, shapes, bindings, sizes)._replace(columns=columns, free=free)


def at_values(
    program: Program,
    bindings: Mapping[str, Any],
    columns: Mapping[str, Shape] = EMPTY,
    assumed: Mapping[str, int] = EMPTY,
) -> Point:
    """The program lowered at the values of its names. columns: shapes of names that have a value in each row.

    assumed: numbers for sizes that the values do not tell. Raises UsageError for the value of a size that is no whole
    number.
    """
    sizes = {name: _whole(name, bindings[name]) for name in program.sizes if name in bindings}
    arrays = {name: value for name, value in bindings.items() if name not in sizes} if sizes else bindings
    shapes = {**columns, **{name: shape_of(value) for name, value in arrays.items()}}
    point = at_shapes(program, shapes, arrays, {**sizes, **assumed})
    return point._replace(columns=tuple(columns), free=tuple(assumed))


def _whole(name: str, value: Any) -> int:
    """The value of a size."""
    if shape_of(value) or value < 0 or not float(value).is_integer():
        raise UsageError(f"'{name}' is a size, and its value must be a whole number", hint=f"as in: {name}=3")
    return int(value)


def by_name(wrt: Sequence[Node], results: Iterable[Any]) -> dict[str, Any]:
    """Results for each variable, by its name."""
    return dict(zip(map(name_of, wrt), results, strict=True))

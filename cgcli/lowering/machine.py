"""Expressions to nodes: what waits stands on a stack of its own, so that no depth of nesting is too deep."""

from __future__ import annotations

import math

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Container, Mapping, Sequence
from cgcli.errors import ArgumentError, CgError, ShapeError, Span, TooLargeError, UnknownNameError
from cgcli.graph.node import VARIABLE, Node, apply, constant, constant_value, toposort, variable
from cgcli.graph.operation import Operation, Params, Shape, Shorthand
from cgcli.lean import cache
from cgcli.lowering.invoke import Gone, Invocations, Scope, Several
from cgcli.lowering.standing import Moving
from cgcli.ops.arithmetic import NEG
from cgcli.ops.table import CONSTANTS, entries_of
from cgcli.records import EMPTY
from cgcli.syntax import tree

if TYPE_CHECKING:
    from cgcli.lowering.arguments import Expand, Value
    from cgcli.lowering.blocks import Blocks
    from cgcli.lowering.indices import Places
    from cgcli.lowering.invoke import Steps

    Lookup = Callable[[str, Span], Value]

    _Waiting = tuple[Any, Scope, Steps | Operation | None, int]
    """An expression, its scope, its steps once it has begun, or its operation, and how many values they wait for."""

MAX_STEPS = 50_000  # in the bodies of functions: about a second; a long program may take as much longer as it is


class Machine:
    """Lowers expressions; `lookup` finds the names that no scope holds.

    named: the names that have a value. expand: gives what an entry that is made of others stands for. functions:
    the user's own definitions; rules: their derivative rules. origins: filled with the span that each node was first
    read from. most: the operations that the bodies of functions may expand to. numeral: what a numeral means, unless
    the nearest float64. source: the text that was read. moving: the names that the program differentiates by.
    """

    def __init__(
        self,
        lookup: Lookup,
        named: Container[str],
        functions: Mapping[str, tree.Define],
        origins: dict[Node, Span],
        expand: Expand,
        rules: Mapping[str, tree.DefineJvp] | None = None,
        most: int = MAX_STEPS,
        numeral: Callable[[tree.Number], Node] | None = None,
        source: str = "",
        moving: Moving | None = None,
    ) -> None:
        self._numeral = numeral
        self._lookup = lookup
        self._named = named
        self._functions = functions
        self._origins = origins
        self._expand = expand
        self.moving = moving or Moving((), origins, False, {}, [], {}, set())
        self.invocations = Invocations(functions, rules or {}, origins, expand, self.moving.standing)
        self._steps, self._most = 0, most
        self._source = source
        self._of_blocks: Places | None = None
        self._blocks_made: Blocks | None = None

    def run(self, expression: tree.Expression | tree.Outputs | tree.Flow, names: Mapping[str, Value] = EMPTY) -> Value:
        """The value of an expression that stands in no function; a loop or a branch changes the names instead."""
        self.invocations.forget()
        values: list[Value] = []
        waiting: list[_Waiting] = [(expression, Scope(names), None, 0)]
        while waiting:
            item, scope, steps, count = waiting.pop()
            taken: list[Value] = []
            try:
                if steps is None:
                    if scope.inside:
                        self._count(scope)
                    leaf = _LEAVES.get(type(item))
                    if leaf is not None:
                        values.append(leaf(self, item, scope))
                        continue
                    operation = self._operation(item) if type(item) is tree.Call else None
                    if operation is None:
                        steps = _STEPS[type(item)](self, item, scope)
                        needed, inner = next(steps)
                    elif _ALONE(map(type, item.args)):
                        call = item
                        for item in call.args:
                            if scope.inside:
                                self._count(scope)
                            taken.append(_LEAVES[type(item)](self, item, scope))
                        item = call
                    else:
                        waiting.append((item, scope, operation, len(item.args)))
                        waiting.extend([(child, scope, None, 0) for child in item.args[::-1]])
                        continue
                else:
                    first = len(values) - count
                    taken = values[first:]
                    del values[first:]
                    operation = None
                    if isinstance(steps, Operation):
                        operation = steps
                    else:
                        needed, inner = steps.send(taken)
                if operation is not None:
                    if (node := self._plainly(operation, taken, item)) is not None:
                        values.append(node)
                        continue
                    steps = self._call(item, scope)
                    next(steps)
                    needed, inner = steps.send(taken)
            except StopIteration as end:
                values.append(end.value)
                if type(end.value) is Node and end.value.args:
                    self._origins.setdefault(end.value, item.span)
            except CgError as fault:
                raise self._told(fault, item, taken, scope, waiting) from None
            else:
                waiting.append((item, scope, steps, len(needed)))
                waiting.extend((child, inner, None, 0) for child in reversed(needed))
        return values.pop()

    def _told(
        self, fault: CgError, item: tree.Expression, taken: Sequence[Value], scope: Scope, waiting: Sequence[_Waiting]
    ) -> CgError:
        """An error with its place, and with that of the call in whose function it is."""
        error = fault
        if isinstance(fault, ShapeError | ArgumentError | TooLargeError):
            from cgcli.lowering.undeclared import naming, without_value

            if isinstance(fault, ShapeError):
                error = without_value(
                    fault, item, taken, self._named, lambda shapes: self._fits(item, taken, scope, shapes)
                )
            own = self._functions
            if error is fault and isinstance(item, tree.Call) and not item.operator and item.function not in own:
                naming(error, item.function)
        if scope.inside and (error.span is None or isinstance(fault, ShapeError)):
            error.call = next((caller.span for caller, where, *_ in reversed(waiting) if not where.inside), None)
        return error.at(item.span)

    def _fits(self, item: tree.Expression, taken: Sequence[Value], scope: Scope, shapes: Mapping[str, Shape]) -> bool:
        """Whether an expression can be read where some names, which count as numbers, have other shapes."""
        if not isinstance(item, tree.Call | tree.Array | tree.Index | tree.Compare):
            return False
        names = {variable(name): variable(name, shape) for name, shape in shapes.items()}
        steps = _STEPS[type(item)](self, item, scope)
        try:
            next(steps)
            steps.send([names.get(value, value) if type(value) is Node else value for value in taken])
        except CgError:
            return False
        except StopIteration:
            pass
        return True

    def _count(self, scope: Scope) -> None:
        """Count an expression that stands in a function's body."""
        if scope.inside:
            self._steps += 1
            if self._steps > self._most:
                raise TooLargeError(f"the calls of '{scope.inside}' expand to more than {self._most} operations")

    # ---- leaves -----------------------------------------------------------------------

    def _number(self, item: tree.Number, scope: Scope) -> Value:
        return self._placed(constant(item.value) if self._numeral is None else self._numeral(item), item)

    def _text(self, item: tree.Text, scope: Scope) -> Value:
        return item.text

    def _name(self, item: tree.Name, scope: Scope) -> Value:
        found = scope.names.get(item.name)
        if found is None:
            found = self._lookup(item.name, item.span)
        if type(found) is not Node and isinstance(found, Gone):
            raise UnknownNameError(found.why, item.span, hint=f"give it a value before: {item.name} = 0")
        return self._placed(found, item)

    def _placed(self, value: Value, item: tree.Number | tree.Name) -> Value:
        """A variable, or a constant that is worth a warning, with the place where it was first read."""
        if type(value) is Node and (value.op is VARIABLE or not math.isfinite(constant_value(value) or 0.0)):
            self._origins.setdefault(value, item.span)
        return value

    # ---- arrays, comparisons ------------------------------------------------------------

    def _array(self, item: tree.Array, scope: Scope) -> Steps:
        from cgcli.lowering.build import literal

        values = yield item.items, scope
        return literal(values, [element.span for element in item.items])

    def _index(self, item: tree.Index, scope: Scope) -> Steps:
        from cgcli.lowering.places import indexed

        values = iter((yield (item.base, *(part for part in item.items if not isinstance(part, _MARKS))), scope))
        base = next(values)
        items = [part if isinstance(part, _MARKS) else next(values) for part in item.items]
        if isinstance(base, Node) and not base.shape and not all(isinstance(part, _MARKS) for part in items):
            from cgcli.lowering.undeclared import no_elements

            raise no_elements(item, base, self._texts(item.items), self._named)
        return indexed(base, items, item)

    def _slice(self, item: tree.Slice, scope: Scope) -> Steps:
        from cgcli.lowering.build import raw_slice
        from cgcli.syntax.elsewhere import elements_between
        from cgcli.syntax.spreadsheets import cells

        parts = (item.start, item.stop, item.step)
        if isinstance(item.stop, tree.Name) and item.stop.name == "end" and "end" not in self._named:
            hint = f"write {self._source[item.span.start : item.stop.span.start]}"
            raise ArgumentError("a slice to the end has no number behind its ':'", item.span, hint=hint)
        written = self._source[item.span.start : item.span.end]
        if other := cells(written) or elements_between(written, self._named):
            raise ArgumentError("a slice has whole numbers", item.span, hint=f"write {other}")
        values = iter((yield tuple(part for part in parts if part is not None), scope))
        return raw_slice(*(None if part is None else next(values) for part in parts))

    def _compare(self, item: tree.Compare, scope: Scope) -> Steps:
        from cgcli.lowering.build import comparisons

        values = yield item.operands, scope
        return comparisons(item.functions, values, [operand.span for operand in item.operands])

    # ---- blocks -----------------------------------------------------------------------

    def _block(self, item: tree.Block, scope: Scope) -> Steps:
        return self._blocks().block(item, scope)

    def _loop(self, item: tree.While | tree.For | tree.Repeat, scope: Scope) -> Steps:
        return self._blocks().loop(item, scope)

    def _branch(self, item: tree.If, scope: Scope) -> Steps:
        return self._blocks().branch(item, scope)

    def _outputs(self, item: tree.Outputs, scope: Scope) -> Steps:
        return self._blocks().outputs(item, scope)

    def _series(self, item: tree.Series, scope: Scope) -> Steps:
        from cgcli.lowering.series import series

        return series(item, scope, self._places())

    def _derived(self, item: tree.Derived, scope: Scope) -> Steps:
        from cgcli.lowering.derived import derived

        values = yield (*item.args, *item.moved, *item.guards), scope
        return (yield from derived(item, values, scope, self._origins))

    def _solve(self, item: tree.Solve, scope: Scope) -> Steps:
        from cgcli.lowering.equations import solve

        return solve(item, scope, self._places())

    @property
    def indices(self) -> Mapping[Node, str]:
        """What the program calls the indices of its loops."""
        return EMPTY if self._of_blocks is None else self._of_blocks.names

    @property
    def carried(self) -> Mapping[object, tuple[str, ...]]:
        """What the program calls the carries of its loops, by their bodies."""
        return EMPTY if self._of_blocks is None else self._of_blocks.carried

    @property
    def has_blocks(self) -> bool:
        """Whether the program has loops or branches, or sums over an index."""
        return self._of_blocks is not None

    def _places(self) -> Places:
        if self._of_blocks is None:
            from cgcli.lowering.indices import Places

            self._of_blocks = Places(self._origins, {}, {}, [], self.moving)
        return self._of_blocks

    def _blocks(self) -> Blocks:
        if self._blocks_made is None:
            from cgcli.lowering.blocks import Blocks

            self._blocks_made = Blocks(self._lookup, self._places())
        return self._blocks_made

    # ---- functions --------------------------------------------------------------------

    def _call(self, item: tree.Call, scope: Scope) -> Steps:
        own = not item.operator and item.function in self._functions
        if not own and item.function == "iterate":
            return (yield from self._blocks().iterate(item, scope))
        if not own and item.function == "D" and (len(item.args) > 1 or not self._is_value("D", scope)):
            from cgcli.lowering.differentials import differentiated

            return (yield from differentiated(item, scope, self.moving, self._texts(item.args)))
        if not own and not entries_of(item.function):
            raise self._unknown(item, scope)
        if item.function == "solve" and item.keywords and not own:
            from cgcli.lowering.equations import check_equation

            check_equation(item, self._texts(item.args), *self._texts([item.keywords[0][1]]))
        children = item.args if not item.keywords else (*item.args, *(value for _, value, _ in item.keywords))
        values = yield children, scope
        if own:
            return (yield from self.invocations.invoke(item, tuple(values)))
        from cgcli.lowering.arguments import called

        return self._applied(*called(item, values, lambda: self._texts(item.args)), item)

    def _is_value(self, name: str, scope: Scope) -> bool:
        return name in scope.names or name in self._named

    def _operation(self, item: tree.Call) -> Operation | None:
        """The operation that a call means which needs no choice: that of most calls."""
        if item.keywords or (not item.operator and item.function in self._functions):
            return None
        return _plain(item.function, len(item.args))

    def _plainly(self, operation: Operation, args: Sequence[Value], item: tree.Call) -> Node | None:
        """The node of such an operation; None where an argument is no value."""
        for arg in args:
            if type(arg) is not Node:
                return None
        if operation is NEG and item.operator and math.isinf(number := constant_value(args[0]) or 0.0):
            return constant(-number)  # -inf is a number, as -2 is
        try:
            node = apply(operation, tuple(args))
        except ShapeError as error:
            from cgcli.lowering.arguments import among

            raise among(error, operation, item) from None
        self._origins.setdefault(node, item.span)
        return node

    def _unknown(self, item: tree.Call, scope: Scope) -> CgError:
        """The error for a call of what is no function."""
        from cgcli.lowering.undeclared import no_function

        name = item.function
        value = scope.names.get(name)
        if value is None and (name in self._named or name in CONSTANTS):
            value = self._lookup(name, item.where)
        written = self._source[item.where.start : item.where.end]
        return no_function(item, written, self._texts, value, self._functions)

    def _texts(self, items: Sequence[tree.Expression | tree.Dots | tree.NewAxis]) -> list[str]:
        """How expressions are written."""
        return [self._source[item.span.start : item.span.end] for item in items]

    def _applied(self, entry: Operation | Shorthand, args: tuple[Node, ...], params: Params, item: tree.Call) -> Value:
        """The node of an operation, or what a shorthand stands for, or both of two, every node read from the call."""
        try:
            if isinstance(entry, Operation):
                return apply(entry, args, params)
            expanded: Any = self._expand(entry, args, params)
        except CgError as error:
            if not isinstance(entry, Operation):
                error.span, error.also = None, ()  # a place in the shorthand's formula is none in the program
            from cgcli.lowering.arguments import among

            raise among(error, entry, item) if isinstance(error, ShapeError) else error from None
        several = expanded if isinstance(expanded, tuple) else (expanded,)
        for node in toposort(several, args):
            if node.args:
                self._origins.setdefault(node, item.span)
        return expanded if isinstance(expanded, Node) else Several(several)


@cache
def _plain(name: str, count: int) -> Operation | None:
    """The operation that takes just so many arrays and nothing else: that of most calls."""
    for entry in entries_of(name):
        if isinstance(entry, Operation) and not entry.statics and not entry.variadic and len(entry.arrays) == count:
            return entry
    return None


_MARKS = tree.Dots | tree.NewAxis

_LEAVES: dict[type, Callable[[Machine, Any, Scope], Value]] = {
    tree.Number: Machine._number,
    tree.Name: Machine._name,
    tree.Text: Machine._text,
}
_ALONE = frozenset(_LEAVES).issuperset
_STEPS: dict[type, Callable[[Machine, Any, Scope], Steps]] = {
    tree.Call: Machine._call,
    tree.Compare: Machine._compare,
    tree.Array: Machine._array,
    tree.Index: Machine._index,
    tree.Slice: Machine._slice,
    tree.Series: Machine._series,
    tree.Derived: Machine._derived,
    tree.Solve: Machine._solve,
    tree.Block: Machine._block,
    tree.Outputs: Machine._outputs,
    tree.While: Machine._loop,
    tree.For: Machine._loop,
    tree.Repeat: Machine._loop,
    tree.If: Machine._branch,
}

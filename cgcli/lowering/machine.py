"""Expressions to nodes: an explicit stack of tasks, so that no depth of nesting is too deep."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any, NamedTuple

from cgcli.errors import ArgumentError, CgError, Span, TooLargeError, UnknownNameError, did_you_mean
from cgcli.graph.node import (
    VARIABLE,
    Node,
    apply,
    constant,
    constant_value,
    toposort,
)
from cgcli.graph.operation import Operation, Params, Shorthand
from cgcli.lowering.arguments import Value, bind, choose, raw_slice
from cgcli.lowering.build import comparisons, indexed, literal
from cgcli.ops.arithmetic import NEG
from cgcli.ops.table import FUNCTIONS
from cgcli.syntax import tree

MAX_STEPS = 1_000_000  # in the bodies of functions, beyond what stands in the text itself


class Scope(NamedTuple):
    """Where names are looked up: a function's parameters, then what lies outside of it."""

    names: Mapping[str, Value]
    inside: str = ""  # the function whose body this is


Lookup = Callable[[str, Span], Value]
Task = tuple[Callable[[Any, Scope], None], Any, Scope]


class Machine:
    """Lowers expressions; `lookup` finds the names that no scope holds.

    named: the names that have a value. functions: the user's own definitions. origins: filled
    with the span that each node was first read from.
    """

    def __init__(
        self,
        lookup: Lookup,
        named: Container[str],
        functions: Mapping[str, tree.Define],
        origins: dict[Node, Span],
        expand: Callable[[Shorthand | Operation, tuple[Node, ...], Params], Node],
    ) -> None:
        self._lookup = lookup
        self._named = named
        self._functions = functions
        self._origins = origins
        self._expand = expand
        self._values: list[Value] = []
        self._work: list[Task] = []
        self._running: set[str] = set()
        self._returned: dict[tuple[str, tuple[Value, ...]], Value] = {}
        self._steps = 0

    def run(self, expression: tree.Expression, scope: Scope) -> Value:
        """The value of an expression."""
        self._returned.clear()
        self._work.append((self._visit, expression, scope))
        while self._work:
            action, item, where = self._work.pop()
            try:
                action(item, where)
            except CgError as error:
                raise error.at(item.span) from None
        return self._values.pop()

    def _visit(self, item: tree.Expression, scope: Scope) -> None:
        if scope.inside:
            self._steps += 1
            if self._steps > MAX_STEPS:
                raise TooLargeError(f"the calls of '{scope.inside}' expand to more than {MAX_STEPS} operations")
        _VISIT[type(item)](self, item, scope)

    def _later(self, action: Callable[[Any, Scope], None], item: Any, scope: Scope,
               children: Sequence[tree.Expression]) -> None:  # fmt: skip
        """Do `action` when the children's values stand on the stack, in their order."""
        self._work.append((action, item, scope))
        visit = self._visit
        self._work.extend((visit, child, scope) for child in reversed(children))

    def _take(self, count: int) -> list[Value]:
        """The last `count` values."""
        if not count:
            return []
        taken = self._values[-count:]
        del self._values[-count:]
        return taken

    def _give(self, node: Value, span: Span) -> None:
        if type(node) is Node and node.args:
            self._origins.setdefault(node, span)
        self._values.append(node)

    # ---- leaves -----------------------------------------------------------------------

    def _number(self, item: tree.Number, scope: Scope) -> None:
        self._values.append(constant(item.value))

    def _text(self, item: tree.Text, scope: Scope) -> None:
        self._values.append(item.text)

    def _name(self, item: tree.Name, scope: Scope) -> None:
        found = scope.names.get(item.name)
        if found is None:
            found = self._lookup(item.name, item.span)
            if type(found) is Node and found.op is VARIABLE:
                self._origins.setdefault(found, item.span)
        self._values.append(found)

    # ---- arrays -----------------------------------------------------------------------

    def _array(self, item: tree.Array, scope: Scope) -> None:
        self._later(self._make_array, item, scope, item.items)

    def _make_array(self, item: tree.Array, scope: Scope) -> None:
        self._give(literal(self._take(len(item.items))), item.span)

    def _index(self, item: tree.Index, scope: Scope) -> None:
        self._later(self._make_index, item, scope, (item.base, *item.items))

    def _make_index(self, item: tree.Index, scope: Scope) -> None:
        base, *items = self._take(1 + len(item.items))
        self._give(indexed(base, items, [written.span for written in item.items]), item.span)

    def _slice(self, item: tree.Slice, scope: Scope) -> None:
        parts = [part for part in (item.start, item.stop, item.step) if part is not None]
        self._later(self._make_slice, item, scope, parts)

    def _make_slice(self, item: tree.Slice, scope: Scope) -> None:
        written = (item.start, item.stop, item.step)
        values = iter(self._take(sum(part is not None for part in written)))
        self._values.append(raw_slice(*(None if part is None else next(values) for part in written)))

    # ---- functions --------------------------------------------------------------------

    def _call(self, item: tree.Call, scope: Scope) -> None:
        user = None if item.operator else self._functions.get(item.function)
        if user is None and item.function not in FUNCTIONS:
            self._unknown(item, scope)
        children = (*item.args, *(value for _, value, _ in item.keywords))
        self._later(self._invoke if user else self._make_call, item, scope, children)

    def _unknown(self, item: tree.Call, scope: Scope) -> None:
        name = item.function
        product = f"to multiply, write {name}*(…)"
        if name in scope.names or name in self._named:
            raise UnknownNameError(f"'{name}' is a value, not a function", item.where, hint=product)
        near = did_you_mean(name, [*self._functions, *FUNCTIONS])
        hint = near or f"define it as {name}(x) = …" + f"; {product}" * (len(item.args) == 1)
        raise UnknownNameError(f"unknown function '{name}'", item.where, hint=hint)

    def _make_call(self, item: tree.Call, scope: Scope) -> None:
        values = self._take(len(item.args) + len(item.keywords))
        plain = _PLAIN.get((item.function, len(values)))
        if plain is not None and not item.keywords and all(type(value) is Node for value in values):
            number = constant_value(values[0]) if plain is NEG and item.operator else None
            if number is not None and math.isinf(number):
                self._values.append(constant(-number))  # -inf is a number, as -2 is
                return
            self._give(apply(plain, tuple(values)), item.span)
            return
        args = values[: len(item.args)]
        keywords: dict[str, Value] = {}
        for (name, _, span), value in zip(item.keywords, values[len(item.args) :], strict=True):
            if name in keywords:
                raise ArgumentError(f"'{name}' is given twice", span)
            keywords[name] = value
        entry = choose(FUNCTIONS[item.function], item.function, args, keywords)
        arrays, params = bind(entry, args, keywords)
        if type(entry) is Operation:
            self._give(apply(entry, arrays, params), item.span)
            return
        written = self._expand(entry, arrays, params)
        for node in toposort([written], arrays):
            if node.args:
                self._origins.setdefault(node, item.span)
        self._values.append(written)

    def _invoke(self, item: tree.Call, scope: Scope) -> None:
        """Lower the body of a user's function with the arguments in place of its parameters."""
        function = self._functions[item.function]
        args = self._take(len(item.args) + len(item.keywords))
        wanted = [parameter.name for parameter in function.parameters]
        usage = f"usage: {function.function}({', '.join(wanted)})"
        if item.keywords or len(args) != len(wanted):
            count = f"{len(wanted)} argument{'s' * (len(wanted) != 1)}"
            given = "one by its name" if item.keywords else len(args)
            raise ArgumentError(f"'{item.function}' takes {count}, not {given}", hint=usage)
        key = (item.function, tuple(args))
        if key in self._returned:
            self._give(self._returned[key], item.span)
            return
        if item.function in self._running:
            raise ArgumentError(f"'{item.function}' calls itself", item.where,
                                hint="a function cannot be defined by itself: its graph would never end")  # fmt: skip
        self._running.add(item.function)
        self._work.append((self._return, _Pending(item.function, key, item.span), scope))
        inner = Scope(dict(zip(wanted, args, strict=True)), item.function)
        self._work.append((self._visit, function.body, inner))

    def _return(self, call: _Pending, scope: Scope) -> None:
        self._running.discard(call.function)
        self._returned[call.key] = self._values[-1]

    def _compare(self, item: tree.Compare, scope: Scope) -> None:
        self._later(self._make_compare, item, scope, item.operands)

    def _make_compare(self, item: tree.Compare, scope: Scope) -> None:
        self._give(comparisons(item.functions, self._take(len(item.operands))), item.span)


class _Pending(NamedTuple):
    """A call of a user's function whose body is being lowered."""

    function: str
    key: tuple[str, tuple[Value, ...]]
    span: Span


# The operations that take just so many arrays and nothing else: most of all calls.
_PLAIN = {
    (name, len(entry.arrays)): entry
    for name, entries in FUNCTIONS.items()
    for entry in entries
    if isinstance(entry, Operation) and not entry.statics and not entry.variadic
}

_VISIT: dict[type, Callable[[Machine, Any, Scope], None]] = {
    tree.Number: Machine._number,
    tree.Name: Machine._name,
    tree.Text: Machine._text,
    tree.Call: Machine._call,
    tree.Compare: Machine._compare,
    tree.Array: Machine._array,
    tree.Index: Machine._index,
    tree.Slice: Machine._slice,
}

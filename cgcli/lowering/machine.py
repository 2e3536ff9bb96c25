"""Expressions to nodes: an explicit stack of tasks, so that no depth of nesting is too deep."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Mapping
from typing import Any

from cgcli.errors import ArgumentError, CgError, ShapeError, Span, TooLargeError, UnknownNameError, did_you_mean
from cgcli.graph.node import VARIABLE, Node, apply, constant, constant_value, toposort
from cgcli.graph.operation import Operation, Params, Shorthand
from cgcli.lowering.arguments import Value, array_spans, bind, choose, raw_slice
from cgcli.lowering.build import comparisons, indexed, literal
from cgcli.lowering.invoke import Invocations
from cgcli.lowering.linear import Expand
from cgcli.lowering.stack import Scope, Stack
from cgcli.ops.arithmetic import NEG
from cgcli.ops.table import CONSTANTS, FUNCTIONS
from cgcli.syntax import tree

MAX_STEPS = 50_000  # in the bodies of functions: about a second; a long program may take as much longer as it is


Lookup = Callable[[str, Span], Value]


class Machine:
    """Lowers expressions; `lookup` finds the names that no scope holds.

    named: the names that have a value. expand: gives what an entry that is made of others stands for. functions:
    the user's own definitions; rules: their derivative rules. origins: filled with the span that each node was first
    read from. most: the operations that the bodies of functions may expand to.
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
    ) -> None:
        self._lookup = lookup
        self._named = named
        self._functions = functions
        self._origins = origins
        self._expand = expand
        self._stack = Stack(self._visit, origins)
        self.invocations = Invocations(self._stack, functions, rules or {}, origins, expand)
        self._steps, self._most = 0, most

    def run(self, expression: tree.Expression) -> Value:
        """The value of an expression that stands in no function."""
        self.invocations.forget()
        return self._stack.run(expression, Scope({}))

    def _visit(self, item: tree.Expression, scope: Scope) -> None:
        if scope.inside:
            self._steps += 1
            if self._steps > self._most:
                raise TooLargeError(f"the calls of '{scope.inside}' expand to more than {self._most} operations")
        _VISIT[type(item)](self, item, scope)

    # ---- leaves -----------------------------------------------------------------------

    def _number(self, item: tree.Number, scope: Scope) -> None:
        self._stack.push(constant(item.value))

    def _text(self, item: tree.Text, scope: Scope) -> None:
        self._stack.push(item.text)

    def _name(self, item: tree.Name, scope: Scope) -> None:
        found = scope.names.get(item.name)
        if found is None:
            found = self._lookup(item.name, item.span)
            if type(found) is Node and found.op is VARIABLE:
                self._origins.setdefault(found, item.span)
        self._stack.push(found)

    # ---- arrays -----------------------------------------------------------------------

    def _array(self, item: tree.Array, scope: Scope) -> None:
        self._stack.later(self._make_array, item, scope, item.items)

    def _make_array(self, item: tree.Array, scope: Scope) -> None:
        self._stack.give(
            literal(self._stack.take(len(item.items)), [element.span for element in item.items]), item.span
        )

    def _index(self, item: tree.Index, scope: Scope) -> None:
        self._stack.later(self._make_index, item, scope, (item.base, *item.items))

    def _make_index(self, item: tree.Index, scope: Scope) -> None:
        base, *items = self._stack.take(1 + len(item.items))
        self._stack.give(indexed(base, items, item), item.span)

    def _slice(self, item: tree.Slice, scope: Scope) -> None:
        parts = [part for part in (item.start, item.stop, item.step) if part is not None]
        self._stack.later(self._make_slice, item, scope, parts)

    def _make_slice(self, item: tree.Slice, scope: Scope) -> None:
        given = (item.start, item.stop, item.step)
        values = iter(self._stack.take(sum(part is not None for part in given)))
        self._stack.push(raw_slice(*(None if part is None else next(values) for part in given)))

    # ---- functions --------------------------------------------------------------------

    def _call(self, item: tree.Call, scope: Scope) -> None:
        user = None if item.operator else self._functions.get(item.function)
        if user is None and item.function not in FUNCTIONS:
            self._unknown(item, scope)
        children = item.args if not item.keywords else (*item.args, *(value for _, value, _ in item.keywords))
        self._stack.later(self.invocations.invoke if user else self._make_call, item, scope, children)

    def _unknown(self, item: tree.Call, scope: Scope) -> None:
        name = item.function
        product = f"to multiply, write {name}*(…)"
        if name in scope.names or name in self._named or name in CONSTANTS:
            raise UnknownNameError(f"'{name}' is a value, not a function", item.where, hint=product)
        near = did_you_mean(name, [*self._functions, *FUNCTIONS])
        hint = near or f"define it as {name}(x) = …" + f"; {product}" * (len(item.args) == 1)
        raise UnknownNameError(f"unknown function '{name}'", item.where, hint=hint)

    def _make_call(self, item: tree.Call, scope: Scope) -> None:
        values = self._stack.take(len(item.args) + len(item.keywords))
        plain = _PLAIN.get((item.function, len(values)))
        if plain is not None and not item.keywords and all(type(value) is Node for value in values):
            number = constant_value(values[0]) if plain is NEG and item.operator else None
            if number is not None and math.isinf(number):
                self._stack.push(constant(-number))  # -inf is a number, as -2 is
                return
            try:
                node = apply(plain, tuple(values))
            except ShapeError as error:
                raise error.among([arg.span for arg in item.args]) from None
            self._stack.give(node, item.span)
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
            try:
                node = apply(entry, arrays, params)
            except ShapeError as error:
                raise error.among(array_spans(entry, item)) from None
            self._stack.give(node, item.span)
            return
        self._stack.push(self._expanded(entry, arrays, params, item))

    def _expanded(self, entry: Shorthand | Operation, arrays: tuple[Node, ...], params: Params,
                     item: tree.Call) -> Node:  # fmt: skip
        """What a call of a shorthand stands for, every node of it read from the call."""
        try:
            expanded = self._expand(entry, arrays, params)
        except CgError as error:
            error.span, error.also = None, ()  # a place in the shorthand's formula is none in the program
            raise error.among(array_spans(entry, item)) if isinstance(error, ShapeError) else error from None
        for node in toposort([expanded], arrays):
            if node.args:
                self._origins.setdefault(node, item.span)
        return expanded

    def _compare(self, item: tree.Compare, scope: Scope) -> None:
        self._stack.later(self._make_compare, item, scope, item.operands)

    def _make_compare(self, item: tree.Compare, scope: Scope) -> None:
        spans = [operand.span for operand in item.operands]
        self._stack.give(comparisons(item.functions, self._stack.take(len(item.operands)), spans), item.span)


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

"""Calls of the user's own functions: the body in place of the call, or a call of it where it has a rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from cgcli.errors import ArgumentError, CgError, Span
from cgcli.graph.body import Body, OwnFunction, leaves
from cgcli.graph.node import Node
from cgcli.graph.operation import Callee, Shape
from cgcli.lowering.arguments import Value
from cgcli.lowering.linear import Expand
from cgcli.lowering.own_rule import call, check_closed, own_function
from cgcli.lowering.stack import Scope, Stack
from cgcli.syntax import tree


class _Call(NamedTuple):
    """A call of a function whose body is being lowered."""

    function: str
    args: tuple[Value, ...]
    span: Span


class _Definition(NamedTuple):
    """A function with a rule of its own, whose body and rule are being lowered for some shapes."""

    function: str
    parameters: tuple[Node, ...]
    tangents: tuple[Node, ...]
    args: tuple[Value, ...]
    span: Span


class Invocations:
    """The functions of a program, and which of them are being lowered.

    named: what the program calls its functions with rules.
    """

    def __init__(
        self,
        stack: Stack,
        functions: Mapping[str, tree.Define],
        rules: Mapping[str, tree.DefineJvp],
        origins: Mapping[Node, Span],
        expand: Expand,
    ) -> None:
        self._stack = stack
        self._functions = functions
        self._rules = rules
        self._origins = origins
        self._expand = expand
        self._running: set[str] = set()
        self._returned: dict[tuple[str, tuple[Value, ...]], Value] = {}
        self._own_functions: dict[tuple[str, tuple[Shape, ...]], OwnFunction] = {}
        self._rule: list[tuple[str, Node]] = []  # the functions whose rules are being lowered, with their own values
        self.named: dict[Callee, str] = {}

    def forget(self) -> None:
        """Let go of what earlier statements computed: a name in a body may be assigned anew."""
        self._returned.clear()
        self._own_functions.clear()

    def invoke(self, item: tree.Call, scope: Scope) -> None:
        """Lower a call whose arguments stand on the machine's stack."""
        function = self._functions[item.function]
        args = tuple(self._stack.take(len(item.args) + len(item.keywords)))
        wanted = [parameter.name for parameter in function.parameters]
        if item.keywords or len(args) != len(wanted):
            count = f"{len(wanted)} argument{'s' * (len(wanted) != 1)}"
            given = "one by its name" if item.keywords else len(args)
            raise ArgumentError(f"'{item.function}' takes {count}, not {given}",
                                hint=f"usage: {function.function}({', '.join(wanted)})")  # fmt: skip
        if item.function in self._rules:
            self._own(item, wanted, args, scope)
        elif (item.function, args) in self._returned:
            self._stack.give(self._returned[item.function, args], item.span)
        else:
            self._enter(item)
            self._stack.do(self._return, _Call(item.function, args, item.span), scope)
            self._stack.visit(function.body, Scope(dict(zip(wanted, args, strict=True)), item.function))

    def _enter(self, item: tree.Call) -> None:
        if any(item.function == name for name, _ in self._rule):
            raise ArgumentError(
                f"the derivative rule of '{item.function}' is part of itself here",
                item.where,
                hint=f"write out what '{item.function}' computes; in its own rule it stands with its parameters only",
            )
        if item.function in self._running:
            raise ArgumentError(f"'{item.function}' calls itself", item.where,
                                hint="a function cannot be defined by itself: its graph would never end")  # fmt: skip
        self._running.add(item.function)

    def _return(self, call: _Call, scope: Scope) -> None:
        self._running.discard(call.function)
        (value,) = self._stack.take(1)
        self._returned[call.function, call.args] = value
        self._stack.give(value, call.span)

    # ---- functions with a derivative rule of their own ------------------------------------

    def _own(self, item: tree.Call, wanted: list[str], args: tuple[Value, ...], scope: Scope) -> None:
        """The call of a function with a rule; the function is made first where it is new."""
        for arg, place in zip(args, item.args, strict=True):
            if not isinstance(arg, Node):
                raise ArgumentError(f"'{item.function}' takes a value here, not a slice or a text", place.span)
        shapes = tuple(arg.shape for arg in args)
        known = self._own_functions.get((item.function, shapes))
        if known is not None:
            self._stack.give(call(known, args), item.span)
            return
        rule = self._rules[item.function]
        parameters = leaves(shapes)
        if self._rule and self._rule[-1][0] == item.function and args == parameters:
            self._stack.give(self._rule[-1][1], item.span)  # f(x) in the rule of f(x) is the value at hand
            return
        self._enter(item)
        tangents = leaves(shapes, len(shapes))
        definition = _Definition(item.function, parameters, tangents, args, item.span)
        names = dict(zip((name.name for name in rule.parameters), parameters, strict=True))
        names |= zip((name.name for name in rule.tangents), tangents, strict=True)
        # last in, first run: the body, then the rule, then the function of both
        self._stack.do(self._define, definition, scope)
        self._stack.visit(rule.body, Scope(names, item.function))
        self._stack.do(self._leave_body, definition, scope)
        body = self._functions[item.function].body
        self._stack.visit(body, Scope(dict(zip(wanted, parameters, strict=True)), item.function))

    def _leave_body(self, definition: _Definition, scope: Scope) -> None:
        (body,) = self._stack.take(1)
        if not isinstance(body, Node):
            raise ArgumentError(f"the body of '{definition.function}' is no value")
        check_closed(body, definition.parameters, definition.function, self._origins)
        (out,) = leaves([body.shape], 2 * len(definition.parameters))
        self._rule.append((definition.function, out))
        self._stack.give(body, definition.span)

    def _define(self, definition: _Definition, scope: Scope) -> None:
        name, parameters, tangents, args, span = definition
        body, tangent = self._stack.take(2)
        if not isinstance(tangent, Node):
            raise ArgumentError(f"the derivative rule of '{name}' is no value")
        _, out = self._rule.pop()
        self._running.discard(name)
        check_closed(tangent, (*parameters, *tangents, out), name, self._origins)
        rule = self._rules[name]
        names = (*(item.name for item in self._functions[name].parameters), *(item.name for item in rule.tangents))
        rule_body = Body((*parameters, *tangents, out), (tangent,))
        try:
            made = own_function(name, names, Body(parameters, (body,)), rule_body, self._origins, self._expand)
        except CgError as error:
            raise error.at(rule.body.span) from None
        self._own_functions[name, tuple(parameter.shape for parameter in parameters)] = made
        self.named.setdefault(made, name)
        self._stack.give(call(made, args), span)

"""Calls of the user's own functions: the body in place of the call, or a call of it where it has a rule."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Generator, Mapping, Sequence
from cgcli.errors import ArgumentError, CgError, Span
from cgcli.graph.node import Node
from cgcli.graph.operation import Callee, Shape
from cgcli.records import NamedTuple
from cgcli.syntax import tree

if TYPE_CHECKING:
    from cgcli.graph.body import OwnFunction
    from cgcli.lowering.arguments import Expand, Value
    from cgcli.lowering.calls import Recorder
    from cgcli.lowering.standing import Standing


class Scope(NamedTuple):
    """Where names are looked up: a function's parameters, then what lies outside of it."""

    names: Mapping[str, Value]
    inside: str = ""  # the function whose body this is


TAKEN = "\0taken"  # the condition under which the statements of a branch are run, among the names of a scope


class Several(NamedTuple):
    """The results of a function that gives several."""

    values: tuple[Node, ...]


def _nodes(value: Value) -> tuple[Node, ...]:
    """The results of a call that are nodes."""
    values = value.values if isinstance(value, Several) else (value,)
    return tuple(each for each in values if isinstance(each, Node))


class Gone(NamedTuple):
    """A name whose value ended with a block. why: what a message says of it."""

    why: str


def settled(standing: Standing, values: Sequence[Any]) -> list[Any]:
    """Values of a scope, with those of names in the places of the leaves that stood for them."""
    nodes = [node for value in values for node in (value.values if isinstance(value, Several) else (value,))]
    become = standing.settled([node for node in nodes if isinstance(node, Node)])

    def now(value: Any) -> Any:
        if isinstance(value, Several):
            return Several(tuple(become.get(each, each) for each in value.values))
        return become.get(value, value) if isinstance(value, Node) else value

    return [now(value) for value in values] if become else [*values]


Steps = Generator[tuple[tuple[tree.Expression | tree.Outputs | tree.Flow, ...], Scope], list[Any], Any]
"""How an expression is lowered: it yields others that it needs, with their scope, is sent their values, and
returns its own."""


class Invocations:
    """The functions of a program, and which of them are being lowered.

    named: what the program calls its functions with rules. record: told of each call, where somebody draws the graph.
    """

    def __init__(
        self,
        functions: Mapping[str, tree.Define],
        rules: Mapping[str, tree.DefineJvp],
        origins: Mapping[Node, Span],
        expand: Expand,
        standing: Callable[[], Standing | None],
    ) -> None:
        self._functions = functions
        self._standing = standing
        self._rules = rules
        self._origins = origins
        self._expand = expand
        self._running: set[str] = set()
        self._returned: dict[tuple[str, tuple[Value, ...]], Value] = {}
        self._own_functions: dict[tuple[str, tuple[Shape, ...]], OwnFunction] = {}
        self._rule: list[tuple[str, Node]] = []  # the functions whose rules are being lowered, with their own values
        self.named: dict[Callee, str] = {}
        self.record: Recorder | None = None

    def forget(self) -> None:
        """Let go of what earlier statements computed: a name in a body may be assigned anew."""
        self._returned.clear()
        self._own_functions.clear()

    def invoke(self, item: tree.Call, args: tuple[Value, ...]) -> Steps:
        """The value of a call. args: the values of its arguments."""
        name = item.function
        wanted = [parameter.name for parameter in self._functions[name].parameters]
        if item.keywords or len(args) != len(wanted):
            count = f"{len(wanted)} argument{'s' * (len(wanted) != 1)}"
            given = "one by its name" if item.keywords else len(args)
            raise ArgumentError(f"'{name}' takes {count}, not {given}", hint=f"usage: {name}({', '.join(wanted)})")
        if name in self._rules:
            return (yield from self._with_rule(item, wanted, args))
        if (name, args) not in self._returned:
            self._enter(item)
            if self.record is not None:
                self.record.enter(item, wanted, args)
            named, standing = dict(zip(wanted, args, strict=True)), self._standing()
            if standing is not None:
                named = {each: standing.of(each, value) for each, value in named.items()}
            (value,) = yield (self._functions[name].body,), Scope(named, name)
            if standing is not None:
                (value,) = settled(standing, [value])
            self._running.discard(name)
            self._returned[name, args] = value
            if self.record is not None:
                self.record.leave(item, args, _nodes(value))
        elif self.record is not None:
            self.record.again(item, args, _nodes(self._returned[name, args]))
        return self._returned[name, args]

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

    def _with_rule(self, item: tree.Call, wanted: list[str], args: tuple[Value, ...]) -> Steps:
        """A call of a function with a rule of its own; the function is made first where it is new."""
        from cgcli.graph.body import leaves
        from cgcli.lowering.own_rule import call

        name = item.function
        for arg, place in zip(args, item.args, strict=True):
            if not isinstance(arg, Node):
                raise ArgumentError(f"'{name}' takes a value here, not a slice or a text", place.span)
        shapes = tuple(arg.shape for arg in args)
        if (name, shapes) not in self._own_functions:
            parameters = leaves(shapes)
            if self._rule and self._rule[-1][0] == name and args == parameters:
                return self._rule[-1][1]  # f(x) in the rule of f(x) is the value at hand
            self._enter(item)
            function = yield from self._made(name, wanted, parameters)
            self._running.discard(name)
            self._own_functions[name, shapes] = function
            self.named.setdefault(function, name)
        return call(self._own_functions[name, shapes], args)

    def _made(self, name: str, wanted: list[str], parameters: tuple[Node, ...]) -> Generator[
        tuple[tuple[tree.Expression | tree.Outputs | tree.Flow, ...], Scope], list[Value], OwnFunction]:  # fmt: skip
        """A function with its rule, for parameters of these shapes."""
        from cgcli.graph.body import Body, leaves
        from cgcli.lowering.own_rule import check_closed, own_function

        definition, rule = self._functions[name], self._rules[name]
        named = dict(zip(wanted, parameters, strict=True))
        (body,) = yield (definition.body,), Scope(named, name)
        if not isinstance(body, Node):
            raise ArgumentError(f"the body of '{name}' is no value")
        check_closed(body, parameters, name, self._origins)
        count = len(parameters)
        tangents = leaves((parameter.shape for parameter in parameters), count)
        (out,) = leaves([body.shape], 2 * count)
        moving = [item.name for item in rule.tangents]
        named = dict(zip([*(item.name for item in rule.parameters), *moving], (*parameters, *tangents), strict=True))
        self._rule.append((name, out))
        (tangent,) = yield (rule.body,), Scope(named, name)
        self._rule.pop()
        if not isinstance(tangent, Node):
            raise ArgumentError(f"the derivative rule of '{name}' is no value")
        leaves_of_rule = (*parameters, *tangents, out)
        check_closed(tangent, leaves_of_rule, name, self._origins)
        bodies = Body(parameters, (body,)), Body(leaves_of_rule, (tangent,))
        try:
            return own_function(name, (*wanted, *moving), *bodies, self._origins, self._expand)
        except CgError as error:
            raise error.at(rule.body.span) from None

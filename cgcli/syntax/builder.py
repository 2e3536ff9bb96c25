"""Reductions of the grammar to syntax-tree nodes: one method for each alternative of cg.lark."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING
from cgcli.errors import ParseError, Span
from cgcli.syntax import tree

if TYPE_CHECKING:
    from cgcli.annotations import Any, Sequence
    from cgcli.syntax.scanner import Token

_OPERATORS = {
    "+": "add", "-": "subtract", "−": "subtract", "–": "subtract",
    "*": "multiply", "·": "multiply", "×": "multiply", "/": "divide", "÷": "divide",
    "//": "floor_divide", "%": "mod", "mod": "mod", "@": "matmul", "^": "power", "**": "power",
    "<": "less", ">": "greater", "<=": "less_equal", "≤": "less_equal",
    ">=": "greater_equal", "≥": "greater_equal", "==": "equal", "!=": "not_equal", "≠": "not_equal",
    "and": "and", "&&": "and", "or": "or", "||": "or",
}  # fmt: skip
_PREFIXES = {"-": "neg", "−": "neg", "–": "neg", "not": "not"}
SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


class TreeBuilder:
    """Called at each reduction, with the children from left to right."""

    def start(self, children: list[Any]) -> list[tree.Statement]:
        return children

    def assign(self, children: list[Any]) -> tree.Statement:
        target, _, value = children
        span = Span(target.span.start, value.span.end)
        if isinstance(target, tree.Name):
            return tree.Assign(target.name, value, span)
        if isinstance(target, tree.Call) and not target.operator:
            parameters = tuple(arg for arg in target.args if isinstance(arg, tree.Name))
            if len(parameters) == len(target.args) and not target.keywords:
                return tree.Define(target.function, parameters, value, span)
            wrong = next((arg.span for arg in target.args if not isinstance(arg, tree.Name)), target.span)
            raise no_parameter(target.function, wrong)
        if isinstance(target, tree.Derived):
            return _own_rule(target, value, span)
        hint = "write '==' to compare"
        if isinstance(target, tree.Array) and all(isinstance(item, tree.Name) for item in target.items):
            hint = "round brackets name several results, as in: (p, q) = (1, 2)"
        if isinstance(target, tree.Index) and isinstance(target.base, tree.Name):
            name = target.base.name
            hint += f"; an array with another element is made anew: {name} = where(arange(n) == k, value, {name})"
        raise ParseError("only a name or a function can stand to the left of '='", target.span, hint=hint)

    def declare(self, children: list[Any]) -> tree.Declare:
        target, shape = children
        if not isinstance(target, tree.Name):
            if isinstance(target, tree.Number) and isinstance(shape, tree.Number):
                raise ParseError("a range is not written with colons", Span(target.span.start, shape.span.end),
                                 hint=f"write arange({target.value:g}, {shape.value:g} + 1)")  # fmt: skip
            raise ParseError("only a name can be declared", target.span, hint="as in: X: [10, 2]")
        return tree.Declare(target.name, shape, Span(target.span.start, shape.span.end))

    def outputs(self, children: list[Any]) -> tree.Outputs:
        opening, *items, closing = children
        return tree.Outputs(tuple(items), Span(opening.start_pos, closing.end_pos))

    def names(self, children: list[Any]) -> tree.Outputs:
        return self.listed([tree.Name(bare(token), _span(token)) for token in children])

    def listed(self, children: list[Any]) -> tree.Outputs:
        return tree.Outputs(tuple(children), Span(children[0].span.start, children[-1].span.end))

    def define_block(self, children: list[Any]) -> tree.Statement:
        made = self.assign(children)
        if isinstance(made, tree.Define):
            return made
        raise ParseError("a block stands in a loop, in an 'if' or in a function", children[2].span,
                         hint="as in: f(x) = { y = x^2; y + 1 }")  # fmt: skip

    def assign_several(self, children: list[Any]) -> tree.AssignSeveral:
        targets, _, value = children
        for name in targets.items:
            if not isinstance(name, tree.Name):
                raise ParseError("only names can stand to the left of '='", name.span, hint="write '==' to compare")
        return tree.AssignSeveral(targets.items, value, Span(targets.span.start, value.span.end))

    def block(self, children: list[Any]) -> tree.Block:
        opening, *statements, closing = children
        return tree.Block(tuple(statements), Span(opening.start_pos, closing.end_pos))

    def while_loop(self, children: list[Any]) -> tree.While:
        keyword, condition, body = children
        return tree.While(condition, body, Span(keyword.start_pos, body.span.end))

    def for_loop(self, children: list[Any]) -> tree.For:
        keyword, name, _, first, _, last, body = children
        return tree.For(bare(name), first, last, body, Span(keyword.start_pos, body.span.end))

    def repeat_loop(self, children: list[Any]) -> tree.Repeat:
        keyword, count, body = children
        return tree.Repeat(count, body, Span(keyword.start_pos, body.span.end))

    def branch(self, children: list[Any]) -> tree.If:
        keyword, condition, yes, _, no = children
        if isinstance(no, tree.If):
            no = tree.Block((no,), no.span)
        other = no or tree.Block((), yes.span)
        return tree.If(condition, yes, other, Span(keyword.start_pos, (no or yes).span.end))

    def series(self, children: list[Any]) -> tree.Series:
        function, _, name, _, first, _, last, body, closing = children
        span = Span(function.start_pos, closing.end_pos)
        return tree.Series(bare(function), bare(name), first, last, body, span, _span(function))

    def derived(self, children: list[Any]) -> tree.Derived:
        mode, function, _, args, moved, guards, closing = children
        span = Span(mode.start_pos, closing.end_pos)
        return tree.Derived(mode.text, bare(function), args, moved, guards or (), span, _span(function))

    def operands(self, children: list[Any]) -> tuple[tree.Expression, ...]:
        return tuple(children)

    items = operands

    def conditional(self, children: list[Any]) -> tree.Call:
        condition, symbol, yes, no = children
        return _operator("where", symbol, condition, yes, no)

    def binary(self, children: list[Any]) -> tree.Call:
        left, symbol, right = children
        return _operator(_OPERATORS[symbol.text], symbol, left, right)

    def prefix(self, children: list[Any]) -> tree.Expression:
        symbol, operand = children
        span = Span(symbol.start_pos, operand.span.end)
        if symbol.text == "+":
            return operand._replace(span=span)  # type: ignore[no-any-return]
        if isinstance(operand, tree.Number) and symbol.text != "not":
            return tree.Number(-operand.value, span)
        return _operator(_PREFIXES[symbol.text], symbol, operand)

    def compare(self, children: list[Any]) -> tree.Compare:
        operands = tuple(children[::2])
        functions = tuple(_OPERATORS[symbol.text] for symbol in children[1::2])
        return tree.Compare(operands, functions, Span(operands[0].span.start, operands[-1].span.end))

    def index(self, children: list[Any]) -> tree.Index:
        base, _, items, bracket = children
        marked = tuple(tree.NewAxis(item.span) if _is_new_axis(item) else item for item in items)
        return tree.Index(base, marked, Span(base.span.start, bracket.end_pos))

    def ellipsis(self, children: list[Any]) -> tree.Dots:
        (token,) = children
        return tree.Dots(_span(token))

    def superscript(self, children: list[Any]) -> tree.Call:
        base, symbol = children
        exponent = tree.Number(float(symbol.text.translate(SUPERSCRIPTS)), _span(symbol))
        return _operator("power", symbol, base, exponent)

    def transposed(self, children: list[Any]) -> tree.Call:
        base, symbol = children
        return _operator("transpose", symbol, base)

    def factorial(self, children: list[Any]) -> tree.Call:
        base, symbol = children
        return _operator("factorial", symbol, base)

    def root(self, children: list[Any]) -> tree.Call:
        symbol, operand = children
        return _operator("sqrt", symbol, operand)

    def number(self, children: list[Any]) -> tree.Number:
        (token,) = children
        return tree.Number(float(token.text), _span(token))

    def name(self, children: list[Any]) -> tree.Name:
        (token,) = children
        return tree.Name(bare(token), _span(token))

    def text(self, children: list[Any]) -> tree.Text:
        (token,) = children
        return tree.Text(token.text[1:-1], _span(token))

    def group(self, children: list[Any]) -> tree.Expression:
        opening, inner, closing = children
        return inner._replace(span=Span(opening.start_pos, closing.end_pos))  # type: ignore[no-any-return]

    def call(self, children: list[Any]) -> tree.Call | tree.Solve:
        function, *_, closing = children
        arguments = children[2] if len(children) == 4 else []
        span = Span(function.start_pos, closing.end_pos)
        if any(type(arg) is _Equation for arg in arguments) or _is_given_twice(function, arguments):
            return _solve(function, arguments, span)
        plain = tuple(arg for arg in arguments if type(arg) is not _Keyword)
        named = tuple((arg.name, arg.value, arg.span) for arg in arguments if type(arg) is _Keyword)
        return tree.Call(bare(function), plain, named, span, _span(function))

    def array(self, children: list[Any]) -> tree.Array:
        span = Span(children[0].start_pos, children[-1].end_pos)
        items = children[1] if len(children) == 3 else []
        for item in items:
            if isinstance(item, _Equation):
                raise _no_equation(item.symbol)
            if isinstance(item, _Keyword | tree.Slice):
                raise ParseError("an array holds plain values", item.span, hint="as in: [1, 2, 3]")
        return tree.Array(tuple(items), span)

    def arguments(self, children: list[Any]) -> list[Any]:
        return children

    def elements(self, children: list[Any]) -> list[Any]:
        return children

    def keyword(self, children: list[Any]) -> _Keyword:
        name, symbol, value = children
        return _Keyword(bare(name), value, Span(name.start_pos, value.span.end), symbol)

    def equation(self, children: list[Any]) -> _Equation:
        left, symbol, right = children
        return _Equation(left, right, symbol)

    def slice(self, children: list[Any]) -> tree.Slice:
        start, colon, stop, step = children
        first = start.span.start if start else colon.start_pos
        last = step or stop
        return tree.Slice(start, stop, step, Span(first, last.span.end if last else colon.end_pos))


def _is_new_axis(item: tree.Expression) -> bool:
    """Whether an index is numpy's word for a new axis, not a variable of that name in backticks."""
    if not isinstance(item, tree.Name) or item.name not in ("None", "newaxis"):
        return False
    return item.span.end - item.span.start == len(item.name)


def _own_rule(target: tree.Derived, body: tree.Expression, span: Span) -> tree.DefineJvp:
    """jvp f(x; dx) = body."""
    names = tuple(arg for arg in target.args if isinstance(arg, tree.Name))
    tangents = tuple(moved for moved in target.moved if isinstance(moved, tree.Name))
    is_of_names = len(names) == len(target.args) and len(tangents) == len(target.moved)
    if target.mode != "jvp" or target.guards or not is_of_names:
        hint = f"as in: jvp {target.function}(x; dx) = 2*x*dx, with the tangents after a ';'"
        raise ParseError("a derivative rule is not written so", target.span, hint=hint)
    return tree.DefineJvp(target.function, names, tangents, body, span, target.where)


class _Keyword:
    """name=value among a call's arguments, until the call takes it in. symbol: the '='."""

    __slots__ = ("name", "span", "symbol", "value")

    def __init__(self, name: str, value: tree.Expression, span: Span, symbol: Token) -> None:
        self.name, self.value, self.span, self.symbol = name, value, span, symbol


class _Equation:
    """left = right among a call's arguments, until the call takes it in. symbol: the '='."""

    __slots__ = ("left", "right", "symbol")

    def __init__(self, left: tree.Expression, right: tree.Expression, symbol: Token) -> None:
        self.left, self.right, self.symbol = left, right, symbol


def _is_given_twice(function: Token, arguments: Sequence[Any]) -> bool:
    """Whether a call is solve(x = cos(x), x=1), whose equation has a name alone on its left."""
    names = [arg.name for arg in arguments if type(arg) is _Keyword]
    return function.text == "solve" and len(set(names)) < len(names) == len(arguments)


def _solve(function: Token, arguments: Sequence[Any], span: Span) -> tree.Solve:
    """Equations, then as many names with the values where the search for them begins."""
    if function.text != "solve":
        raise _no_equation(next(arg.symbol for arg in arguments if type(arg) is _Equation))
    half = (len(arguments) + 1) // 2
    sides, unknowns = arguments[:half], arguments[half:]
    starts = [arg for arg in unknowns if type(arg) is _Keyword]
    if len(starts) < half or not all(type(arg) in (_Equation, _Keyword) for arg in sides):
        raise ParseError("solve takes equations, then as many unknowns, each with its start", span, hint=_SOLVE)
    names = [arg.name for arg in starts]
    if len(set(names)) < half:
        raise ParseError(f"'{names[-1]}' stands for two unknowns", starts[-1].span, hint=_SOLVE)
    return tree.Solve(
        tuple((arg.left, arg.right) if type(arg) is _Equation else (_left(arg), arg.value) for arg in sides),
        tuple(map(_left, starts)), tuple(arg.value for arg in starts), span, _span(function),
    )  # fmt: skip


def _left(arg: _Keyword) -> tree.Name:
    return tree.Name(arg.name, Span(arg.span.start, arg.symbol.start_pos))


_SOLVE = "as in: solve(x^2 = 2, x=1), or solve(x + y = 3, x*y = 2, x=0, y=1)"


def _no_equation(symbol: Token) -> ParseError:
    """The error for an equation in a call of anything but solve."""
    return ParseError("'=' cannot stand here", _span(symbol), hint="write == to compare")


def _operator(function: str, symbol: Token, *args: tree.Expression) -> tree.Call:
    """The call that an operator means, whose symbol may stand before, between or behind the operands."""
    span = Span(min(symbol.start_pos, args[0].span.start), max(symbol.end_pos, args[-1].span.end))
    return tree.Call(function, args, (), span, _span(symbol), operator=True)


def _span(token: Token) -> Span:
    return Span(token.start_pos, token.end_pos)


def no_parameter(function: str, span: Span) -> ParseError:
    """The error for a parameter in a definition that is no plain name."""
    return ParseError(f"the parameters of '{function}' must be plain names", span,
                      hint=f"as in: {function}(x, y) = x + y")  # fmt: skip


def bare(token: Token) -> str:
    """A name without its backticks."""
    return token.text[1:-1] if token.text[0] == "`" else token.text

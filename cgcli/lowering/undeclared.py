"""What is said of names that are not what they are used as: without a value, no array, no function."""

from __future__ import annotations

import re
from itertools import islice, product

from cgcli.annotations import Callable, Container, Iterable, Mapping, Sequence
from cgcli.errors import ArgumentError, CgError, ShapeError, TooLargeError, UnknownNameError, did_you_mean
from cgcli.graph.node import VARIABLE, Node, is_leaf_of_function, name_of
from cgcli.graph.operation import Shape
from cgcli.graph.shapes import shape_text
from cgcli.lowering.arguments import Value
from cgcli.ops.table import CONSTANTS, FUNCTIONS
from cgcli.printing.expression import written_name
from cgcli.syntax import tree
from cgcli.syntax.elsewhere import BRACKETS, element_of, filled, instead_of
from cgcli.syntax.spreadsheets import translated

_OPERATORS = {"and", "or", "not"}  # words that nobody calls
# Shapes that a name without a value may be meant to have, the likelier ones first.
_VECTORS = ((3,), (784,), (10,))
_MATRICES = ((64, 784), (3, 3))
_IMAGES = tuple(shape for rank in (2, 1, 3) for shape in ((8, 8, *(32,) * rank), (8, 8, *(3,) * rank)))
_TRIED = 2000  # choices of shapes


def function_named(name: str) -> str:
    """The function of this name, in any case; '' for none."""
    return next((each for each in (name, name.lower()) if each in FUNCTIONS and (each == name or len(each) > 1)), "")


def without_value(
    error: ShapeError, item: tree.Expression, args: Sequence[Value], named: Container[str],
    fits: Callable[[Mapping[str, Shape]], bool],
) -> CgError:  # fmt: skip
    """What is wrong with shapes, where a name without a value counts as a number: that it has none.

    args: of the expression. named: the names that have a value. fits: whether names may have some shapes there.
    """
    every = [*dict.fromkeys(name_of(arg) for arg in args if _is_plain(arg) and name_of(arg) not in named)]
    clashing = {name_of(args[at]) for at in error.clash if _is_plain(args[at])} if error.clash else {*every}
    names = [name for name in every if name in clashing]
    if not names:
        return error
    listed = " and ".join(f"'{name}'" for name in names[:3])
    verbs = "has no value, and counts as a number" if len(names) == 1 else "have no value, and count as numbers"
    message = f"{listed} {verbs}: {re.sub(r'^[a-z_0-9]+: ', '', error.message)}"
    return UnknownNameError(
        message, error.span, also=error.also, hint=_remedy((names[:3], every[:3]), item, args, fits)
    )


def _is_plain(arg: Value) -> bool:
    """Whether an argument is a name that counts as a number."""
    return isinstance(arg, Node) and arg.op is VARIABLE and not arg.shape and not is_leaf_of_function(arg)


def naming(error: CgError, function: str) -> None:
    """Have an error of what a function was given begin with its name, as it was called; it may stand on others."""
    begin = re.match(r"(\w+)(?= takes| would make|:)", error.message)
    if begin and begin[1] in FUNCTIONS:
        error.message = function + error.message[begin.end() :]
    elif not isinstance(error, TooLargeError) and not re.match(rf"'?{re.escape(function)}\b", error.message):
        error.message = f"{function}: {error.message}"


def no_elements(item: tree.Index, base: Node, parts: Sequence[str], named: Container[str]) -> CgError:
    """The error for the index of a scalar, which may be a call in Mathematica's brackets. parts: of the index."""
    name = item.base.name if isinstance(item.base, tree.Name) and base.op is VARIABLE else ""
    known = next((spelling for spelling in (name, name.casefold()) if spelling in FUNCTIONS), "")
    form = BRACKETS.get((known, len(parts)), f"write {known}({{*}})" if known else "")
    hint = filled(form, parts)
    if not known and name[:1].isupper() and name not in named:
        hint = instead_of(name, parts)
    if hint:
        return ArgumentError("a function's argument stands in round brackets", hint=hint)
    return ShapeError("a scalar has no elements to index", clash=(0,),
                      hint="an index belongs to an array, as in: [1, 2][0]")  # fmt: skip


def no_function(
    item: tree.Call, called: str, texts: Callable[[Sequence[tree.Expression]], list[str]], value: Value | None,
    functions: Iterable[str],
) -> CgError:  # fmt: skip
    """The error for a call of what is no function: an array's element in round brackets, a product, another tool's.

    called: how its name is written. texts: how expressions are written. value: of the name, None where it has none.
    functions: the names of the program's own.
    """
    name, args = item.function, texts(item.args)
    inner = args[0] if len(args) == 1 and not item.keywords else "…"
    product = f"to multiply, write {called}*({inner})" * (inner[:1] not in ("'", '"'))
    if value is not None:
        plain = not item.keywords and all(arg.replace(":", "0").replace(" ", "").isalnum() for arg in args)
        is_array = plain and isinstance(value, Node) and len(args) <= len(value.shape) > 0
        part = f"write {element_of(called, args)} for what counts from 0" if is_array else ""
        hint = "; ".join(filter(None, (part, "" if part and (not inner.isalnum() or inner == "end") else product)))
        return UnknownNameError(f"'{name}' is a value, not a function", item.span, hint=hint)
    values = [*args, *texts([value for _, value, _ in item.keywords])]
    instead = instead_of(" ".join([name, *(key for key, *_ in item.keywords)]), values) or instead_of(name, values)
    if not args and (constant := next((other for other in CONSTANTS if other == name.casefold()), "")):
        instead = f"write {constant}"
    if name.isupper() and (":" in "".join(args) or (len(args) > 1 and not instead)):
        formula = translated(f"{name}({','.join(args)})", FUNCTIONS.__contains__)
        instead = f"write {formula}" if formula else instead
    near = instead or did_you_mean(name, [*functions, *(FUNCTIONS.keys() - _OPERATORS)])
    parameters = ", ".join("xyzuvw"[: len(args)]) if len(args) <= 6 else "…"
    hint = near or f"define it as {called}({parameters}) = …" + f"; {product}" * bool(len(args) == 1 and product)
    return UnknownNameError(f"unknown function '{name}'", item.span if instead else item.where, hint=hint)


def _remedy(
    asked: Sequence[Sequence[str]], item: tree.Expression, args: Sequence[Value],
    fits: Callable[[Mapping[str, Shape]], bool],
) -> str:  # fmt: skip
    """What to do about names without a value, the operands of an expression that takes arrays.

    asked: those that clash, and all. args: the expression's arguments. fits: as of `without_value`.
    """
    called = next(filter(None, map(function_named, asked[0])), "")
    if called and not isinstance(item, tree.Index):
        return f"'{called}' is a function: write {called}(…)"
    choices = (
        dict(zip(names, shapes, strict=True))
        for names in asked
        for shapes in islice(product(*(_guesses(name, at, item, args) for at, name in enumerate(names))), _TRIED)
    )
    shapes = next(filter(fits, choices), dict.fromkeys(asked[0], _MATRICES[0]))
    listed = "; ".join(f"{written_name(name)}: {shape_text(shape)}" for name, shape in shapes.items())
    return f"give a value, or declare the shape, as in: {listed}"


def _guesses(name: str, at: int, item: tree.Expression, args: Sequence[Value]) -> list[Shape]:
    """The shapes that a name may have, by those of what stands beside it, and by what such names mean most of all.

    at: how many names stand before it.
    """
    beside = [arg.shape for arg in args if isinstance(arg, Node) and arg.shape]
    sizes = [(size,) for shape in beside for size in shape[::-1]]
    likely = _MATRICES + _VECTORS if name[:1].isupper() else _VECTORS + _MATRICES
    if isinstance(item, tree.Index):
        beside = [] if name[:1].isupper() and len(item.items) <= 2 else [(10,) * len(item.items)]
    return [*beside, *sizes, *likely, *(_IMAGES[::-1] if at else _IMAGES)]

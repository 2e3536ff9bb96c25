"""What is said of names that are not what they are used as: without a value, no array, no function."""

from __future__ import annotations

import re

from cgcli.annotations import Callable, Container, Iterable, Sequence
from cgcli.errors import ArgumentError, CgError, ShapeError, TooLargeError, UnknownNameError, did_you_mean
from cgcli.graph.node import VARIABLE, Node, is_leaf_of_function, name_of
from cgcli.lowering.arguments import Value
from cgcli.ops.table import CONSTANTS, FUNCTIONS
from cgcli.printing.expression import written_name
from cgcli.syntax import tree
from cgcli.syntax.elsewhere import BRACKETS, element_of, filled, instead_of

_OPERATORS = {"and", "or", "not"}  # words that nobody calls
_SQUARE = frozenset(
    {"inv", "det", "logdet", "logabsdet", "trace", "solve", "cholesky", "eigvalsh", "eigvecsh", "eigh", "expm"}
)


def function_named(name: str) -> str:
    """The function of this name, in any case; '' for none."""
    return next((each for each in (name, name.lower()) if each in FUNCTIONS and (each == name or len(each) > 1)), "")


def without_value(error: ShapeError, item: tree.Expression, args: Sequence[Value], named: Container[str]) -> CgError:
    """What is wrong with shapes, where a name without a value counts as a number: that it has none.

    args: of the expression. named: the names that have a value.
    """
    clashing = [args[at] for at in error.clash] or args
    scalars = [arg for arg in clashing if isinstance(arg, Node) and arg.op is VARIABLE and not arg.shape]
    names = [*dict.fromkeys(name_of(arg) for arg in scalars if not is_leaf_of_function(arg))]
    names = [name for name in names if name not in named]
    if not names:
        return error
    listed = " and ".join(f"'{name}'" for name in names[:3])
    verbs = "has no value, and counts as a number" if len(names) == 1 else "have no value, and count as numbers"
    message = f"{listed} {verbs}: {re.sub(r'^[a-z_0-9]+: ', '', error.message)}"
    return UnknownNameError(message, error.span, also=error.also, hint=_remedy(names[:3], item, args))


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
    near = instead or did_you_mean(name, [*functions, *(FUNCTIONS.keys() - _OPERATORS)])
    parameters = ", ".join("xyzuvw"[: len(args)]) if len(args) <= 6 else "…"
    hint = near or f"define it as {called}({parameters}) = …" + f"; {product}" * bool(len(args) == 1 and product)
    return UnknownNameError(f"unknown function '{name}'", item.span if instead else item.where, hint=hint)


def _remedy(names: Sequence[str], item: tree.Expression, args: Sequence[Value]) -> str:
    """What to do about names without a value, the operands of an expression that takes arrays.

    names: all of them that are arguments. args: the expression's arguments.
    """
    called = next(filter(None, map(function_named, names)), "")
    if called and not isinstance(item, tree.Index):
        return f"'{called}' is a function: write {called}(…)"
    shapes = _shapes(names, item, args)
    listed = "; ".join(f"{written_name(name)}: {shape}" for name, shape in zip(names, shapes, strict=True))
    return f"give a value, or declare the shape, as in: {listed}"


def _shapes(names: Sequence[str], item: tree.Expression, args: Sequence[Value]) -> list[str]:
    if isinstance(item, tree.Index) and not (names[0][:1].isupper() and len(item.items) <= 2):
        return ["[" + ", ".join(["10"] * len(item.items)) + "]"] * len(names)
    if isinstance(item, tree.Array):
        whole = next((arg.shape for arg in args if isinstance(arg, Node) and arg.shape), (3,))
        return [f"[{', '.join(map(str, whole))}]"] * len(names)
    function = item.function if isinstance(item, tree.Call) else ""
    if function in _SQUARE:
        return ["[3, 3]"] * len(names)
    if function == "matmul" and len(args) == 2:
        left, right = (arg.shape if isinstance(arg, Node) else () for arg in args)
        if left:
            return [f"[{left[-1]}]"]
        if right:
            return [f"[64, {right[-2] if len(right) > 1 else right[0]}]"]
        return ["[64, 784]", "[784]"][-len(names) :] if len(names) > 1 else ["[64, 64]"]
    return ["[64, 784]"] * len(names)

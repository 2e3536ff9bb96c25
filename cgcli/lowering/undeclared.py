"""Names without a value: which of them are functions, and the shapes that fit where arrays have to stand."""

from __future__ import annotations

from cgcli.annotations import Sequence
from cgcli.graph.node import Node
from cgcli.lowering.arguments import Value
from cgcli.ops.table import FUNCTIONS
from cgcli.printing.expression import written_name
from cgcli.syntax import tree

_SQUARE = frozenset(
    {"inv", "det", "logdet", "logabsdet", "trace", "solve", "cholesky", "eigvalsh", "eigvecsh", "eigh", "expm"}
)


def function_named(name: str) -> str:
    """The function of this name, in any case; '' for none."""
    return next((each for each in (name, name.lower()) if each in FUNCTIONS and (each == name or len(each) > 1)), "")


def remedy(names: Sequence[str], item: tree.Expression, args: Sequence[Value]) -> str:
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

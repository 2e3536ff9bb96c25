"""One operation over a block of rows: its kernel, with the axis of the rows in front of every argument that varies."""

from __future__ import annotations

from cgcli.annotations import Any, Callable, Collection, Sequence
from cgcli.evaluate.kernels import of_arrays
from cgcli.graph.node import Node
from cgcli.ops.lazily import np
from cgcli.ops.logic import WHERE
from cgcli.ops.masks import chosen

Function = Callable[..., Any]


def on_rows(node: Node, moving: Collection[Node]) -> Function:
    """What computes a node for a block of rows, from the arrays of its arguments alone.

    moving: the nodes whose arrays have the axis of the rows in front; those of all others hold for every row.
    A function that fills a buffer takes it as `out`.
    """
    moves = [arg in moving for arg in node.args]
    if node.op is WHERE:
        whole = [arg in moving and arg.shape == node.shape for arg in node.args]
        return _aligned(_choice(*whole[1:]), node, moves)
    if node.op.elementwise:
        return _aligned(of_arrays(node.op.test or node.op.kernel, node.params), node, moves)
    kernel = of_arrays(node.op.of_rows, node.params)
    return kernel if all(moves) else _repeated(kernel, moves)


def _aligned(kernel: Function, node: Node, moves: Sequence[bool]) -> Function:
    """An elementwise kernel whose arguments may have fewer axes in a row than the result: these are put in.

    Numpy would do so in front of the axis of the rows.
    """
    missing = [len(node.shape) - len(arg.shape) if moved else 0 for arg, moved in zip(node.args, moves, strict=True)]
    if not any(missing):
        return kernel
    keys = [(slice(None), *(None,) * count) for count in missing]

    def aligned(*arrays: Any, **out: Any) -> Any:
        wide = (array[key] if count else array for array, key, count in zip(arrays, keys, missing, strict=True))
        return kernel(*wide, **out)

    return aligned


def _repeated(kernel: Function, moves: Sequence[bool]) -> Function:
    """A kernel that is given what holds for every row as if each had it; nothing is copied."""
    first = moves.index(True)

    def repeated(*arrays: Any) -> Any:
        rows = len(arrays[first])
        return kernel(*(
            array if moved else np.broadcast_to(array, (rows, *np.shape(array)))
            for array, moved in zip(arrays, moves, strict=True)
        ))  # fmt: skip

    return repeated


def _choice(yes_is_whole: bool, no_is_whole: bool) -> Function:
    """`chosen`, but a branch that all rows of the block take is the result itself, if it has its shape."""

    def choice(condition: Any, yes: Any, no: Any) -> Any:
        taken = condition if condition.dtype == np.bool_ else condition != 0
        if yes_is_whole and taken.all():
            return yes
        if no_is_whole and not taken.any():
            return no
        return chosen(taken, yes, no)

    return choice

"""What is worth telling of a program at a point, and is no error; in the library, as Python's warnings."""

from __future__ import annotations

import sys

from cgcli.annotations import TYPE_CHECKING, Any, Iterable, Mapping, Sequence
from cgcli.errors import CgWarning, Span
from cgcli.records import EMPTY, NamedTuple

if TYPE_CHECKING:
    from cgcli.graph.node import Node


class Notice(NamedTuple):
    """One thing to tell: a sentence, what to do, where in the program. details: the same for programs, `kind` first.

    topic: as in CgError, where the command line has a hint of its own.
    """

    message: str
    hint: str = ""
    span: Span | None = None
    details: Mapping[str, Any] = EMPTY
    topic: str = ""


def of_no_formula(order: Sequence[Node], wrt: Iterable[Node]) -> list[tuple[Node, str]]:
    """The operations whose derivative by one of their arguments is not known, where that depends on some nodes.

    order: all nodes, arguments before users. Given are the node and what the operation calls the argument.
    """
    from cgcli.graph.rules import UNKNOWN

    moving = set(wrt)
    for node in order:
        if not moving.isdisjoint(node.args):
            moving.add(node)
    return [(node, name) for node in order
            for arg, name, rule in zip(node.args, node.op.arrays, node.op.rules, strict=False)
            if rule == UNKNOWN and arg in moving]  # fmt: skip


def has_no_formula(node: Node, name: str) -> Notice:
    """What is said of such an operation and its argument."""
    message = f"{node.op.name} has no derivative by {name}, for no formula of it is known here: it is nan"
    return Notice(
        message, "differentiate by other names alone: --wrt", None, {"kind": "nan", "operation": node.op.name}
    )


def tell(notice: Notice) -> None:
    """Warn of it, at the line that called the library from outside."""
    warn([notice])


def warn(notices: Iterable[Notice]) -> None:
    """Warn of each, at the line that called the library from outside."""
    for notice in notices:
        import warnings

        frame, level = sys._getframe(), 1
        while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "cgcli":
            frame, level = frame.f_back, level + 1
        warnings.warn(
            f"{notice.message}; {notice.hint}" if notice.hint else notice.message, CgWarning, stacklevel=level
        )

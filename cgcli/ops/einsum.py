"""einsum: sums of products, named by their subscripts. Linear in each operand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from cgcli.errors import ArgumentError, ShapeError
from cgcli.graph.node import Node, apply
from cgcli.graph.operation import REQUIRED, Operation, Params, Shape, Static, TransposeOf
from cgcli.ops.creation import EYE, ONES
from cgcli.ops.statics import brief, shape_text

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Subscripts(NamedTuple):
    """The letters of each operand's axes, and of the result's."""

    operands: tuple[str, ...]
    result: str


def _subscripts(value: Any, shapes: Sequence[Shape]) -> Subscripts:
    if isinstance(value, Subscripts):
        return value
    if not isinstance(value, str):
        raise ArgumentError(
            f"einsum starts with its subscripts, not {brief(value)}", hint='as in: einsum("ij,jk->ik", a, b)'
        )
    text = "".join(value.split())
    left, arrow, result = text.partition("->")
    operands = tuple(left.split(","))
    if not arrow:
        result = "".join(sorted(letter for letter in set(left) - {","} if left.count(letter) == 1))
    odd = sorted(set("".join(operands) + result) - set(_LETTERS))
    if odd:
        raise ArgumentError(f"einsum: '{odd[0]}' in the subscripts is no letter")
    unknown = sorted(set(result) - set("".join(operands)))
    if unknown or len(set(result)) < len(result):
        wrong = unknown[0] if unknown else next(letter for letter in result if result.count(letter) > 1)
        raise ArgumentError(f"einsum: '{wrong}' of the result must stand once there, and in an operand")
    if len(operands) != len(shapes):
        raise ArgumentError(f"einsum: the subscripts name {len(operands)} operands, but {len(shapes)} are given")
    return Subscripts(operands, result)


def _show(subscripts: Subscripts, shapes: Sequence[Shape]) -> str:
    return f'"{",".join(subscripts.operands)}->{subscripts.result}"'


def _sizes(shapes: Sequence[Shape], operands: tuple[str, ...]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for position, (shape, letters) in enumerate(zip(shapes, operands, strict=True)):
        if len(letters) != len(shape):
            raise ShapeError(
                f"einsum: '{letters}' names {len(letters)} axes, but the operand's shape is {shape_text(shape)}",
                clash=(position,),
            )
        for letter, size in zip(letters, shape, strict=True):
            if sizes.setdefault(letter, size) != size:
                first = next(at for at, names in enumerate(operands) if letter in names)
                raise ShapeError(
                    f"einsum: '{letter}' is {sizes[letter]} in one place and {size} in another",
                    clash=tuple(sorted({first, position})),
                )
    return sizes


def _shape(shapes: Sequence[Shape], params: Params) -> Shape:
    (subscripts,) = cast("tuple[Subscripts]", params)
    sizes = _sizes(shapes, subscripts.operands)
    return tuple(sizes[letter] for letter in subscripts.result)


def _einsum(*items: Any) -> Any:
    *arrays, (operands, result) = items
    # the ellipsis lets a leading batch axis pass
    terms = ",".join(f"...{letters}" for letters in operands)
    return np.einsum(f"{terms}->...{result}", *arrays, optimize=len(arrays) > 2)


def _back(ct: Node, args: tuple[Node, ...], params: Params, position: int) -> Node:
    """einsum again, with the adjoint in the operand's place.

    A letter of the operand that stands nowhere else was summed away: ones bring it back. A
    letter that stands twice in it reads a diagonal: an identity matrix puts it back.
    """
    (subscripts,) = cast("tuple[Subscripts]", params)
    letters = subscripts.operands[position]
    others = [
        (arg, subs) for at, (arg, subs) in enumerate(zip(args, subscripts.operands, strict=True)) if at != position
    ]
    terms = [(ct, subscripts.result), *others]
    sizes = _sizes([arg.shape for arg in args], subscripts.operands)
    unused = iter(letter for letter in _LETTERS if letter not in sizes)
    result = ""
    for letter in letters:
        if letter in result:
            fresh = next(unused)
            terms.append((apply(EYE, (), (sizes[letter],)), letter + fresh))
            result += fresh
        else:
            result += letter
    lost = "".join(letter for letter in result if not any(letter in subs for _, subs in terms))
    if lost:
        terms.append((apply(ONES, (), (tuple(sizes[letter] for letter in lost),)), lost))
    return apply(EINSUM, tuple(term for term, _ in terms), (Subscripts(tuple(subs for _, subs in terms), result),))


EINSUM = Operation("einsum", 'sums of products by subscripts: einsum("ij,jk->ik", a, b)', ("*x",), _einsum, _shape,
                   (TransposeOf(_back, jointly=False),),
                   statics=(Static("subscripts", _subscripts, _show, REQUIRED, leading=True),),
                   example='einsum("ij,j->i", [[1, 2], [3, 4]], [1, 1])')  # fmt: skip

ENTRIES: tuple[Operation, ...] = (EINSUM,)

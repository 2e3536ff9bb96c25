"""einsum: sums of products, named by their subscripts. Linear in each operand."""

from __future__ import annotations

import itertools
import math
from collections import Counter

from cgcli.annotations import Any, Mapping, Sequence
from cgcli.errors import ArgumentError, ShapeError
from cgcli.graph.node import Node, apply
from cgcli.graph.operation import ARRAYS, REQUIRED, Operation, Shape, Static
from cgcli.graph.rules import TransposeOf
from cgcli.graph.shapes import shape_text
from cgcli.ops.creation import EYE, ONES, OfShape, OfSize
from cgcli.ops.entry import row_by_row
from cgcli.ops.lazily import np
from cgcli.ops.shaping import reshape
from cgcli.ops.statics import brief
from cgcli.records import NamedTuple

_MAX_OPERANDS = 32  # for more, a good order of the products takes long to find
_LARGE = 1_000_000  # elements of both operands, multiplied: from here on products of matrices are faster
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Subscripts(NamedTuple):
    """The letters of each operand's axes, and of the result's."""

    operands: tuple[str, ...]
    result: str


class Einsum(NamedTuple):
    """The parameter of einsum."""

    subscripts: Subscripts


def _subscripts(value: Any, shapes: Sequence[Shape]) -> Subscripts:
    if isinstance(value, Subscripts):
        return value
    if not isinstance(value, str):
        raise ArgumentError(
            f"einsum starts with its subscripts, not {brief(value)}", hint='as in: einsum("ij,jk->ik", a, b)'
        )
    if len(shapes) > _MAX_OPERANDS:
        raise ArgumentError(f"einsum takes at most {_MAX_OPERANDS} operands, not {len(shapes)}")
    text = _without_dots("".join(value.split()), shapes)
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


def _without_dots(text: str, shapes: Sequence[Shape]) -> str:
    """The subscripts with a letter for each axis that an ellipsis stands for, from the last one on."""
    if "..." not in text:
        return text
    left, arrow, result = text.partition("->")
    operands = left.split(",")
    counts = [
        len(shape) - len(letters.replace("...", ""))
        for letters, shape in zip(operands, shapes, strict=False)
        if "..." in letters
    ]
    most = max(counts, default=0)
    if min(counts, default=0) < 0 or (result and "..." in result and not counts):
        raise ArgumentError("einsum: more letters stand beside '...' than an operand has axes")
    free = [letter for letter in _LETTERS[::-1] if letter not in text][:most][::-1]
    if len(free) < most:
        raise ArgumentError("einsum: there are not enough letters for the axes of '...'")
    queue = iter(counts)
    written = [
        letters.replace("...", "".join(free[most - next(queue) :])) if "..." in letters else letters
        for letters in operands
    ]
    if not arrow:
        alone = sorted(each for each in set(left) - {",", "."} if left.count(each) == 1)
        return ",".join(written) + "->" + "".join([*free, *alone])
    return ",".join(written) + "->" + result.replace("...", "".join(free))


def _without_ones(args: tuple[Node, ...], params: Einsum) -> tuple[tuple[Node, ...], Einsum]:
    """The operands without axes of size 1 whose letter has another size elsewhere: these broadcast, as in numpy."""
    operands, result = params.subscripts
    if any(len(letters) != len(arg.shape) for letters, arg in zip(operands, args, strict=True)):
        return args, params
    pairs = [[*zip(letters, arg.shape, strict=True)] for letters, arg in zip(operands, args, strict=True)]
    wide = {letter for each in pairs for letter, size in each if size != 1}
    kept = [[(letter, size) for letter, size in each if size != 1 or letter not in wide] for each in pairs]
    if kept == pairs:
        return args, params
    narrow = tuple(reshape(arg, tuple(size for _, size in each)) for arg, each in zip(args, kept, strict=True))
    return narrow, Einsum(Subscripts(tuple("".join(letter for letter, _ in each) for each in kept), result))


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


def _shape(shapes: Sequence[Shape], params: Einsum) -> Shape:
    sizes = _sizes(shapes, params.subscripts.operands)
    return tuple(sizes[letter] for letter in params.subscripts.result)


def _einsum(*items: Any) -> Any:
    *arrays, subscripts = items
    return _summed(arrays, subscripts, _by_pairs(arrays))


def _einsum_rows(*items: Any) -> Any:
    """Products by pairs one row at a time: numpy would choose pairs by the number of rows, and round accordingly."""
    *arrays, subscripts = items
    by_pairs = _by_pairs([array[0] for array in arrays])
    return row_by_row(_einsum)(*items) if by_pairs else _summed(arrays, subscripts, by_pairs)


def _by_pairs(arrays: Sequence[Any]) -> bool:
    """Whether numpy is to find the best order, and to multiply matrices where it can."""
    return len(arrays) > 2 or (len(arrays) == 2 and math.prod(map(np.size, arrays)) > _LARGE)


def _summed(arrays: Sequence[Any], subscripts: Subscripts, by_pairs: bool) -> Any:
    """The einsum, over any leading axes of rows too: the subscripts get an ellipsis."""
    operands, result = subscripts
    kept = _kept(operands, result)
    arrays = [
        array if old == new else np.einsum(f"...{old}->...{new}", array)
        for array, old, new in zip(arrays, operands, kept, strict=True)
    ]
    terms = ",".join(f"...{letters}" for letters in kept)
    return np.einsum(f"{terms}->...{result}", *arrays, optimize=by_pairs)


def _kept(operands: tuple[str, ...], result: str) -> tuple[str, ...]:
    """The letters of each operand that another or the result has too; the rest is summed away first."""
    if len(operands) == 1:
        return operands
    times = Counter(itertools.chain(result, *map(set, operands)))
    kept = ("".join(letter for letter in letters if times[letter] > 1) for letters in operands)
    return tuple(new if new == old else "".join(dict.fromkeys(new)) for old, new in zip(operands, kept, strict=True))


def _work(shapes: Sequence[Shape], params: Einsum) -> int:
    """An addition for each element that is summed away first; then a multiplication for each factor of each product
    but one, and an addition where the product is summed."""
    operands, result = params.subscripts
    sizes = _sizes(shapes, operands)
    kept = _kept(operands, result)
    work = sum(math.prod(shape) for shape, old, new in zip(shapes, operands, kept, strict=True) if old != new)
    terms = [set(letters) for letters in kept]
    for places in _path(kept, result, sizes):
        factors = [terms.pop(at) for at in sorted(places, reverse=True)]
        letters = set().union(*factors)
        left = letters & set(result).union(*terms)
        work += max(len(factors) - (left == letters), 1) * math.prod(sizes[letter] for letter in letters)
        terms.append(left)
    return work


def _path(operands: tuple[str, ...], result: str, sizes: Mapping[str, int]) -> Sequence[tuple[int, ...]]:
    """Which operands numpy multiplies with each other, one product after the other."""
    if len(operands) < 3:
        return [tuple(range(len(operands)))]
    shaped = [np.broadcast_to(0.0, [sizes[letter] for letter in letters]) for letters in operands]
    path: list[Any] = np.einsum_path(f"{','.join(operands)}->{result}", *shaped, optimize=True)[0]
    return path[1:]


def _back(ct: Node, args: tuple[Node, ...], params: Einsum, position: int) -> Node:
    """einsum again, with the adjoint in the operand's place.

    A letter of the operand that stands nowhere else was summed away: ones bring it back. A
    letter that stands twice in it reads a diagonal: an identity matrix puts it back.
    """
    subscripts = params.subscripts
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
            terms.append((apply(EYE, (), OfSize(sizes[letter])), letter + fresh))
            result += fresh
        else:
            result += letter
    lost = "".join(letter for letter in result if not any(letter in subs for _, subs in terms))
    if lost:
        terms.append((apply(ONES, (), OfShape(tuple(sizes[letter] for letter in lost))), lost))
    subscripts = Subscripts(tuple(subs for _, subs in terms), result)
    return apply(EINSUM, tuple(term for term, _ in terms), Einsum(subscripts))


EINSUM = Operation("einsum", 'sums of products by subscripts: einsum("ij,jk->ik", a, b)', ("*x",), _einsum, _shape,
                   (TransposeOf(_back, jointly=False),),
                   statics=(Static("subscripts", _subscripts, _show, REQUIRED, leading=True),), params=Einsum,
                   example='einsum("ij,j->i", [[1, 2], [3, 4]], [1, 1])', work=_work,
                   rows=_einsum_rows, canonical=_without_ones, mp=ARRAYS)  # fmt: skip

ENTRIES: tuple[Operation, ...] = (EINSUM,)

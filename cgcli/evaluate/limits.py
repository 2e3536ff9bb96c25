"""How much memory and work a program may take: much where data was given, little where a short text makes it all."""

from __future__ import annotations

import math
from _contextvars import ContextVar

from cgcli.annotations import Sequence
from cgcli.errors import TooLargeError
from cgcli.graph.node import Node, count_of_numbers, is_given, toposort
from cgcli.graph.shapes import count_text
from cgcli.lean import operator

MAX_BYTES = 2**33
MAX_BYTES_WITHOUT_DATA = 200_000_000  # so that no text of a few characters, an attack or a slip, takes the machine
MAX_NUMBERS_WITHOUT_DATA = 2**19  # in a result that is printed
MAX_STEPS_WITHOUT_DATA = 5 * 10**9  # a second or two

_STEPS_PER_NUMBER = 20  # to read or write one takes as long as so many operations in a product of matrices
_PRINTED_PER_NUMBER = 64
_DATA = 2**16  # bytes of inputs and numerals: more than a text of 10 kB spells out

_characters: ContextVar[int | None] = ContextVar("characters", default=None)


class spelled_in:  # noqa: N801, for it is used as a function
    """Within it all values come from a text, and of `x=arange(9000)` those characters are the data, not the array."""

    __slots__ = ("_characters", "_token")

    def __init__(self, characters: int) -> None:
        self._characters = characters

    def __enter__(self) -> None:
        self._token = _characters.set(self._characters)

    def __exit__(self, *error: object) -> None:
        _characters.reset(self._token)


def check_live(live: int, order: Sequence[Node]) -> None:
    """Raise TooLargeError when the nodes in `order` may not hold `live` bytes at once."""
    if live <= MAX_BYTES_WITHOUT_DATA or (live <= MAX_BYTES and has_data(order)):
        return
    if has_data(order):
        raise TooLargeError(f"the arrays held at once take more than {MAX_BYTES >> 30} GiB")
    raise TooLargeError(
        f"the arrays held at once take more than {MAX_BYTES_WITHOUT_DATA // 10**6} MB",
        hint=f"a program whose data come from a file may take {MAX_BYTES >> 30} GiB: x=@x.npy",
    )


def check_work(nodes: Sequence[Node], order: Sequence[Node], times: int = 1) -> None:
    """Raise TooLargeError when to compute the nodes takes far longer than a text without data deserves.

    order: the nodes and the leaves that they need. times: how often they are computed.
    """
    if not any(node.shape for node in order) or has_data(order):
        return
    steps = list(map(steps_of, nodes))
    total = times * sum(steps)
    if total <= MAX_STEPS_WITHOUT_DATA:
        return
    most = max(zip(steps, nodes, strict=True), key=operator.itemgetter(0))[1]
    from cgcli.graph.body import name_of_operation

    passes = f" in {count_text(times)} passes" if times > 1 else ""
    raise TooLargeError(
        f"to compute this{passes} takes {count_text(total)} steps, most of them for {name_of_operation(most)}",
        hint=f"the limit is {count_text(MAX_STEPS_WITHOUT_DATA)} where no data come from a file: make the arrays "
        "smaller, or give them as x=@x.npy",
    )


def steps_of(node: Node) -> int:
    """A measure of time: floating-point operations in a product of matrices, or what takes as long."""
    from cgcli.graph.work import work_of

    numbers = math.prod(node.shape) + sum(math.prod(arg.shape) for arg in node.args)
    return work_of(node) + _STEPS_PER_NUMBER * numbers


def check_result(
    outputs: Sequence[Node], what: str, numbers: int | None = None, instead: str = "take a part, or the sum"
) -> None:
    """Raise TooLargeError for results that the data do not account for and that would fill a terminal for minutes.

    what: what messages call them. numbers: how many there are, where they are not the outputs themselves. instead:
    what helps.
    """
    if numbers is None:
        numbers = count_of_numbers(outputs)
    if numbers <= MAX_NUMBERS_WITHOUT_DATA:
        return
    given = _bytes_given(toposort(outputs)) // 8
    if 8 * given > _DATA and numbers > _PRINTED_PER_NUMBER * given:
        raise TooLargeError(
            f"{what} would be {numbers} numbers, from {given} that are given",
            hint=f"the limit is {_PRINTED_PER_NUMBER} for each; {instead}",
        )
    if 8 * given <= _DATA:
        raise TooLargeError(
            f"{what} would be {numbers} numbers, made of nothing but the text",
            hint=f"the limit is {MAX_NUMBERS_WITHOUT_DATA} where no data come from a file; {instead}",
        )


def has_data(order: Sequence[Node]) -> bool:
    """Whether some nodes hold more than a short text spells out."""
    return _bytes_given(order) > _DATA


def _bytes_given(order: Sequence[Node]) -> int:
    given = sum(8 * math.prod(node.shape) for node in order if is_given(node))
    spelled = _characters.get()
    return given if spelled is None else min(given, 8 * spelled)

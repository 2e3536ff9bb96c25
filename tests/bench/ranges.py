"""First and second derivatives of each elementwise operation, and of ln(f), 1/f, f^2, exp(f), sqrt(f), at points of
every size, in all modes, against mpmath: how many are within the bounds, and which are not.

    python tests/bench/ranges.py [POINTS [OPERATION ...]]

The bounds are 1e-8 of a first derivative and 1e-6 of a second. Of compositions some count apart: those that are
wrong by no more than the rounding of two terms that nearly cancel, f''/f - (f'/f)^2, for no rule for f can know them
better; and, as beyond, those where a derivative of f itself is out of the range of float64.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))  # the tests' own modules

from tests.ranges import OUTER, Found, compared, jets, points
from tests.support import ELEMENTWISE, differentiable

_SHOWN = 4  # of each operation, composition and order


def _counts(what: str, numbers: Sequence[int]) -> str:
    total, right, apart, beyond = numbers
    left = total - right - apart - beyond
    return f"{what}: {right} of {total} within, {apart} of cancelling terms, {beyond} beyond, {left} not"


def main(count: int = 200, names: tuple[str, ...] = ()) -> int:
    """Print the figures; 1 when a derivative is not within its bound."""
    total: Counter[str] = Counter()
    right: Counter[str] = Counter()
    apart: Counter[str] = Counter()
    beyond: Counter[str] = Counter()
    wrong: list[tuple[str, Found]] = []
    for name, operation in ELEMENTWISE.items():
        if not differentiable(operation) or (names and name not in names):
            continue
        places = points(operation, count)
        known = jets(operation, places)
        for found in compared(operation, places, known):
            kind = f"{found.outer} {len(found.by)}"
            total[kind] += 1
            right[kind] += found.right
            if found.right:
                continue
            if found.wanted.beyond and found.outer != "f":
                beyond[kind] += 1
            elif found.apart:
                apart[kind] += 1
            else:
                wrong.append((name, found))
    shown: Counter[tuple[str, str, int]] = Counter()
    for name, found in wrong:
        key = (name, found.outer, len(found.by))
        shown[key] += 1
        if shown[key] <= _SHOWN:
            print(f"{name}: {found}")
    print()
    for key, number in shown.items():
        print(f"{number:6} {key[0]} {key[1]} order {key[2]}")
    for outer in OUTER:
        for order in (1, 2):
            kind = f"{outer} {order}"
            print(_counts(f"{outer:8} order {order}", [each[kind] for each in (total, right, apart, beyond)]))
    print(_counts("all", [sum(each.values()) for each in (total, right, apart, beyond)]))
    return 1 if wrong else 0


if __name__ == "__main__":
    given = sys.argv[1:]
    sys.exit(main(int(given[0]) if given else 200, tuple(given[1:])))

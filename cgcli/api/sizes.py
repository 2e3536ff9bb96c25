"""Formulas for all sizes: what a program gives for some numbers in the place of m and n in `A: [m, n]`, with the names.

Shapes are numbers everywhere, so a formula is made for three sets of primes. The three have one structure, and a number
in which they differ is an expression in the sizes: a product of powers (2/m, m*n) or one that is linear (m - 1). What
is of another kind is refused, and so is a formula that has other values than the program's own for even numbers, or
for numbers that are small, or larger than all in the program.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from fractions import Fraction
from itertools import combinations, dropwhile
from math import prod

from cgcli.algebra.algebraic import simplify
from cgcli.algebra.sizes import OTHER_PARTS, Sizes, expression, refusal, with_expressions
from cgcli.annotations import Any, Callable, Iterator, Mapping, Sequence
from cgcli.api.point import Point, at_values
from cgcli.api.program import Program, read_text
from cgcli.errors import CgError, ShapeError, TooLargeError, UsageError
from cgcli.evaluate.evaluate import evaluate
from cgcli.graph.node import Graph, Node, name_of, toposort, variables
from cgcli.graph.shapes import shape_text
from cgcli.lowering.inputs import declared_shapes
from cgcli.ops.lazily import np
from cgcli.printing.expression import text_of, written_name
from cgcli.printing.program import statements
from cgcli.records import NamedTuple

# Primes p, of which (p - 1)/2 is prime, too: 3/p and 6/(p - 1) lose no factor. Formulas list no array of so many
# elements. Smaller primes are for what would be too large.
_PRIMES = ((107, 179, 227, 263, 347, 383, 467, 479, 503, 563, 587, 839, 863, 887, 983), (11, 13, 17, 19, 23, 29, 31))
_SETS = 3
_MOST = len(_PRIMES[0]) - _SETS + 1  # sizes
_LARGEST_LIMIT = 1000  # that a size may be compared with, as in n > 5 and x[5]
_MOST_COMPUTED = 10**6  # elements of an array that a check computes
_RANGES = ((0.1, 0.9), (1.1, 2.9), (-1.0, 1.0))  # of the values in checks
_NEAR = 1e-9
_NUMBER = re.compile(r"((?<![\w.])\d+(?:\.\d+)?(?![\w.]))")


class Alike(NamedTuple):
    """A graph, or the same for several sets of sizes. points: what these were made at, where there are several."""

    graphs: tuple[Graph, ...]
    points: tuple[Point, ...] = ()

    def each_output(self) -> Iterator[Alike]:
        """The graphs of the outputs one by one."""
        for at in range(len(self.graphs[0].outputs)):
            graphs = (graph._replace(outputs=(graph.outputs[at],), names=()) for graph in self.graphs)
            yield self._replace(graphs=tuple(graphs))

    def program(self, write: Callable[[Graph], list[str]]) -> list[str]:
        """The statements that `write` makes of a graph, with sizes by their names."""
        if not self.points:
            return write(self.graphs[0])
        lines = self._merged(lambda graph: "\n".join(write(graph)), lambda node: text_of(node, {})).split("\n")
        return [*self._further_declarations(lines), *lines]

    def latex(self, write: Callable[[Graph, Sequence[str]], str]) -> str:
        """The LaTeX that `write` makes of a graph, with sizes by their names, which it must not use itself."""
        if not self.points:
            return write(self.graphs[0], ())
        from cgcli.printing.latex import latex_of, spelling_of

        free = self.points[0].free
        spelling = spelling_of(toposort(self.graphs[0].outputs), dict.fromkeys(free, ()))
        return self._merged(lambda graph: write(graph, free), lambda node: latex_of(node, spelling=spelling))

    def _merged(self, write: Callable[[Graph], str], spell: Callable[[Node], str]) -> str:
        """The one text of all graphs."""
        sets = [*map(_sizes, self.points)]
        pieces = [_NUMBER.split(write(graph)) for graph in self.graphs]
        if len(set(map(len, pieces))) > 1 or len({tuple(each[::2]) for each in pieces}) > 1:
            raise refusal(sets[0], OTHER_PARTS)
        merged = pieces[0]
        for at, texts in enumerate(zip(*pieces, strict=True)):
            if len(set(texts)) > 1:
                merged[at] = spell(expression([*map(Fraction, texts)], sets))
        return "".join(merged)

    def _further_declarations(self, lines: Sequence[str]) -> Iterator[str]:
        """Declarations that tell those sizes in a formula that its own inputs do not tell."""
        sizes = _sizes(self.points[0])
        inputs = set(map(name_of, variables(toposort(self.graphs[0].outputs))))
        declared = declared_shapes(self.points[0].program.syntax, self.points[0].sizes)
        told = {size for name, shape in declared.items() if name in inputs for size in shape}
        for name, size in sizes.items():
            if size not in told and any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", line) for line in lines):
                teller = next(name for name, shape in declared.items() if size in shape)
                told.update(declared[teller])
                yield _in_names(f"{written_name(teller)}: {shape_text(declared[teller])}", sizes)


def at_any_sizes(program: Program, bindings: Mapping[str, Any]) -> Point:
    """The program at the values of its names, and at numbers for the sizes that these do not tell."""
    program = program.in_book_form()
    free = program.unknown_sizes(bindings)
    if not free:
        return at_values(program, bindings)
    if len(free) > _MOST:
        raise UsageError(f"a formula holds for all numbers of at most {_MOST} sizes, and there are {len(free)}",
                         hint=f"give numbers, as in: {free[0]}=3")  # fmt: skip
    errors = []
    for sizes, *_ in _each_sets(program, free):
        try:
            with _by_name(sizes):
                return at_values(program, bindings, assumed=sizes)
        except CgError as error:
            errors.append(error)
    raise errors[0]


def at_all_sizes(point: Point, build: Callable[[Point], Graph], again: Callable[[Graph], Graph] = simplify) -> Alike:
    """What `build` makes of a point, for all numbers in the place of those that were assumed.

    again: brings a graph to the form that `build` gives. Raises UsageError where it is not one for all sizes.
    """
    if not point.free:
        return Alike((build(point),))
    errors = []
    for sets in dropwhile(lambda sets: sets[0] != _sizes(point), _each_sets(point.program, point.free)):
        try:
            return _at_sets(point, sets, build, again)
        except (ShapeError, TooLargeError) as error:
            errors.append(error)
    raise errors[0]


def _at_sets(
    point: Point, sets: Sequence[Sizes], build: Callable[[Point], Graph], again: Callable[[Graph], Graph]
) -> Alike:
    points = [*map(point.resized, sets)]
    with _by_name(sets[0]):
        graphs = [*map(build, points)]
    alike = Alike(tuple(map(again, with_expressions(graphs, sets))), tuple(points))
    _check(alike, build)
    return alike


def _sizes(point: Point) -> dict[str, int]:
    return {name: point.sizes[name] for name in point.free}


def _limits(program: Program) -> list[int]:
    """The numbers in a program that a size may be compared with."""
    return [number for number in map(int, re.findall(r"\d{1,9}", program.text)) if number <= _LARGEST_LIMIT]


def _each_sets(program: Program, free: Sequence[str]) -> Iterator[list[dict[str, int]]]:
    """Sets of primes for the sizes, in several ways: falling, as windows follow images, or rising; large, or small.

    They are larger than all numbers in the program if there are so many.
    """
    needed = len(free) + _SETS - 1
    for primes in _PRIMES:
        usable = [prime for prime in primes if prime > max(_limits(program), default=0)]
        usable = usable if len(usable) >= needed else [*primes]
        for names in (free[::-1], free) if len(usable) >= needed else ():
            yield [dict(zip(names, usable[at:], strict=False)) for at in range(_SETS)]


def _check(alike: Alike, build: Callable[[Point], Graph]) -> None:
    """Raise UsageError unless a formula with names of sizes has the values that it has with numbers."""
    point = alike.points[0]
    formula = read_text("; ".join(alike.program(statements)))
    count = len(point.free)
    least = 3 * (max(_limits(point.program), default=0) // 3 + 2)
    agreed = False
    for numbers in (range(4, 4 + 2 * count, 2), range(least + 3 * count, least, -3)):
        sizes = dict(zip(point.free, numbers, strict=True))
        try:
            expected = build(point.resized(sizes)).outputs
        except CgError:
            continue  # the program itself asks for larger arrays, or smaller ones
        try:
            found = _agree(expected, formula.graph({}, sizes).outputs)
        except CgError:
            found = False
        if found is False:
            raise refusal(sizes, f"for {', '.join(f'{name}={size}' for name, size in sizes.items())} it is another one")
        agreed = agreed or bool(found)
    if not agreed:
        raise refusal(_sizes(point), "it has no values that could be compared with those for numbers")


def _agree(expected: Sequence[Node], found: Sequence[Node]) -> bool | None:
    """Whether outputs have the same values at random points; None where they have none."""
    order = toposort([*expected, *found])
    if [node.shape for node in expected] != [node.shape for node in found]:
        return False
    if max(prod(node.shape) for node in order) > _MOST_COMPUTED:
        return None
    random = np.random.default_rng(0)
    agreed = None
    for low, high in _RANGES:
        values = {name_of(node): _regular(random.uniform(low, high, node.shape)) for node in variables(order)}
        results = evaluate([*expected, *found], values)
        for one, other in zip(results, results[len(expected) :], strict=False):
            if np.all(np.isfinite(one)):
                agreed = True
                if not np.allclose(one, other, rtol=_NEAR, atol=_NEAR * np.max(np.abs(one), initial=0)):
                    return False
    return agreed


def _regular(value: Any) -> Any:
    """Numbers; as square matrices, ones that have an inverse."""
    shape = np.shape(value)
    square = len(shape) > 1 and shape[-1] == shape[-2]
    return value + shape[-1] * np.eye(shape[-1]) if square else value


@contextmanager
def _by_name(sizes: Sizes) -> Iterator[None]:
    """What is said of errors has the names of sizes in the place of their numbers."""
    try:
        yield
    except CgError as error:
        error.message, error.hint = (_in_names(text, sizes) for text in (error.message, error.hint))
        raise


def _in_names(text: str, sizes: Sizes) -> str:
    """A text with the names of sizes, and of products of two, in the place of their numbers."""
    names = {str(sizes[one] * sizes[other]): f"{one}*{other}" for one, other in combinations(sizes, 2)}
    names |= {str(size): written_name(name) for name, size in sizes.items()}
    return _NUMBER.sub(lambda match: names.get(match[0], match[0]), text)

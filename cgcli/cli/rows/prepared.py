"""The programs of a request, prepared for rows: read, lowered and compiled once for all files that are alike."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Container, Mapping, Sequence, TypeVar
from cgcli.api.columns import Bound, Results, results
from cgcli.api.point import Point, at_values
from cgcli.api.program import Program, read_text
from cgcli.cli.request import Request
from cgcli.errors import UsageError
from cgcli.records import EMPTY
from cgcli.syntax import tree

if TYPE_CHECKING:
    from cgcli.graph.operation import Shape

_MOST_KEPT = 16  # sets of shapes

Value = TypeVar("Value")
Made = TypeVar("Made")


class Prepared:
    """The program of a request, others that go with it, and what has been made of them.

    others: texts of programs, by what messages call them; the condition of rows is the last. equations: as of
    `read_text`. It can be pickled, without what has been made.
    """

    def __init__(self, request: Request, others: Mapping[str, str] = EMPTY, equations: str = "") -> None:
        conditions = request.rows.where
        condition = conditions[0] if len(conditions) == 1 else " and ".join(f"({text})" for text in conditions)
        self._request, self._texts, self._equations = request, {**others}, equations
        self._others = {**others, **({"--where": condition} if condition else {})}
        self._read: dict[tuple[str, ...], tuple[list[Program], dict[str, Any]]] = {}
        self._points: dict[object, list[Point]] = {}
        self._made: list[tuple[Point, object, Any]] = []

    def __reduce__(self) -> tuple[object, ...]:
        return Prepared, (self._request, self._texts, self._equations)

    def of(self, request: Request) -> Prepared:
        """The same of a request that says the same; what is made of one is made of the other."""
        other = Prepared(request, self._texts, self._equations)
        other._read, other._points, other._made = self._read, self._points, self._made
        return other

    def read(self, known: Sequence[str] = ()) -> tuple[list[Program], dict[str, Any]]:
        """The program and the others, and the values of names. known: names of columns."""
        key = tuple(known)
        if key not in self._read:
            program, bindings = self._request.program(key, equations=self._equations)
            others = (read_text(text, name, {*bindings, *key}) for name, text in self._others.items())
            self._read[key] = [program, *others], bindings
        return self._read[key]

    def at(self, known: Sequence[str], shapes: Mapping[str, Shape]) -> list[Point]:
        """Each of them at a point where names of these shapes vary. known: as they were read."""
        key = (*known, *shapes.items())
        if key not in self._points:
            if len(self._points) == _MOST_KEPT:
                self._points.clear()
                self._made.clear()
            programs, bindings = self.read(known)
            open_names = {name for program in programs for name in program.open_names}
            self._points[key] = [
                at_values(program, _of(bindings, program, open_names), _of(shapes, program, shapes))
                for program in programs
            ]
        return self._points[key]

    def made(self, make: Callable[..., Made], point: Point, *given: Any) -> Made:
        """What `make(point, *given)` gives, of a point of these: it is called once."""
        found = next((made for at, by, made in self._made if at is point and by == make), None)
        if found is None:
            found = make(point, *given)
            self._made.append((point, make, found))
        return found

    def where(self, points: Sequence[Point], threads: int) -> Bound | None:
        """What says whether a row counts; None where all do. Raises UsageError where it is not one number."""
        return self.made(_condition, points[-1], threads) if "--where" in self._others else None


def _of(values: Mapping[str, Value], program: Program, others: Container[str]) -> dict[str, Value]:
    """What a program may read, by name; without what is read by others alone."""
    return {name: value for name, value in values.items() if name in program.open_names or name not in others}


def _condition(point: Point, threads: int) -> Bound:
    found: Results = results(point, ())
    if isinstance(point.program.syntax.statements[-1], tree.Assign):
        raise UsageError("--where is a condition, and gives no names", hint="to compare, write ==")
    if len(found) != 1 or found[0][1].shape:
        raise UsageError("--where is one condition, as in: --where 'x > 0'")
    return Bound(point, found, threads)

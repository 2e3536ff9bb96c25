"""One command line as a value, and what it is about: the program, its values, what to differentiate by."""

from __future__ import annotations

import os
import stat
import sys

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Collection, Iterable, Mapping
from cgcli.cli import operands as given
from cgcli.cli import output
from cgcli.cli.operands import Operands
from cgcli.cli.report import Report
from cgcli.errors import UnknownNameError, UsageError
from cgcli.lean import cached_property
from cgcli.records import EMPTY, NamedTuple, Record

if TYPE_CHECKING:
    from cgcli.api.calls import Call
    from cgcli.api.files import Table
    from cgcli.api.notices import Notice
    from cgcli.api.point import Point
    from cgcli.api.program import Program
    from cgcli.api.watched import Watched
    from cgcli.evaluate.compiled import Kernels
    from cgcli.graph.node import Node
    from cgcli.tables.content import Content
    from cgcli.tables.dialect import Reading

_MAX_PROGRAM_BYTES = 16_000_000  # more than the parser's limit in characters


class RowOptions(Record):
    """What the command line says of rows."""

    input_format: str | None = None
    no_header: bool = False
    delimiter: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    null: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    comment: str | None = None
    where: tuple[str, ...] = ()
    skip: int = 0
    limit: int | None = None
    output: str | None = None
    output_format: str | None = None
    only: bool = False
    called: str | None = None
    on_error: str = "fail"
    threads: int | None = None
    jobs: int = 1
    shard: tuple[int, int] | None = None
    on: str | None = None
    prefix: str = "d_"

    @property
    def reading(self) -> Reading:
        """How the text of tables is read. Raises UsageError for an option with a wrong value."""
        from cgcli.tables.dialect import Reading, sign, types_of

        delimiter, decimal, thousands = (
            sign(getattr(self, name), name) for name in ("delimiter", "decimal", "thousands")
        )
        nothing = tuple(word for words in self.null for word in words.split(","))
        return Reading(not self.no_header, delimiter, decimal, thousands, nothing, self.comment or "",
                       types=types_of(self.types, self.text), alone=self.threads == 1)  # fmt: skip


class Request(Record):
    """What the command line says; options that a command does not have are at their defaults.

    takes_rows: whether the command computes many rows, too. rows: its options for them. known: the values of names,
    where they have been read already, and the program with them.
    """

    operands: Operands
    program_file: str | None
    vars_file: str | None
    strict: bool
    quiet: bool
    takes_rows: bool
    as_json: bool = False
    precision: int | None = None
    digits: int | None = None
    accuracy: bool = False
    max_trips: int | None = None
    wrt: tuple[str, ...] = ()
    cotangent: str | None = None
    tangents: tuple[str, ...] = ()
    order: int = 1
    taylor: bool = False
    elasticity: bool = False
    rows: RowOptions = RowOptions()
    known: Mapping[str, Any] | None = None

    def changed(self, rows: Mapping[str, Any] = EMPTY, **others: Any) -> Request:
        """A copy with other values of some fields. rows: with other values of its options for rows."""
        given = {name: value for name, value in vars(self).items() if name in self._fields}
        return Request(**{**given, **others, "rows": RowOptions(**{**vars(self.rows), **rows})})

    def known_everywhere(self, program: Program, bindings: Mapping[str, Any]) -> Request:
        """The same with its program and its values as they are: it reads no file for them, wherever it is used."""
        operands = self.operands._replace(expression=program.text, bindings=(), files=())
        return self.changed(operands=operands, program_file=None, vars_file=None, known={**bindings})

    def program(self, known: Collection[str] = (), *, equations: str = "") -> tuple[Program, dict[str, Any]]:
        """The program, and the values of names: those of the file, then name=value operands, which win.

        known: other names that will have a value. equations: as of `read_text`.
        Of a file of rows, the columns that the program reads are vectors. Raises UsageError, DataError, ParseError.
        """
        from cgcli.api.program import read_text
        from cgcli.api.value_texts import ends_of_range, of_text

        text, name = self._program_text()
        table, values = self._of_file
        bindings: dict[str, Any] = {**(self.known or {}), **values}
        seen: set[str] = set()
        for key, value in self.operands.bindings:
            if key in seen:
                from cgcli.api.values import bound_twice

                raise bound_twice(key)
            seen.add(key)
            value = ((key in self.operands.ranges and ends_of_range(value)) or (value,))[0]
            bindings[key] = of_text(value, f"the value of '{key}'", self._column)
        wrt = (name.strip() for text in self.wrt for name in text.split(","))
        values_of = (*bindings, *(table.names if table else ()), *known)
        program = read_text(text, name, values_of, equations=equations).opening(wrt)
        if table is not None:
            bindings |= table.vectors(name for name in program.open_names if name not in bindings)
        return (program.exact() if self.digits is not None or self.operands.ranges else program), bindings

    @cached_property
    def _of_file(self) -> tuple[Table | None, dict[str, Any]]:
        """What --vars names, which may be read once: rows, or values by name."""
        if self.vars_file is None:
            return None, {}
        from cgcli.api.value_files import holds_rows, of_json_object, values_or_rows

        holds = True if self.rows.input_format else holds_rows(self.vars_file)
        if holds is None:
            found = values_or_rows(self.vars_file)
            return (None, found) if isinstance(found, dict) else (self._rows_of(self.vars_file, found), {})
        return (self._rows_of(self.vars_file), {}) if holds else (None, of_json_object(self.vars_file))

    def _rows_of(self, name: str, content: Content | None = None) -> Table:
        """All rows of a file. content: what it holds, where that has been looked at."""
        from cgcli.api.files import Table
        from cgcli.tables.listing import Source

        return Table([Source(name, content=content)], self.rows.input_format, self.rows.reading)

    def _column(self, name: str, column: str) -> Any:
        """A column of a file of rows, as a vector."""
        return self._rows_of(name).vector(column)

    def exact_inputs(self, point: Point) -> dict[str, Node]:
        """The graph of the value of each name, with all the digits that it was typed with."""
        from cgcli.api.value_files import exact_texts, holds_rows
        from cgcli.api.value_texts import exact_of_text
        from cgcli.evaluate.constants import as_constant

        typed = dict(self.operands.bindings)
        if self.vars_file is not None and not holds_rows(self.vars_file):
            typed = exact_texts(self.vars_file) | typed

        def exact(name: str, value: Any) -> Node:
            if name not in typed:
                return as_constant(value)
            return exact_of_text(typed[name], f"the value of '{name}'", self._column)[0]

        values = point.bindings.items()
        return {name: exact(name, value) for name, value in values if name not in self.operands.ranges}

    def ends(self, point: Point) -> dict[str, tuple[Node, Node]]:
        """The graphs of both ends of each name's range."""
        from cgcli.api.bounds import check_ranges, ends_of_text

        check_ranges(point, self.operands.ranges)
        typed = dict(self.operands.bindings)
        known = {name: (node, node) for name, node in self.exact_inputs(point).items()}
        return known | {name: ends_of_text(typed[name], f"the value of '{name}'") for name in self.operands.ranges}

    def limits(self) -> list[Any]:
        """What bounds the program, to be entered: the trips of its loops, and what a short text of values may make."""
        found: list[Any] = []
        if self.max_trips is not None:
            from cgcli.graph.loops import max_trips

            found.append(max_trips(self.max_trips))
        typed = [*(text for _, text in self.operands.bindings), *self.tangents, self.cotangent or ""]
        from_file = self.operands.over_rows or self.vars_file is not None or any("@" in text for text in typed)
        if not from_file and any("(" in text for text in typed):  # a call makes more than is typed
            from cgcli.evaluate.limits import spelled_in

            found.append(spelled_in(sum(map(len, typed))))
        return found

    def _program_text(self) -> tuple[str, str]:
        """The program and what messages call it."""
        expression = self.operands.expression
        if self.program_file is None and expression is not None and expression != "-":
            return expression, ""
        from cgcli.api.value_files import bounded_text, text_of

        if self.program_file is not None and self.program_file != "-":
            return text_of(self.program_file, _MAX_PROGRAM_BYTES), self.program_file
        if sys.stdin is None:
            raise UsageError("standard input is closed")
        return bounded_text(sys.stdin.buffer, "standard input", _MAX_PROGRAM_BYTES), "<stdin>"

    def point(self) -> Point:
        """The program at the values of its names, some of which may be without."""
        from cgcli.api.point import at_values

        return at_values(*self.program())

    def point_of_any_size(self) -> Point:
        """The same for a formula: sizes that no value tells have numbers which stand for all others."""
        from cgcli.api.sizes import at_any_sizes

        return at_any_sizes(*self.program())

    def task(self, *, without_values: bool = False, partly: bool = False) -> Task:
        """The program at its point, and what to differentiate it by; what has no effect is reported.

        without_values: there may be no values at all; partly: values for some names are enough. Raises
        UnknownNameError for names without one.
        """
        point = self.point()
        if not partly and (point.bindings or not without_values):
            self._check_complete(point)
        return Task.begun(self, point)

    def _check_complete(self, point: Point) -> None:
        try:
            point.check_complete()
        except UnknownNameError as error:
            table, _ = self._of_file
            if table is not None:
                from cgcli.api.columns import check_columns

                check_columns(point, table.names)
            mode = mode_of_standard_input()
            if self.takes_rows and error.hint.startswith("as in: ") and (stat.S_ISFIFO(mode) or stat.S_ISREG(mode)):
                error.hint += "; for the rows of standard input write '-' behind the expression"
            raise

    def report(self, point: Point) -> Report:
        """Where warnings go; how the program was read is said at once."""
        report = Report(point.graph.source, quiet=self.quiet, strict=self.strict)
        report.tell_reading(point.program.syntax.read_as)
        return report

    def names(self, point: Point) -> list[str] | None:
        """The names of --wrt; None for all inputs."""
        return given.names_of(self.wrt, {*point.names, *point.shapes})

    def cotangents(self) -> list[Any] | None:
        """The arrays of --cotangent, one for each output, or with many digits the graphs of them."""
        from cgcli.api.value_texts import exact_of_text, several

        if self.cotangent is None:
            return None
        return [*(several if self.digits is None else exact_of_text)(self.cotangent, "--cotangent", self._column)]

    def directions(self) -> dict[str, Any]:
        """The arrays of --tangent, by name, or with many digits the graphs of them. Raises UsageError for several."""
        found = self._directions()
        if len(found) > 1:
            raise UsageError(f"--tangent has {len(found)} directions, and this command takes one",
                             hint="cg jvp has mixed derivatives: cg jvp EXPR --tangent 'x=1; y=1'")  # fmt: skip
        return found[0]

    def several_directions(self) -> list[dict[str, Any]]:
        """Those of each direction, as many as the order of the derivatives: `x=1; y=1`, or the only one again."""
        found = self._directions()
        if len(found) == 1:
            return found * self.order
        if self.order not in (1, len(found)) or self.taylor:
            option = "--taylor" if self.taylor else f"--order {self.order}"
            raise UsageError(f"--tangent has {len(found)} directions, and {option} goes along one",
                             hint=f"leave out {option}")  # fmt: skip
        return found

    def _directions(self) -> list[dict[str, Any]]:
        from cgcli.api.value_texts import exact_of_text, of_text

        def value(name: str, text: str) -> Any:
            what = f"the tangent of '{name}'"
            exactly = self.digits is not None
            return exact_of_text(text, what, self._column)[0] if exactly else of_text(text, what, self._column)

        directions = given.directions_of(self.tangents)
        return [{name: value(name, text) for name, text in texts.items()} for texts in directions]


def ignored(_: Notice) -> None:
    """Drop a notice about one point: over ranges, it holds for none of their other points."""


def but_losses(tell: Callable[[Notice], None]) -> Callable[[Notice], None]:
    """Tells what is no loss of digits: --accuracy says those itself, and how many."""

    def told(notice: Notice) -> None:
        if notice.details.get("kind") != "lost":
            tell(notice)

    return told


class Task(NamedTuple):
    """What a command works on: a program at its point, and the inputs to differentiate it by.

    evaluate: values at the point; a nan or an infinity on the way is reported.
    """

    request: Request
    point: Point
    wrt: list[Node]
    report: Report
    evaluate: Watched

    @classmethod
    def begun(cls, request: Request, point: Point) -> Task:
        """The task of a request; what has no effect is reported."""
        from cgcli.api.watched import Watched

        report = request.report(point)
        wrt = point.chosen(request.names(point))
        report.tell_all(point.notices(wrt))
        tell = ignored if request.operands.ranges else but_losses(report.tell) if request.accuracy else report.tell
        return cls(request, point, wrt, report, Watched(point.graph, point.bindings, tell))

    def computed(self, make: Callable[[Kernels | None], Call], rounded: int | None = None) -> Any:
        """What `make` computes at the point, in floats; with --digits as numerals, and over ranges bounds of it.

        rounded: to how many digits bounds are rounded, unless the command line says it.

        make: gives from kernels, None for those on floats, what computes a result from an `Evaluate`.
        """
        digits = self.request.digits
        if self.request.operands.ranges:
            from cgcli.api.bounds import ranges

            ends = self.request.ends(self.point)
            return ranges(make, ends, self.point.graph, digits or self.request.precision or rounded, self.report.tell)
        if digits is None:
            return make(None)(self.evaluate)
        from cgcli.api.digits import numerals

        inputs = self.request.exact_inputs(self.point)
        return numerals(make, inputs, digits, self.point.graph, self.report.tell, self.evaluate)

    def measured(self, make: Callable[[Kernels | None], Call]) -> tuple[Any, Any]:
        """What `make` computes at the point, in floats, and how many digits of each number are right."""
        from cgcli.api.digits import measured

        return measured(make, self.request.exact_inputs(self.point), self.point, self.report.tell, self.evaluate)

    @property
    def sides(self) -> list[output.Labelled]:
        """The inputs, as they stand on a side of a table."""
        from cgcli.graph.node import name_of

        return [output.Labelled(name_of(node), node.shape) for node in self.wrt]

    def show(self, content: Mapping[str, Any], lines: Iterable[tuple[str, Any]]) -> None:
        """Print results as one JSON object, the warnings with them, or as lines `name<TAB>value`."""
        if self.request.as_json:
            output.as_json(content, self.request.precision, self.report.entries)
        else:
            output.plain(lines, self.request.precision)


def mode_of_standard_input() -> int:
    """What `stat` says of standard input: a pipe, a file, a terminal; 0 where it is closed, or a stand-in."""
    try:
        return os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError, AttributeError):
        return 0

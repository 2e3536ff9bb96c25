"""A program and the values of its names: what the commands that compute start from."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from cgcli.cli import bindings as values
from cgcli.cli.operands import Operands
from cgcli.errors import UnknownNameError, UsageError

_ALMOST_A_BINDING = re.compile(r"-*([^\W\d]\w*)(?::|->|:=)([-+.\w]+)")
_NAME = re.compile(r"[^\W\d]\w*")
_OPERATORS = ("+", "-", "*", "/", "^", "**", "%", "@", "<", ">", "<=", ">=", "==", "!=")
_OVER_ROWS = ("eval", "grad")  # commands
_NOTHING: Mapping[str, Any] = MappingProxyType({})
_MAX_PROGRAM_BYTES = 16_000_000  # more than the parser's limit in characters

if TYPE_CHECKING:
    from cgcli.cli.bindings import Bindings
    from cgcli.graph.node import Graph, Node
    from cgcli.graph.operation import Shape
    from cgcli.syntax import tree


class Point(NamedTuple):
    """A lowered program at the values of its names.

    inputs: the variables that the program reads, in order of appearance.
    unused: the names that were bound and that it does not read.
    read_as: the definitions in textbook form, with the products that they imply.
    """

    graph: Graph
    bindings: Bindings
    inputs: tuple[Node, ...]
    unused: tuple[str, ...]
    read_as: tuple[str, ...]


class Program(NamedTuple):
    """A program that has been read, not yet lowered: that takes the shapes of its names.

    read_as: the definitions in textbook form, with the products that they imply.
    """

    syntax: tree.Program
    read_as: tuple[str, ...]

    def point(self, bindings: Bindings, columns: Mapping[str, Shape] = _NOTHING) -> Point:
        """The program lowered, at the values of its names. columns: shapes of names that have a value in each row."""
        from cgcli.graph.node import name_of, toposort, variables
        from cgcli.lowering.lower import lower

        graph = lower(self.syntax, {**columns, **{name: item.shape for name, item in bindings.items()}})
        inputs = tuple(variables(toposort(graph.outputs)))
        read = {name_of(node) for node in inputs}
        return Point(graph, bindings, inputs, tuple(name for name in bindings if name not in read), self.read_as)


def read_point(operands: Operands, program_file: str | None, vars_file: str | None) -> Point:
    """Read the program and the values, and lower one with the shapes of the other.

    Names may still be without a value: see `check_complete`.
    Raises UsageError, DataError, and what the parser and the lowering raise.
    """
    if operands.over_rows:
        raise _no_rows(operands)
    program, bound = read_program(operands, program_file, vars_file)
    return program.point(bound)


def read_program(operands: Operands, program_file: str | None, vars_file: str | None) -> tuple[Program, Bindings]:
    """The program and the values that names have. Raises UsageError, DataError, ParseError."""
    from cgcli.ops.table import CONSTANTS, FUNCTIONS
    from cgcli.syntax.parser import parse

    text, name = _program_text(operands, program_file)
    bound = values.read(operands.bindings, vars_file)
    syntax = parse(text, name, FUNCTIONS.__contains__, {*bound, *CONSTANTS})
    return Program(syntax, syntax.read_as), bound


def check_complete(point: Point) -> None:
    """Raise UnknownNameError for the names without a value, all at once."""
    from cgcli.graph.node import name_of

    if any(name_of(node) not in point.bindings for node in point.inputs):
        from cgcli.lowering.inputs import check_bound

        try:
            check_bound(point.graph, point.bindings)
        except UnknownNameError as error:
            over_rows = click.get_current_context().info_name in _OVER_ROWS
            mode = mode_of_standard_input()
            if over_rows and error.hint.startswith("as in: ") and (stat.S_ISFIFO(mode) or stat.S_ISREG(mode)):
                error.hint += "; for the rows of standard input write '-' behind the expression"
            raise


def mode_of_standard_input() -> int:
    """What `stat` says of standard input: a pipe, a file, a terminal; 0 where it is closed, or a stand-in."""
    try:
        return os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError, AttributeError):
        return 0


def chosen_inputs(point: Point, wrt: str | None) -> tuple[list[Node], list[str]]:
    """The variables to differentiate by, and those names of --wrt that the program does not read.

    wrt: names apart by commas; None for all inputs.
    """
    from cgcli.graph.node import name_of, variable

    if wrt is None:
        return list(point.inputs), []
    by_name = {name_of(node): node for node in point.inputs}
    names = [name.strip().strip("`") for name in wrt.split(",")]
    if not all(names) or len(set(names)) < len(names):
        raise UsageError(f"--wrt '{wrt}' is no list of different names", hint="as in: --wrt x,y")
    absent = [name for name in names if name not in by_name]
    computed = next((name for name in absent if name in point.graph.labels.values()), None)
    if computed is not None:
        raise UsageError(
            f"--wrt '{computed}' is computed by the program, not an input",
            hint=f"the inputs are: {', '.join(by_name) or 'none'}",
        )
    _check_absent([name for name in absent if name not in point.bindings])
    shapes: Sequence[tuple[int, ...]] = [point.bindings[name].shape if name in point.bindings else () for name in names]
    return [by_name.get(name) or variable(name, shape) for name, shape in zip(names, shapes, strict=True)], absent


def _check_absent(names: Sequence[str]) -> None:
    """Raise UsageError for names to differentiate by that are no names, or are those of constants."""
    from cgcli.ops.table import CONSTANTS
    from cgcli.printing.values import number

    for name in names:
        if not _NAME.fullmatch(name):
            words = [word for word in re.split(r"\W+", name) if _NAME.fullmatch(word)]
            raise UsageError(
                f"--wrt '{name}' is no name", hint=f"names are apart by commas: --wrt {','.join(words) or 'x,y'}"
            )
        if name in CONSTANTS:
            raise UsageError(
                f"'{name}' is the constant {number(CONSTANTS[name])} here",
                hint=f"give it a value, {name}=3, or declare it: '{name}: []; …'",
            )


def no_data(files: Sequence[str], reason: str) -> UsageError:
    """The error for operands that are neither the expression nor bindings, nor files of rows."""
    first, *others = files
    hint = "give values as name=value, or in a JSON object with --vars FILE.json"
    pair = _ALMOST_A_BINDING.fullmatch(first)
    if others and all(os.path.exists(name) for name in files):
        hint = "the shell has put file names in place of '*': quote the expression, as in: 'x*y'"
    elif pair:
        hint = f"to give a value, write {pair[1]}={pair[2]}"
    elif others and first in _OPERATORS:
        hint = f"quote the whole expression, as in: 'x {first} 1'"
    return UsageError(f"cannot take data from '{first}': {reason}", hint=hint)


def _no_rows(operands: Operands) -> UsageError:
    """The error of a command that computes one point, for operands that stand for many."""
    if operands.files:
        return no_data(operands.files, "only cg eval and cg grad read rows")
    name, text = operands.sweeps[0]
    return UsageError(f"'{name}={text}' is a sweep, and only cg eval and cg grad compute many points",
                      hint="a value is as in: 3, pi/2, [1,2], @x.npy")  # fmt: skip


def _program_text(operands: Operands, program_file: str | None) -> tuple[str, str]:
    """The program and what messages call it."""
    if program_file is not None and program_file != "-":
        return values.text_of(program_file, _MAX_PROGRAM_BYTES), program_file
    if program_file == "-" or operands.expression == "-":
        if sys.stdin is None:
            raise UsageError("standard input is closed")
        return values.bounded_text(sys.stdin.buffer, "standard input", _MAX_PROGRAM_BYTES), "<stdin>"
    assert operands.expression is not None
    return operands.expression, ""

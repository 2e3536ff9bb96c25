"""The names that a program leaves open, wherever they stand in it."""

from __future__ import annotations

from cgcli.annotations import Any, Callable, Collection, Iterator, Sequence
from cgcli.errors import Span
from cgcli.lowering.assigned import assigned, reads
from cgcli.lowering.lower import opened_function, opened_parameters
from cgcli.lowering.sizes import names_of_sizes, sized
from cgcli.ops.arithmetic import POWER_OP
from cgcli.records import NamedTuple
from cgcli.syntax import tree

_ITERATE = "iterate"
_POWERS = (POWER_OP.name, *POWER_OP.aliases)


class _Use(NamedTuple):
    """A name where it stands. is_base: as the base e of a power with names in its exponent."""

    name: tree.Name
    is_base: bool = False


def free_names(program: tree.Program) -> tuple[str, ...]:
    """The names that no statement gives a value to, constants of the language included, in order of appearance."""
    return tuple(dict.fromkeys(use.name.name for use in _free(program.statements)))


def doubtful(program: tree.Program, constants: Collection[str]) -> list[tree.Name]:
    """Where each of some constants is read first, but for e as the base of a power with names in its exponent."""
    first: dict[str, tree.Name] = {}
    parameters = opened_parameters(program.statements)
    for name, is_base in _free(program.statements):
        if name.name not in parameters and name.name in constants and not is_base:
            first.setdefault(name.name, name)
    return [*first.values()]


def _free(statements: Sequence[tree.Statement]) -> Iterator[_Use]:
    """The names that no statement gives a value to before, wherever they stand."""
    sizes = names_of_sizes(sized(statements))
    given, every = {*sizes}, {*sizes, *assigned(statements)}
    opened = opened_function(statements)
    own = any(isinstance(item, tree.Define) and item.function == _ITERATE for item in statements)
    for item in statements:
        known = given
        if isinstance(item, tree.DefineJvp):  # functions are called later, when all names have values
            known = every.union(name.name for name in (*item.parameters, *item.tangents))
        elif isinstance(item, tree.Define):
            known = every if item.function == opened else every.union(name.name for name in item.parameters)
        names = [tree.Name(item.name, item.span)] if isinstance(item, tree.Declare) else reads([item], known)
        bases, functions = _bases_and_functions(item)
        for name in names:
            if name.name not in known and (own or name.span not in functions):
                yield _Use(name, name.span in bases)
        if not isinstance(item, tree.Define | tree.DefineJvp):
            given.update(assigned([item]))


def _bases_and_functions(item: Any) -> tuple[set[Span], set[Span]]:
    """Where e is the base of a power that depends on names, and where a function is named to be iterated."""
    bases: set[Span] = set()
    functions: set[Span] = set()
    waiting = [item]
    while waiting:
        part = waiting.pop()
        if isinstance(part, tree.Call) and part.function in _POWERS and _is_exponential(part):
            bases.add(part.args[0].span)
        if isinstance(part, tree.Call) and part.function == _ITERATE and part.args:
            functions.add(part.args[0].span)
        if isinstance(part, tuple):
            waiting.extend(part)
    return bases, functions


def calls_on_names(program: tree.Program, is_meant: Callable[[str], bool]) -> Iterator[tuple[tree.Call, str]]:
    """The calls of built-in functions with one name as their only argument, and that name.

    is_meant: which functions, by name.
    """
    defined = {item.function for item in program.statements if isinstance(item, tree.Define)}
    waiting: list[Any] = [program.statements]
    while waiting:
        part = waiting.pop()
        is_one = isinstance(part, tree.Call) and len(part.args) == 1 and isinstance(part.args[0], tree.Name)
        if is_one and part.function not in defined and is_meant(part.function):
            yield part, part.args[0].name
        if isinstance(part, tuple):
            waiting.extend(reversed(part))


def _is_exponential(power: tree.Call) -> bool:
    """Whether a power is one of e that depends on names."""
    base = power.args[:1]
    if not (base and isinstance(base[0], tree.Name) and base[0].name == "e"):
        return False
    waiting: list[Any] = [power.args[1:]]
    while waiting:  # from left to right: in a tower of powers, the next base of e ends it
        part = waiting.pop()
        if isinstance(part, tree.Name):
            return True
        if isinstance(part, tuple):
            waiting.extend(reversed(part))
    return False

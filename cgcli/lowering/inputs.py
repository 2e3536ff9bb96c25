"""The inputs of a program: the names that it leaves open, and those that lack a value."""

from __future__ import annotations

from cgcli.annotations import Any, Collection, Iterator, Mapping, Sequence
from cgcli.errors import CgError, Span, UnknownNameError, did_you_mean, listed
from cgcli.graph.node import Graph, name_of, toposort, variables
from cgcli.graph.operation import Shape
from cgcli.lowering.assigned import assigned, reads
from cgcli.lowering.lower import lower, opened_function, opened_parameters
from cgcli.lowering.sizes import names_of_sizes, sized
from cgcli.ops.arithmetic import POWER_OP
from cgcli.ops.table import CONSTANTS, FUNCTIONS
from cgcli.records import EMPTY, NamedTuple
from cgcli.syntax import tree

_DOUBTFUL = ("e", "tau", "τ")
_POWERS = (POWER_OP.name, *POWER_OP.aliases)


class _Use(NamedTuple):
    """A name where it stands. is_base: as the base e of a power with names in its exponent."""

    name: tree.Name
    is_base: bool = False


def free_names(program: tree.Program) -> tuple[str, ...]:
    """The names that no statement gives a value to, constants of the language included, in order of appearance."""
    return tuple(dict.fromkeys(use.name.name for use in _free(program.statements)))


def doubtful_constants(program: tree.Program) -> list[tree.Name]:
    """Where each constant is read first that may be meant as a variable: tau, a time constant; e, an eccentricity.

    But e as the base of a power with names in its exponent is what it seems to be.
    """
    if not any(_stands_in(program.source.text, name) for name in _DOUBTFUL):
        return []
    first: dict[str, tree.Name] = {}
    parameters = opened_parameters(program.statements)
    for name, is_base in _free(program.statements):
        if name.name not in parameters and name.name in _DOUBTFUL and not is_base:
            first.setdefault(name.name, name)
    return [*first.values()]


def _stands_in(text: str, name: str) -> bool:
    """Whether a name stands in a text, and not as a part of a longer word: a look that costs little."""
    at = text.find(name)
    while at >= 0:
        around = text[max(at - 1, 0) : at] + text[at + len(name) : at + len(name) + 1]
        if not any(character == "_" or character.isalnum() for character in around):
            return True
        at = text.find(name, at + 1)
    return False


def _free(statements: Sequence[tree.Statement]) -> Iterator[_Use]:
    """The names that no statement gives a value to before, wherever they stand."""
    sizes = names_of_sizes(sized(statements))
    given, every = {*sizes}, {*sizes, *assigned(statements)}
    opened = opened_function(statements)
    for item in statements:
        known = given
        if isinstance(item, tree.DefineJvp):  # functions are called later, when all names have values
            known = every.union(name.name for name in (*item.parameters, *item.tangents))
        elif isinstance(item, tree.Define):
            known = every if item.function == opened else every.union(name.name for name in item.parameters)
        names = [tree.Name(item.name, item.span)] if isinstance(item, tree.Declare) else reads([item], known)
        bases = _bases(item)
        yield from (_Use(name, name.span in bases) for name in names if name.name not in known)
        if not isinstance(item, tree.Define | tree.DefineJvp):
            given.update(assigned([item]))


def _bases(item: Any) -> set[Span]:
    """Where e is the base of a power that depends on names."""
    found: set[Span] = set()
    waiting = [item]
    while waiting:
        part = waiting.pop()
        if isinstance(part, tree.Call) and part.function in _POWERS and _is_exponential(part):
            found.add(part.args[0].span)
        if isinstance(part, tuple):
            waiting.extend(part)
    return found


def calls_on_names(program: tree.Program, functions: Collection[str]) -> Iterator[tuple[tree.Call, str]]:
    """The calls of some functions with one name as their only argument, and that name."""
    defined = {item.function for item in program.statements if isinstance(item, tree.Define)}
    waiting: list[Any] = [program.statements]
    while waiting:
        part = waiting.pop()
        is_one = isinstance(part, tree.Call) and part.function in functions and part.function not in defined
        if is_one and len(part.args) == 1 and isinstance(part.args[0], tree.Name):
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


def declared_shapes(program: tree.Program, sizes: Mapping[str, int] = EMPTY) -> dict[str, Shape]:
    """The shapes that the program declares, but for those with sizes that are not known."""
    declarations = [item for item in program.statements if isinstance(item, tree.Declare)]
    try:
        declared = sized(declarations)
    except CgError as error:
        raise error.at(None, program.source) from None
    unknown = {item.name for item in declared if any(size.name not in sizes for size in item.sizes)}
    known = [item for item in declarations if item.name not in unknown]
    if not known:
        return {}
    names = tuple(tree.Name(item.name, item.span) for item in known)
    outputs = tree.Outputs(names, known[0].span)
    graph = lower(tree.Program((*declarations, outputs), program.source), sizes=sizes)
    return {name_of(node): node.shape for node in graph.outputs}


def check_bound(graph: Graph, bound: Collection[str]) -> None:
    """Raise UnknownNameError for the inputs that have no value, all at once. bound: the names that have one."""
    read = {name_of(node): node for node in variables(toposort(graph.outputs))}
    names = [name for name in read if name not in bound]
    if not names:
        return
    first, *others = (graph.origins.get(read[name]) for name in names)
    error = UnknownNameError(
        f"no value for {listed(names)}", first, source=graph.source, also=tuple(span for span in others[:20] if span),
        hint=_remedy(names, [name for name in bound if name not in read]),
    )  # fmt: skip
    error.missing = names
    raise error


def _remedy(missing: list[str], unused: Collection[str]) -> str:
    """What to do about names without a value, when some others have one that nothing uses."""
    from cgcli.lowering.undeclared import function_named
    from cgcli.printing.expression import written_name
    from cgcli.syntax.elsewhere import NAMES

    first = missing[0]
    function = function_named(first)
    near = NAMES.get(first) or did_you_mean(first, unused) or ("" if function else _run_together(first))
    if near:
        return near
    if function:
        return f"'{function}' is a function: write {function}(…)"
    if first.lower() in CONSTANTS.keys() - {first}:
        return f"did you mean '{first.lower()}'?"
    return "as in: " + " ".join(f"{written_name(name)}=3" for name in missing[:3])


def _run_together(name: str) -> str:
    """A function and its argument that were written as one name: sinx."""
    called = max((function for function in FUNCTIONS if name.startswith(function)), key=len, default="")
    rest = name[len(called) :]
    return f"did you mean {called}({rest})?" if len(called) > 1 and 0 < len(rest) <= 2 else ""

"""From the arguments of a call to an entry's arrays and static parameters."""

from __future__ import annotations

import math

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Mapping, Sequence, TypeVar
from cgcli.errors import ArgumentError, CgError, ShapeError, Span
from cgcli.evaluate.constants import constant_of
from cgcli.graph.node import CONSTANT, VARIABLE, Node, is_carry, is_leaf_of_function, name_of, toposort
from cgcli.graph.operation import REQUIRED, Operation, Params, Shorthand
from cgcli.graph.shapes import as_lists
from cgcli.lean import cache
from cgcli.ops.table import entries_of
from cgcli.records import EMPTY
from cgcli.syntax import tree

if TYPE_CHECKING:
    from weakref import WeakKeyDictionary

Entry = Operation | Shorthand
Value = Any  # a Node, a text, a RawSlice, or a static parameter of an enclosing formula
Expand = Callable[[Entry, tuple[Node, ...], Params], Node]
"""Gives what an entry that is made of others stands for."""
Item = TypeVar("Item")

MAX_NUMBERS = 10_000  # in one static parameter

_SMALL = 64  # numbers in a value that is kept: two for each axis that an array can have


@cache
def _values() -> WeakKeyDictionary[Node, Any]:
    """The small values that static parameters were computed from: where each parameter depends on the one before,
    none is computed twice.
    """
    from weakref import WeakKeyDictionary

    return WeakKeyDictionary()


def signature(entry: Entry, name: str = "") -> str:
    """How the entry is called, as in `sum(x, axis=…, keepdims=0)`; name: when it goes by an alias.

    What stands behind '*' is given by its name alone, as in Python.
    """
    arrays = [f"{name[1:]}1, {name[1:]}2, …" if name.startswith("*") else name for name in entry.arrays]
    from cgcli.ops.statics import brief

    first: list[str] = []
    last: list[str] = []
    for static in entry.statics:
        statics = first if static.leading else last
        if static.name.startswith("_"):  # known without being written
            continue
        if static.keyword_only and "*" not in statics and not entry.variadic:
            statics.append("*")
        if static.variadic:
            statics.append(f"{static.name}…")
        elif static.default is REQUIRED:
            statics.append(static.name)
        else:
            statics.append(f"{static.name}={'…' if static.default is None else brief(static.default)}")
    return f"{name or entry.name}({', '.join([*first, *arrays, *last])})"


def called(
    call: tree.Call, values: Sequence[Value], texts: Callable[[], Sequence[str]]
) -> tuple[Entry, tuple[Node, ...], Params]:
    """The entry that a call of a built-in function means, its arrays and its parameters.

    values: of the arguments, those that are given by name behind the others. texts: how the others are written.
    Raises ArgumentError.
    """
    args = values[: len(call.args)]
    keywords: dict[str, Value] = {}
    places: dict[str, Span] = {}
    given: dict[str, Span] = {}
    for (name, expression, span), value in zip(call.keywords, values[len(args) :], strict=True):
        if name in keywords:
            raise ArgumentError(f"'{name}' is given twice", span)
        keywords[name], places[name], given[name] = value, span, expression.span
    entry = _choose(entries_of(call.function), call.function, args, keywords, places, texts)
    return entry, *_bind(entry, args, keywords, given)


def _choose(
    entries: Sequence[Entry],
    name: str,
    args: Sequence[Value],
    keywords: Mapping[str, Value],
    places: Mapping[str, Span] = EMPTY,
    texts: Callable[[], Sequence[str]] = list,
) -> Entry:
    """The entry among those of one name that takes these arguments.

    places: where the keywords stand. texts: how the others are written. Raises ArgumentError that shows the
    signatures, or what to write.
    """
    fitting = [entry for entry in entries if _accepts(entry, args, keywords)]
    if fitting:
        return next((entry for entry in fitting[:-1] if _knows(entry, args, keywords)), fitting[-1])
    known = {parameter for entry in entries for parameter in (*entry.arrays, *(s.name for s in entry.statics))}
    odd = next((keyword for keyword in keywords if keyword not in known), None)
    usage = " or ".join(dict.fromkeys(signature(entry, name) for entry in entries))
    if odd is not None:
        from cgcli.syntax.elsewhere import PARAMETERS

        instead, place = PARAMETERS.get(odd), places.get(odd)
        if place and instead in known:
            place = Span(place.start, place.start + len(odd))
        hint = f"write {instead}" if instead in known else f"usage: {usage}"
        raise ArgumentError(f"'{name}' has no parameter '{odd}'", place, hint=hint)
    if any(isinstance(arg, str) for arg in args):
        raise ArgumentError(f"'{name}' cannot take a text here", hint=f"usage: {usage}")
    count = len(args) + len(keywords)
    given = "no argument" if count == 0 else "1 argument" if count == 1 else f"{count} arguments"
    hint = "" if keywords else _rewritten(entries, name, args, texts())
    raise ArgumentError(f"'{name}' cannot take {given}", hint=hint or f"usage: {usage}")


def _rewritten(entries: Sequence[Entry], name: str, args: Sequence[Value], texts: Sequence[str]) -> str:
    """A hint for another number of arguments: numbers one by one in place of a list, as in reshape(x, 2, 3)."""
    from cgcli.syntax.elsewhere import COUNTS, filled

    entry = entries[0]
    if form := COUNTS.get((entry.name, len(args))):
        return filled(form, texts)
    arrays, numbers = args[: len(entry.arrays)], args[len(entry.arrays) :]
    statics = [static for static in entry.statics if not static.name.startswith("_")]
    if len(statics) != 1 or not numbers or not all(isinstance(arg, Node) for arg in arrays):
        return ""
    from cgcli.ops.statics import brief

    try:
        given = tuple(known(number, "a number") for number in numbers)
        if statics[0].name != "shape":
            statics[0].convert(given, [array.shape for array in arrays])
    except CgError:
        return ""
    return f"write {name}({', '.join([*texts[: len(arrays)], brief(given)])})"


def _accepts(entry: Entry, args: Sequence[Value], keywords: Mapping[str, Value]) -> bool:
    texts = sum(isinstance(arg, str) for arg in args)
    count = len(args) - texts
    free = [static for static in entry.statics if not static.keyword_only]
    if texts > len(free):
        return False
    free = free[texts:]
    names = {static.name for static in entry.statics if not static.name.startswith("_")}
    needed = [static for static in entry.statics if static.default is REQUIRED and static.name not in keywords]
    if any(static.keyword_only for static in needed):
        return False
    required = {static.name for static in free if static in needed}
    if entry.variadic:
        least = entry.least if isinstance(entry, Operation) else 1
        return count >= least and set(keywords) <= names and not required
    arrays = [name for name in entry.arrays if name not in keywords]
    if not set(keywords) <= names | set(entry.arrays) or count < len(arrays) + len(required):
        return False
    return any(static.variadic for static in free) or count <= len(arrays) + len(free)


def _knows(entry: Entry, args: Sequence[Value], keywords: Mapping[str, Value]) -> bool:
    """Whether the static parameters of an entry are known, where another takes computed ones: linspace(0, x, 3)."""
    arrays = len(args) if entry.variadic else sum(name not in keywords for name in entry.arrays)
    statics = [*args[arrays:], *(value for name, value in keywords.items() if name not in entry.arrays)]
    return not any(isinstance(value, Node) and is_computed(value) for value in statics)


def _as_range(value: Value) -> str:
    """The array that another tool's slice stands for where a value is asked for: 1:5."""
    from cgcli.ops.statics import RawSlice

    if not isinstance(value, RawSlice) or value.start is None or value.stop is None or value.step is not None:
        return ""
    return f"write arange({value.start}, {value.stop + 1}) for the numbers from {value.start} to {value.stop}"


def _bind(
    entry: Entry, args: Sequence[Value], keywords: Mapping[str, Value], places: Mapping[str, Span] = EMPTY
) -> tuple[tuple[Node, ...], Params]:
    """The arrays and the canonical static parameters; `entry` was chosen for these arguments.

    places: where the keywords' values stand.
    """
    texts = [arg for arg in args if isinstance(arg, str)]
    plain = [arg for arg in args if not isinstance(arg, str)]
    first = _leading(entry, texts, keywords)
    texts, plain = [*texts, *plain[:first]], plain[first:]
    arrays, plain = _divided(entry, plain, keywords)
    for array in arrays:
        if not isinstance(array, Node):
            message = f"'{entry.name}' takes a value here, not a slice, a text or several results"
            raise ArgumentError(message, hint=_as_range(array))
    shapes = [array.shape for array in arrays]
    rest = [*texts, *plain]
    params = []
    for static in entry.statics:
        raw: Any = static.default
        if static.name in keywords:
            if rest and not (static.keyword_only or static.leading):
                raise ArgumentError(f"'{static.name}' is given twice", places.get(static.name))
            try:
                raw = known(keywords[static.name], static.name)
            except CgError as error:
                raise error.at(places.get(static.name)) from None
        elif static.variadic:
            raw, rest = tuple(known(item, static.name) for item in rest), []
        elif rest and not static.keyword_only:
            given = rest.pop(0)
            if static.name == "axis" and (names := _elements(args)):
                raise ArgumentError(f"'{entry.name}' takes one array, and then an axis",
                                    hint=f"write {entry.name}([{', '.join(names)}]) for some elements")  # fmt: skip
            raw = known(given, static.name)
        try:
            params.append(static.convert(raw, shapes))
        except CgError as error:
            raise error.at(places.get(static.name)) from None
    return tuple(arrays), entry.params(*params)


def _elements(args: Sequence[Value]) -> list[str]:
    """The names of numbers that were given in place of an array of them."""
    names = [name_of(arg) for arg in args if isinstance(arg, Node) and arg.op is VARIABLE and not arg.shape]
    return names if 1 < len(names) == len(args) else []


def _leading(entry: Entry, texts: Sequence[Value], keywords: Mapping[str, Any]) -> int:
    """How many arguments that are no texts are parameters before the arrays, as the order of polygamma(n, x)."""
    leading = [static for static in entry.statics if static.leading and static.name not in keywords]
    return max(len(leading) - len(texts), 0)


def _divided(entry: Entry, plain: Sequence[Item], keywords: Mapping[str, Item]) -> tuple[list[Item], list[Item]]:
    """The arguments that are the entry's arrays, in its order, and the others that have no name."""
    if entry.variadic:
        return list(plain), []
    queue = iter(plain)
    return [keywords[name] if name in keywords else next(queue) for name in entry.arrays], list(queue)


def among(error: ShapeError, entry: Entry, call: tree.Call) -> CgError:
    """An error in the shapes of a call's arguments, placed where the entry's arrays stand."""
    texts = [arg for arg in call.args if isinstance(arg, tree.Text)]
    plain = [arg.span for arg in call.args if not isinstance(arg, tree.Text)]
    keywords = {name: value for name, value, _ in call.keywords}
    plain = plain[_leading(entry, texts, keywords) :]
    return error.among(_divided(entry, plain, {name: value.span for name, value, _ in call.keywords})[0])


def known(value: Value, what: str) -> Any:
    """The number, or nested tuples of numbers, of a value that must be known by now.

    Raises ArgumentError when it depends on a variable.
    """
    if not isinstance(value, Node):
        return value
    order = toposort([value], _values())
    free = next((node for node in order if node.op is VARIABLE), None)
    if free is not None:
        from cgcli.syntax.elsewhere import NAMES

        name = f"'{name_of(free)}'"
        if is_carry(free):
            name = "what changes from trip to trip"
        elif is_leaf_of_function(free):
            name = "a parameter of a function with a derivative rule"
        hint = "write the number itself"
        raise ArgumentError(
            f"{what} must be known before the evaluation, but it depends on {name}",
            hint=NAMES.get(name_of(free), hint),
        )
    if math.prod(value.shape) > MAX_NUMBERS:
        raise ArgumentError(f"{what} cannot be an array of {math.prod(value.shape)} numbers")
    if value.shape == (0,):  # the shape of a name that is declared as a number, for which nobody needs numpy
        return ()
    return _nested(as_lists(_evaluated(value, order)))


def is_computed(node: Node) -> bool:
    """Whether a value is known only when the program runs."""
    return any(part.op is VARIABLE or is_carry(part) for part in toposort([node], _values()))


def _evaluated(value: Node, order: Sequence[Node]) -> Any:
    """The value of a node without variables; what is small on the way to it is kept for the next time."""
    if value.op is CONSTANT:
        return constant_of(value)
    from cgcli.evaluate.evaluate import evaluate

    values = _values()
    before = {node: values[node] for node in order if node in values}
    small = [node for node in order if node.args and node not in before and math.prod(node.shape) <= _SMALL]
    *arrays, result = evaluate([*small, value], {}, known=before)
    values.update(zip(small, arrays, strict=True))
    return result


def _nested(value: Any) -> Any:
    return tuple(_nested(item) for item in value) if isinstance(value, list) else float(value)

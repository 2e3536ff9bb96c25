"""The inputs of a program: the names that it leaves open, and those that lack a value."""

from __future__ import annotations

from cgcli.annotations import Collection, Mapping
from cgcli.errors import CgError, UnknownNameError, did_you_mean, listed
from cgcli.graph.node import Graph, name_of, toposort, variables
from cgcli.graph.operation import Shape
from cgcli.lowering.lower import lower
from cgcli.lowering.sizes import sized
from cgcli.ops.table import CONSTANTS, FUNCTIONS
from cgcli.records import EMPTY
from cgcli.syntax import tree

_LONGEST_PRODUCT = 12  # characters of a name that is read as a product
_DOUBTFUL = ("e", "tau", "τ")


def doubtful_constants(program: tree.Program) -> list[tree.Name]:
    """Where each constant is read first that may be meant as a variable: tau, a time constant; e, an eccentricity.

    But e as the base of a power with names in its exponent is what it seems to be.
    """
    if not any(_stands_in(program.source.text, name) for name in _DOUBTFUL):
        return []
    from cgcli.lowering.free_names import doubtful

    return doubtful(program, _DOUBTFUL)


def _stands_in(text: str, name: str) -> bool:
    """Whether a name stands in a text, and not as a part of a longer word: a look that costs little."""
    at = text.find(name)
    while at >= 0:
        around = text[max(at - 1, 0) : at] + text[at + len(name) : at + len(name) + 1]
        if not any(character == "_" or character.isalnum() for character in around):
            return True
        at = text.find(name, at + 1)
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
        hint=_remedy(names, [name for name in bound if name not in read], bound),
    )  # fmt: skip
    error.missing = names
    raise error


def _remedy(missing: list[str], unused: Collection[str], bound: Collection[str]) -> str:
    """What to do about names without a value. unused: the names that have one, and that nothing uses. bound: all."""
    from cgcli.lowering.undeclared import function_named
    from cgcli.printing.expression import written_name
    from cgcli.syntax.elsewhere import NAMES

    first = missing[0]
    function = function_named(first)
    near = (
        NAMES.get(first) or _as_index(first, unused) or _in_other_letters(first, unused) or did_you_mean(first, unused)
    )
    near = near or ("" if function else _as_product(first, bound) or _run_together(first))
    if near:
        return near
    if function:
        return f"'{function}' is a function: write {function}(…)"
    if first.lower() in CONSTANTS.keys() - {first}:
        return f"did you mean '{first.lower()}'?"
    return "as in: " + " ".join(f"{written_name(name)}=3" for name in missing[:3])


def _in_other_letters(missing: str, unused: Collection[str]) -> str:
    """That a name of the same letters and digits has a value: x1 for x₁, alpha for α."""
    plain = _spelled_out(missing)
    return next((f"did you mean '{name}'?" for name in unused if _spelled_out(name) == plain), "")


def _spelled_out(name: str) -> str:
    """A name in plain digits, with Greek letters as words: alpha1 for α₁ and alpha_1."""
    from unicodedata import name as name_of_character
    from unicodedata import normalize

    written = ""
    for character in normalize("NFKC", name):
        kind, _, letter = name_of_character(character, "").partition(" LETTER ")
        is_greek = kind in ("GREEK SMALL", "GREEK CAPITAL") and letter.isalpha()
        word = letter.lower().replace("lamda", "lambda") if is_greek else character
        written += word.capitalize() if kind == "GREEK CAPITAL" and is_greek else word
    return written.replace("_", "")


def _as_product(name: str, bound: Collection[str]) -> str:
    """A product of names that have values, written as one: xy. None where it can be read in two ways."""
    reached: dict[int, list[list[str]]] = {0: [[]]}
    for at in range(min(len(name), _LONGEST_PRODUCT)):
        for before in reached.get(at, [])[:2]:
            for other in bound:
                if name.startswith(other, at):
                    reached.setdefault(at + len(other), []).append([*before, other])
    found = reached.get(len(name), [])
    return f"to multiply, write {'*'.join(found[0])}" if len(found) == 1 and len(found[0]) > 1 else ""


def _as_index(name: str, unused: Collection[str]) -> str:
    """An element of an array that was written with a subscript, x_i; a word behind it, as in a_max, is no index."""
    array, _, index = name.rpartition("_")
    if array not in unused or not (len(index) == 1 or index.isdecimal()):
        return ""
    counted = ", and the first one has the index 0" if index.isdecimal() else ""
    return f"an element of '{array}' is {array}[{index}]{counted}"


def _run_together(name: str) -> str:
    """A function and its argument that were written as one name: sinx."""
    called = max((function for function in FUNCTIONS if name.startswith(function)), key=len, default="")
    rest = name[len(called) :]
    return f"did you mean {called}({rest})?" if len(called) > 1 and 0 < len(rest) <= 2 else ""

"""The command line's operands: EXPR, then name=value bindings and data files, in awk's way."""

from __future__ import annotations

import os

from cgcli.annotations import Container, Sequence
from cgcli.errors import UsageError
from cgcli.lean import re
from cgcli.records import NamedTuple
from cgcli.syntax.scanner import is_word

_ANOTHER = r",(?=\s*(?:`[^`]+`|[^\W\d]\w*)\s*=(?!=))"  # these are compiled when needed
_ALMOST_A_BINDING = r"-*([^\W\d]\w*)(?::|->|:=)([-+.\w]+)"
_PATH = r"^[^@].*/.*\.[a-zA-Z]\w*$"  # a value that may be the end of a file's name
_WILD = r"[*?[]"  # in patterns for names of files
_SUFFIX = r"\.[a-zA-Z]\w*$"
_UNCERTAIN = ("±", "+/-", "+-", "+−")  # between a value and its uncertainty
_OPERATORS = ("+", "-", "*", "/", "^", "**", "%", "@", "<", ">", "<=", ">=", "==", "!=")

_OVER_ROWS = "eval, grad, jvp, hessian, fit, minimize, solve and train"  # commands


class Operands(NamedTuple):
    """What stands on the command line besides options.

    expression: the text of EXPR, None when it comes from -f. bindings: name and value text,
    as written. sweeps: those of them that stand for many values, `0:10:101`; ranges: the names of those that stand for
    all values between two, `0..10`, which are bindings, too; fixed: of those that a fit holds, `k==2`, likewise.
    files: the other operands. uncertain: name and text of the uncertainties of values, `2±0.1`.
    """

    expression: str | None
    bindings: tuple[tuple[str, str], ...]
    sweeps: tuple[tuple[str, str], ...]
    files: tuple[str, ...]
    ranges: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    uncertain: tuple[tuple[str, str], ...] = ()

    @property
    def over_rows(self) -> bool:
        """Whether there are many points to compute, and not one."""
        return bool(self.files or self.sweeps)


def split(
    operands: Sequence[str], program_file: str | None, example: str = "cg eval 'x^2 + 1' x=3", *, fixing: bool = False
) -> Operands:
    """The operands by their kind. Raises UsageError when the expression is missing; example: of what is missing.

    fixing: whether `k==2` holds a name at a value.
    """
    rest = list(operands)
    expression = None
    if program_file is None:
        if not rest or not rest[0].strip():
            raise UsageError("there is no expression", hint=f"as in: {example}")
        expression = rest.pop(0)
    found = _Sorted()
    for operand in rest:
        found.add(operand, fixing=fixing)
    _check_place(expression, program_file, found.files)
    ranges = tuple(name for name, value in found.bindings if ".." in value and _is_range(value))
    return Operands(expression, tuple(found.bindings), tuple(found.sweeps), tuple(found.files), ranges,
                    tuple(found.fixed), tuple(found.uncertain))  # fmt: skip


class _Sorted:
    """Operands behind the expression by their kind; the fields are those of `Operands`."""

    def __init__(self) -> None:
        self.bindings: list[tuple[str, str]] = []
        self.sweeps: list[tuple[str, str]] = []
        self.files: list[str] = []
        self.fixed: list[str] = []
        self.uncertain: list[tuple[str, str]] = []

    def add(self, operand: str, *, fixing: bool) -> None:
        """Take an operand. Raises UsageError for one that is of no kind."""
        pair = _binding(operand)
        if fixing and not pair and (pair := _binding(operand.replace("==", "=", 1))):
            self.fixed.append(pair[0])
        if pair and not ("/" in operand and re.search(_PATH, pair[1]) and _is_path(operand)):
            self._bind(*pair)
        elif pair or "=" not in operand or os.path.exists(operand) or _is_place(operand):
            self.files.append(operand)
        else:
            blanks = operand.startswith("=") or operand.endswith("=")
            hint = "write x=3 without blanks, or quote it all: 'x = 3'"
            raise UsageError(f"'{operand}' gives no value to a name",
                             hint=hint if blanks else "as in: x=3, or '`a b`=3' for any name")  # fmt: skip

    def _bind(self, name: str, text: str) -> None:
        if any(sign in text for sign in _UNCERTAIN) and not os.path.exists(text.removeprefix("@")):
            from cgcli.cli.plusminus import parted

            text, error = parted(name, text)
            self.uncertain.append((name, error))
        (self.sweeps if _is_sweep(text) else self.bindings).append((name, text))


def _binding(text: str) -> tuple[str, str] | None:
    """The name and the text of the value of `name=value`; None for any other text, as `a == b`."""
    text = text.lstrip()
    if text.startswith("`"):
        end = text.find("`", 1) + 1
        name, value = text[1 : end - 1], text[end:].lstrip()
        known = end > 2
    else:
        before, equals, after = text.partition("=")
        name, value = before.rstrip(), equals + after
        known = is_word(name)
    return (name, value[1:]) if known and value[:1] == "=" and value[1:2] != "=" else None


def _is_sweep(value: str) -> bool:
    if ":" not in value:
        return False
    from cgcli.cli.rows.sweeps import is_sweep

    return is_sweep(value)


def _is_range(value: str) -> bool:
    from cgcli.api.value_texts import ends_of_range

    return ends_of_range(value) is not None


def _is_path(operand: str) -> bool:
    """Whether `year=2024/f.csv` is a file. Raises UsageError when it looks like one, and there is none."""
    from cgcli.tables.formats import split_name

    if os.path.exists(operand):
        return True
    if split_name(operand)[0] is None:
        return False
    if re.search(_WILD, operand):
        return True
    raise UsageError(f"there is no file '{operand}', and it gives no value either",
                     hint=f"a file is ./{operand}, a value as in: x=3")  # fmt: skip


def _is_place(operand: str) -> bool:
    """Whether it is a URI, or a pattern for the names of files in a folder that there is."""
    wild = re.search(_WILD, operand)
    return "://" in operand or (wild is not None and os.path.isdir(operand[: operand.rfind("/", 0, wild.start()) + 1]))


def _check_place(expression: str | None, program_file: str | None, files: Sequence[str]) -> None:
    """Raise UsageError for an expression that stands where data does."""
    strays = [name for name in files if name != "-" and not os.path.exists(name) and not re.search(_SUFFIX, name)]
    if len(strays) != 1 or strays != [*files] or ":" in strays[0] or "->" in strays[0] or _is_place(strays[0]):
        return
    if program_file is not None:
        raise UsageError(f"there are two programs, '{strays[0]}' and that of '{program_file}'",
                         hint="give EXPR or -f, not both")  # fmt: skip
    if expression is not None and _binding(expression):
        raise UsageError(f"the expression '{strays[0]}' stands after the value {expression}",
                         hint=f"the expression comes first: '{strays[0]}' {expression}")  # fmt: skip


def no_data(files: Sequence[str], reason: str) -> UsageError:
    """The error for operands that are neither the expression nor bindings, nor files of rows."""
    first, *others = files
    hint = "give values as name=value, or in a JSON object with --vars FILE.json"
    pair = re.fullmatch(_ALMOST_A_BINDING, first)
    if others and all(os.path.exists(name) for name in files):
        hint = "the shell has put file names in place of '*': quote the expression, as in: 'x*y'"
    elif pair:
        hint = f"to give a value, write {pair[1]}={pair[2]}"
    elif others and first in _OPERATORS:
        hint = f"quote the whole expression, as in: 'x {first} 1'"
    return UsageError(f"cannot take data from '{first}': {reason}", hint=hint)


def no_rows(operands: Operands) -> UsageError:
    """The error of a command that computes one point, for operands that stand for many."""
    if operands.files:
        return no_data(operands.files, f"only cg {_OVER_ROWS} read rows")
    name, text = operands.sweeps[0]
    return UsageError(f"'{name}={text}' is a sweep, and only cg {_OVER_ROWS} compute many points",
                      hint="a value is as in: 3, pi/2, [1,2], @x.npy")  # fmt: skip


def names_of(texts: Sequence[str], known: Container[str], option: str = "--wrt") -> list[str] | None:
    """The names of options `--wrt x,y`, None where there are no such options. known: names that the program has.

    Raises UsageError for what is no list of different names.
    """
    names = [name.strip().strip("`") for text in texts for name in text.split(",")]
    if not all(names) or len(set(names)) < len(names):
        raise UsageError(f"{option} '{','.join(texts)}' is no list of different names", hint=f"as in: {option} x,y")
    for name in names:
        if not is_word(name) and name not in known:
            words = [word for word in re.split(r"\W+", name) if is_word(word)]
            raise UsageError(f"{option} '{name}' is no name",
                             hint=f"names are apart by commas: {option} {','.join(words) or 'x,y'}")  # fmt: skip
    return names or None


def directions_of(texts: Sequence[str]) -> list[dict[str, str]]:
    """The texts of the tangents, by name, of each direction, which are apart by `;`.

    Raises UsageError for several directions that stand in several options, and as `named_texts`.
    """
    parts = [part for text in texts for part in re.split(_ANOTHER.replace(",", ";", 1), text)]
    if len(parts) > len(texts) > 1:
        raise UsageError("several directions stand in one --tangent", hint="as in: --tangent 'x=1; y=1'")
    directions = [[part] for part in parts] if len(parts) > len(texts) else [texts]
    return [named_texts(each, "--tangent", "tangent", "as in: --tangent x=1,y=0") for each in directions]


def named_texts(texts: Sequence[str], option: str, what: str, hint: str) -> dict[str, str]:
    """What options `--tangent x=1,w=[0,1]` give to names; commas within a value belong to it.

    what: the word for it. Raises UsageError for what gives none to a name, and for a name that stands twice.
    """
    found: dict[str, str] = {}
    for part in (part for text in texts for part in re.split(_ANOTHER, text)):
        pair = _binding(part)
        if pair is None:
            raise UsageError(f"{option} '{part}' gives no {what} to a name", hint=hint)
        name, value = pair
        if name in found:
            raise UsageError(f"'{name}' has two {what}s", hint="give one for each name")
        found[name] = value
    return found

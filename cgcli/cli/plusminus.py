"""A value on the command line with its uncertainty, `2±0.1`, `2+/-0.1` or `2±5%`, as two texts."""

from __future__ import annotations

from cgcli.errors import UsageError
from cgcli.lean import re

_SIGN = "±"
_ELEMENTS = r"[^\[\],]+"  # of a list of numbers


def parted(name: str, text: str) -> tuple[str, str]:
    """The text of a value, and that of its uncertainty; of a list, `[1±0.1, 2±5%]`, both are lists.

    Raises UsageError for `2+-0.1`, which may be meant in two ways, and for what has not the form.
    """
    value = text.replace("+/-", _SIGN)
    if "+-" in (typed := value.replace("−", "-")):
        one, other = (typed.replace("+-", sign, 1) for sign in (_SIGN, "-"))
        raise UsageError(f"'{name}={text}' can be read in two ways",
                         hint=f"with an uncertainty it is {name}={one}; as a difference {name}={other}")  # fmt: skip
    before, _, error = value.partition(_SIGN)
    if before.count("[") == before.count("]") and before.count("(") == before.count(")") and _SIGN not in error:
        if not before.strip() or not error.strip().removesuffix("%"):
            missing = "uncertainty" if before.strip() else "value"
            raise UsageError(f"'{name}={text}' has no {missing}", hint="as in: x=2±0.1")
        return before.strip(), error.strip()
    if not value.lstrip().startswith("[") or "(" in value:
        raise UsageError(f"'{name}={text}' is not VALUE±UNCERTAINTY", hint="as in: x=2±0.1, x=2±5%, w=[1±0.1, 2±0.2]")
    sides = [_element(part) for part in re.findall(_ELEMENTS, value)]
    values, errors = (iter(side) for side in zip(*sides, strict=True))
    return re.sub(_ELEMENTS, lambda _: next(values), value), re.sub(_ELEMENTS, lambda _: next(errors), value)


def _element(text: str) -> tuple[str, str]:
    """The texts of value and uncertainty of an element of a list; blanks between brackets stay."""
    value, sign, error = text.strip().partition(_SIGN)
    if not sign:
        return text, "0" if text.strip() else text
    return value, f"abs({value})*({error.removesuffix('%')})/100" if error.endswith("%") else error

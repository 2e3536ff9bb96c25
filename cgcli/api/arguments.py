"""Arguments of public functions are of the kinds that their annotations say; others are refused by name."""

from __future__ import annotations

import math

from cgcli.annotations import Any, Callable, Mapping, TypeVar, cast
from cgcli.errors import UsageError
from cgcli.lean import operator

Called = TypeVar("Called", bound=Callable[..., Any])

_LONGEST = 60  # characters of a value that an error shows
_MOST = 10**9 - 1
# Whole numbers that are the same everywhere, from the least to the most.
_RANGES = {
    "accumulate": (1, _MOST), "batch": (1, _MOST), "epochs": (1, _MOST), "max_iter": (1, _MOST),
    "monte_carlo": (0, 10**7), "precision": (1, 17), "seed": (0, _MOST), "starts": (1, 10**6),
}  # fmt: skip


def holding_kinds(function: Called) -> Called:
    """A public function that raises UsageError for an argument of another kind than its annotation says.

    A whole number may come as numpy's, and a number as a Fraction: the function is given an int, or a float.
    """
    code = cast("Any", function).__code__
    kinds = function.__annotations__
    by_place = [kinds[name] for name in code.co_varnames[: code.co_argcount]]
    named = code.co_varnames[code.co_posonlyargcount : code.co_argcount + code.co_kwonlyargcount]
    by_name = {name: kinds[name] for name in named}

    def called(*given: Any, **others: Any) -> Any:
        found = [of_kind(*each) for each in zip(code.co_varnames, by_place, given, strict=False)]
        others = {name: of_kind(name, by_name.get(name, "Any"), value) for name, value in others.items()}
        return function(*found, *given[len(found) :], **others)

    for each in ("__name__", "__qualname__", "__module__", "__doc__", "__annotations__"):
        setattr(called, each, getattr(function, each))
    called.__wrapped__ = function  # type: ignore[attr-defined]
    return cast("Called", called)


def of_kind(name: str, kind: str, value: Any) -> Any:
    """An argument of a kind, as annotations call it. Raises UsageError for a value of another."""
    plain = kind.removesuffix(" | None")
    if plain not in _KINDS or (value is None and plain != kind):
        return value
    words, read = _KINDS[plain]
    least, most = _RANGES.get(name, (-math.inf, math.inf))
    if name in _RANGES:
        words = f"a whole number from {least} to {most}"
    try:
        found = read(value)
        return _if(plain != "int" or least <= found <= most, found)
    except (TypeError, ValueError, OverflowError):
        shown = repr(value)
        shown = shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
        raise UsageError(f"{name} is {words}, and not {shown}") from None


def _whole(value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError
    return operator.index(value)


def _number(value: Any) -> float:
    if isinstance(value, str | bytes) or getattr(value, "shape", None):
        raise TypeError
    return float(value)


def _text(value: Any) -> Any:
    return _if(isinstance(value, str), value)


def _flag(value: Any) -> bool:
    is_numpys = type(value).__name__ in ("bool", "bool_")
    return bool(value if is_numpys else operator.index(value))


def _values(value: Any) -> Any:
    from cgcli.api.values import check_named  # not yet: api.point names what is imported before it

    check_named(value)
    return value


def _list(value: Any) -> Any:
    len(value)  # a number has none
    return _if(not isinstance(value, str | bytes | Mapping), value)


def _function(value: Any) -> Any:
    return _if(callable(value), value)


def _limits(value: Any) -> dict[str, Any]:
    return {name: tuple(None if end is None else _number(end) for end in ends) for name, ends in _values(value).items()}


def _texts(value: Any) -> Any:
    return value if isinstance(value, str) else [*map(_text, value)]


def _by_pairs(value: Any) -> dict[tuple[str, str], float]:
    return {
        (_text(one), _text(other)): _number(number)
        for (one, other), number in _if(isinstance(value, Mapping), value).items()
    }


def _two(value: Any) -> tuple[float, float]:
    one, other = value
    return _number(one), _number(other)


def _if(fits: bool, value: Any) -> Any:
    if not fits:
        raise TypeError
    return value


_KINDS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "int": ("a whole number", _whole),
    "float": ("a number", _number),
    "str": ("a text", _text),
    "Mode": ("a text", _text),
    "bool": ("True or False", _flag),
    "Mapping[str, Any]": ("values by name", _values),
    "Mapping[tuple[str, str], float]": ("a number for each pair of names, as in {('x', 'y'): 0.5}", _by_pairs),
    "Sequence[Any]": ("a list", _list),
    "Sequence[str]": ("a list of texts", _texts),
    "str | Sequence[str]": ("a text or a list of texts", _texts),
    "tuple[float, float]": ("two numbers", _two),
    "Limits": ("two numbers for each name, or None, as in {'a': (0, None)}", _limits),
    "Callable[[int, float, dict[str, Any]], None]": ("a function", _function),
    "Callable[[int, float], None]": ("a function", _function),
    "Log": ("a function", _function),
}

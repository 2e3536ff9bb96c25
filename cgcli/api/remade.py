"""Functions of programs that can be pickled: no code goes into the pickle, but what made them, and of which text."""

from __future__ import annotations

from functools import wraps

from cgcli.annotations import Any, Callable, Mapping, Sequence, TypeVar, cast

Make = TypeVar("Make", bound=Callable[..., Any])


class Remade:
    """What a function with `remade` has made, and makes again when it is unpickled."""

    _made: tuple[Callable[..., Any], Sequence[Any], Mapping[str, Any]]

    def __reduce__(self) -> tuple[object, ...]:
        return _again, self._made


def remade(make: Make) -> Make:
    """What a public function of a module makes, a `Remade` or a method of one, can be pickled."""

    @wraps(make)
    def making(*given: Any, **named: Any) -> Any:
        found = make(*given, **named)
        _owner(found)._made = making, given, named
        return found

    return cast("Make", making)


def _again(make: Callable[..., Any], given: Sequence[Any], named: Mapping[str, Any]) -> Remade:
    return _owner(make(*given, **named))


def _owner(found: Any) -> Remade:
    """The object that a method is of; itself for any other."""
    return cast("Remade", getattr(found, "__self__", found))

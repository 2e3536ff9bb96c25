"""Immutable values with named fields, of kinds that cost little to define: each start of `cg` defines a hundred.

`NamedTuple` does what that of `typing` does, without its look at every annotation. `Record` is for many fields of
which most are left at their defaults.
"""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Any, ClassVar, Mapping, dataclass_transform
from cgcli.lean import FunctionType, MappingProxyType

__all__ = ["EMPTY", "NamedTuple", "Record"]

EMPTY: Mapping[Any, Any] = MappingProxyType({})  # a default that nobody changes

if TYPE_CHECKING:
    from typing import NamedTuple
else:
    try:
        from _collections import _tuplegetter as _field
    except ImportError:  # another Python than CPython

        def _field(at: int, doc: str) -> property:
            return property(lambda values: values[at], doc=doc)

    _new = tuple.__new__
    # `__new__` for each number of fields, whose names are put in: to compile one for each class is what costs.
    _NEW = (
        lambda _cls: _new(_cls, ()),
        lambda _cls, a: _new(_cls, (a,)),
        lambda _cls, a, b: _new(_cls, (a, b)),
        lambda _cls, a, b, c: _new(_cls, (a, b, c)),
        lambda _cls, a, b, c, d: _new(_cls, (a, b, c, d)),
        lambda _cls, a, b, c, d, e: _new(_cls, (a, b, c, d, e)),
        lambda _cls, a, b, c, d, e, f: _new(_cls, (a, b, c, d, e, f)),
        lambda _cls, a, b, c, d, e, f, g: _new(_cls, (a, b, c, d, e, f, g)),
        lambda _cls, a, b, c, d, e, f, g, h: _new(_cls, (a, b, c, d, e, f, g, h)),
        lambda _cls, a, b, c, d, e, f, g, h, i: _new(_cls, (a, b, c, d, e, f, g, h, i)),
    )

    def _new_of(count: int) -> Any:
        """What _NEW would hold for more fields, of which there are few."""
        values = ", ".join(f"_{at}" for at in range(count))
        return eval(f"lambda _cls, {values}: _new(_cls, ({values}))", globals())

    def _make(cls: Any, values: Any) -> Any:
        made = _new(cls, values)
        if len(made) != len(cls._fields):
            raise TypeError(f"expected {len(cls._fields)} values, got {len(made)}")
        return made

    def _replace(self: Any, /, **others: Any) -> Any:
        made = self._make(map(others.pop, self._fields, self))
        if others:
            raise ValueError(f"got unexpected field names: {list(others)}")
        return made

    def _asdict(self: Any) -> dict[str, Any]:
        return dict(zip(self._fields, self, strict=True))

    def _repr(self: Any) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
        return f"{type(self).__name__}({values})"

    # What all named tuples do, as those of `collections`. They stand in each class, and not in one above all of them:
    # to define a class, Python looks for ninety names in every class above it.
    _METHODS = {
        "_make": classmethod(_make),
        "_replace": _replace,
        "_asdict": _asdict,
        "__repr__": _repr,
        "__getnewargs__": lambda values: tuple(values),
    }
    _GETTERS = [_field(at, "") for at in range(len(_NEW))]  # one for each place, whatever the field there is called

    class _Definition(type):
        """Makes a named tuple of the body of a class."""

        def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
            fields = tuple(body.get("__annotations__", ()))
            defaults = tuple(body.pop(field) for field in fields if field in body)
            new = _NEW[len(fields)] if len(fields) < len(_NEW) else _new_of(len(fields))
            code = new.__code__.replace(co_varnames=("_cls", *fields), co_name="__new__")
            _GETTERS.extend(_field(at, "") for at in range(len(_GETTERS), len(fields)))
            body |= {"__new__": FunctionType(code, globals(), "__new__", defaults), "__slots__": ()}
            body |= {"_fields": fields, "__match_args__": fields, **dict(zip(fields, _GETTERS, strict=False))}
            return type(name, (tuple,), _METHODS | body)

    NamedTuple = type.__new__(_Definition, "NamedTuple", (), {})


@dataclass_transform(eq_default=False, frozen_default=True)
class Record:
    """A value whose class lists its fields behind those of its base, as a dataclass does; equal to itself only.

    Only what is given is set, so a record costs what it says and not what its class could say. A default
    that is a function is a `staticmethod`. Raises TypeError for a field that the class does not have.
    """

    _fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        cls._fields += tuple(vars(cls).get("__annotations__", ()))

    def __init__(self, *values: Any, **others: Any) -> None:
        given = dict(zip(self._fields, values, strict=False), **others)
        if unknown := given.keys() - {*self._fields}:
            raise TypeError(f"{type(self).__name__} has no field {', '.join(unknown)}")
        vars(self).update(given)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a {type(self).__name__} does not change")

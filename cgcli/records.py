"""Immutable values with named fields, of kinds that cost little to define: each start of `cg` defines a hundred.

`NamedTuple` is that of `typing`, without its look at every annotation. `Record` is for many fields of
which most are left at their defaults.
"""

from __future__ import annotations

from collections import namedtuple
from typing import TYPE_CHECKING, Any, dataclass_transform

__all__ = ["NamedTuple", "Record"]

if TYPE_CHECKING:
    from typing import NamedTuple
else:

    class _Definition(type):
        """Makes a named tuple of the body of a class."""

        def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
            fields = body.pop("__annotations__", {})
            defaults = [body.pop(field) for field in fields if field in body]
            made = namedtuple(name, fields, defaults=defaults, module=body["__module__"])
            made.__annotations__ = fields
            for key, value in body.items():
                setattr(made, key, value)
            return made

    NamedTuple = type.__new__(_Definition, "NamedTuple", (), {})


@dataclass_transform(eq_default=False, frozen_default=True)
class Record:
    """A value whose class lists its fields, as a dataclass does; equal to itself only.

    Only what is given is set, so a record costs what it says and not what its class could say. A default
    that is a function is a `staticmethod`. Raises TypeError for a field that the class does not have.
    """

    def __init__(self, *values: Any, **others: Any) -> None:
        given = dict(zip(self.__annotations__, values, strict=False), **others)
        if unknown := given.keys() - self.__annotations__.keys():
            raise TypeError(f"{type(self).__name__} has no field {', '.join(unknown)}")
        vars(self).update(given)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a {type(self).__name__} does not change")

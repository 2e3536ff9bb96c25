"""The names of `typing` that annotations use: its import alone would take as long as a third of a short call.

A type checker sees those of `typing`. At run time nobody looks at an annotation, and a stand-in will do.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO as IO
    from typing import Any as Any
    from typing import ClassVar as ClassVar
    from typing import Literal as Literal
    from typing import NoReturn as NoReturn
    from typing import Protocol as Protocol
    from typing import Self as Self
    from typing import TypeVar as TypeVar
    from typing import cast as cast
    from typing import dataclass_transform as dataclass_transform
else:

    class Any:
        """Any of the names."""

        def __init__(self, *given, **settings):
            pass

        def __class_getitem__(cls, item):
            return cls

    class Protocol:
        """A base without content."""

    IO = ClassVar = Literal = NoReturn = Self = TypeVar = Any

    def cast(kind, value):
        """The value."""
        return value

    def dataclass_transform(**settings):
        """A decorator that changes nothing."""
        return lambda decorated: decorated

"""The names of `typing` and `collections.abc` that annotations use: their import would take a third of a short call.

A type checker sees those of `typing`. At run time nobody looks at an annotation, and a stand-in will do. The abstract
classes are those of `collections.abc`, from where that has them: Python has imported it already.
"""

from __future__ import annotations

from _collections_abc import Callable as Callable
from _collections_abc import Collection as Collection
from _collections_abc import Container as Container
from _collections_abc import Generator as Generator
from _collections_abc import Hashable as Hashable
from _collections_abc import Iterable as Iterable
from _collections_abc import Iterator as Iterator
from _collections_abc import Mapping as Mapping
from _collections_abc import MutableMapping as MutableMapping
from _collections_abc import Sequence as Sequence
from _collections_abc import Set as Set

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

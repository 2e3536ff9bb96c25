"""Parts of Python's library without the modules around them, whose imports would take a third of a short call.

The names are those of `bisect`, `collections`, `functools`, `importlib`, `operator`, `signal`, `struct`, `types` and
`weakref`, and what they do is the same.
"""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Any


class Later:
    """A module that is imported when something of it is first asked for; what was asked for once is at hand."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, item: str) -> Any:
        found = getattr(import_module(self._name), item)
        setattr(self, item, found)
        return found


if TYPE_CHECKING:
    import operator as operator
    import re as re
    import signal as signal
    import struct as struct
    from bisect import bisect_left as bisect_left
    from collections import Counter as Counter
    from functools import cache as cache
    from functools import cached_property as cached_property
    from functools import lru_cache as lru_cache
    from functools import reduce as reduce
    from hashlib import blake2b as blake2b
    from importlib import import_module as import_module
    from types import FunctionType as FunctionType
    from types import MappingProxyType as MappingProxyType
    from weakref import ref as ref
else:
    FunctionType = type(lambda: None)
    MappingProxyType = type(type.__dict__)

    try:
        import _operator as operator
        import _signal as signal
        import _struct as struct
        from _functools import _lru_cache_wrapper
        from _functools import reduce as reduce
        from _weakref import ref as ref
    except ImportError:  # another Python than CPython
        import operator as operator
        import signal as signal
        import struct as struct
        from functools import lru_cache as lru_cache
        from functools import reduce as reduce
        from weakref import ref as ref
    else:

        def lru_cache(maxsize):
            """A decorator: of the last calls, so many of different arguments are not computed again."""
            return lambda function: _lru_cache_wrapper(function, maxsize, False, tuple)

    cache = lru_cache(maxsize=None)

    class cached_property:  # noqa: N801
        """A property that is computed once for each object."""

        def __init__(self, function):
            self._function = function
            self.__doc__ = function.__doc__

        def __set_name__(self, owner, name):
            self._name = name

        def __get__(self, item, owner=None):
            if item is None:
                return self
            value = vars(item)[self._name] = self._function(item)
            return value

    class Counter(dict):
        """How often each item occurs."""

        def __init__(self, items=()):
            self.update(items)

        def update(self, items):
            """Count further ones."""
            for item in items:
                self[item] = self.get(item, 0) + 1

        def __missing__(self, item):
            return 0

    _RARE = {"bisect_left": ("_bisect", "bisect"), "blake2b": ("_blake2", "hashlib")}  # the latter would load OpenSSL

    def __getattr__(name):
        """What few need is imported when it is first asked for."""
        if name not in _RARE:
            raise AttributeError(name)
        within, around = _RARE[name]
        try:
            return getattr(import_module(within), name)
        except ImportError:
            return getattr(import_module(around), name)

    def import_module(name):
        """The module of a name."""
        return __import__(name, fromlist=["__name__"])

    re = Later("re")

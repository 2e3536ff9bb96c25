"""The start of the command `cg`: a signal that comes before all is imported ends it without a traceback.

A plain call imports sixty modules. To find each, Python looks at all places and forms that it may have, which takes a
sixth of the call. Here a module of this package is looked for in the folder of its package only, in the compiled form
that Python keeps there; one that is missing, older than its source or otherwise not as expected is left to Python.
"""

from __future__ import annotations

import gc
import marshal
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from importlib.machinery import ModuleSpec, SourceFileLoader
    from types import ModuleType

    from cgcli.annotations import NoReturn, Sequence
else:
    try:
        import _signal as signal
    except ImportError:  # another Python than CPython
        import signal

    ModuleSpec, ModuleType, SourceFileLoader = type(__spec__), type(sys), type(__loader__)

_PACKAGE = f"{__name__.partition('.')[0]}."
_CACHE = f"{os.sep}__pycache__{os.sep}"
_HEADER = 16  # bytes before the code: Python's version, flags, then the source's time and size
_MOST = 2**16  # bytes; what has more is left to Python


class _Compiled(SourceFileLoader):
    """A module whose code is at hand."""

    code: object

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """An empty module; it says at once what Python would look for in it, one by one."""
        module = ModuleType(spec.name)
        vars(module).update(__file__=spec.origin, __cached__=spec.cached)
        return module

    def get_code(self, fullname: str) -> object:  # type: ignore[override]
        return self.code


class _Finder:
    """Finds the compiled modules of this package, as old as their sources, where Python has left them.

    suffix: of their names. version: how the files of this Python begin.
    """

    def __init__(self, suffix: str, version: bytes) -> None:
        self._suffix = suffix
        self._begin = version[:4] + bytes(4)  # checked by the source's time and size

    def find_spec(self, name: str, path: Sequence[str] | None, target: object = None) -> ModuleSpec | None:
        """How a module is loaded; None for what Python's own import is to find.

        Raises ImportError for pandas, which pyarrow imports where it is installed, in the time of the whole start.
        """
        if name == "pandas":
            raise ImportError("cg uses no pandas")
        if path is None or not name.startswith(_PACKAGE):
            return None
        folder, last = path[0], name[name.rindex(".") + 1 :]
        inner = f"{folder}{os.sep}{last}"
        return self._spec(name, folder, last) or self._spec(name, inner, "__init__")

    def _spec(self, name: str, folder: str, stem: str) -> ModuleSpec | None:
        source, compiled = f"{folder}{os.sep}{stem}.py", f"{folder}{_CACHE}{stem}{self._suffix}"
        try:
            content = _content(compiled)
            found = os.stat(source)
        except OSError:
            return None
        begin = self._begin + _four_bytes(int(found.st_mtime)) + _four_bytes(found.st_size)
        if content[:_HEADER] != begin or len(content) == _MOST:
            return None
        loader = _Compiled(name, source)
        loader.code = code = marshal.loads(memoryview(content)[_HEADER:])
        if code.co_filename != source:  # moved since
            return None
        spec = ModuleSpec(name, loader, origin=source)
        spec.has_location = True
        spec.cached = compiled
        if stem == "__init__":
            spec.submodule_search_locations = [folder]
        return spec


def _four_bytes(number: int) -> bytes:
    return (number & 0xFFFFFFFF).to_bytes(4, "little")


def _content(path: str) -> bytes:
    """The bytes of a small file; raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        return os.read(descriptor, _MOST)
    finally:
        os.close(descriptor)


def import_quickly() -> None:
    """Have this package imported in the short way, if Python keeps compiled modules beside their sources."""
    folder, marked, name = (__spec__.cached or "").rpartition(_CACHE)
    if marked and __file__ == f"{folder}{os.sep}start.py" and SourceFileLoader.__name__ == "SourceFileLoader":
        try:
            version = _content(__spec__.cached or "")
        except OSError:
            return
        sys.meta_path.insert(0, _Finder(name.removeprefix("start"), version))


def main() -> NoReturn:
    """The entry point of the console script."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    gc.disable()  # one short run: a graph of a million nodes has no cycles worth looking for
    import_quickly()
    from cgcli.cli.main import main as main_

    main_()

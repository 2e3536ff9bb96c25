"""The start of the command `cg`: a signal that comes before all is imported ends it without a traceback.

A plain call imports sixty modules. To find each, Python looks at all places and forms that it may have, and locks and
unlocks it, which takes a fifth of the call. Here a module of this package is looked for in the folder of its package
only, in the compiled form that Python keeps there; those that most calls need are loaded in an order in which no import
waits for another. A module that is missing, older than its source or otherwise not as expected is left to Python.
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
    from types import CodeType, ModuleType

    from cgcli.annotations import NoReturn, Sequence
else:
    try:
        import _signal as signal
    except ImportError:  # another Python than CPython
        import signal

    ModuleSpec, ModuleType, SourceFileLoader = type(__spec__), type(sys), type(__loader__)

_UNUSED = ("pandas", "jinja2")  # as in api/left_out.py
_PACKAGE = f"{__name__.partition('.')[0]}."
_CACHE = f"{os.sep}__pycache__{os.sep}"
_HEADER = 16  # bytes before the code: Python's version, flags, then the source's time and size
_MOST = 2**16  # bytes; what has more is left to Python
# What some modules import, directly or by others; each stands behind those that it imports. A dot ends a package.
_EVALUATED = "evaluate.kernels evaluate.elements evaluate.compiled evaluate.evaluate "
_COMMAND = (
    "graph. graph.operation graph.shapes printing. syntax. syntax.scanner printing.values cli.output cli.operands "
    "cli.report cli.request cli.expression api."
)
_AHEAD = {
    "cli.main": "annotations lean signals cli.commands. records errors cli.options cli.say",
    "cli.commands.eval": _COMMAND,
    "cli.commands.grad": _COMMAND,
    "cli.commands.render": f"{_COMMAND} api.notices api.blanks",
    "evaluate.limits": "evaluate. graph.node",
    "api.point": (
        "api.notices graph.collector graph.node lowering. evaluate. ops. ops.lazily evaluate.constants syntax.tree "
        "lowering.invoke lowering.standing graph.rules ops.entry ops.arithmetic ops.table lowering.machine "
        "syntax.builder syntax.lalr syntax.parser lowering.formula lowering.sizes lowering.lower "
        "lowering.inputs api.program"
    ),
    "api.calls": (
        "api.seeds derivatives. transform. ops.fitting ops.logic transform.exact "
        f"transform.formulas {_EVALUATED} transform.guarded transform.reverse transform.differentiate "
        "derivatives.gradient"
    ),
    "api.watched": _EVALUATED,
    "api.pictures": "rendering. rendering.themes rendering.look",
    "rendering.picture": "rendering.layout rendering.metrics rendering.pen",
    "rendering.draw": (
        "rendering.figures rendering.arrays graph.calls rendering.sketch rendering.scene rendering.card "
        "printing.spelling rendering.symbols rendering.compose rendering.dot"
    ),
}
_READ_OFTEN = (f"{_PACKAGE}syntax.tree",)  # modules whose names are read as `module.name`, for each piece of a text


class _Module(ModuleType):
    """A module that has no `__getattr__`, and says so without an error.

    Each `from module import name` asks whether it is a package, and Python makes two errors of it, which it drops.
    """

    __getattribute__ = object.__getattribute__


class _Compiled(SourceFileLoader):
    """A module whose code is at hand."""

    code: CodeType

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """An empty module; it says at once what Python would look for in it, one by one."""
        is_usual = "__getattr__" in self.code.co_names or spec.name in _READ_OFTEN
        module: ModuleType = (ModuleType if is_usual else _Module)(spec.name)
        vars(module).update(__file__=spec.origin, __cached__=spec.cached)
        return module

    def get_code(self, fullname: str) -> CodeType:
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

        Raises ImportError for what other packages import where it is installed, in the time of the whole start.
        """
        if name in _UNUSED:
            raise ImportError(f"cg uses no {name}")
        if path is None or not name.startswith(_PACKAGE):
            return None
        for needed in _AHEAD.get(name.removeprefix(_PACKAGE), "").split():
            if not self._load(_PACKAGE + needed):
                break
        folder, last = path[0], name[name.rindex(".") + 1 :]
        return self._spec(name, folder, last) or self._spec(name, f"{folder}{os.sep}{last}", "__init__")

    def _load(self, name: str) -> bool:
        """Load a module whose own imports are loaded, as Python's import does; whether it was as expected.

        name: ends with a dot where it is a package.
        """
        name, is_package = name.rstrip("."), name[-1] == "."
        if name in sys.modules:
            return True
        package, _, last = name.rpartition(".")
        parent = sys.modules.get(package)
        if parent is None:
            return False
        folder, stem = (f"{parent.__path__[0]}{os.sep}{last}", "__init__") if is_package else (parent.__path__[0], last)
        spec = self._spec(name, folder, stem)
        if spec is None or not isinstance(spec.loader, _Compiled):
            return False
        module = sys.modules[name] = spec.loader.create_module(spec)
        content = vars(module)
        content.update(__spec__=spec, __loader__=spec.loader, __package__=name if is_package else package)
        if is_package:
            content["__path__"] = spec.submodule_search_locations
        try:
            exec(spec.loader.code, content)
        except BaseException:
            del sys.modules[name]
            raise
        setattr(parent, last, module)
        return True

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
        vars(spec)["_initializing"] = False  # each import asks for it, and what is missing costs an error
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


def import_quickly() -> bool:
    """Have this package imported in the short way, if Python keeps compiled modules beside their sources; whether."""
    folder, marked, name = (__spec__.cached or "").rpartition(_CACHE)
    if marked and __file__ == f"{folder}{os.sep}start.py" and SourceFileLoader.__name__ == "SourceFileLoader":
        try:
            version = _content(__spec__.cached or "")
        except OSError:
            return False
        sys.meta_path.insert(0, _Finder(name.removeprefix("start"), version))
        return True
    return False


def main() -> NoReturn:
    """The entry point of the console script."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    gc.disable()  # one short run: a graph of a million nodes has no cycles worth looking for
    if not import_quickly():
        from cgcli.api import left_out  # noqa: F401
    from cgcli.cli.main import main as main_

    main_()

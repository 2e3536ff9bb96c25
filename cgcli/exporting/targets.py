"""What a program can be written in: each target by its name, with the suffixes of its files and its own choices."""

from __future__ import annotations

from cgcli.annotations import Any, Mapping
from cgcli.exporting.task import Task
from cgcli.lean import import_module
from cgcli.records import Record


class Target(Record):
    """One language. module: the one that writes it. suffixes: of files. doc: what is written. options: its own choices.
    only_value: it differentiates by itself, and gets the value alone. loops: it has loops; else their trips are written
    out. fixed: arguments of its module's `write`.
    """

    name: str
    module: str
    doc: str
    suffixes: tuple[str, ...] = ()
    options: tuple[str, ...] = ("name",)
    only_value: bool = False
    loops: bool = True
    fixed: Mapping[str, str] = {}  # noqa: RUF012, never changed

    def write(self, task: Task, **options: Any) -> str:
        """The code. Raises NotInTargetError, TooManyNumbersError."""
        code: str = import_module(f"cgcli.exporting.{self.module}").write(task, **self.fixed, **options)
        return code


TARGETS: Mapping[str, Target] = {
    target.name: target
    for target in (
        Target("c", "c", "C99 and C++: f(x, …, out), and f_rows(n, in, out)", (".c", ".h", ".cpp", ".cc"),
               ("name", "header")),
        Target("js", "javascript", "a JavaScript module", (".js", ".mjs")),
        Target("python", "python", "Python that needs its module math only", (".py",)),
        Target("numpy", "libraries", "Python with NumPy", fixed={"library": "numpy"}),
        Target("jax", "libraries", "Python with JAX, which differentiates it", only_value=True,
               fixed={"library": "jax"}),
        Target("torch", "libraries", "Python with PyTorch, the same", only_value=True, fixed={"library": "torch"}),
        Target("sql", "sql", "one SELECT that keeps the columns of a table", (".sql",), ("dialect", "table"),
               loops=False),
    )
}  # fmt: skip

"""What the searches of the library give: fields by name, dataclasses to whoever asks, tables in a notebook."""

from __future__ import annotations

from cgcli.annotations import Any, Iterable, Iterator, Mapping, Sequence
from cgcli.graph.shapes import as_lists, element_names, shape_of
from cgcli.records import Record


class _Fields:
    """The fields of a class, as `dataclasses` has them; that is imported when they are asked for."""

    def __get__(self, instance: object, owner: type[Result]) -> Mapping[str, Any]:
        from dataclasses import field, make_dataclass

        def default(name: str) -> Any:
            return field(default_factory=lambda: getattr(owner, name)) if hasattr(owner, name) else field()

        made = make_dataclass(owner.__name__, [(name, Any, default(name)) for name in owner._fields], kw_only=True)
        fields: Mapping[str, Any] = vars(made)["__dataclass_fields__"]
        return fields


class Result(Record):
    """A result with named fields: `dataclasses` takes it for one of its own."""

    __dataclass_fields__ = _Fields()

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._fields)
        return f"{type(self).__name__}({fields})"


class Reached(Result):
    """Where a search has ended.

    point: the values of what was sought, by name. value: what the program gives there. converged, reason: whether that
    is what was sought, and why it stopped or what is wrong. iterations: how many steps it took. notes: what else is
    worth knowing, sentences.
    """

    point: Mapping[str, Any]
    value: Any
    converged: bool
    reason: str
    iterations: int
    notes: Sequence[str] = ()

    FIGURES = ("value", "converged", "reason", "iterations")

    def content(self) -> dict[str, Any]:
        """All of it as an object of JSON."""
        return {"point": dict(self.point), **{name: getattr(self, name) for name in self.FIGURES}}

    def lines(self) -> Iterator[tuple[str, Any]]:
        """Names and values: of the point, then of the figures."""
        yield from self.point.items()
        yield from ((name, getattr(self, name)) for name in self.FIGURES)

    def _repr_html_(self) -> str:
        """A table, for notebooks."""
        rows = ((name, numbers) for name, value in self.point.items() for name, numbers in _elements(name, value))
        figures = (f"{name} {figure_text(getattr(self, name))}" for name in self.FIGURES if name != "reason")
        return html_table(("", "value"), rows, (", ".join(figures), self.reason))


def _elements(name: str, value: Any) -> Iterator[tuple[str, list[float]]]:
    """The name of each number of an array, and the number."""
    shape = shape_of(value)
    numbers = value.ravel().tolist() if shape else [float(value)]
    return ((each, [number]) for each, number in zip(element_names(name, shape), numbers, strict=True))


def figure_text(value: Any) -> str:
    """A number, a truth value or a text, on one line."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, int | float) else str(as_lists(value))


def html_table(head: Iterable[str], rows: Iterable[tuple[str, Iterable[float]]], below: Iterable[str]) -> str:
    """A table with a name in front of the numbers of each row, and lines below it."""
    from html import escape

    top = "".join(f"<th>{name}</th>" for name in head)
    body = "".join(
        f"<tr><th>{escape(name)}</th>{''.join(f'<td>{number:.6g}</td>' for number in numbers)}</tr>"
        for name, numbers in rows
    )
    return f"<table><tr>{top}</tr>{body}</table><p>{'<br>'.join(map(escape, below))}</p>"

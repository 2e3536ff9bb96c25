"""The columns of a batch as the inputs of a program: their shape in a row, their numbers, what bad rows hold."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Collection, Iterable, Mapping, Sequence
from cgcli.graph.shapes import shape_text
from cgcli.ops.lazily import np
from cgcli.ops.table import CONSTANTS
from cgcli.records import EMPTY, NamedTuple

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cgcli.graph.operation import Shape
    from cgcli.tables.batch import Batch
    from cgcli.tables.names import Elements
    from cgcli.tables.numbers import Numbers

_MOST_SEARCHED = 16  # batches without a good row, after which a column is taken for one of numbers


def first_shapes(
    batches: Iterable[Batch], names: Sequence[str], *, patient: bool, known: Mapping[str, Shape] = EMPTY
) -> tuple[list[Batch], dict[str, Shape]]:
    """The batches up to where it is known which names are columns, and the shape that each has in a row.

    patient: whether to search some more batches where one has bad rows only; that is done for what only other files
    have, too. known: shapes that rows before have.
    """
    searched: list[Batch] = []
    shapes = {**known}
    present: set[str] = set()
    for batch in batches:
        searched.append(batch)
        present |= {name for name in names if batch.has(name) or batch.others_have(name)}
        shapes |= {name: shape for name in present.difference(shapes) if (shape := _shape(batch, name)) is not None}
        expected = present if not batch.holds_objects else present.union(names).difference(CONSTANTS)
        awaited = expected if patient else {name for name in present if not batch.has(name)}
        if len(batch) and (awaited.issubset(shapes) or len(searched) == _MOST_SEARCHED):
            break
        if names and all(map(batch.is_numeric, names)):  # so that its type tells, without a row
            break
    return searched, {name: shapes.get(name, ()) for name in names if name in present}


def tell_shapes(batches: Sequence[Batch], names: Iterable[str]) -> bool:
    """Whether rows tell the shapes that columns have in a row."""
    return all(any(batch.has(name) and _shape(batch, name) is not None for batch in batches) for name in names)


def sizes_of(batch: Batch, name: str) -> tuple[int | None, ...]:
    """What the type of a column says of its arrays; see `list_sizes`. () where each element has a column."""
    from cgcli.tables.arrow import list_sizes

    if batch.position(name) is None and batch.elements(name):
        return ()
    return list_sizes(batch.column(name).type)


class Column(NamedTuple):
    """A column as numbers, of shape (rows, *shape).

    bad: rows that hold none, and why. null: those that are empty. beyond: rows whose number float64 does not reach.
    """

    values: NDArray[np.float64]
    bad: Mapping[int, str]
    null: Collection[int] = ()
    beyond: Mapping[int, str] = EMPTY


def column_of(batch: Batch, name: str, shape: Shape | None = None) -> Column:
    """A column of a batch; the batch remembers its numbers.

    An array may have a column for each element. Raises DataError when there is no such column.
    """
    position = batch.position(name)
    elements = None if position is not None else batch.elements(name)
    if elements is None:
        return _read(batch, name, batch.numbers(name, shape))
    if shape is not None and shape != elements.shape:
        why = f"'{name}' has shape {shape_text(elements.shape)} here, and {shape_text(shape)} in the rows before"
        return Column(np.full((len(batch), *shape), np.nan), dict.fromkeys(range(len(batch)), why))
    return _of_elements(batch, elements)


def _of_elements(batch: Batch, elements: Elements) -> Column:
    """A column of arrays, each of whose elements has a column of its own in the batch."""
    found = [_read(batch, batch.names[at].strip(), batch.numbers(at, ())) for at in elements.positions]
    values = np.stack([column.values for column in found], axis=1)
    bad = {at: why for column in reversed(found) for at, why in column.bad.items()}
    null = {at for column in found for at in column.null}
    beyond = {at: why for column in reversed(found) for at, why in column.beyond.items()}
    return Column(values.reshape(len(values), *elements.shape), bad, null, beyond)


def _read(batch: Batch, name: str, found: Numbers) -> Column:
    """The numbers of a column, with a message for each bad row: what the column holds there."""
    from cgcli.tables.numbers import NULL

    null = {row for row, cell in found.bad.items() if cell == NULL}
    said = {cell: f"column '{name}' holds {cell}" for cell in {*found.bad.values()}}
    why = {row: said[cell] for row, cell in found.bad.items()}
    if batch.may_lack(name):
        why |= dict.fromkeys(null, f"there is no '{name}', or it is null")
    beyond = {row: f"column '{name}' holds {cell}" for row, cell in found.beyond.items()}
    return Column(found.values, why, null, beyond)


def _shape(batch: Batch, name: str) -> Shape | None:
    """The shape of a cell; None where no row of the batch tells."""
    if batch.position(name) is None and (elements := batch.elements(name)):
        return elements.shape
    found = column_of(batch, name)
    if len(found.bad) < len(batch) or found.values.ndim > 1:
        return found.values.shape[1:]
    kind = str(batch.column(name).type)
    return None if "list" in kind or kind == "null" else ()

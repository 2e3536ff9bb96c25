"""Values of names, as arrays, from Python's numbers and lists."""

from __future__ import annotations

from cgcli.annotations import Any, Mapping, Sequence
from cgcli.errors import DataError, UsageError
from cgcli.graph.node import check_size
from cgcli.lean import cache
from cgcli.ops.lazily import np

_MOST = 2**1023  # an int beyond it may be no float
OF_JSON = "f"  # the kind of numpy's type that JSON's numbers have


def by_position(names: Sequence[str], given: Sequence[Any], named: dict[str, Any]) -> dict[str, Any]:
    """The values of a call `f(1, 2, z=3)`, or `f({"x": 1}, y=2)`, of a function of these names.

    Raises UsageError for a name that is given twice, and for more values than names.
    """
    if not given:
        return named
    if len(given) == 1 and not is_plain(given[0]) and (given[0] is None or isinstance(given[0], Mapping)):
        return by_name(given[0], named)
    if len(given) > len(names):
        raise UsageError(f"there are {len(given)} values for {len(names)} name{'s' * (len(names) != 1)}",
                         hint=f"the names, in their order, are: {', '.join(names) or 'none'}")  # fmt: skip
    values = dict(zip(names, given, strict=False))
    return by_name(values, named) if named else values


def by_name(values: Mapping[str, Any] | None, named: dict[str, Any]) -> dict[str, Any]:
    """The values of a call `f({"x": 1}, y=2)`. Raises UsageError for a name that is given twice."""
    if values is None:
        return named
    check_named(values)
    for name in named:
        if name in values:
            raise bound_twice(name)
    return {**values, **named}


def check_named(values: Any, what: str = "values") -> None:
    """Raise UsageError for values that no names are given for. what: what messages call them."""
    if not isinstance(values, Mapping) or not all(isinstance(name, str) for name in values):
        raise UsageError(f"{what} are given by name", hint="as in: {'x': 2, 'y': [1, 2]}")


def bound_twice(name: str) -> UsageError:
    """The error for a name with two values."""
    return UsageError(f"'{name}' is bound twice", hint="give one value for each name")


def arrays_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by name as arrays; see `as_array`. Raises UsageError for what is no mapping."""
    check_named(values)
    return {name: as_array(value, f"the value of '{name}'") for name, value in values.items()}


def cotangent_arrays(values: Sequence[Any] | None) -> list[Any] | None:
    """The cotangents of results as arrays; None where there are none. Raises as `as_array`."""
    return None if values is None else [as_array(value, f"cotangent {at + 1}") for at, value in enumerate(values)]


def is_plain(value: Any) -> bool:
    """Whether a value is an array that `as_array` gives back as it is, if the bounds allow its size."""
    dtype = getattr(value, "dtype", None)  # numpy need not be there for numbers
    if dtype is None or dtype is not _double() or type(value) is not np.ndarray:
        return False
    return bool(value.flags.c_contiguous) and value.ndim > 0


@cache
def _double() -> Any:
    return np.dtype(np.float64)


def as_array(value: Any, what: str, kinds: str = "fiub") -> Any:
    """A value as a float64 array, or a float where it is a number.

    what: what messages call it. kinds: of numpy's types, that count as numbers; of objects, each is a number, as a
    Fraction. What a masked array hides is nan. Raises DataError for what is no number and no array of numbers,
    TooLargeError for an array beyond the bounds.
    """
    if type(value) is float:  # most of all calls
        return value
    if isinstance(value, float) or (type(value) is int and "i" in kinds and abs(value) < _MOST):
        return float(value)
    try:
        array = np.asarray(value)
    except (ValueError, OverflowError):
        raise DataError(f"{what} is a list whose rows differ in length") from None
    except (TypeError, RuntimeError) as error:  # of an object that refuses, as a tensor of PyTorch that has a gradient
        raise DataError(f"{what} cannot be read as numbers", hint=str(error)) from None
    check_size(array.shape, what)
    if array.dtype.kind == "O":
        array = _of_objects(array, what)
    if array.dtype.kind not in kinds:
        example = "2, [1, 2], [[1, 2], [3, 4]]" + ", a numpy array" * (kinds != OF_JSON)
        raise DataError(f"{what} is not a number or a list of numbers", hint=f"as in: {example}")
    if array is not value and isinstance(getattr(value, "mask", None), (np.ndarray, np.bool_)):  # of a masked array
        array = np.where(value.mask, np.nan, array)
    return np.ascontiguousarray(array, np.float64) if array.shape else float(array[()])


def _of_objects(array: Any, what: str) -> Any:
    """An array of Python's numbers, of Fractions and the like as one of floats; any other as it is."""
    from decimal import Decimal
    from numbers import Real

    if not all(isinstance(each, Real | Decimal) for each in array.flat):
        return array
    try:
        return array.astype(np.float64)
    except OverflowError:
        raise DataError(
            f"{what} is beyond the range of 64-bit floats", hint="more digits take more: digits=30"
        ) from None

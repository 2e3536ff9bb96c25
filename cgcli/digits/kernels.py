"""Graphs in mpmath's numbers: the kernels that the table's entries name for them, at one precision."""

from __future__ import annotations

from cgcli.annotations import Any, Callable
from cgcli.errors import EvaluationError
from cgcli.evaluate.compiled import Compiled
from cgcli.evaluate.constants import constant_of
from cgcli.graph.body import Body, function_of, leaves
from cgcli.graph.loops import Loop, LoopAdjoint, States
from cgcli.graph.node import Node
from cgcli.graph.operation import ARRAYS, Operation
from cgcli.graph.shapes import shape_of
from cgcli.lean import cached_property
from cgcli.lowering.formula import expand
from cgcli.ops import many
from cgcli.ops.lazily import np
from cgcli.ops.logic import WHERE
from cgcli.ops.roots import Root

_LARGEST = 3_000  # bits before the point, of what a function is applied to


class Many:
    """Kernels that compute with so many decimal digits; these are `Kernels` for `Compiled`.

    A number is one of mpmath's, an array one of numpy's with such numbers as objects. A constant, and a float that is
    given, stand for the decimal numbers that they are written as. nan and infinities are as in IEEE 754, but 0 has no
    sign.
    """

    def __init__(self, digits: int, *, as_floats: bool = False) -> None:
        """as_floats: a float is the number that its bits are, and no other that it is the nearest of."""
        self.digits = digits
        self._as_floats = as_floats
        self.mp = many.context(digits)

    @property
    def eps(self) -> Any:
        """The relative distance of two neighbours."""
        return self.mp.eps

    @cached_property
    def _each(self) -> Any:
        """Numbers of another type as mpmath's, in arrays."""
        return np.frompyfunc(self._number, 1, 1)

    def constant(self, leaf: Node) -> Any:
        """The value of a constant."""
        return self.given(constant_of(leaf))

    def given(self, value: Any) -> Any:
        """A float, or an array of floats, as the decimal numbers that they are written as; any other value itself."""
        if shape_of(value) or hasattr(value, "dtype"):
            return value if value.dtype == object else self._each(value)
        return self._number(value)

    def step(self, node: Node) -> Callable[..., Any]:
        """What computes a node from its arguments. Raises EvaluationError where its entry names no kernel for this."""
        function = function_of(node)
        if function is not None:
            return self._of_body(function.body)
        if isinstance(node.params, Loop | States | LoopAdjoint | Root):
            run = node.op.kernel
            as_numbers = self._each if node.shape else self._number  # what starts at 0 may still be a float
            return lambda *args: as_numbers(run(*args, *node.params, kernels=self))
        if node.op.expansion:
            parameters = leaves(arg.shape for arg in node.args)
            return self._of_body(Body(parameters, (expand(node.op, parameters, node.params),)))
        if not node.op.mp and node.op.python is None:
            raise EvaluationError(f"'{node.op.name}' cannot be computed with many digits: its entry names no kernel")
        params = [self._number(param) if isinstance(param, float) else param for param in node.params]
        if not node.op.elementwise:
            return self._on_arrays(node.op, params)
        kernel = self._on_numbers(node.op, params)
        if not any(arg.shape for arg in node.args):
            return kernel
        on_arrays: Callable[..., Any] = np.frompyfunc(kernel, len(node.args), 1)
        return on_arrays

    def _number(self, value: Any) -> Any:
        """A number of another type as one of mpmath's."""
        if isinstance(value, float) or hasattr(value, "dtype"):
            return self.mp.mpf(float(value)) if self._as_floats else many.number(self.mp, float(value))
        return self.mp.mpf(value)

    def _of_body(self, body: Body) -> Callable[..., Any]:
        compiled = Compiled(body.outputs, body.parameters, kernels=self)
        return lambda *args: compiled(args)[0]

    def _on_arrays(self, op: Operation, params: list[Any]) -> Callable[..., Any]:
        """A kernel that is given arrays of objects, whatever it makes of them."""
        kernel = op.kernel if op.mp == ARRAYS else many.kernel_on_arrays(self.mp, op.mp)

        def run(*args: Any) -> Any:
            return self._each(kernel(*(np.asarray(arg, object) for arg in args), *params))

        return run

    def _on_numbers(self, op: Operation, params: list[Any]) -> Callable[..., Any]:
        """A kernel that raises nothing: outside of its domain the value is nan, at a pole infinite."""
        mp, name = self.mp, op.mp or op.python or ""
        kernel = many.kernel(mp, name) if isinstance(name, str) else name
        if not isinstance(name, str) and op.truth is None:  # an operator of Python's
            return kernel
        takes_nan = op.truth is not None or op is WHERE

        def run(*args: Any) -> Any:
            if not takes_nan:
                for arg in args:
                    if arg != arg:
                        return mp.nan
                    if mp.isfinite(arg) and mp.mag(arg) > _LARGEST:
                        raise EvaluationError(f"{op.name} cannot be computed: an argument has {mp.mag(arg)} bits "
                                              "before the point")  # fmt: skip
            try:
                value = kernel(*args, *params)
            except ZeroDivisionError:
                return mp.inf
            except (ValueError, ArithmeticError, NotImplementedError):
                return mp.nan
            return mp.nan if isinstance(value, mp.mpc) else mp.mpf(value)

        return run

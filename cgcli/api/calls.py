"""What can be computed of a program at a point: values, gradients, Jacobians, Hessians, products, series.

Each function takes the point apart into graphs once, and returns a function of an `Evaluate`, which
computes the numbers, as often as they are asked for. Results of several outputs are dicts by their names,
derivatives dicts by the names of the inputs. kernels: those that it will be computed with, where not those on floats.
"""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Mapping, Sequence
from cgcli.api.point import Point, by_name
from cgcli.api.seeds import cotangents as scalar_cotangents
from cgcli.derivatives.gradient import elasticities, gradients, weighted_sum
from cgcli.transform.differentiate import pullback, pushforward

if TYPE_CHECKING:
    from cgcli.derivatives.jacobian import Evaluate, Mode
    from cgcli.evaluate.compiled import Kernels
    from cgcli.graph.node import Node

    Call = Callable[[Evaluate], Any]
    Finish = Callable[[Sequence[Any]], Any]


def value_and_grad(
    point: Point,
    wrt: Sequence[Node],
    cotangents: Sequence[Node] | None = None,
    mode: Mode = "reverse",
    kernels: Kernels | None = None,
) -> Call:
    """The values of the outputs, and the gradient of each, weighted by its cotangent.

    cotangents: 1 for each output unless given. mode: reverse takes one pass, forward one for each element of
    each input. Raises UsageError where there are no cotangents and an output is no scalar.
    """
    outputs = point.graph.outputs
    if cotangents is None:
        cotangents = scalar_cotangents(point.graph)
    if mode == "forward":
        from cgcli.derivatives.jacobian import Jacobian

        columns = Jacobian([*map(weighted_sum, outputs, cotangents)], wrt, mode, kernels)

        def by_columns(evaluate: Evaluate) -> Any:
            values = evaluate(outputs)
            return point.by_output(values), _by_output_and_input(point, wrt, columns(evaluate))

        return by_columns
    return _with_values(point, *_gradients(point, wrt, cotangents))


def value_grad_and_elasticity(point: Point, wrt: Sequence[Node], cotangents: Sequence[Node]) -> Call:
    """The values of the outputs, the gradient of each, weighted by its cotangent, and the elasticities beside it."""
    outputs = point.graph.outputs
    slopes = gradients(outputs, cotangents, wrt)
    every = [slopes, elasticities(outputs, cotangents, wrt, slopes)]
    nodes = tuple(node for rows in every for row in rows for node in row)

    def finish(results: Sequence[Any]) -> Any:
        left = iter(results)
        return [_by_output_and_input(point, wrt, [[next(left) for _ in wrt] for _ in outputs]) for _ in every]

    return _with_values(point, nodes, finish)


def grad(point: Point, wrt: Sequence[Node]) -> Call:
    """The gradient of each output. Raises UsageError for an output that is no scalar."""
    nodes, by_names = _gradients(point, wrt, scalar_cotangents(point.graph))
    return lambda evaluate: by_names(evaluate(nodes))


def _gradients(point: Point, wrt: Sequence[Node], cotangents: Sequence[Node]) -> tuple[Sequence[Node], Finish]:
    """The nodes of the outputs' gradients, and what makes dicts of their values."""
    nodes = tuple(node for row in gradients(point.graph.outputs, cotangents, wrt) for node in row)
    count, size = len(point.graph.outputs), len(wrt)
    return nodes, lambda results: _by_output_and_input(
        point, wrt, [results[at * size : (at + 1) * size] for at in range(count)]
    )


def _with_values(point: Point, nodes: Sequence[Node], finish: Finish) -> Call:
    """The values of the outputs, and what `finish` makes of those of other nodes; all are computed at once."""
    outputs = point.graph.outputs
    count = len(outputs)
    together = (*outputs, *nodes)

    def call(evaluate: Evaluate) -> Any:
        results = evaluate(together)
        return point.by_output(results[:count]), finish(results[count:])

    return call


def _by_output_and_input(point: Point, wrt: Sequence[Node], rows: Sequence[Sequence[Any]]) -> Any:
    return point.by_output([by_name(wrt, row) for row in rows])


def jvp(point: Point, tangents: Mapping[Node, Node]) -> Call:
    """The values of the outputs and their tangents. tangents: for each input that moves a node of its shape."""
    return _with_values(point, pushforward(point.graph.outputs, tangents), point.by_output)


def vjp(point: Point, wrt: Sequence[Node], cotangents: Sequence[Node]) -> Call:
    """The values of the outputs, and the adjoints of inputs. cotangents: for each output a node of its shape."""
    nodes = pullback(point.graph.outputs, cotangents, wrt)
    return _with_values(point, nodes, lambda results: by_name(wrt, results))


def jacobian(point: Point, wrt: Sequence[Node], mode: Mode = "auto", kernels: Kernels | None = None) -> Call:
    """The Jacobian of each output by each input. Raises TooLargeError when the whole does not fit in memory."""
    from cgcli.derivatives.jacobian import Jacobian

    passes = Jacobian(point.graph.outputs, wrt, mode, kernels)
    return lambda evaluate: _by_output_and_input(point, wrt, passes(evaluate))


def hessian(
    point: Point, wrt: Sequence[Node], cotangents: Sequence[Node] | None = None, kernels: Kernels | None = None
) -> Call:
    """The Hessian by each pair of inputs: of each output, or with cotangents of the outputs' weighted sum.

    By forward mode over reverse. Raises UsageError where there are no cotangents and an output is
    no scalar, TooLargeError when the whole does not fit in memory.
    """
    from cgcli.derivatives.jacobian import Jacobian

    if cotangents is not None:
        passes = Jacobian(pullback(point.graph.outputs, cotangents, wrt, again=True), wrt, "forward", kernels)
        return lambda evaluate: _square(wrt, passes(evaluate))
    rows = gradients(point.graph.outputs, scalar_cotangents(point.graph), wrt, again=True)
    each = [Jacobian(row, wrt, "forward", kernels) for row in rows]
    return lambda evaluate: point.by_output([_square(wrt, passes(evaluate)) for passes in each])


def _square(wrt: Sequence[Node], rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    return by_name(wrt, [by_name(wrt, row) for row in rows])


def hessian_product(
    point: Point, wrt: Sequence[Node], cotangents: Sequence[Node], tangents: Mapping[Node, Node]
) -> Call:
    """The product of the Hessian of the outputs' weighted sum with a vector, at the cost of a few evaluations.

    tangents: the vector, a node of its shape for each input that moves.
    """
    nodes = pushforward(pullback(point.graph.outputs, cotangents, wrt, again=True), tangents)
    return lambda evaluate: by_name(wrt, evaluate(nodes))

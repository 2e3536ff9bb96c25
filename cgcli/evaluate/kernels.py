"""Which of its kernels computes a node."""

from __future__ import annotations

from cgcli.annotations import Any, Callable
from cgcli.graph.node import Node
from cgcli.graph.operation import Params

Kernel = Callable[..., Any]


def kernel_of(node: Node) -> Kernel:
    """The kernel of a node: that on numbers, where there is one and all are numbers, else that on arrays."""
    scalar = None if node.shape else node.op.scalar
    if scalar is None:
        return node.op.kernel
    for arg in node.args:
        if arg.shape:
            return node.op.kernel
    return scalar


def of_arrays(kernel: Kernel, params: Params) -> Kernel:
    """A kernel of arrays alone."""
    return (lambda *arrays: kernel(*arrays, *params)) if params else kernel

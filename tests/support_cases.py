"""What a case of an operation is: a program, the shapes of its inputs, and what it means in PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch

Shape = tuple[int, ...]
Draw = Callable[[np.random.Generator, Shape], Any]


class Case(NamedTuple):
    """A program whose last node is the operation, and its meaning.

    shapes: of each input, in the order of the expected function's arguments. draw: how to sample an input that is no
    plain normal noise. constants: inputs without a derivative. orders: how many derivatives are exact here.
    """

    program: str
    shapes: Mapping[str, Shape]
    expected: Callable[..., Any]
    draw: Mapping[str, Draw] = {}
    constants: tuple[str, ...] = ()
    orders: int = 2

    def sample(self, seed: int = 0) -> dict[str, Any]:
        """Values for the inputs, the same for the same seed."""
        rng = np.random.default_rng(seed)
        return {
            name: np.asarray(self.draw.get(name, noise)(rng, shape), float)[()] for name, shape in self.shapes.items()
        }


def noise(rng: np.random.Generator, shape: Shape) -> Any:
    return rng.normal(size=shape)


def positive(rng: np.random.Generator, shape: Shape) -> Any:
    return rng.uniform(0.5, 2.0, shape)


def spread(rng: np.random.Generator, shape: Shape) -> Any:
    """Whole numbers in random order, so that no two are near a tie."""
    return rng.permutation(int(np.prod(shape))).reshape(shape) * 0.7 - 3


def definite(rng: np.random.Generator, shape: Shape) -> Any:
    """Well-conditioned matrices of positive determinant, not symmetric."""
    return rng.normal(size=shape) * 0.3 + 2 * np.eye(shape[-1])


def singular(rank: int) -> Draw:
    def draw(rng: np.random.Generator, shape: Shape) -> Any:
        return rng.normal(size=(*shape[:-1], rank)) @ rng.normal(size=(*shape[:-2], rank, shape[-1]))

    return draw


def classes(count: int) -> Draw:
    return lambda rng, shape: rng.integers(0, count, shape)


def shares(rng: np.random.Generator, shape: Shape) -> Any:
    return rng.dirichlet(np.ones(shape[-1]), shape[:-1])


def parameters(
    table: Mapping[str, list[Case]], keep: Callable[[str, Case], bool] = lambda name, case: True
) -> list[Any]:
    """The cases that are kept, as rows (name, case)."""
    return [(name, case) for name, given in table.items() for case in given if keep(name, case)]


def expected_in_torch(case: Case, sample: dict[str, Any]) -> Any:
    """The case's meaning, on tensors that record their derivative."""
    tensors = [tensor_of(item).requires_grad_(name not in case.constants) for name, item in sample.items()]
    return case.expected(*tensors), [tensor for tensor in tensors if tensor.requires_grad]


def tensor_of(value: Any) -> Any:
    return torch.tensor(np.array(value), dtype=torch.float64)

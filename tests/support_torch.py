"""A program held against PyTorch: value, gradient in both modes, second derivatives."""

from __future__ import annotations

import numpy as np
import torch

from cgcli.transform.differentiate import vjp
from tests.support import both_modes, gap, inputs, literal, node, value
from tests.support_cases import Case, expected_in_torch


def hold_against_torch(case: Case) -> None:
    """Fail where a value is off by 1e-13, or a derivative by 1e-12 beside a tenth."""
    sample = case.sample()
    output = node(case.program, sample)
    truth, leaves = expected_in_torch(case, sample)
    assert gap(value(output, sample), truth.detach().numpy()) < 1e-13, case.program
    cotangent = np.random.default_rng(1).normal(size=output.shape)
    slopes = torch.autograd.grad((truth * torch.tensor(cotangent)).sum(), leaves, create_graph=True)
    moving = [at for at, given in enumerate(sample) if given not in case.constants]
    backward, onward = both_modes(output, cotangent, sample)
    again = vjp(output, literal(cotangent), inputs(sample))
    for place, slope in zip(moving, slopes, strict=True):
        for found in (backward[place], onward[place]):
            assert gap(found, slope.detach().numpy(), 0.1) < 1e-12, case.program
        weights = np.random.default_rng(2).normal(size=slope.shape)
        if not slope.requires_grad:
            continue
        seconds = torch.autograd.grad((slope * torch.tensor(weights)).sum(), leaves, retain_graph=True,
                                      allow_unused=True)  # fmt: skip
        twices = vjp(again[place], literal(weights), [inputs(sample)[at] for at in moving])
        for twice, second in zip(twices, seconds, strict=True):
            right = np.zeros(twice.shape) if second is None else second.numpy()
            assert gap(value(twice, sample), right, 0.1) < 1e-12, case.program

"""Functions that other tools have and cg has not, or has by another name: what to write in their place."""

from __future__ import annotations

INSTEAD = {
    "lg": "write log10(x), or log2(x)",
    "ld": "write log2(x)",
    "tg": "write tan(x)",
    "ctg": "write cot(x)",
    "arctg": "write atan(x)",
    "cosec": "write csc(x)",
    "sh": "write sinh(x)",
    "ch": "write cosh(x)",
    "th": "write tanh(x)",
    "sqr": "write x^2",
    "root": "write x^(1/n); the cube root is cbrt(x)",
    "nthroot": "write x^(1/n); the cube root is cbrt(x)",
    "nroot": "write x^(1/n); the cube root is cbrt(x)",
    "factorial": "write gamma(n + 1)",
    "heaviside": "write where(x > 0, 1, 0)",
    "logit": "write ln(x/(1 - x))",
    "if": "write where(c, a, b), or c ? a : b",
    "detach": "write stop_gradient(x)",
    "tr": "write trace(x)",
    "cross": "write [a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]]",
    "len": "write size(x), or size(x, 0) for the first axis",
    "numel": "write size(x)",
    "unsqueeze": "write expand(x, axis)",
    "iterate": "there are no loops: write each step as a line of its own",
}

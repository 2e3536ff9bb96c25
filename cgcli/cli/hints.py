"""What the command line says in the place of a hint of the library's: how its own options do it."""

from __future__ import annotations

from cgcli.errors import CgError

_HINTS = {
    "scalar": "weigh its elements with --cotangent '[…]', or get all derivatives with cg jacobian",
    "scalars": "weigh its elements with --cotangent '(…, […])', or get all derivatives with cg jacobian",
    "weights": "weigh them; for the first alone: --cotangent '{}'",
    "each": "give one for each, as in: --cotangent '{}'",
    "tangents": "give the tangents, as in: --tangent {}",
    "second": "second derivatives by arrays come as numbers, from cg hessian",
    "order": "ask for --order {}",
    "flat": "without --flat, its shared parts have names",
}


def with_options(error: CgError) -> CgError:
    """The error, its hint in terms of options where there are any for it."""
    topic, _, example = error.topic.partition(":")
    if topic:
        error.hint = _HINTS[topic].format(example)
    return error

"""cg: differentiate expressions, and draw their computation graphs. This is the library's front door.

    >>> import cgcli
    >>> f = cgcli.value_and_grad("ln(x1) + x1*x2 - sin(x2)")
    >>> f(x1=2, x2=5)
    (11.652071455223084, {'x1': 5.5, 'x2': 1.7163378145367738})

Each name is imported when it is first used, so that `import cgcli` costs next to nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cgcli.api.bounds import bounds as bounds
    from cgcli.api.column_function import ColumnFunction as ColumnFunction
    from cgcli.api.column_function import compile as compile  # noqa: A004
    from cgcli.api.drawn import Picture as Picture
    from cgcli.api.export import export as export
    from cgcli.api.formulas import diff as diff
    from cgcli.api.formulas import simplify as simplify
    from cgcli.api.functions import directional as directional
    from cgcli.api.functions import grad as grad
    from cgcli.api.functions import hessian as hessian
    from cgcli.api.functions import hessian_product as hessian_product
    from cgcli.api.functions import jacobian as jacobian
    from cgcli.api.functions import jvp as jvp
    from cgcli.api.functions import value as value
    from cgcli.api.functions import value_and_grad as value_and_grad
    from cgcli.api.functions import vjp as vjp
    from cgcli.api.pictures import picture as picture
    from cgcli.api.pictures import render as render
    from cgcli.api.prepared import Function as Function
    from cgcli.api.program import Program as Program
    from cgcli.api.program import parse as parse
    from cgcli.api.sums import Sums as Sums
    from cgcli.api.views import check_grad as check_grad
    from cgcli.api.views import evaluation_trace as evaluation_trace
    from cgcli.errors import CgError as CgError
    from cgcli.errors import CgWarning as CgWarning
    from cgcli.errors import describe as describe
    from cgcli.graph.loops import max_trips as max_trips
    from cgcli.searches.fit import Fit as Fit
    from cgcli.searches.fit import Parameter as Parameter
    from cgcli.searches.fit import fit as fit
    from cgcli.searches.minimum import Minimum as Minimum
    from cgcli.searches.minimum import minimize as minimize
    from cgcli.searches.root import Root as Root
    from cgcli.searches.solve import solve as solve
    from cgcli.searches.train import Trained as Trained
    from cgcli.searches.train import train as train
    from cgcli.uncertainty.propagation import Propagated as Propagated
    from cgcli.uncertainty.propagation import propagate as propagate
    from cgcli.version import __version__ as __version__

_HOMES = {
    "bounds": "cgcli.api.bounds",
    "ColumnFunction": "cgcli.api.column_function",
    "compile": "cgcli.api.column_function",
    "export": "cgcli.api.export",
    "Fit": "cgcli.searches.fit",
    "Parameter": "cgcli.searches.fit",
    "fit": "cgcli.searches.fit",
    "diff": "cgcli.api.formulas",
    "simplify": "cgcli.api.formulas",
    "directional": "cgcli.api.functions",
    "Function": "cgcli.api.prepared",
    "grad": "cgcli.api.functions",
    "hessian": "cgcli.api.functions",
    "hessian_product": "cgcli.api.functions",
    "jacobian": "cgcli.api.functions",
    "jvp": "cgcli.api.functions",
    "value": "cgcli.api.functions",
    "value_and_grad": "cgcli.api.functions",
    "vjp": "cgcli.api.functions",
    "Minimum": "cgcli.searches.minimum",
    "minimize": "cgcli.searches.minimum",
    "Picture": "cgcli.api.drawn",
    "picture": "cgcli.api.pictures",
    "render": "cgcli.api.pictures",
    "parse": "cgcli.api.program",
    "Program": "cgcli.api.program",
    "propagate": "cgcli.uncertainty.propagation",
    "Propagated": "cgcli.uncertainty.propagation",
    "Root": "cgcli.searches.root",
    "solve": "cgcli.searches.solve",
    "train": "cgcli.searches.train",
    "Trained": "cgcli.searches.train",
    "Sums": "cgcli.api.sums",
    "check_grad": "cgcli.api.views",
    "evaluation_trace": "cgcli.api.views",
    "CgError": "cgcli.errors",
    "CgWarning": "cgcli.errors",
    "describe": "cgcli.errors",
    "max_trips": "cgcli.graph.loops",
    "__version__": "cgcli.version",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> object:
    """The public name, from the module that defines it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'cgcli' has no attribute '{name}'")
    from importlib import import_module

    found = getattr(import_module(_HOMES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__

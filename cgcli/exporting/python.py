"""Python that needs `math` and nothing else."""

from __future__ import annotations

import builtins
import keyword
import math

from cgcli.exporting.language import (
    AND,
    ARITHMETIC,
    COMPARISON,
    OR,
    Language,
    Statements,
    helpers_in,
    in_quotes,
    joined,
    number_text,
)
from cgcli.exporting.task import Task
from cgcli.exporting.writer import by_name
from cgcli.graph.node import Node

_BY_OTHERS = {  # functions of which `math` raises errors, by helpers that do not
    **{name: f"_quiet(math.{name}, x)" for name in ("sin", "cos", "tan", "asin", "acos", "sqrt", "acosh")},
    **{name: f"_quiet(math.{name}, x, math.inf)" for name in ("exp", "expm1", "cosh")},
    "sinh": "_quiet(math.sinh, x, math.copysign(math.inf, x))",
    **{name: f"_logarithm(math.{name}, x)" for name in ("log", "log2", "log10")},
    "log1p": "_logarithm(math.log1p, x, -1.0)",
    **{name: f"_whole(math.{name}, x)" for name in ("floor", "ceil", "trunc")},
    "round": "_whole(round, x)",
}
_HELPERS = {
    **{f"_{name}": f"def _{name}(x):\n    return {value}" for name, value in _BY_OTHERS.items()},
    "_sign": """def _sign(x):
    return 1.0 if x > 0.0 else -1.0 if x < 0.0 else x""",
    "_div": """def _div(x, y):
    if y != 0.0:
        return x/y
    return math.nan if x == 0.0 or x != x else math.copysign(math.inf, x)*math.copysign(1.0, y)""",
    "_quiet": """def _quiet(function, x, beyond=math.nan):
    try:
        return function(x)
    except OverflowError:
        return beyond
    except ValueError:
        return math.nan""",
    "_logarithm": """def _logarithm(function, x, pole=0.0):
    return -math.inf if x == pole else math.nan if x < pole else function(x)""",
    "_atanh": """def _atanh(x):
    return math.copysign(math.inf, x) if abs(x) == 1.0 else _quiet(math.atanh, x)""",
    "_pow": """def _pow(x, y):
    try:
        return math.pow(x, y)
    except OverflowError:
        return -math.inf if x < 0.0 and y % 2.0 == 1.0 else math.inf
    except ValueError:
        if x == 0.0:
            return math.copysign(math.inf, x) if y % 2.0 == 1.0 else math.inf
        return math.nan""",
    "_whole": """def _whole(function, x):
    return math.copysign(function(x), x) if abs(x) < 2.0**52 else x""",
    "_fmod": """def _fmod(x, y):
    return math.nan if y == 0.0 or math.isinf(x) else math.fmod(x, y)""",
    "_mod": """def _mod(x, y):
    return math.nan if y == 0.0 or math.isinf(x) else x % y""",
    "_max": """def _max(a, b):
    return a if a > b or a != a else b""",
    "_min": """def _min(a, b):
    return a if a < b or a != a else b""",
    "_gamma": """def _gamma(x):
    if x == 0.0:
        return math.copysign(math.inf, x)
    return _quiet(math.gamma, x, math.copysign(math.inf, x))""",
    "_lgamma": """def _lgamma(x):
    return x if x == -math.inf else math.inf if x <= 0.0 and x == math.floor(x) else math.lgamma(x)""",
    "_logaddexp": """def _logaddexp(x, y):
    if x == y:
        return x + 0.6931471805599453
    return _max(x, y) + math.log1p(math.exp(-abs(x - y)))""",
    "_solve": """def _solve(n, m, a, b):
    # makes x of b, with a x = b, by elimination; leaves the pivots in a, and gives the sign of their order
    sign, singular = 1.0, False
    for k in range(n):
        p = max(range(k, n), key=lambda i: abs(a[i*n + k]))
        if p != k:
            sign = -sign
            for row, width in ((a, n), (b, m)):
                row[k*width:k*width + width], row[p*width:p*width + width] = (
                    row[p*width:p*width + width], row[k*width:k*width + width])
        pivot = a[k*n + k]
        if pivot == 0.0:
            singular = True
            continue
        for i in range(k + 1, n):
            f = a[i*n + k]/pivot
            for j in range(k, n):
                a[i*n + j] -= f*a[k*n + j]
            for j in range(m):
                b[i*m + j] -= f*b[k*m + j]
    for i in reversed(range(n)):
        for j in range(m):
            s = b[i*m + j] - sum(a[i*n + k]*b[k*m + j] for k in range(i + 1, n))
            b[i*m + j] = math.nan if singular else s/a[i*n + i]
    return sign""",
    "_flat": """def _flat(array):
    return [number for part in array for number in _flat(part)] if hasattr(array, "__iter__") else [float(array)]""",
    "_shaped": """def _shaped(row, *sizes):
    for size in sizes[:0:-1]:
        row = [row[at:at + size] for at in range(0, len(row), size)] if size else row
    return row""",
}
LANGUAGE = Language(
    "Python",
    infix={name: ARITHMETIC[name] for name in ("add", "subtract", "multiply")}
    | {"and": ("and", AND), "or": ("or", OR)},
    calls={
        **{name: f"_{name}({{0}})" for name in _BY_OTHERS}, "ln": "_log({0})",
        "divide": "_div({0}, {1})", "atan": "math.atan({0})", "atan2": "math.atan2({0}, {1})",
        "tanh": "math.tanh({0})", "asinh": "math.asinh({0})", "atanh": "_atanh({0})", "hypot": "math.hypot({0}, {1})",
        "abs": "abs({0})", "sign": "_sign({0})", "power": "_pow({0}, {1})", "fmod": "_fmod({0}, {1})",
        "mod": "_mod({0}, {1})",
        "max": "_max({0}, {1})", "min": "_min({0}, {1})", "erf": "math.erf({0})",
        "erfc": "math.erfc({0})", "gamma": "_gamma({0})", "lgamma": "_lgamma({0})", "cbrt": "math.cbrt({0})",
        "logaddexp": "_logaddexp({0}, {1})", "stop_gradient": "({0})",
    },
    statements=Statements(
        let="{name} = {value}", let_truth="{name} = {value}", variable="{name} = {value}", assign="{name} = {value}",
        array="{name} = [0.0]*{size}", filled="{name} = [{values}]", whole_numbers="{name} = [{values}]",
        loop="for {index} in range({count}):", do="{call}", leave="break",
        when="if {condition}:", end="", quotient="{}//{}", place="int({})", whole="float({})",
    ),
    number=lambda value: number_text(value, "math.inf", "math.nan"),
    solve="_solve",
    choice="{1} if {0} else {2}", as_number="float({code})", no=("not {}", COMPARISON, COMPARISON), helpers=_HELPERS,
    functions=frozenset(dir(builtins)),
    reserved=frozenset([*keyword.kwlist, *keyword.softkwlist, "math", "float", "abs", "range", "round",
                        "hasattr", "int", "len", "max", "reversed", "sum", "OverflowError", "ValueError"]),
)  # fmt: skip


def write(task: Task) -> str:
    """The code of a function of numbers, and of arrays as nested lists: a list of its results."""
    names = task.argument_names(LANGUAGE.reserved, functions=LANGUAGE.functions)
    arrays = [f"    {name} = _flat({name})" for node, name in names.items() if node.shape]
    body, found = by_name(task, LANGUAGE, names)
    tail = [f"    return [{', '.join(map(_result, found, task.outputs))}]"]
    helpers = ["\n" + helper + "\n" for helper in helpers_in(joined([*body, *arrays, *tail]), LANGUAGE.helpers)]
    return joined([
        in_quotes(task.header(names)), "", "import math", "", *helpers, "",
        f"def {task.function}({', '.join(names.values())}):", *arrays,
        *body, *tail,
    ])  # fmt: skip


def _result(row: str, node: Node) -> str:
    if not node.shape:
        return row
    row = row if math.prod(node.shape) else "[]"
    return row if len(node.shape) == 1 else f"_shaped({row}, {', '.join(map(str, node.shape))})"

"""JavaScript: a module with one function."""

from __future__ import annotations

from cgcli.exporting.language import (
    AND,
    ARITHMETIC,
    ATOM,
    OR,
    PRODUCT,
    Language,
    Statements,
    comment,
    helpers_in,
    joined,
    number_text,
)
from cgcli.exporting.task import Task
from cgcli.exporting.writer import by_name

_WORDS = (
    "arguments await break case catch class const continue debugger default delete do else enum eval export extends "
    "false finally for function if implements import in instanceof interface let new null package private protected "
    "public return static super switch this throw true try typeof undefined var void while with yield async of Math "
    "NaN Infinity Float64Array Array Number"
)
_BY_NAME = ("exp", "expm1", "log1p", "log2", "log10", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh",
            "tanh", "asinh", "acosh", "atanh", "sqrt", "cbrt", "abs", "floor", "ceil", "trunc", "sign")  # fmt: skip
_HELPERS = {
    "cg_max": "const cg_max = (a, b) => (a > b || a !== a ? a : b);",
    "cg_min": "const cg_min = (a, b) => (a < b || a !== a ? a : b);",
    "cg_pow": "const cg_pow = (x, y) => (x === 1 ? 1 : Math.abs(x) === 1 && Math.abs(y) === Infinity ? 1 : x ** y);",
    "cg_hypot": "const cg_hypot = (x, y) => "
                "(Math.abs(x) === Infinity || Math.abs(y) === Infinity ? Infinity : Math.hypot(x, y));",
    "cg_logaddexp": """function cg_logaddexp(x, y) {
  const d = x - y;
  if (x === y) return x + Math.LN2;
  return d > 0 ? x + Math.log1p(Math.exp(-d)) : d <= 0 ? y + Math.log1p(Math.exp(d)) : d;
}""",
    "cg_solve": """// Makes x of b, with a x = b, by elimination. Leaves pivots in a; gives the sign of their order.
function cg_solve(n, m, a, b) {
  let sign = 1, singular = false;
  for (let k = 0; k < n; k++) {
    let p = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(a[i*n + k]) > Math.abs(a[p*n + k])) p = i;
    if (p !== k) {
      sign = -sign;
      for (let j = 0; j < n; j++) [a[k*n + j], a[p*n + j]] = [a[p*n + j], a[k*n + j]];
      for (let j = 0; j < m; j++) [b[k*m + j], b[p*m + j]] = [b[p*m + j], b[k*m + j]];
    }
    if (a[k*n + k] === 0) { singular = true; continue; }
    for (let i = k + 1; i < n; i++) {
      const f = a[i*n + k]/a[k*n + k];
      for (let j = k; j < n; j++) a[i*n + j] -= f*a[k*n + j];
      for (let j = 0; j < m; j++) b[i*m + j] -= f*b[k*m + j];
    }
  }
  for (let i = n - 1; i >= 0; i--)
    for (let j = 0; j < m; j++) {
      let s = b[i*m + j];
      for (let k = i + 1; k < n; k++) s -= a[i*n + k]*b[k*m + j];
      b[i*m + j] = singular ? NaN : s/a[i*n + i];
    }
  return sign;
}""",
    "cg_shaped": """function cg_shaped(row, ...sizes) {
  row = Array.from(row).slice(0, sizes.reduce((all, size) => all*size));
  for (const size of sizes.slice(1).reverse())
    row = Array.from({ length: size ? row.length/size : 0 }, (_, at) => row.slice(at*size, at*size + size));
  return row;
}""",
}  # fmt: skip
LANGUAGE = Language(
    "JavaScript",
    infix={**ARITHMETIC, "and": ("&&", AND), "or": ("||", OR), "equal": ("===", 3), "not_equal": ("!==", 3),
           "fmod": ("%", PRODUCT)},
    calls={
        **{name: f"Math.{name}({{0}})" for name in _BY_NAME},
        "ln": "Math.log({0})", "atan2": "Math.atan2({0}, {1})", "hypot": "cg_hypot({0}, {1})",
        "power": "cg_pow({0}, {1})", "max": "cg_max({0}, {1})", "min": "cg_min({0}, {1})",
        "logaddexp": "cg_logaddexp({0}, {1})", "stop_gradient": "({0})",
    },
    statements=Statements(
        let="const {name} = {value};", let_truth="const {name} = {value};", variable="let {name} = {value};",
        assign="{name} = {value};", array="const {name} = new Float64Array({size});",
        filled="const {name} = [{values}];", whole_numbers="const {name} = [{values}];",
        loop="for (let {index} = 0; {index} < {count}; {index}++) {{",
        do="{call};", leave="break;",
        when="if ({condition}) {{", end="}}", quotient="Math.floor({}/{})", place="({})", whole="{}",
    ),
    number=lambda value: number_text(value, "Infinity", "NaN").removesuffix(".0"),
    solve="cg_solve",
    choice="{} ? {} : {}", as_number="({code} ? 1 : 0)", no=("!{}", ATOM, ATOM), helpers=_HELPERS,
    reserved=frozenset(_WORDS.split()), indent="  ",
)  # fmt: skip


def write(task: Task) -> str:
    """The code of a function of numbers, and of arrays, nested or in one row: an array of its results."""
    names = task.argument_names(LANGUAGE.reserved)
    arrays = [f"  {name} = Array.from({name}).flat(Infinity);" for node, name in names.items() if node.shape]
    body, found = by_name(task, LANGUAGE, names)
    shaped = (f"cg_shaped({', '.join(map(str, (row, *node.shape)))})" if node.shape else row
              for row, node in zip(found, task.outputs, strict=True))  # fmt: skip
    tail = [f"  return [{', '.join(shaped)}];", "}"]
    return joined([
        comment(task.header(names)), *helpers_in(joined([*body, *tail]), LANGUAGE.helpers), "",
        f"export function {task.function}({', '.join(names.values())}) {{", *arrays,
        *body, *tail,
    ])  # fmt: skip

"""SQL: one SELECT that keeps the columns of a table and adds the results, for DuckDB, Spark and PostgreSQL.

In all three a nan is equal to itself and above all numbers, so that comparisons say more than their signs.
What is read twice is a column of an inner SELECT. A row with a null in a column that is read has null results.
"""

from __future__ import annotations

import math
from itertools import count

from cgcli.annotations import Mapping, Sequence
from cgcli.errors import TooLargeError, UsageError, did_you_mean
from cgcli.exporting.code import uses_of
from cgcli.exporting.formulas import NotInTargetError, in_terms_of
from cgcli.exporting.language import (
    AND,
    ATOM,
    COMPARISON,
    MINUS,
    OR,
    PRODUCT,
    SUM,
    Text,
    around,
    comment,
    joined,
    negative,
    number_text,
    order_of,
)
from cgcli.exporting.task import Task
from cgcli.graph.node import CONSTANT, VARIABLE, Node, constant_value, name_of, toposort
from cgcli.records import Record

_LONGEST = 160
_MOST_WITHIN = 400  # SELECTs within each other, which take PostgreSQL half a minute
_MOST_INDENTED = 10
_SMALLER = "write it for another target, or a part of it"
_MOST_REPEATED = 2000  # signs of a condition that stands before each result
_MOST_RESOLVED = 30  # SELECTs within each other that Spark resolves as it is set
_INFIX = {"add": ("+", SUM), "subtract": ("-", SUM), "multiply": ("*", PRODUCT), "divide": ("/", PRODUCT)}
# For each comparison its sign, and which operand must be no nan, since the order has nan above all.
_COMPARED = {"equal": ("=", 0), "less": ("<", 1), "greater": (">", 0), "less_equal": ("<=", 1),
             "greater_equal": (">=", 0), "not_equal": ("<>", 0)}  # fmt: skip
_CALLS = {
    **{name: f"{name}({{0}})" for name in ("sqrt", "cbrt", "floor", "ceil", "exp", "ln", "sin", "cos", "tan", "asin",
                                           "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "abs")},
    "atan2": "atan2({0}, {1})", "power": "power({0}, {1})", "stop_gradient": "({0})",
    "max": "CASE WHEN {0} > {1} THEN {0} ELSE {1} END",
    "min": "CASE WHEN {nan0} THEN {0} WHEN {nan1} THEN {1} WHEN {0} < {1} THEN {0} ELSE {1} END",
    "sign": "CASE WHEN {nan0} THEN {0} WHEN {0} > 0e0 THEN 1e0 WHEN {0} < 0e0 THEN -1e0 ELSE {0} END",
}  # fmt: skip
_MIN_OF_NUMBER = "CASE WHEN {0} < {1} OR {nan0} THEN {0} ELSE {1} END"


class Dialect(Record):
    """How a database writes it.

    number_type: the type of float64. quote: of names. nan: whether a number is one, as a template. calls: templates of
    operations, in the places of those that all have; '' for those it lacks. all_but: the columns of the inner SELECT
    without some; '' where no SELECT can say that. numeral: a float, as a template. fence: what keeps an inner SELECT
    from being written out where its columns are read. most_columns: that may be added to a table. differs: lines of the
    comment.
    """

    name: str
    number_type: str
    quote: str
    nan: str
    calls: Mapping[str, str]
    all_but: str
    numeral: str = "{}"
    fence: str = ""
    most_columns: int = 10_000
    differs: tuple[str, ...] = ()


def _divide(is_negative: str) -> str:
    """The template of a quotient, for a database that stops at a division by 0. is_negative: whether 0 is -0."""
    infinite = f"CASE WHEN {is_negative} THEN {{minus_infinity}} ELSE {{infinity}} END"
    return f"CASE WHEN {{1}} = 0e0 THEN {{0}}*{infinite} ELSE {{0}}/{{1}} END"


def _logarithm(function: str, edge: str = "0e0") -> str:
    """The template of a logarithm that a database has a null or an error for at the edge of its domain and beyond."""
    return (
        f"CASE WHEN {{0}} = {edge} THEN {{minus_infinity}} WHEN {{0}} < {edge} THEN {{nan}} ELSE {function}({{0}}) END"
    )


DIALECTS: Mapping[str, Dialect] = {
    "duckdb": Dialect(
        "DuckDB", "DOUBLE", '"', "isnan({})",
        {"log2": "log2({0})", "log10": "log10({0})", "trunc": "trunc({0})", "round": "round_even({0}, 0)",
         "fmod": "mod({0}, {1})",
         "power": "pow({0}, {1})", "gamma": "", "lgamma": ""},
        "* EXCLUDE ({})",
    ),
    "spark": Dialect(
        "Spark", "DOUBLE", "`", "isnan({})",
        {"log2": _logarithm("log2"), "log10": _logarithm("log10"), "log1p": _logarithm("log1p", "-1e0"),
         "expm1": "expm1({0})", "round": "rint({0})", "hypot": "hypot({0}, {1})",
         "fmod": "CASE WHEN {1} = 0e0 THEN {nan} ELSE mod({0}, {1}) END",
         "divide": _divide("CAST({1} AS STRING) = '-0.0'"),
         "atan2": "CASE WHEN {0} <> 0e0 OR {nan1} THEN atan2({0}, {1}) WHEN {1} > 0e0 OR CAST({1} AS STRING) = '0.0' "
                  "THEN {0} WHEN CAST({0} AS STRING) = '-0.0' THEN -3.141592653589793e0 ELSE 3.141592653589793e0 END",
         "floor": "CASE WHEN {0} <> 0e0 AND abs({0}) < 4503599627370496e0 THEN CAST(floor({0}) AS DOUBLE) ELSE {0} END",
         "ceil": "CASE WHEN {0} > -1e0 AND {0} <= 0e0 THEN 0e0*{0} "
                 "WHEN abs({0}) < 4503599627370496e0 THEN CAST(ceil({0}) AS DOUBLE) ELSE {0} END",
         "ln": _logarithm("ln")},
        "",
    ),
    "postgres": Dialect(
        "PostgreSQL", "DOUBLE PRECISION", '"', "{} = 'NaN'::float8",
        {"divide": _divide("atan2({1}, -1e0) < 0e0"),
         "sqrt": "CASE WHEN {0} < 0e0 THEN {nan} ELSE sqrt({0}) END",
         "ln": _logarithm("ln"),
         "exp": "CASE WHEN {0} > 709.782712893384e0 AND {0} < {infinity} THEN {infinity} "
                "WHEN {0} < -708.396418532264e0 THEN 0e0 ELSE exp({0}) END",
         "asin": "CASE WHEN abs({0}) <= 1e0 THEN asin({0}) ELSE {nan} END",
         "acos": "CASE WHEN abs({0}) <= 1e0 THEN acos({0}) ELSE {nan} END",
         "sin": "CASE WHEN abs({0}) < {infinity} THEN sin({0}) ELSE {nan} END",
         "cos": "CASE WHEN abs({0}) < {infinity} THEN cos({0}) ELSE {nan} END",
         "tan": "CASE WHEN abs({0}) < {infinity} THEN tan({0}) ELSE {nan} END",
         "trunc": "trunc({0})", "round": "round({0})",
         "power": "CASE WHEN {0} < 0e0 AND {1} <> floor({1}) AND abs({1}) < {infinity} AND {0} > {minus_infinity} "
                  "THEN {nan} WHEN {0} = 0e0 AND {1} < 0e0 THEN {infinity} ELSE power({0}, {1}) END",
         "sinh": "", "cosh": "", "asinh": "", "acosh": "", "atanh": ""},
        "", "{}::float8", " OFFSET 0", 1500,
        ("PostgreSQL stops with an error where a sum or a product is beyond float64 or below its smallest number",),
    ),
}  # fmt: skip


def write(task: Task, dialect: str = "duckdb", table: str = "data") -> str:
    """The code: `SELECT *, … AS "value", … AS "d_x" FROM data`. dialect: a key of DIALECTS. table: its name.

    Raises UsageError for another dialect and for an empty name, TooLargeError for what a database does not read, and
    NotInTargetError for arrays, loops and operations that no formula gives.
    """
    if not all(table.split(".")):
        raise UsageError(f"'{table}' is no name of a table", hint="as in: measured, or archive.measured")
    if dialect not in DIALECTS:
        hint = did_you_mean(dialect, DIALECTS) or f"known: {', '.join(DIALECTS)}"
        raise UsageError(f"there is no dialect '{dialect}'", hint=hint)
    return _Select(DIALECTS[dialect], task, table).text()


class _Select:
    """The pieces of one SELECT."""

    def __init__(self, dialect: Dialect, task: Task, table: str) -> None:
        self._dialect = dialect
        self._task = task
        self._table = table
        self._calls = {name: call for name, call in {**_CALLS, **dialect.calls}.items() if call}
        outputs, _ = in_terms_of(task.outputs, self._has)
        array = next((node for node in toposort(outputs) if node.shape), None)
        if array is not None:
            raise NotInTargetError(array)
        self._outputs = outputs
        self._uses = uses_of(outputs)
        self._texts: dict[Node, Text] = {}
        self._columns: dict[Node, tuple[str, str]] = {}  # the name and the text of what an inner SELECT has
        self._levels: dict[Node, int] = {}
        self._taken = {name_of(node).lower() for node in task.inputs} | {name.lower() for name, _ in task.results}
        self._row = "cg_row" if "cg_row" not in self._taken else self._free(0)  # the whole row of the table
        for node in toposort(outputs):
            self._add(node)

    def _has(self, node: Node) -> bool:
        name = node.op.name
        if not node.op.elementwise or order_of(node.op, node.params):
            return False
        known = (
            name in self._calls or name in _INFIX or name in _COMPARED or name in ("and", "or", "not", "where", "neg")
        )
        return known and not (len(node.args) > 2 and name in ("max", "min"))

    def _add(self, node: Node) -> None:
        text = self._made(node)
        self._levels[node] = max((self._levels[arg] + (arg in self._columns) for arg in node.args), default=0)
        several = self._uses[node] > 1 and (node.op is VARIABLE or node.args)
        if several or len(text.code) > _LONGEST:
            text = self._column(node, text)
        self._texts[node] = text

    def _column(self, node: Node, text: Text) -> Text:
        name = self._free(len(self._columns) + 1)
        self._columns[node] = (name, text.code)
        return Text(name, truth=text.truth)

    def _free(self, number: int) -> str:
        """A name for a column that neither the table nor the results have, as far as the program tells."""
        found = next(name for at in count(number) if (name := f"cg_{at}") not in self._taken)
        self._taken.add(found)
        return found

    def _written_often(self, node: Node) -> str:
        """The code of an argument that a template has several times: the name of a column, or a numeral."""
        text = self._number(node)
        if node.op is not CONSTANT and node not in self._columns:
            text = self._texts[node] = self._column(node, text)
        return text.inside(MINUS + 1)

    def _number(self, node: Node) -> Text:
        text = self._texts[node]
        return Text(f"CASE WHEN {text.code} THEN 1e0 ELSE 0e0 END", ATOM) if text.truth else text

    def _condition(self, node: Node) -> Text:
        text = self._texts[node]
        return text if text.truth else Text(f"{text.inside(SUM)} <> 0e0", COMPARISON, truth=True)

    def _numeral(self, value: float) -> str:
        words = {word: f"CAST('{word}' AS {self._dialect.number_type})" for word in ("NaN", "Infinity", "-Infinity")}
        text = number_text(value, words["Infinity"], words["NaN"])
        if text.startswith("-CAST"):
            return words["-Infinity"]
        if "CAST" in text:
            return text
        return self._dialect.numeral.format(text if "e" in text else f"{text.removesuffix('.0')}e0")

    def _made(self, node: Node) -> Text:
        value = constant_value(node)
        if value is not None:
            text = self._numeral(value)
            return Text(text, MINUS if text.startswith("-") else ATOM)
        if node.op is VARIABLE:
            return Text(f"CAST({self._quoted(name_of(node))} AS {self._dialect.number_type})")
        name = node.op.name
        if name == "where":
            condition, yes, no = self._condition(node.args[0]), *map(self._number, node.args[1:])
            return Text(f"CASE WHEN {condition.code} THEN {yes.code} ELSE {no.code} END")
        if name in _COMPARED:
            return self._compared(node)
        if name in ("and", "or"):
            level = AND if name == "and" else OR
            left, right = (self._condition(arg).inside(level + 1) for arg in node.args)
            return Text(f"{left} {name.upper()} {right}", level, truth=True)
        if name == "not":
            return Text(f"NOT {self._condition(node.args[0]).inside(ATOM)}", AND + 1, truth=True)
        if name == "neg":
            return negative(self._number(node.args[0]))
        if name in _INFIX and (name not in self._calls or constant_value(node.args[1])):
            return around(*_INFIX[name], *map(self._number, node.args))
        return self._called(node)

    def _compared(self, node: Node) -> Text:
        sign, guarded = _COMPARED[node.op.name]
        if any(math.isnan(constant_value(arg) or 0) for arg in node.args):
            return Text(str(node.op.name == "not_equal").upper(), truth=True)
        left, right = (self._number(arg).inside(SUM) for arg in node.args)
        if node.args[0] is node.args[1] and node.op.name in ("equal", "not_equal"):
            test = self._dialect.nan.format(left)
            return Text(f"NOT ({test})" if node.op.name == "equal" else f"({test})", AND + 1, truth=True)
        known = [arg.op is CONSTANT for arg in node.args]
        plain = f"{left} {sign} {right}"
        if known[guarded] or (node.op.name in ("equal", "not_equal") and any(known)):
            return Text(plain, COMPARISON, truth=True)
        test = self._dialect.nan.format(self._written_often(node.args[guarded]))
        left, right = (self._number(arg).inside(SUM) for arg in node.args)
        if node.op.name == "not_equal":
            return Text(f"{left} {sign} {right} OR {test}", OR, truth=True)
        return Text(f"{left} {sign} {right} AND NOT ({test})", AND, truth=True)

    def _called(self, node: Node) -> Text:
        template, args = self._calls[node.op.name], node.args
        if node.op.name == "power" and constant_value(args[1]) == 2:
            code = self._written_often(args[0])
            return Text(f"{code}*{code}", PRODUCT)
        if node.op.name == "min" and any(map(_is_number, args)):
            template, args = _MIN_OF_NUMBER, args[::-1] if _is_number(args[0]) else args
        codes = []
        for at, arg in enumerate(args):
            often = template.count(f"{{{at}}}") + template.count(f"{{nan{at}}}") > 1
            codes.append(self._written_often(arg) if often else self._number(arg).code)
        words = {f"nan{at}": self._dialect.nan.format(code) for at, code in enumerate(codes)}
        words |= {"infinity": self._numeral(float("inf")), "minus_infinity": self._numeral(float("-inf")),
                  "nan": self._numeral(float("nan"))}  # fmt: skip
        static = {each.name: self._numeral(float(value)) for each, value in
                  zip(node.op.statics, node.params, strict=True) if isinstance(value, float | int)}  # fmt: skip
        return Text(template.format(*codes, **words, **static))

    def _quoted(self, name: str) -> str:
        quote = self._dialect.quote
        return quote + name.replace(quote, quote * 2) + quote

    def text(self) -> str:
        """The whole."""
        known = " AND ".join(f"{self._quoted(name_of(node))} IS NOT NULL" for node in self._task.inputs)
        by_level: dict[int, list[str]] = {}
        added = [name for name, _ in self._columns.values()]
        for node, (column, code) in self._columns.items():
            by_level.setdefault(self._levels[node], []).append(f"{code} AS {column}")
        many = len(known) * len(self._outputs) > _MOST_REPEATED
        if many or (added and len(self._task.inputs) > 1):
            added.append(self._free(len(added) + 1))
            by_level.setdefault(0, []).append(f"{known} AS {added[-1]}")
            known = added[-1]
        results = []
        for name, node in zip(self._task.columns(), self._outputs, strict=True):
            code = self._number(node).code
            code = f"CASE WHEN {known} THEN {code} END" if known else code
            results.append(f"  {code} AS {self._quoted(name)}")
        self._check_sizes(len(by_level))
        source, fence, pad = self._quoted_table(), self._dialect.fence, ""
        lines = [comment(self._header()), f"SELECT {self._whole(added)},", ",\n".join(results)]
        closing: list[str] = []
        for depth, level in enumerate(sorted(by_level, reverse=True)):
            lines.append(f"{pad}FROM (")
            closing.append(f"{pad}) AS cg{fence if depth else ''}")
            pad = "  " * min(depth + 1, _MOST_INDENTED)
            first = self._kept() if depth == len(by_level) - 1 else "*"
            lines += [f"{pad}SELECT {first},", ",\n".join(f"{pad}  {each}" for each in by_level[level])]
        alias = f" AS {self._row}" if by_level and not self._dialect.all_but else ""
        lines.append(f"{pad}FROM {source}{alias}{fence if by_level else ''}")
        return joined([*lines, *reversed(closing)])

    def _check_sizes(self, depth: int) -> None:
        """Raise TooLargeError for what takes a database long to read, or what it does not read at all."""
        if depth > _MOST_WITHIN:
            raise TooLargeError(
                f"the code would be {depth} SELECTs within each other; the limit is {_MOST_WITHIN}", hint=_SMALLER
            )
        if len(self._columns) > self._dialect.most_columns:
            raise TooLargeError(
                f"{self._dialect.name} has no room for the {len(self._columns)} columns of inner SELECTs", hint=_SMALLER
            )

    def _header(self) -> Sequence[str]:
        differs = list(self._dialect.differs)
        if self._dialect.name == "Spark" and len({self._levels[node] for node in self._columns}) > _MOST_RESOLVED:
            differs.append("Spark resolves so many SELECTs where spark.sql.analyzer.maxIterations is 1000, and not 100")
        return self._task.header({node: name_of(node) for node in self._task.inputs}, differs, self._task.columns())

    def _quoted_table(self) -> str:
        return ".".join(map(self._quoted, self._table.split(".")))

    def _kept(self) -> str:
        """What the innermost SELECT keeps of the table: its columns, and where no SELECT can leave some out the row."""
        if self._dialect.all_but:
            return "*"
        names = ", ".join(self._quoted(name_of(node)) for node in self._task.inputs)
        row = "struct(*)" if self._dialect.name == "Spark" else self._row
        return f"{row} AS {self._row}" + (f", {names}" if names else "")

    def _whole(self, added: Sequence[str]) -> str:
        """The columns of the table, as the outermost SELECT has them. added: those of inner SELECTs."""
        if not added:
            return "*"
        if self._dialect.all_but:
            return self._dialect.all_but.format(", ".join(added))
        return f"{self._row}.*" if self._dialect.name == "Spark" else f"({self._row}).*"


def _is_number(node: Node) -> bool:
    """Whether a node is a constant that is no nan."""
    value = constant_value(node)
    return value is not None and value == value

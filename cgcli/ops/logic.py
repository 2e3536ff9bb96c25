"""Comparisons, logic and choice. Truth is 1.0 and 0.0; anything but 0 counts as true."""

from __future__ import annotations

from cgcli.annotations import Any, Callable
from cgcli.graph.operation import (
    BOUNDED,
    CHOOSES,
    EVEN,
    IDEMPOTENT,
    INCREASING,
    NON_NEGATIVE,
    ODD,
    REAL,
    Infix,
    Operation,
)
from cgcli.graph.rules import Branch
from cgcli.lean import operator
from cgcli.ops.arithmetic import EQUAL_TO
from cgcli.ops.entry import AND, COMPARISON, NOT, OR, STEP, broadcast_shapes, elementwise, scalar_truth, truth_of
from cgcli.ops.lazily import np
from cgcli.ops.masks import chosen


def _comparison(name: str, doc: str, symbol: str, on_scalars: Callable[..., Any],
                label: str = "", commutative: bool = False, example: str = "",
                latex: str = "") -> Operation:  # fmt: skip
    return elementwise(name, doc, truth_of(name), None, None, arrays="x y", label=label or symbol,
                       infix=Infix(symbol, COMPARISON), commutative=commutative, facts=NON_NEGATIVE,
                       why_no_derivative=STEP,
                       written=(f"x {label} y",) if label else (), example=example,
                       python=scalar_truth(on_scalars), mp=name, truth=name,
                       latex=latex or f"#1 {symbol} #2")  # fmt: skip


def _where(condition: Any, yes: Any, no: Any) -> Any:
    return chosen(np.not_equal(condition, 0), yes, no)


def _itself(x: Any) -> Any:
    return np.asarray(x)[...]


def _both(x: Any, y: Any) -> bool:
    return bool(x != 0 and y != 0)


def _either(x: Any, y: Any) -> bool:
    return bool(x != 0 or y != 0)


LESS = _comparison("less", "1 where x < y, else 0", "<", operator.lt, example="1 < 2")
GREATER = _comparison("greater", "1 where x > y, else 0", ">", operator.gt, example="1 > 2")
LESS_EQUAL = _comparison("less_equal", "1 where x <= y, else 0", "<=", operator.le, "≤",
                         example="2 <= 2", latex=r"#1 \le #2")  # fmt: skip
GREATER_EQUAL = _comparison("greater_equal", "1 where x >= y, else 0", ">=", operator.ge, "≥",
                            example="1 >= 2", latex=r"#1 \ge #2")  # fmt: skip
NOT_EQUAL = _comparison("not_equal", "1 where different, else 0", "!=", operator.ne, "≠",
                        commutative=True, example="1 != 2", latex=r"#1 \ne #2")  # fmt: skip
NOT_OP = elementwise("not", "1 where x is 0, else 0", truth_of("logical_not"), None,
                     prefix=Infix("not ", NOT), facts=BOUNDED | EVEN | NON_NEGATIVE,
                     why_no_derivative=STEP, example="not 0",
                     python=scalar_truth(operator.not_), latex=r"\lnot #1", truth="logical_not")  # fmt: skip
AND_OP = elementwise("and", "1 where both are true, else 0", truth_of("logical_and"), None, None, arrays="x y",
                     infix=Infix("and", AND), commutative=True, facts=NON_NEGATIVE, why_no_derivative=STEP,
                     written=("x && y",), example="1 and 0", python=scalar_truth(_both),
                     latex=r"#1 \land #2", truth="logical_and")  # fmt: skip
OR_OP = elementwise("or", "1 where either is true, else 0", truth_of("logical_or"), None, None, arrays="x y",
                    infix=Infix("or", OR), commutative=True, facts=NON_NEGATIVE, why_no_derivative=STEP,
                    written=("x || y",), example="1 or 0", python=scalar_truth(_either),
                    latex=r"#1 \lor #2", truth="logical_or")  # fmt: skip

# Only the branch taken gets an adjoint; the other's nan and inf never leak.
WHERE = Operation("where", "yes where the condition is true, else no", ("condition", "yes", "no"),
                  _where, broadcast_shapes, (None, Branch(True), Branch(False)),
                  elementwise=True, samples=((-1.0, 1.0), REAL, REAL),
                  written=("condition ? yes : no",), facts=CHOOSES,
                  example="where(2 > 1, 10, 20)", python="where")  # fmt: skip
STOP_GRADIENT = elementwise("stop_gradient", "x itself, but a constant to every derivative", _itself, None,
                            facts=CHOOSES | ODD | INCREASING | IDEMPOTENT,
                            why_no_derivative="it blocks derivatives on purpose", evident=True, python=operator.pos,
                            example="stop_gradient(3)", simpler="x")  # fmt: skip

# What gives nothing but 1 and 0; the first is an entry of arithmetic.
TRUTHS: tuple[Operation, ...] = (
    EQUAL_TO, LESS, GREATER, NOT_EQUAL, NOT_OP, AND_OP, OR_OP, LESS_EQUAL, GREATER_EQUAL,
)  # fmt: skip

ENTRIES: tuple[Operation, ...] = (*TRUTHS[1:], WHERE, STOP_GRADIENT)

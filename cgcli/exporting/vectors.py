"""A graph as statements of Python with a library of arrays, in which an operation on arrays is a call."""

from __future__ import annotations

import builtins
import keyword
from collections import Counter
from itertools import chain, count

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Mapping, Sequence
from cgcli.evaluate.constants import constant_of
from cgcli.exporting.code import uses_of
from cgcli.exporting.formulas import NotInTargetError, in_terms_of
from cgcli.exporting.identifiers import apart, identifiers
from cgcli.exporting.language import (
    ARITHMETIC,
    ATOM,
    COMPARISON,
    MINUS,
    PRODUCT,
    TRUTHS,
    Text,
    around,
    negative,
    number_text,
    order_of,
)
from cgcli.exporting.task import Task
from cgcli.graph.body import function_of, functions_in, leaves
from cgcli.graph.loops import Loop, compared, most_trips
from cgcli.graph.node import CONSTANT, Node, apply, constant_value, is_given, toposort
from cgcli.ops.lazily import np
from cgcli.ops.loops import unpacked
from cgcli.records import EMPTY, Record

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_NUMBERS = 10_000  # of one array that the code lists
_LONGEST = 100
_GLOBAL = ("special", "linalg", "jax", "float", "range", "len", "reversed", "sorted", "max", "slice")
_INFIX = {**ARITHMETIC, "matmul": (" @ ", PRODUCT)}


class Library(Record):
    """A library of arrays, which templates call np.

    word: what it is called. imports: the lines that the code begins with. words: templates of operations, beside those
    that all libraries have; '' for what it lacks. tensor: makes an array of a literal. number: a plain number, as its
    functions take one. kind: what makes arrays hold float64, as an argument. places: makes an array of whole numbers of
    a literal. axes, keepdims: what its reductions call these. added: zeros
    with elements added at places. helpers: functions that templates call, each with its text. of_numpy: whether it is
    NumPy, which warns of nan, and has SciPy's functions beside it. rule, call: how a function with a derivative of its
    own is defined, and called, where the library differentiates; ruled: the operations that it would differentiate
    otherwise than cg, so that they are defined so.
    """

    name: str
    word: str
    imports: tuple[str, ...]
    words: Mapping[str, str] = EMPTY
    tensor: str = "np.array({})"
    number: str = "{}"
    kind: str = ""
    convert: str = "np.asarray({})"
    places: str = "np.array({})"
    axes: str = "axis"
    keepdims: str = "keepdims"
    added: str = ""
    helpers: Mapping[str, str] = EMPTY
    of_numpy: bool = False
    rule: str = ""
    call: str = "{name}({args})"
    ruled: tuple[str, ...] = ()

    def spelled(self, code: str) -> str:
        """Code with what the library is called."""
        return code.replace("np.", f"{self.word}.")


Word = str | Callable[["Vectors", Node], Text]
"""How an operation is written: as a template of a call, in its arguments and parameters, or by a function."""


class Ruled:
    """The functions that the code defines with derivatives of their own: those of the program, and some operations.

    names: each by a node that applies it to its parameters, in the order in which the code came to need them.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._taken = set(library.helpers)
        self.names: dict[Node, str] = {}

    def has(self, node: Node) -> bool:
        """Whether a node applies such a function."""
        if not self._library.rule or order_of(node.op, node.params):
            return False
        name = node.op.name
        if node.op.elementwise and name in ("max", "min"):
            return len(node.args) > 2
        of_constant = name == "power" and constant_value(node.args[1]) is not None
        return function_of(node) is not None or (name in self._library.ruled and not of_constant)

    def called(self, node: Node) -> str:
        """The name of the function that a node applies."""
        alone = applied_alone(node)
        if alone not in self.names:
            function = function_of(node)
            (base,) = identifiers([function.name if function else node.op.name], ()).values()
            names = chain([f"_{base}"], (f"_{base}_{at}" for at in count(2)))
            name = self.names[alone] = next(each for each in names if each not in self._taken)
            self._taken |= {name, f"{name}_rule"}
        return self.names[alone]


def applied_alone(node: Node) -> Node:
    """What a node does, applied to leaves."""
    return apply(node.op, leaves(arg.shape for arg in node.args), node.params)


class Vectors:
    """The lines of a function.

    numbers, arrays: how all libraries write elementwise operations, and others. ruled: the functions with derivatives
    of their own. within: which of them is being written. more: names that are taken. lines: those written so far.
    names: of the arguments. outputs: the results. Raises NotInTargetError.
    """

    def __init__(
        self, library: Library, numbers: Mapping[str, Word], arrays: Mapping[str, Word], task: Task, ruled: Ruled,
        within: Node | None = None, more: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self.library = library
        self._ruled, self._within = ruled, within
        self._numbers, self._arrays = {**numbers, **library.words}, {**arrays, **library.words}
        taken = {*keyword.kwlist, *keyword.softkwlist, library.word, *_GLOBAL}
        self.names = task.argument_names(taken, *more, functions=dir(builtins))
        self._taken = {*taken, task.function, *self.names.values(), *more}
        own = [each for each in functions_in(toposort(task.outputs)) if library.rule]
        self.outputs, labels = in_terms_of(task.outputs, self._has, own, task.all_labels())
        self._labels = apart(labels, self._taken)
        self._taken |= {*self._labels.values()}
        self._uses: Counter[Node] = uses_of(self.outputs)
        self._texts: dict[Node, Text] = {}
        self.lines: list[str] = []
        self._indent = 1
        self._count = 0
        self._compute(self.outputs)

    def _is_ruled(self, node: Node) -> bool:
        return self._ruled.has(node) and (self._within is None or applied_alone(node) is not self._within)

    def _has(self, node: Node) -> bool:
        name = node.op.name
        if self._is_ruled(node):
            return True
        if order_of(node.op, node.params):
            return False
        if name in ("max", "min") and node.op.elementwise:
            return len(node.args) == 2
        return bool(self._word(node)) or name in TRUTHS or name in _INFIX or name in ("neg", "loop")

    def _word(self, node: Node) -> Word:
        """How an operation is written that is called; '' where it is none of the library."""
        return (self._numbers if node.op.elementwise else self._arrays).get(node.op.name, "")

    def _compute(self, outputs: Sequence[Node]) -> None:
        for node in toposort(outputs, self._texts):
            if node in self._texts:
                continue
            text = self._given(node) if is_given(node) else self._made(node)
            is_kept = self._uses[node] > 1 or len(text.code) > _LONGEST or node in self._labels
            if node.args and text.code and is_kept:
                text = Text(self.named(text.code, node), truth=text.truth)
            self._texts[node] = text

    def _fresh(self) -> str:
        while True:
            self._count += 1
            if (name := f"t{self._count}") not in self._taken:
                return name

    def named(self, code: str, node: Node | None = None) -> str:
        """A name for what a piece of code gives; that of a node, where it has one."""
        name = self._labels.pop(node) if node in self._labels else self._fresh()
        self._write(f"{name} = {code}")
        return name

    def _write(self, line: str) -> None:
        self.lines.append("    " * self._indent + self.library.spelled(line))

    # ---- numbers and arrays that are known ------------------------------------------------

    def _given(self, node: Node) -> Text:
        if node.op is not CONSTANT:
            return Text(self.names[node])
        value = constant_value(node)
        return self.literal(node, constant_of(node)) if value is None else self._numeral(value)

    def _numeral(self, value: float) -> Text:
        text = number_text(value, "float('inf')", "float('nan')")
        return Text(text, MINUS if text.startswith("-") else ATOM)

    def literal(self, node: Node, array: NDArray[Any]) -> Text:
        """The code for an array that is known, the result of a node."""
        array = np.asarray(array, float)
        if array.size and (array.ravel().view("u8") == array.ravel().view("u8")[0]).all():
            number = self._numeral(float(array.ravel()[0])).code
            return Text(f"np.full({array.shape}, {number}{self.library.kind})")
        if array.size > MOST_NUMBERS:
            raise NotInTargetError(node)
        text = repr(array.tolist()).replace("nan", "float('nan')").replace("inf", "float('inf')")
        return Text(self.named(self.library.tensor.format(text)))

    # ---- operations ---------------------------------------------------------------------

    def number(self, node: Node) -> Text:
        """The code for the value of a node, as functions of the library take it: those of PyTorch no plain numbers."""
        text = self._operand(node)
        return Text(self.library.number.format(text.code)) if constant_value(node) is not None else text

    def _operand(self, node: Node) -> Text:
        """The code for the value of a node beside an operator, where a plain number may stand."""
        text = self._texts[node]
        return Text(f"{text.inside(PRODUCT)}*1.0", PRODUCT) if text.truth else text

    def _condition(self, node: Node) -> Text:
        text = self._texts[node]
        if (value := constant_value(node)) is not None:
            return Text(f"np.asarray({value != 0})", truth=True)
        return text if text.truth else Text(f"{text.inside(COMPARISON + 1)} != 0.0", COMPARISON, truth=True)

    def _made(self, node: Node) -> Text:
        name, word = node.op.name, self._word(node)
        if self._is_ruled(node):
            args = ", ".join(self.number(arg).code for arg in node.args)
            return Text(self.library.call.format(name=self._ruled.called(node), args=args))
        if isinstance(node.params, Loop):
            return self._loop(node)
        if callable(word):
            return word(self, node)
        if TRUTHS.get(name):
            left, right = (self._operand(arg).inside(COMPARISON + 1) for arg in node.args)
            return Text(f"{left} {TRUTHS[name]} {right}", COMPARISON, truth=True)
        if name in ("and", "or", "not"):
            return Text(_call(node, word, [self._condition(arg).code for arg in node.args]), truth=True)
        if name == "where":
            branches = [self._condition(node.args[0]).code, *(self.number(arg).code for arg in node.args[1:])]
            return Text(_call(node, word, branches))
        if name == "neg":
            return negative(self._operand(node.args[0]))
        if name in _INFIX:
            return around(*_INFIX[name], *map(self._operand, node.args))
        if name == "power" and constant_value(node.args[1]) == 2:
            return Text(f"{self.number(node.args[0]).inside(ATOM)}**2", PRODUCT)
        return Text(_call(node, word, [self.number(arg).code for arg in node.args]))

    def _loop(self, node: Node) -> Text:
        loop = node.params
        assert isinstance(loop, Loop)
        names = [self.named(self.number(arg).code) for arg in node.args]
        carried = names[: loop.carries]
        before, uses = self._texts, self._uses
        self._texts = dict(zip(loop.body.parameters, map(Text, names), strict=True))
        self._uses = uses_of(loop.body.outputs)
        trip = self._fresh() if loop.trips is None else "_"
        self._write(f"for {trip} in range({most_trips() + 2 if loop.trips is None else loop.trips}):")
        self._indent += 1
        if loop.going is not None:
            self._leave(loop.going, trip, carried)
        self._compute(loop.nexts)
        self._write(f"{', '.join(carried)} = {', '.join(self.number(each).code for each in loop.nexts)}")
        self._indent -= 1
        self._texts, self._uses = before, uses
        for piece, name in zip(unpacked(node, loop.shapes), carried, strict=True):
            self._texts[piece] = Text(name)
        return self._texts.get(node, Text(""))

    def _leave(self, going: Node, trip: str, carried: Sequence[str]) -> None:
        """Leave a loop where there is no more trip; with nan as the other languages do, see trips.py."""
        self._compute([going])
        operands = [self._operand(each).inside(COMPARISON + 1) for each in compared([going]) if not each.shape]
        last = f"{trip} > {most_trips()}"
        self._write(f"if {last} or not ({self._condition(going).code}):")
        self._write(f"    if {' or '.join([last, *(f'{each} != {each}' for each in operands)])}:")
        nan = "*float('nan')"
        self._write(f"        {', '.join(carried)} = {', '.join(each + nan for each in carried)}")
        self._write("    break")


def _call(node: Node, template: str, args: Sequence[str]) -> str:
    """A call by a template, which may name the shape of the result and the parameters of the operation."""
    params = {static.name: value for static, value in zip(node.op.statics, node.params, strict=True)}
    return template.format(*args, **{"args": ", ".join(args), "shape": node.shape, **params})

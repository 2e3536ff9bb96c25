"""NumPy, JAX and PyTorch: a function of arrays, in which an operation on arrays is a call."""

from __future__ import annotations

import keyword
import math
from collections import Counter

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Mapping, Sequence
from cgcli.evaluate.constants import computed, constant_of
from cgcli.evaluate.kernels import kernel_of
from cgcli.exporting.code import uses_of
from cgcli.exporting.formulas import NotInTargetError, in_terms_of
from cgcli.exporting.language import (
    ATOM,
    COMPARISON,
    MINUS,
    PRODUCT,
    SUM,
    TRUTHS,
    Text,
    joined,
    number_text,
    order_of,
)
from cgcli.exporting.libraries import CALLS, LIBRARIES, Library
from cgcli.exporting.places import along, places_of
from cgcli.exporting.task import Task
from cgcli.graph.loops import Loop, compared, most_trips
from cgcli.graph.node import CONSTANT, Node, constant_value, is_given, toposort
from cgcli.ops.lazily import np
from cgcli.ops.loops import unpacked
from cgcli.ops.statics import Taken

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LONGEST = 100
_MOST_NUMBERS = 10_000  # of one constant array
_TIMES_NAN = "*float('nan')"

_INFIX = {"add": ("+", SUM), "subtract": ("-", SUM), "multiply": ("*", PRODUCT), "divide": ("/", PRODUCT),
          "matmul": (" @ ", PRODUCT)}  # fmt: skip


def write(task: Task, library: str) -> str:
    """The code of a function of arrays: a tuple of its results, or the only one. Raises NotInTargetError."""
    return _Vectors(LIBRARIES[library], task).text()


class _Vectors:
    """The lines of the function."""

    def __init__(self, library: Library, task: Task) -> None:
        self._library = library
        self._task = task
        self._calls = {name: call for name, call in {**CALLS, **library.words}.items() if call}
        taken = {*keyword.kwlist, *keyword.softkwlist, library.word, "special", "jax", "float", "range"}
        self._names = task.argument_names(taken)
        self._taken = {*taken, task.function, *self._names.values()}
        self._outputs = in_terms_of(task.outputs, self._has)
        self._uses: Counter[Node] = uses_of(self._outputs)
        self._texts: dict[Node, Text] = {}
        self._plain: dict[Node, float] = {}
        self._lines: list[str] = []
        self._indent = 1
        self._count = 0
        self._compute(self._outputs)

    def _has(self, node: Node) -> bool:
        name = node.op.name
        if order_of(node.op, node.params):
            return False
        if name in ("max", "min") and node.op.elementwise:
            return len(node.args) == 2
        return name in self._calls or name in _INFIX or name in TRUTHS or name in ("neg", "where") or name in _ARRAYS

    def _compute(self, outputs: Sequence[Node]) -> None:
        for node in toposort(outputs, self._texts):
            if node in self._texts:
                continue
            text = self._given(node) if is_given(node) else self._folded(node) or self._made(node)
            is_kept = self._uses[node] > 1 or len(text.code) > _LONGEST
            if node.args and node not in self._plain and text.code and is_kept:
                text = Text(self._named(text.code), truth=text.truth)
            self._texts[node] = text

    def _fresh(self) -> str:
        while True:
            self._count += 1
            if (name := f"t{self._count}") not in self._taken:
                return name

    def _named(self, code: str) -> str:
        name = self._fresh()
        self._write(f"{name} = {code}")
        return name

    def _write(self, line: str) -> None:
        self._lines.append("    " * self._indent + self._spelled(line))

    def _spelled(self, code: str) -> str:
        return code.replace("np.", f"{self._library.word}.")

    def _given(self, node: Node) -> Text:
        if node.op is not CONSTANT:
            return Text(self._names[node])
        value = constant_value(node)
        if value is None:
            return self._literal(node, constant_of(node))
        self._plain[node] = value
        return self._numeral(value)

    def _folded(self, node: Node) -> Text | None:
        """The number that an operation on plain numbers gives."""
        if not node.op.elementwise or not all(arg in self._plain for arg in node.args):
            return None
        value = self._plain[node] = float(computed(node.op, [self._plain[arg] for arg in node.args], node.params))
        return self._numeral(value)

    def _numeral(self, value: float) -> Text:
        text = number_text(value, "float('inf')", "float('nan')")
        return Text(text, MINUS if text.startswith("-") else ATOM)

    def _literal(self, node: Node, array: NDArray[Any]) -> Text:
        array = np.asarray(array, float)
        if array.size and (array.ravel().view("u8") == array.ravel().view("u8")[0]).all():
            return self._as_full(float(array.ravel()[0]), array.shape)
        if array.size > _MOST_NUMBERS:
            raise NotInTargetError(node)
        text = repr(array.tolist()).replace("nan", "float('nan')").replace("inf", "float('inf')")
        return Text(self._named(self._library.array.format(text)))

    def _as_full(self, value: float, shape: tuple[int, ...]) -> Text:
        number = self._numeral(value).code
        kind = ", dtype=torch.float64" if self._library.name == "torch" else ""
        return Text(f"np.full({_tuple(shape)}, {number}{kind})")

    def number(self, node: Node) -> Text:
        """The code for the value of a node, as functions of the library take it: those of PyTorch no plain numbers."""
        text = self._operand(node)
        if self._library.name == "torch" and node in self._plain:
            return Text(f"torch.tensor({text.code}, dtype=torch.float64)")
        return text

    def _operand(self, node: Node) -> Text:
        """The code for the value of a node beside an operator, where a plain number may stand."""
        text = self._texts[node]
        return Text(f"{text.inside(PRODUCT)}*1.0", PRODUCT) if text.truth else text

    def _condition(self, node: Node) -> Text:
        text = self._texts[node]
        if node in self._plain:
            truth = repr(self._plain[node] != 0)
            return Text(f"torch.tensor({truth})" if self._library.name == "torch" else truth, truth=True)
        return text if text.truth else Text(f"{text.inside(COMPARISON + 1)} != 0.0", COMPARISON, truth=True)

    def _made(self, node: Node) -> Text:
        name, op = node.op.name, node.op
        if isinstance(node.params, Loop):
            return self._loop(node)
        if not op.elementwise and name in _ARRAYS and name not in self._library.words:
            return _ARRAYS[name](self, node)
        if TRUTHS.get(name):
            left, right = (self._operand(arg).inside(COMPARISON + 1) for arg in node.args)
            return Text(f"{left} {TRUTHS[name]} {right}", COMPARISON, truth=True)
        if name in ("and", "or", "not"):
            return Text(self._called(node, [self._condition(arg).code for arg in node.args]), truth=True)
        if name == "where":
            args = [self._condition(node.args[0]).code, *(self.number(arg).code for arg in node.args[1:])]
            return Text(self._called(node, args))
        if name == "neg":
            return Text(f"-{self._operand(node.args[0]).inside(MINUS + 1)}", MINUS)
        if name in _INFIX:
            sign, level = _INFIX[name]
            left, right = self._operand(node.args[0]).inside(level), self._operand(node.args[1]).inside(level + 1)
            space = " " if level == SUM else ""
            return Text(f"{left}{space}{sign}{space}{right}", level)
        if name == "power" and constant_value(node.args[1]) == 2:
            return Text(f"{self.number(node.args[0]).inside(ATOM)}**2", PRODUCT)
        return Text(self._called(node, [self.number(arg).code for arg in node.args]))

    def _called(self, node: Node, args: Sequence[str]) -> str:
        words = {static.name: value for static, value in zip(node.op.statics, node.params, strict=True)}
        template = self._calls[node.op.name]
        return template.format(args=", ".join(args), **words)

    def reduced(self, node: Node, function: str) -> Text:
        """A reduction along axes."""
        axes, keepdims = _params(node)
        library = self._library
        said = f", {library.axes}={_tuple(axes)}" if axes else ""
        if library.name == "torch" and function in ("prod", "max", "min"):
            function, said = {"max": "amax", "min": "amin"}.get(function, function), said
            if function == "prod":
                return self._product(node)
        kept = f", {library.keepdims}=True" if keepdims else ""
        return Text(f"np.{function}({self.number(node.args[0]).code}{said}{kept})")

    def _product(self, node: Node) -> Text:
        """A product along axes of PyTorch, which takes one axis at a time."""
        axes, keepdims = _params(node)
        code = self.number(node.args[0]).code
        for axis in sorted(axes):
            code = f"torch.prod({code}, dim={axis}, keepdim=True)"
        return Text(code if keepdims else f"torch.reshape({code}, {_tuple(node.shape)})")

    def _loop(self, node: Node) -> Text:
        loop = node.params
        assert isinstance(loop, Loop)
        names = [self._named(self.number(arg).code) for arg in node.args]
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
        self._write(f"        {', '.join(carried)} = {', '.join(each + _TIMES_NAN for each in carried)}")
        self._write("    break")

    def text(self) -> str:
        """The whole."""
        library = self._library
        results = [self._spelled(self.number(node).code) for node in self._outputs]
        kind = ", dtype=torch.float64" if library.name == "torch" else ", float" if library.name == "numpy" else ""
        convert = "torch.as_tensor" if library.name == "torch" else f"{library.word}.asarray"
        given = [f"    {name} = {convert}({name}{kind})" for name in self._names.values()]
        about = '"""' + "\n".join(
            line.replace("\\", "\\\\").replace('"', "'") for line in self._task.header(self._names)
        )
        body = [*given, *self._lines, f"    return {', '.join(results)}"]
        code = joined(body)
        if library.quiet:
            body = ['    with np.errstate(all="ignore"):', *("    " + line for line in body)]
        helper = [line for call, lines in library.begin.items() if call in code for line in ("", "", *lines)]
        special = ["from scipy import special"] if library.quiet and "special." in code else []
        return joined([about + '\n"""', "", *library.imports, *special, *helper, "", "",
                       f"def {self._task.function}({', '.join(self._names.values())}):", *body])  # fmt: skip


def _params(node: Node) -> Any:
    return node.params


def _tuple(sizes: Sequence[int]) -> str:
    return f"({', '.join(map(str, sizes))}{',' * (len(sizes) == 1)})"


def _key(items: Sequence[Taken | int]) -> str:
    return ", ".join(map(_item, items)) or "..."


def _item(item: Taken | int) -> str:
    if not isinstance(item, Taken):
        return str(item)
    stop = item.start + item.size * item.step if item.size else item.start
    begin, end = item.start or "", "" if stop < 0 else stop
    return f"{begin}:{end}" if item.step == 1 else f"{item.start}:{end}:{item.step}"


def _gathered(code: _Vectors, node: Node) -> Text:
    """Elements by their places in the row of all."""
    places = places_of(node)
    if places.size > _MOST_NUMBERS:
        raise NotInTargetError(node)
    array = code.number(node.args[0]).code
    return Text(f"np.reshape({array}, (-1,))[np.array({places.tolist()!r})]".replace(
        "np.array", "torch.tensor" if code._library.name == "torch" else "np.array"))  # fmt: skip


def _added_back(code: _Vectors, node: Node) -> Text:
    """Elements added to places of a row of zeros."""
    if code._library.name != "numpy":
        raise NotInTargetError(node)
    (places,) = along(node)
    if places.size > _MOST_NUMBERS:
        raise NotInTargetError(node)
    array = code.number(node.args[0]).code
    counted = f"np.bincount({places.ravel().tolist()!r}, np.reshape({array}, (-1,)), {math.prod(node.shape)})"
    return Text(f"np.reshape({counted}, {_tuple(node.shape)})")


def _simple(template: str) -> Callable[[_Vectors, Node], Text]:
    """A call of the arguments, with the node's shape and parameters at hand."""

    def make(code: _Vectors, node: Node) -> Text:
        args = [code.number(arg).code for arg in node.args]
        along_these = {word: getattr(node.params, word, "") for word in ("axis", "axes")}
        return Text(template.format(args=", ".join(args), shape=_tuple(node.shape), **along_these))

    return make


def _taken(code: _Vectors, node: Node) -> Text:
    return Text(f"{code.number(node.args[0]).inside(ATOM)}[{_key(_params(node)[0])}]")


def _put(code: _Vectors, node: Node) -> Text:
    if code._library.name == "torch":
        raise NotInTargetError(node)
    key = ", ".join(f"slice({item.start}, {item.start + item.size * item.step}, {item.step})"
                    if isinstance(item, Taken) else str(item) for item in _params(node)[0].key)  # fmt: skip
    if any(isinstance(item, Taken) and item.step < 0 for item in _params(node)[0].key):
        raise NotInTargetError(node)
    key = f"({key},)" if code._library.name == "numpy" else key
    return Text(code._library.put.format(x=code.number(node.args[0]).code, shape=_tuple(node.shape), key=key or "..."))


def _by_helper(template: str) -> Callable[[_Vectors, Node], Text]:
    """A call of a function that only NumPy's code has."""

    def make(code: _Vectors, node: Node) -> Text:
        if code._library.name != "numpy":
            raise NotInTargetError(node)
        return _simple(template)(code, node)

    return make


def _extreme_place(code: _Vectors, node: Node) -> Text:
    """The place of the largest or the smallest element, along one axis or among all."""
    (axes, *_), rank = _params(node), len(node.args[0].shape)
    if len(axes) != 1 and len(axes) != rank:
        raise NotInTargetError(node)
    along_one = f", {axes[0]}" if len(axes) == 1 else ""
    place = f"np.{node.op.name}({code.number(node.args[0]).code}{along_one})*1.0"
    return Text(f"np.reshape({place}, {_tuple(node.shape)})") if node.params[1:] == (True,) else Text(place, PRODUCT)


def _known(code: _Vectors, node: Node) -> Text:
    return code._literal(node, kernel_of(node)(*node.params))


def _flipped(code: _Vectors, node: Node) -> Text:
    return Text(f"np.flip({code.number(node.args[0]).code}, {_params(node).axes})")


def _padded(code: _Vectors, node: Node) -> Text:
    """Zeros around an array: PyTorch is told of the last axis first."""
    array, widths = code.number(node.args[0]).code, [tuple(pair) for pair in _params(node)[0]]
    if code._library.name == "torch":
        return Text(f"torch.nn.functional.pad({array}, {[width for pair in widths[::-1] for width in pair]})")
    return Text(f"np.pad({array}, {widths})")


def _order(code: _Vectors, node: Node) -> Text:
    """The places of elements in ascending order, of equal ones the first before: as numbers."""
    array, axis = code.number(node.args[0]).code, _params(node)[0]
    stable = "kind='stable'" if code._library.name == "numpy" else "stable=True"
    return Text(f"np.argsort({array}, {code._library.axes}={axis}, {stable})*1.0", PRODUCT)


def _summed_by_letters(code: _Vectors, node: Node) -> Text:
    letters = _params(node)[0]
    args = ", ".join(code.number(arg).code for arg in node.args)
    return Text(f"np.einsum('{','.join(letters.operands)}->{letters.result}', {args})")


_ARRAYS: Mapping[str, Callable[[_Vectors, Node], Text]] = {
    **dict.fromkeys(("zeros", "ones", "eye", "arange", "linspace"), _known),
    "sum": lambda code, node: code.reduced(node, "sum"),
    "mean": lambda code, node: code.reduced(node, "mean"),
    "prod": lambda code, node: code.reduced(node, "prod"),
    "max": lambda code, node: code.reduced(node, "max"),
    "min": lambda code, node: code.reduced(node, "min"),
    "cumsum": _simple("np.cumsum({args}, {axis})"),
    "broadcast": _simple("np.broadcast_to({args}, {shape})"),
    "reshape": _simple("np.reshape({args}, {shape})"),
    "transpose": _simple("np.transpose({args}, {axes})"),
    **dict.fromkeys(
        ("diag", "tril", "triu"),
        lambda code, node: Text(f"np.{node.op.name}({code.number(node.args[0]).code}, {_params(node)[0]})"),
    ),
    "concat": _simple("np.concatenate([{args}], {axis})"),
    "stack": _simple("np.stack([{args}], {axis})"),
    "flip": _flipped,
    "index": _taken,
    "put": _put,
    "pad": _padded,
    "argsort": _order,
    "unfold": _gathered,
    "fold": _added_back,
    "einsum": _summed_by_letters,
    "element": _by_helper("_element({args})"),
    "put_element": _by_helper("_put_element({args}, {shape}[0])"),
    "take_along": _simple("_take_along({args}, {axis})"),
    "put_along": _by_helper("_put_along({args}, {shape}, {axis})"),
    **dict.fromkeys(("argmax", "argmin"), _extreme_place),
    "loop": lambda code, node: code._loop(node),
}

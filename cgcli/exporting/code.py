"""A graph as statements of a language with numbers, arrays in one row, and loops.

An array is kept in row-major order; where it is read once, element by element, it is no array at all but a piece of
code with the place of the element in it.
"""

from __future__ import annotations

import math
from collections import Counter

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Mapping, Sequence
from cgcli.evaluate.constants import constant_of
from cgcli.exporting.formulas import NotInTargetError
from cgcli.exporting.identifiers import apart
from cgcli.exporting.language import (
    AND,
    ARITHMETIC,
    ATOM,
    CHOICE,
    COMPARISON,
    MINUS,
    OR,
    PRODUCT,
    TRUTHS,
    Language,
    Text,
    around,
    negative,
)
from cgcli.exporting.places import text_of_places
from cgcli.graph.node import CONSTANT, Node, constant_value, is_given, toposort
from cgcli.ops.lazily import np
from cgcli.records import EMPTY

if TYPE_CHECKING:
    from numpy.typing import NDArray

HERE = "\1"  # in a piece of code for an array, the place of the element in the row
_LONGEST = 120  # signs of a piece of code that gets no name
_MOST_NUMBERS = 2**17  # in all arrays of the program, for they stand on the stack

Make = Callable[["Code", Node], Text]
"""How an operation on arrays is written: its lines, and the code for its result."""


class TooManyNumbersError(Exception):
    """The arrays of a program do not fit where the code keeps them. count: of their numbers."""

    def __init__(self, count: int) -> None:
        self.count = count
        super().__init__(count)


class Code:
    """The lines that compute nodes.

    arrays: how operations on arrays are written, by name. inputs: what each variable is called, and what an array's row
    is called. labels: what others are called, where they get a name. lines: those written so far. texts: the code for
    each node that is known here.
    """

    def __init__(
        self, language: Language, arrays: Mapping[str, Make], outputs: Sequence[Node], inputs: Mapping[Node, str],
        labels: Mapping[Node, str] = EMPTY,
    ) -> None:  # fmt: skip
        self.language = language
        self._arrays = arrays
        self.lines: list[str] = []
        self._inputs = inputs
        self.texts: dict[Node, Text] = {}
        self._indent = 1
        self._names: Counter[str] = Counter()
        taken = {*inputs.values(), *language.reserved}
        self._labels = apart(labels, taken)
        self._taken = {*taken, *self._labels.values()}
        self._numbers = 0
        self.uses = uses_of(outputs)

    def compute(self, outputs: Sequence[Node]) -> None:
        """Write the lines of these nodes. Raises NotInTargetError, TooManyNumbersError."""
        for node in toposort(outputs, self.texts):
            if node not in self.texts:
                self.texts[node] = self._given(node) if is_given(node) else self._computed(node)

    def text(self, node: Node) -> Text:
        """The code for a node that is computed; for an array, that of the element HERE."""
        return self.texts[node]

    def number(self, node: Node, place: str = "0") -> Text:
        """The code for a number, or for an element of an array."""
        text = self.texts[node]
        return self._as_number(text._replace(code=_at(text.code, place)))

    def fresh(self, letter: str = "t", node: Node | None = None) -> str:
        """A name that is not in use: that of a node, where it has one."""
        if node in self._labels:
            return self._labels.pop(node)
        while True:
            self._names[letter] += 1
            name = f"{letter}{self._names[letter]}"
            if name not in self._taken:
                return name

    def write(self, template: str, **words: object) -> None:
        """Write a statement."""
        for line in template.format(**words).split("\n"):
            self.lines.append(self.language.indent * self._indent + line)

    def block(self, template: str, inner: Callable[[], None], **words: object) -> None:
        """Write a block of statements."""
        self.write(template, **words)
        self._indent += 1
        inner()
        self._indent -= 1
        if self.language.statements.end:
            self.write(self.language.statements.end)

    def array(self, size: int, node: Node | None = None) -> str:
        """The name of a new array of zeros, for the elements of a node."""
        self._numbers += size
        if self._numbers > _MOST_NUMBERS:
            raise TooManyNumbersError(self._numbers)
        name = self.fresh("a", node)
        self.write(self.language.statements.array, name=name, size=max(size, 1))
        return name

    def assign(self, name: str, value: str) -> None:
        """Write that a variable, or an element of a row, changes."""
        self.write(self.language.statements.assign, name=name, value=value)

    def let(self, value: str) -> str:
        """A name for a number."""
        name = self.fresh()
        self.write(self.language.statements.let, name=name, value=value)
        return name

    def variable(self, letter: str, value: str) -> str:
        """A name for a number that changes. letter: what it begins with."""
        name = self.fresh(letter)
        self.write(self.language.statements.variable, name=name, value=value)
        return name

    def each(self, node: Node, element: Callable[[str], str]) -> Text:
        """The elements of a node, by the lines of one: `element` writes them, and gives the code for its value."""
        size = math.prod(node.shape)
        if size == 1:
            return Text(element("0"))
        name = self.array(size, node)
        self.put(name, size, element)
        return element_of(name)

    def loop(self, count: int | str, inner: Callable[[str], None]) -> None:
        """Write a loop over 0, 1, …, count - 1."""
        index = self.fresh("i")
        self.block(self.language.statements.loop, lambda: inner(index), index=index, count=count)

    def row(self, node: Node) -> str:
        """The name of the row of numbers that an array is kept in."""
        text = self.texts[node]
        name, bracket, rest = text.code.partition("[")
        if bracket and rest == f"{HERE}]" and name.isidentifier():
            return name
        name = self.array(math.prod(node.shape), node)
        self.fill(name, node)
        self.texts[node] = element_of(name)
        return name

    def put(self, name: str, size: int, value: Callable[[str], str], offset: str = "") -> None:
        """Write `size` elements of a row, from a place on. value: the code for the element of a place."""
        place = f"{offset} + {{}}" if offset else "{}"
        self.loop(size, lambda i: self.assign(f"{name}[{place.format(i)}]", value(i)))

    def fill(self, name: str, node: Node, offset: int = 0) -> None:
        """Write the elements of an array, or a number, into a row, from a place on."""
        size = math.prod(node.shape)
        if size == 1:
            self.assign(f"{name}[{offset}]", self.number(node).code)
            return
        self.put(name, size, lambda i: self.number(node, i).code, str(offset or ""))

    # ---- leaves -------------------------------------------------------------------------

    def _given(self, node: Node) -> Text:
        if node.op is not CONSTANT:
            name = self._inputs[node]
            return element_of(name) if node.shape else Text(name)
        value = constant_value(node)
        return self._numeral(value) if value is not None else self.constant(constant_of(node))

    def _numeral(self, value: float) -> Text:
        text = self.language.number(value)
        return Text(text, MINUS if text.startswith("-") else ATOM)

    def constant(self, array: NDArray[Any]) -> Text:
        """An array that is known: one number where all are equal, else a table."""
        flat = np.asarray(array, float).ravel()
        if flat.size and (flat.view("u8") == flat.view("u8")[0]).all():
            return self._numeral(float(flat[0]))
        self._numbers += flat.size
        if self._numbers > _MOST_NUMBERS:
            raise TooManyNumbersError(self._numbers)
        name = self.fresh("k")
        values = ", ".join(map(self.language.number, flat.tolist() or [0.0]))
        self.write(self.language.statements.filled, name=name, size=max(flat.size, 1), values=values)
        return Text(f"{name}[{HERE}]")

    # ---- operations ---------------------------------------------------------------------

    def _computed(self, node: Node) -> Text:
        if not node.op.elementwise:
            make = self._arrays.get(node.op.name)
            if make is None:
                raise NotInTargetError(node)
            return make(self, node)
        text = self._applied(node)
        has_name = node in self._labels and not node.shape
        is_short = len(text.code) <= _LONGEST and (self.uses[node] < 2 or text.code.removeprefix("-").isidentifier())
        return text if is_short and not has_name else self.kept(node, text)

    def kept(self, node: Node, text: Text) -> Text:
        """A name for what a piece of code gives, or an array that it fills."""
        words = self.language.statements
        if math.prod(node.shape) == 1:
            name = self.fresh(node=node)
            self.write(words.let_truth if text.truth else words.let, name=name, value=_at(text.code, "0"))
            return Text(name, truth=text.truth)
        self.texts[node] = text
        return Text(f"{self.row(node)}[{HERE}]")

    def simple(self, node: Node) -> Text:
        """The code for a node, which may be written many times: a name, an element of a row, or a numeral."""
        text = self.texts[node]
        numeral = text.code.removeprefix("-").replace(".", "").replace("e", "").isdigit()
        if not (numeral or text.code.isidentifier() or _is_element(text.code)):
            text = self.texts[node] = self.kept(node, text)
        return text

    def _applied(self, node: Node) -> Text:
        args = [self._seen_from(arg, node) for arg in node.args]
        name, language = node.op.name, self.language
        if name in TRUTHS:
            return self._truth(name, args)
        if name == "where":
            condition = args[0].code if args[0].truth else self.is_set(args[0])
            yes, no = map(self._as_number, args[1:])
            return Text(language.choice.format(condition, yes.inside(CHOICE + 1), no.code), CHOICE)
        numbers = [*map(self._as_number, args)]
        if name == "neg":
            return negative(numbers[0])
        if name == "multiply" and (ones := [text.code == language.number(1.0) for text in numbers]) and any(ones):
            return numbers[ones.index(True) ^ 1]
        if name in language.infix or (name == "divide" and constant_value(node.args[1])):
            sign, level = language.infix.get(name) or ARITHMETIC[name]
            if name == "multiply" and node.args[0] is node.args[1]:
                return Text(f"{numbers[0].inside(ATOM)}*{numbers[0].inside(ATOM)}", PRODUCT)
            return around(sign, level, *numbers)
        if name == "power" and constant_value(node.args[1]) == 2 and not node.shape:
            base = self._as_number(self.simple(node.args[0])).inside(ATOM)
            return Text(f"{base}*{base}", PRODUCT)
        static = {static.name: self.language.number(float(value)) for static, value in
                  zip(node.op.statics, node.params, strict=True) if isinstance(value, float | int)}  # fmt: skip
        return Text(language.calls[name].format(*(number.code for number in numbers), **static))

    def _truth(self, name: str, args: Sequence[Text]) -> Text:
        language = self.language
        if TRUTHS[name]:
            left, right = (self._as_number(arg).inside(COMPARISON + 1) for arg in args)
            return Text(f"{left} {language.sign_of(name)} {right}", COMPARISON, truth=True)
        conditions = [arg if arg.truth else Text(self.is_set(arg), COMPARISON, truth=True) for arg in args]
        if name == "not":
            return negated(language, conditions[0])
        level = AND if name == "and" else OR
        left, right = (condition.inside(COMPARISON) for condition in conditions)  # C warns of a && b || c
        return Text(f"{left} {language.sign_of(name)} {right}", level, truth=True)

    def is_set(self, text: Text) -> str:
        """The condition that a number is not 0."""
        return f"{text.inside(COMPARISON + 1)} {self.language.sign_of('not_equal')} {self.language.number(0.0)}"

    def _as_number(self, text: Text) -> Text:
        return Text(self.language.as_number.format(code=text.code, atom=text.inside(ATOM))) if text.truth else text

    def _seen_from(self, arg: Node, node: Node) -> Text:
        """An argument of an elementwise operation, as it is at the element HERE of the result."""
        if not arg.shape or arg.shape == node.shape:
            return self.texts[arg]
        places = np.broadcast_to(np.arange(math.prod(arg.shape)).reshape(arg.shape), node.shape)
        return self.taken(arg, places)

    def taken(self, arg: Node, places: NDArray[Any]) -> Text:
        """The elements of an array at some places: element HERE of the result is that at place number HERE."""
        if not arg.shape:
            return self.simple(arg)
        text = self.simple(arg)
        if HERE not in text.code:
            return text
        return text._replace(code=_at(text.code, self.place(places, [(HERE, places.shape)])))

    def place(self, places: NDArray[Any], indices: Sequence[tuple[str, tuple[int, ...]]]) -> str:
        """Places as code in indices, each of which counts through some of their axes; a table where no rule is seen."""
        found = text_of_places(places, indices, self.language.statements.quotient)
        if found is not None:
            return found
        name = self.fresh("p")
        self.write(self.language.statements.whole_numbers, name=name, size=places.size,
                   values=", ".join(map(str, places.ravel().tolist())))  # fmt: skip
        index = indices[0][0]
        for following, sizes in indices[1:]:
            index = f"({index})*{math.prod(sizes)} + {following}"
        return f"{name}[{index}]"


def element_of(name: str) -> Text:
    """The element HERE of a row."""
    return Text(f"{name}[{HERE}]")


def negated(language: Language, condition: Text) -> Text:
    """The condition that another does not hold."""
    template, inner, level = language.no
    return Text(template.format(condition.inside(inner)), level, truth=True)


def _at(code: str, place: str) -> str:
    """A piece of code for an array, for one place: `x[i + 1]` of `x[HERE]`, `x[(i + 1)/2]` of `x[HERE/2]`."""
    alone = f"[{HERE}]"
    inside = place if place.isalnum() or place == HERE else f"({place})"
    return f"[{place}]".join(part.replace(HERE, inside) for part in code.split(alone))


def _is_element(code: str) -> bool:
    name, bracket, rest = code.partition("[")
    return bool(bracket) and name.isidentifier() and rest.endswith("]") and "[" not in rest


def uses_of(outputs: Sequence[Node]) -> Counter[Node]:
    """How often each node is read."""
    found: Counter[Node] = Counter(outputs)
    for node in toposort(outputs):
        found.update(node.args)
    return found

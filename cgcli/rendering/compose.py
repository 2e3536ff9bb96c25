"""What a picture draws of a graph: constants within the operator beside them, or at each use; long sums as one card;
loops as clusters of cards.
"""

from __future__ import annotations

from cgcli.annotations import Any, Iterator, Mapping, Sequence
from cgcli.errors import quoted
from cgcli.graph.node import CONSTANT, VARIABLE, Graph, Node, constant_value, toposort
from cgcli.lean import Counter, re
from cgcli.printing.spelling import in_unicode
from cgcli.rendering.figures import figure, sign_of, typed
from cgcli.rendering.look import Look
from cgcli.rendering.scene import NEXT, NO, NO_NUMBERS, YES, ZERO, Card, Link, Numbers, Scene, shorten
from cgcli.rendering.sketch import CARRY, CUT, DRAWN, FOLDED, MORE, RESULT, Folded, Sketch
from cgcli.rendering.symbols import is_sign, own_name, sign, source_text, symbol_of_constant, with_number

MANY_USERS = 4  # an input with more is drawn at each use, or its edges would cross the whole picture
_SOME_USERS = 2  # a transposed input with more is one at all uses but the first
CROWD = 8  # operands: of more, each ends at a place of its own, or all arrows would lie over each other
LONG_SUM = 4  # terms: from so many on, a chain of + is one Σ
_FORMULA_LENGTH = 28  # characters below a symbol


def scene(graph: Graph | Sketch, look: Look, numbers: Numbers = NO_NUMBERS) -> Scene:
    """The cards, links and clusters that a graph is drawn as."""
    sketch = graph if isinstance(graph, Sketch) else sketched(graph, fold=look.fold)
    return _Scene(sketch, look, numbers).scene()


def sketched(graph: Graph, *, fold: bool) -> Sketch:
    """A graph with its loops opened, and the calls of its functions as clusters, where it has a record of them.

    fold: an index says how far it counts, and its addition is not drawn.
    """
    if graph.calls is None and not any(
        node.args and node.params for node in toposort(graph.outputs)
    ):  # a loop has parameters
        return Sketch(graph)
    from cgcli.rendering.loops import opened

    return opened(graph, fold=fold)


class _Scene:
    """Finds the cards of a graph, and what each of them says.

    written: how names stand on cards. numbers: texts of scalars that no input has a part in, which stand within the
    operators beside them. sums: the terms of long chains of +. outers: the vectors of outer products. repeated: inputs
    that have a card at each use. turned: texts of transposed inputs that have one at each use but the first.
    """

    def __init__(self, sketch: Sketch, look: Look, known: Numbers) -> None:
        graph = sketch.graph
        self.sketch, self.graph, self.look, self.values, self.known = sketch, graph, look, known.values, known
        self.order = sketch.order
        self.outputs = frozenset(graph.outputs)
        self.labels = {node: graph.labels[node] for node in self.order if node in graph.labels}
        own = {node: own_name(graph, node) for node in self.order}
        names = {*self.labels.values(), *(name for node, name in own.items() if node.op is not FOLDED)}
        spelled = {name: name for name in names} if look.plain else in_unicode(names, set(map(sign_of, self.order)))
        self.spelled = {name: text for name, text in spelled.items() if text != name}
        self.written = {name: shorten(text) for name, text in spelled.items()}
        self.own = own
        self.numbers = self._numbers()
        self.uses = Counter(arg for node in self.order for arg in node.args)
        self.uses.update(sketch.nexts.values())
        self.conditions = {node.args[gate] for node in self.order if (gate := _gate(node)) is not None}
        self.conditions.difference_update(sketch.zeros)
        self.sums = self._sums() if look.fold else {}
        self.outers = {node: pair for node in self.order if look.fold and (pair := self._outer(node))}
        self.repeated = set(filter(self._is_repeated, self.uses)) if look.fold else set()
        self.turned = {node: sign for node in self.uses if look.fold and (sign := self._turned(node))}

    def _is_repeated(self, node: Node) -> bool:
        """Whether a node is an input, or an array of numbers, with many users."""
        single = node.args or node in self.outputs or node in self.numbers
        return not single and self.uses[node] > MANY_USERS

    def _turned(self, node: Node) -> str:
        """What is written where an input stands transposed once more: `Wᵀ`; '' for any other node."""
        if self.uses[node] <= _SOME_USERS or not is_sign(node) or node in self.labels or node in self.outputs:
            return ""
        return f"{self.written[self.own[node.args[0]]]}ᵀ" if node.args[0].op is VARIABLE else ""

    def _numbers(self) -> dict[Node, str]:
        """What is written for each scalar that no input has a part in: its name, a short text, its value."""
        numbers: dict[Node, str] = {}
        for node in self.order:
            if node.shape or node in self.outputs:
                continue
            value = constant_value(node)
            if value is not None:
                named = f"{self.written[self.labels[node]]} = " if node in self.labels else ""
                numbers[node] = named + (sign_of(node) or typed(value, self.look.precision))
            elif node in self.labels or not self.look.fold or not node.args or node.op in DRAWN:
                continue
            elif all(arg in numbers and arg not in self.labels for arg in node.args):
                text = source_text(self.graph, node)
                if text:
                    numbers[node] = text
                elif node in self.values:
                    numbers[node] = figure(float(self.values[node]), self.look.precision)
        return numbers

    def _sums(self) -> dict[Node, tuple[Node, ...]]:
        """The terms of each long chain of +, and of what is drawn within it none."""
        sums: dict[Node, tuple[Node, ...]] = {}
        within: set[Node] = set()
        for top in reversed(self.order):
            if top.op.name != "add" or top in within or top in self.numbers:
                continue
            terms: list[Node] = []
            chained: list[Node] = []
            stack = [*reversed(top.args)]
            while stack:
                node = stack.pop()
                alone = self.uses[node] == 1 and node not in self.labels and node not in self.outputs
                alone = alone and self.sketch.within.get(node) == self.sketch.within.get(top)
                if node.op is top.op and alone and node.shape == top.shape and node not in self.numbers:
                    chained.append(node)
                    stack.extend(reversed(node.args))
                else:
                    terms.append(node)
            if len(terms) >= LONG_SUM:
                sums[top] = tuple(terms)
                within.update(chained)
        return sums

    def _outer(self, node: Node) -> tuple[Node, Node] | None:
        """The two vectors whose outer product a node is, if its arguments have no names: they only turn them."""
        if len(node.shape) != 2:
            return None
        from cgcli.ops.shaping import outer_of

        is_plain = node.args and self.labels.keys().isdisjoint(node.args) and self.outputs.isdisjoint(node.args)
        return outer_of(node) if is_plain else None

    def scene(self) -> Scene:
        """All cards, the links between them, and the clusters around them."""
        cards = self._cards()
        clusters = [
            cluster if cluster.call is None else cluster._replace(head=self._spelled(cluster.head))
            for cluster in self.sketch.clusters
        ]
        ids = {card.node: card.id for card in reversed(cards)}
        roots = [ids[node] for node in (*self.graph.outputs, *self.sketch.ends)]
        return Scene(self.graph, cards, list(self._links(cards)), clusters, roots)

    def _spelled(self, text: str) -> str:
        """A text in which names are written as on cards."""
        return re.sub(r"\w+", lambda found: self.spelled.get(found[0], found[0]), text) if self.spelled else text

    def _cards(self) -> list[Card]:
        """Every card, operands before users."""
        ids = {node: f"n{at}" for at, node in enumerate(self.order)}
        drawn, uses = self._drawn(), Counter[Node]()
        cards: list[Card] = []
        for node in self.order:
            if node in drawn:
                operands = [self._operand(arg, ids[arg], uses, node) for _, arg in self._visible(node)]
                cards += [own for _, own in operands if own is not None]
                cards.append(self._card(node, ids[node], tuple(name for name, _ in operands)))
        return cards

    def _operand(self, node: Node, name: str, uses: Counter[Node], user: Node) -> tuple[str, Card | None]:
        """The id of the card that a user takes a node from; and the card itself, where it is for this use alone.

        name: the id of the node's first card. uses: how many cards have been made at uses, by their node.
        """
        made, cluster = uses[node], self.sketch.within.get(user)
        name = f"{name}_{made}" if made else name
        if node in self.turned:
            own = Card(name, node, self.turned[node], cluster=cluster, again=True) if made else None
        elif node in self.numbers:
            own = Card(name, node, self.numbers[node], cluster=cluster)
        elif node in self.repeated:
            own = Card(name, node, self._symbol(node), self._name(node), again=made > 0, cluster=cluster)
        else:
            return name, None
        uses[node] += 1
        return name, own

    def _card(self, node: Node, name: str, operands: tuple[str, ...]) -> Card:
        """The one card of a node."""
        is_of_loop = node.op in (CARRY, RESULT)
        ordered = len(operands) > 1 and not (node.op.commutative or is_of_loop)
        ordered = ordered or node in self.outers or len(operands) > CROWD
        places = [self._place(node, position) for position, _ in self._visible(node)] if ordered or is_of_loop else ()
        return Card(
            name,
            node,
            self._symbol(node),
            self._name(node),
            tuple(self._notes(node)),
            operands,
            tuple(places),
            ordered,
            is_output=node in self.outputs,
            partials=tuple(self._partials(node)),
            gate=_gate(node),
            is_condition=node in self.conditions and 0 < len(operands) < 3,
            cluster=self.sketch.within.get(node),
            loop=self.sketch.loops.get(node),
        )

    def _links(self, cards: Sequence[Card]) -> Iterator[Link]:
        """What leads to the next trip, and from conditions to what they decide on."""
        ids = {card.node: card.id for card in reversed(cards)}
        within = self.sketch.within
        labelled: set[int | None] = set()  # clusters whose way to the next trip is drawn
        first: dict[int | None, str] = {}  # for each cluster, the first card that one more trip computes for the next
        for carry, after in self.sketch.nexts.items():
            place = within[carry]
            if carry not in ids or after in self.numbers or after in self.repeated or after is carry:
                continue
            way = "" if place in labelled else self.sketch.clusters[place].way
            yield Link(ids[after], ids[carry], NEXT, way, True)
            labelled.add(place)
            if after.op is not CARRY and after not in self.sketch.zeros and within.get(after) == place:
                first.setdefault(place, ids[after])
        users = Counter(operand for card in cards for operand in card.operands)
        decided: set[str] = set()  # conditions of loops
        for card in cards:
            if card.gate is None:
                continue
            gate, condition = card.operands[card.gate], card.node.args[card.gate]
            if card.node.op is not RESULT:
                yield from self._answers(card, gate, users)
                continue
            kind = ZERO if condition in self.sketch.zeros else NO
            if gate not in decided and within.get(condition) in first:
                yield Link(gate, first[within.get(condition)], YES, YES, True)
            yield Link(gate, card.id, kind, "" if gate in decided else kind, True)
            decided.add(gate)

    def _answers(self, card: Card, gate: str, users: Mapping[str, int]) -> Iterator[Link]:
        """From the condition of a choice to its branches, each at its first card where that is for the choice alone."""
        for at, answer in ((1, YES), (2, NO)):
            branch, node = card.operands[at], card.node.args[at]
            alone = users[branch] == 1 and node not in self.outputs and branch != gate
            if alone and (node.op is not VARIABLE or node in self.repeated):
                yield Link(gate, branch, answer, answer)
            else:
                yield Link(gate, card.id, answer, answer, port=at)

    def _name(self, node: Node) -> str:
        """What the program calls a node."""
        if node.op in (CARRY, RESULT):
            return ""
        return self.written[self.labels[node]] if node in self.labels and self.look.shows("name") else ""

    def _partials(self, node: Node) -> list[Any]:
        """The derivative by each operand alone; that by a term of a sum is 1."""
        if not self.look.shows("partial") or node not in self.known.partials:
            return []
        if node in self.sums:
            return [1.0 if term in self.known.partials else None for term in self.sums[node]]
        partials = self.known.partials[node]
        return [partials[position] for position, _ in self._visible(node)]

    def _drawn(self) -> set[Node]:
        """The nodes that have one card, which every use of theirs shares."""
        drawn: set[Node] = set()
        stack = [*self.graph.outputs, *self.sketch.nexts.values(), *self.sketch.indices, *self.sketch.ends]
        while stack:
            node = stack.pop()
            if node not in drawn:
                drawn.add(node)
                stack.extend(
                    arg for _, arg in self._visible(node) if arg not in self.numbers and arg not in self.repeated
                )
        return drawn

    def _visible(self, node: Node) -> list[tuple[int, Node]]:
        """The operands that have cards of their own, with their positions."""
        if node in self.sums:
            return list(enumerate(self.sums[node]))
        if node in self.outers:
            return list(enumerate(self.outers[node]))
        if node.op is CARRY and self.look.fold:
            return [(position, arg) for position, arg in enumerate(node.args) if arg not in self.numbers]
        folded = self._folded(node)
        return [(position, arg) for position, arg in enumerate(node.args) if position != folded]

    def _folded(self, node: Node) -> int | None:
        """The position of the number that is written within an operator; None where there is none."""
        if not (self.look.fold and node.op.infix and len(node.args) == 2):
            return None
        at = [position for position, arg in enumerate(node.args) if arg in self.numbers]
        return at[0] if len(at) == 1 and node.args[at[0]] not in self.labels else None

    def _symbol(self, node: Node) -> str:
        if node.op is CONSTANT:
            return symbol_of_constant(node, self.look.precision)
        if node in self.sums:
            return "Σ"
        if node in self.outers:
            return "outer"
        if node.op is FOLDED:
            return self._spelled(self.own[node])
        symbol = self.written[self.own[node]] if self.own[node] else sign(node)
        folded = self._folded(node)
        if folded is None:
            return symbol
        return with_number(node.op.name, symbol, self.numbers[node.args[folded]], folded)

    def _notes(self, node: Node) -> list[str]:
        """The static parameters that say more than their default: `axis=0`."""
        if node.op in (CONSTANT, VARIABLE):
            return []
        if node in self.sketch.notes:
            return [*map(self._spelled, self.sketch.notes[node])]
        if node.op in (RESULT, FOLDED, CUT, MORE):
            return []
        if node.op is CARRY:
            is_numbered = self.look.fold and len(node.args) == 1 and node.args[0] in self.numbers
            return [f"first {self.numbers[node.args[0]]}"] if is_numbered and node in self.sketch.nexts else []
        formula = self._formula(node) if self.look.shows("formula") else ""
        return [*filter(None, [formula]), *([] if is_sign(node) else self._statics(node))]

    def _formula(self, node: Node) -> str:
        """The text that a node was read from."""
        origin = self.graph.origins.get(node)
        return shorten(quoted(self.graph.source.text, origin), _FORMULA_LENGTH) if origin else ""

    def _statics(self, node: Node) -> list[str]:
        if not node.op.statics:
            return []
        from cgcli.printing.printer import given_statics

        return [
            shorten(text if static.variadic else f"{static.name}={text}")
            for static, text in given_statics(node)
            if text and static.name != "shape"  # which every array says anyway
        ]

    def _place(self, node: Node, position: int) -> str:
        """What an operand is called where that tells something: `condition`; '' else."""
        names, is_variadic = node.op.arrays, node.op.variadic
        if isinstance(node.params, Folded):
            return node.params.names[position]
        if node.params:
            from cgcli.graph.body import function_of

            function = function_of(node)
            names, is_variadic = (names, is_variadic) if function is None else (function.names, False)
        if node.op in (CARRY, RESULT):
            return "0 there" if node.args[position] in self.sketch.zeros else names[position]
        if node in self.sums or len(node.args) < 3 or is_variadic:
            return ""
        name = names[position]
        return name if len(name) > 1 else ""


def _gate(node: Node) -> int | None:
    """The position of the operand that is a condition."""
    return 0 if node.op.name == "where" else 1 if node.op is RESULT and len(node.args) > 1 else None

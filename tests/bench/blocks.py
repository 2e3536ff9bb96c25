"""Random programs with loops, branches, functions and sums, against the same steps in Python on PyTorch's numbers.

    python tests/bench/blocks.py [SECONDS] [SEED]       five minutes unless told

Each program is held against PyTorch in value, gradient and Hessian; forward mode against reverse; rows against points;
and its text, and those of its derivatives in both modes, are read back as the same nodes.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

import cgcli
from cgcli.evaluate.evaluate import evaluate
from cgcli.graph.node import Graph, constant, name_of, toposort, variables
from cgcli.lowering.lower import lower
from cgcli.printing.program import program
from cgcli.syntax.parser import parse
from cgcli.transform.differentiate import jvp, pullback

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

INPUTS = ("a", "b")
DEEPEST = 3
CLOSE = 1e-7


class Writer:
    """Writes one program, in the language and in Python, line by line."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.names = ["x", "y", "z"]
        self.functions: list[str] = []
        self.fresh = 0

    def program(self) -> tuple[str, str]:
        """The texts in both languages; the result is called `result` in Python."""
        mine: list[str] = []
        theirs = ["def program(a, b):"]
        for _ in range(self.random.randrange(3)):
            one, lines = self.function()
            mine.append(one)
            theirs += lines
        for name in self.names:
            one, other = self.term([*INPUTS], 1)
            mine.append(f"{name} = {one}")
            theirs.append(f"    {name} = {other} + 0*a")
        known = [*self.names, *INPUTS]
        for _ in range(self.random.randint(1, 3)):
            one, lines = self.statement(known, self.names, 0, "    ")
            mine.append(one)
            theirs += lines
        one, other = self.term(known, 2)
        return "; ".join([*mine, one]), "\n".join([*theirs, f"    return {other} + 0*a + 0*b"])

    def function(self) -> tuple[str, list[str]]:
        """A function of two arguments with a block."""
        name = f"f{len(self.functions)}"
        mine, theirs = self.statement(["u", "v"], ["u", "v"], 1, "        ")
        one, other = self.term(["u", "v"], 1)
        self.functions.append(name)
        return f"{name}(u, v) = {{ {mine}; {one} }}", [f"    def {name}(u, v):", *theirs, f"        return {other}"]

    def name(self) -> str:
        self.fresh += 1
        return f"i{self.fresh}"

    def statement(self, known: list[str], names: list[str], depth: int, indent: str) -> tuple[str, list[str]]:
        """A statement that changes some of the names."""
        kind = self.random.choice(["assign", "for", "repeat", "while", "if", "both"] if depth < DEEPEST else ["assign"])
        inner = indent + "    "
        if kind == "assign":
            target, (one, other) = self.random.choice(names), self.term(known, 2)
            return f"{target} = {one}", [f"{indent}{target} = {other}"]
        if kind == "both":
            targets = self.random.sample(names, 2)
            ones, others = zip(*(self.term(known, 1) for _ in targets), strict=True)
            left = ", ".join(targets)
            return f"({left}) = ({', '.join(ones)})", [f"{indent}{left} = {', '.join(others)}"]
        if kind == "if":
            condition = self.condition(known)
            yes, yes_lines = self.body(known, names, depth, inner)
            no, no_lines = self.body(known, names, depth, inner)
            return (f"if {condition} {{ {yes} }} else {{ {no} }}",
                    [f"{indent}if {condition}:", *yes_lines, f"{indent}else:", *no_lines])  # fmt: skip
        if kind == "while":
            count, limit = self.name(), self.random.randint(1, 4)
            body, lines = self.body(known, names, depth, inner)
            condition = f"{count} < {limit} and {self.condition(known)}"
            begin, more = f"{count} = 0", f"{count} = {count} + 1"
            return (f"{begin}; while {condition} {{ {body}; {more} }}",
                    [indent + begin, f"{indent}while {condition}:", *lines, inner + more])  # fmt: skip
        if kind == "repeat":
            times = self.random.randint(0, 4)
            body, lines = self.body(known, names, depth, inner)
            return f"repeat {times} {{ {body} }}", [f"{indent}for _ in range({times}):", *lines]
        index, first, last = self.name(), self.random.randint(-1, 2), self.random.randint(0, 4)
        if self.random.random() < 0.3 and self.random.choice(known) in INPUTS:
            body, lines = self.body([*known, index], names, depth, inner)
            return (f"for {index} in {first}..floor(3*abs(sin(a))) {{ {body} }}",
                    [f"{indent}for {index} in range({first}, int(abs(3*sin(a.detach()))) + 1):", *lines])  # fmt: skip
        body, lines = self.body([*known, index], names, depth, inner)
        return (f"for {index} in {first}..{last} {{ {body} }}",
                [f"{indent}for {index} in range({first}, {last + 1}):", *lines])  # fmt: skip

    def body(self, known: list[str], names: list[str], depth: int, indent: str) -> tuple[str, list[str]]:
        """Statements of a block."""
        mine, theirs = [], []
        for _ in range(self.random.randint(1, 2)):
            one, other = self.statement(known, names, depth + 1, indent)
            mine.append(one)
            theirs += other
        return "; ".join(mine), theirs

    def condition(self, known: list[str]) -> str:
        return f"{self.random.choice(known)} {self.random.choice(['<', '>'])} {self.random.uniform(-1, 1.5):.3f}"

    def term(self, known: list[str], depth: int) -> tuple[str, str]:
        """An expression that stays within bounds."""
        kind = self.random.randrange(10) if depth else 0
        if kind <= 1:
            name = self.random.choice([*known, f"{self.random.uniform(-2, 2):.2f}"])
            return f"{name}" if name[0] != "-" else f"({name})", f"T({name})"
        one, other = self.term(known, depth - 1)
        two, other_two = self.term(known, depth - 1)
        if kind <= 4:
            op = self.random.choice("+-*")
            return f"tanh({one} {op} {two})", f"tanh({other} {op} {other_two})"
        if kind == 5:
            return f"({one})/(1.5 + ({two})^2)", f"({other})/(1.5 + ({other_two})**2)"
        if kind == 6:
            function = self.random.choice(["sin", "cos", "atan"])
            return f"{function}({one})", f"{function}(T({other}))"
        if kind == 7 and self.functions:
            function = self.random.choice(self.functions)
            return f"{function}({one}, {two})", f"{function}({other}, {other_two})"
        if kind == 8:
            index, last = self.name(), self.random.randint(0, 3)
            one, other = self.term([*known, index], depth - 1)
            return f"sum({index}=1..{last}, {one})", f"sum([{other} for {index} in range(1, {last + 1})])"
        index, last = self.name(), self.random.randint(0, 3)
        one, other = self.term([*known, index], depth - 1)
        return f"prod({index}=0..{last}, {one})", f"prod([{other} for {index} in range({last + 1})])"


def product(parts: list[Any]) -> Any:
    result = torch.tensor(1.0, dtype=torch.float64)
    for part in parts:
        result = result * part
    return result


def judge(source: str) -> Any:
    """The program of a text in Python."""
    names: dict[str, Any] = {
        "T": lambda value: torch.as_tensor(value, dtype=torch.float64), "prod": product, "abs": abs,
        **{name: getattr(torch, name) for name in ("sin", "cos", "atan", "tanh")},
    }  # fmt: skip
    exec(source, names)
    return names["program"]


def far(found: Any, expected: Any) -> bool:
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    return not np.allclose(found, expected, rtol=CLOSE, atol=CLOSE, equal_nan=True)


def faults(text: str, source: str) -> list[str]:
    """What is wrong about a program."""
    found = []
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(INPUTS, ())
    graph = lower(parse(text), shapes)
    inputs = [node for node in variables(toposort(graph.outputs)) if name_of(node) in INPUTS]
    gradient = pullback(graph.outputs, [constant(1.0)], inputs)
    tangents = [jvp(graph.output, {node: constant(1.0)}) for node in inputs]
    for what, outputs in (("value", graph.outputs), ("gradient", gradient), ("tangents", tangents)):
        whole = Graph(tuple(outputs), names=tuple(f"d{at}" for at in range(len(outputs))) if len(outputs) > 1 else ())
        if outputs and lower(parse(program(whole)), shapes).outputs != whole.outputs:
            found.append(f"the {what} is not read back")
    theirs = judge(source)
    points = [{"a": 0.7, "b": -0.4}, {"a": -1.3, "b": 0.9}]
    table = cgcli.compile(text)({name: [point[name] for point in points] for name in INPUTS}) if inputs else {}
    for at, point in enumerate(points):
        given = {name_of(node): point[name_of(node)] for node in inputs}
        tensors = [torch.tensor(point[name], dtype=torch.float64, requires_grad=True) for name in INPUTS]
        expected = theirs(*tensors)
        slopes = dict(zip(INPUTS, torch.autograd.grad(expected, tensors, create_graph=True), strict=True))
        value, grad = cgcli.value_and_grad(text)(**given)
        if far(value, expected.detach()):
            found.append(f"value {value}, PyTorch {expected} at {point}")
        ahead = dict(zip(given, evaluate(tangents, {name: np.float64(x) for name, x in point.items()}), strict=True))
        hessian = cgcli.hessian(text)(**given) if given else {}
        for name in given:
            if far(grad[name], slopes[name].detach()):
                found.append(f"d_{name} {grad[name]}, PyTorch {slopes[name]} at {point}")
            if far(ahead[name], grad[name]):
                found.append(f"d_{name} {grad[name]}, in forward mode {ahead[name]} at {point}")
            if far(table[f"d_{name}"][at], grad[name]):
                found.append(f"d_{name} {grad[name]}, in a row {table[f'd_{name}'][at]} at {point}")
            seconds = torch.autograd.grad(slopes[name] + 0 * sum(tensors), tensors, retain_graph=True)
            for other, second in zip(INPUTS, seconds, strict=True):
                if other in given and far(hessian[name][other], second.detach()):
                    found.append(f"d_{name} d_{other} {hessian[name][other]}, PyTorch {second} at {point}")
    return found


def main() -> int:
    """Try programs until the time is over; 1 when one is wrong."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 300.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    end, tried, wrong = time.monotonic() + seconds, 0, 0
    while time.monotonic() < end:
        text, source = Writer(seed).program()
        try:
            found = faults(text, source)
        except Exception as error:  # whatever it is, it is a finding
            found = [f"{type(error).__name__}: {error}"]
        if found:
            wrong += 1
            print(f"{seed}: {text}\n  {found[0][:300]}", flush=True)
        seed, tried = seed + 1, tried + 1
    print(f"{tried} programs, {wrong} wrong")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())

"""The library: what `import cgcli` gives, what its functions take and return, and what they raise."""

from __future__ import annotations

import copy
import doctest
import importlib
import pickle
import re
import subprocess
import sys
import threading
import warnings
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NoReturn
from xml.etree import ElementTree

import mpmath
import numpy as np
import pytest

import cgcli
from cgcli.errors import ArgumentError, DataError, ParseError, ShapeError, UnknownNameError, UsageError
from cgcli.graph.node import name_of
from cgcli.transform.differentiate import jvp, vjp
from tests.command import Capture, cg
from tests.for_each import for_each
from tests.support import literal
from tests.support import value as value_of
from tests.support_examples import PROGRAMS, example
from tests.test_readme import blocks

# ---- the front door -----------------------------------------------------------------------


def test_importing_the_package_imports_nothing_heavy() -> None:
    """Protects start-up: the command imports the package first, and needs neither numpy nor the parser for --help."""
    script = "import sys, cgcli; cgcli.CgError; print(*{'numpy', 'lark', 'click', 'scipy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_every_public_name_is_there_and_is_listed() -> None:
    """Protects completion and `from cgcli import *`: names, `__all__`, `dir` and the types that editors see agree."""
    for name in cgcli.__all__:
        assert getattr(cgcli, name) is not None
    assert dir(cgcli) == cgcli.__all__
    with open(cgcli.__file__, encoding="utf-8") as stream:
        typed = re.findall(r" as (\w+)(?:  # noqa.*)?$", stream.read(), re.MULTILINE)
    assert sorted(typed) == cgcli.__all__
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        cgcli.nothing  # noqa: B018


@for_each("module", ["cgcli", *sorted({*cgcli._HOMES.values()} - {"cgcli.errors"})])
def test_examples_in_docstrings_are_true(module: str) -> None:
    """Protects readers of `help`: every public function has an example, and it runs."""
    found = importlib.import_module(module)
    assert not doctest.testmod(found).failed
    public = [vars(found)[name] for name in cgcli.__all__ if name in vars(found)]
    functions = [item for item in public if getattr(item, "__module__", "") == found.__name__]
    assert all(">>>" in (item.__doc__ or "") for item in functions if not isinstance(item, type))


def test_examples_in_the_readme_are_true() -> None:
    """Protects readers of the README."""
    text = "\n".join(blocks("python"))
    test = doctest.DocTestParser().get_doctest(text, {}, "README", None, None)
    assert len(test.examples) > 5
    assert not doctest.DocTestRunner().run(test).failed


# ---- programs -----------------------------------------------------------------------------

# Programs, the names that they leave open in order, and the shapes that they declare.
INPUTS: list[tuple[str, tuple[str, ...], dict[str, tuple[int, ...]]]] = [
    ("1 + 1", (), {}),
    ("b*a + b + pi", ("b", "a"), {}),
    ("X: [10, 2]; w: [2]; X@w", ("X", "w"), {"X": (10, 2), "w": (2,)}),
    ("X@w.T", ("X", "w"), {}),
    ("e: []; e^2", ("e",), {"e": ()}),
    ("t = x*y; t + t*z", ("x", "y", "z"), {}),
    ("f(x) = a*x; f(b)", ("a", "b"), {}),
    ("f(x, y) = a*x + y", ("x", "y", "a"), {}),
    ("k = 2; f(x) = k*x", ("x",), {}),
    ("f(x) = round(x); jvp f(x; dx) = c*dx", ("x", "c"), {}),
    ("f(x) = x^2; f(3)", (), {}),
    ("`a b` + max(`c d`, [1, u][0])", ("a b", "c d", "u"), {}),
    ("v[i:j, ::k] + (0 < r < s)", ("v", "i", "j", "k", "r", "s"), {}),
    ("sum(x, axis=n)", ("x", "n"), {}),
    ("(p, q*p)", ("p", "q"), {}),
    ("f(x1, x2) = ln(x1) + x1x2", ("x1", "x2"), {}),
]


@for_each(("text", "inputs", "shapes"), INPUTS)
def test_a_program_knows_its_inputs(text: str, inputs: tuple[str, ...], shapes: dict[str, Any]) -> None:
    """Protects whoever asks what a program needs, before any shape is known."""
    program = cgcli.parse(text)
    assert (program.inputs, dict(program.shapes)) == (inputs, shapes)


def test_a_program_is_a_value() -> None:
    """Protects its use as a key and over processes: immutable, equal by text, printed as itself."""
    program = cgcli.parse("x1 + x1*2  # twice")
    assert str(program) == "x1 + x1*2  # twice"
    assert eval(repr(program), {"cgcli": cgcli}) == program
    assert pickle.loads(pickle.dumps(program)) == program
    assert {program: 1}[cgcli.parse(str(program))] == 1
    with pytest.raises(AttributeError):
        program.text = "x"  # type: ignore[misc]


# ---- what functions return ----------------------------------------------------------------


@for_each("name", PROGRAMS)
def test_the_library_gives_the_numbers_of_the_passes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects every function at once: on each example, values and products of the reverse and the forward pass."""
    point = example(name, monkeypatch)
    text = point.graph.source.text
    bindings = {name_of(node): point.bindings[name_of(node)] for node in point.inputs}
    outputs, inputs = point.graph.outputs, point.inputs
    values = [value_of(output, bindings) for output in outputs]
    named = point.graph.names or ("",)
    found = cgcli.value(text)(bindings)
    jacobians = cgcli.jacobian(text)(bindings)
    for at, output in enumerate(outputs):
        np.testing.assert_array_equal(found[named[at]] if point.graph.names else found, values[at])
        weights = np.cos(np.arange(1.0, 1.0 + np.size(values[at]))).reshape(np.shape(values[at]))
        adjoints = [value_of(node, bindings) for node in vjp(output, literal(weights), inputs)]
        given = {named[at]: weights} if point.graph.names else weights
        _, pulled = cgcli.vjp(text)(bindings, given)
        for node, adjoint in zip(inputs, adjoints, strict=True):
            np.testing.assert_allclose(pulled[name_of(node)], adjoint, rtol=1e-13, atol=1e-300)
            block = (jacobians[named[at]] if point.graph.names else jacobians)[name_of(node)]
            assert np.shape(block) == np.shape(values[at]) + node.shape
            contracted = np.tensordot(weights, block, np.ndim(weights))
            np.testing.assert_allclose(contracted, adjoint, rtol=1e-10, atol=1e-10)
        moved = {
            node: literal(np.sin(np.arange(1.0, 1.0 + np.prod(node.shape))).reshape(node.shape)) for node in inputs
        }
        tangents = {name_of(node): value_of(tangent, {}) for node, tangent in moved.items()}
        _, pushed = cgcli.jvp(text)(bindings, tangents)
        tangent = pushed[named[at]] if point.graph.names else pushed
        np.testing.assert_allclose(tangent, value_of(jvp(output, moved), bindings), rtol=1e-13, atol=1e-300)


# Calls and their results, which are floats, arrays and dicts of them.
RESULTS: list[tuple[Any, Any]] = [
    (lambda: cgcli.value("1 + 1")(), 2.0),
    (lambda: cgcli.value("a*x")({"a": 2}, x=3), 6.0),
    (lambda: cgcli.value("`a b`^2")({"a b": 3}), 9.0),
    (lambda: cgcli.value("e")(e=3), 3.0),
    (lambda: cgcli.value(cgcli.parse("x"))(x=True), 1.0),
    (lambda: cgcli.value("x")(x=np.float32(0.5)), 0.5),
    (lambda: cgcli.value("sqrt(x)")(x=np.array(4)), 2.0),
    (lambda: cgcli.value("[x, 1]")(x=2), np.array([2.0, 1.0])),
    (lambda: cgcli.value("sum(x)")(x=range(4)), 6.0),
    (lambda: cgcli.value("X.T")(X=[[1, 2]]), np.array([[1.0], [2.0]])),
    (lambda: cgcli.value("1/x")(x=0), np.inf),
    (lambda: cgcli.value_and_grad("x^2")(x=3), (9.0, {"x": 6.0})),
    (lambda: cgcli.value_and_grad("3")(), (3.0, {})),
    (lambda: cgcli.value_and_grad("x*y", "y")(x=3, y=4), (12.0, {"y": 3.0})),
    (lambda: cgcli.value_and_grad("v = x*y; (v, v^2)")(x=1, y=2),
     ({"v": 2.0, "v^2": 4.0}, {"v": {"x": 2.0, "y": 1.0}, "v^2": {"x": 8.0, "y": 4.0}})),
    (lambda: cgcli.value_and_grad("x > 0 ? sqrt(x) : 0")(x=0), (0.0, {"x": 0.0})),
    (lambda: cgcli.grad("sum(x*x)")(x=[1, 2]), {"x": np.array([2.0, 4.0])}),
    (lambda: cgcli.grad("(x, 2*x)")(x=1), {"x": {"x": 1.0}, "2*x": {"x": 2.0}}),
    (lambda: cgcli.jacobian("x^2", mode="forward")(x=[1, 2]), {"x": np.diag([2.0, 4.0])}),
    (lambda: cgcli.jacobian("x^2", mode="reverse")(x=[1, 2]), {"x": np.diag([2.0, 4.0])}),
    (lambda: cgcli.jacobian("x^2")(x=3), {"x": 6.0}),
    (lambda: cgcli.jacobian("(x, [x, 1])")(x=3), {"x": {"x": 1.0}, "[x, 1]": {"x": np.array([1.0, 0.0])}}),
    (lambda: cgcli.hessian("x@x*y")(x=[1, 2], y=3),
     {"x": {"x": 6*np.eye(2), "y": np.array([2.0, 4.0])}, "y": {"x": np.array([2.0, 4.0]), "y": 0.0}}),
    (lambda: cgcli.hessian("(x^2, x^3)", "x")(x=2), {"x^2": {"x": {"x": 2.0}}, "x^3": {"x": {"x": 12.0}}}),
    (lambda: cgcli.jvp("x*y")({"x": 2, "y": 3}, {"y": 1}), (6.0, 2.0)),
    (lambda: cgcli.jvp("(x, y)")({"x": 2, "y": 3}, {"y": 1}), ({"x": 2.0, "y": 3.0}, {"x": 0.0, "y": 1.0})),
    (lambda: cgcli.vjp("(x*y, [x, y])")({"x": 2, "y": 3}, {"[x, y]": [5, 7]})[1], {"x": 5.0, "y": 7.0}),
    (lambda: cgcli.vjp("x*y", "x")({"x": 2, "y": 3}, 10), (6.0, {"x": 30.0})),
    (lambda: cgcli.diff("a*x^3", "x", order=2), "6*a*x"),
    (lambda: cgcli.diff("x*y", ["x", "y"]), "d_x = y; d_y = x; (d_x, d_y)"),
    (lambda: cgcli.diff("a*x^2 + b", values={"a": 3, "b": 1}), "6*x"),
    (lambda: cgcli.diff("(x^2, x*y)", "x", cotangent=[1, 2]), "2*(x + y)"),
    (lambda: cgcli.diff("x^2/y", "x", latex=True), r"\frac{2 x}{y}"),
    (lambda: cgcli.simplify("a*x + a*x", a=3), "6*x"),
    (lambda: cgcli.directional("(x^2, x)", 2)({"x": 3}, {"x": 1}), {"x^2": [9.0, 6.0, 2.0], "x": [3.0, 1.0, 0.0]}),
    (lambda: cgcli.jacobian("3")(), {}),
    (lambda: cgcli.jacobian("y = 2*x; z = x", wrt=[])(x=1), {}),
    (lambda: cgcli.hessian_product("x^2*y")({"x": 3, "y": 2}, {"y": 1}), {"x": 6.0, "y": 0.0}),
]  # fmt: skip


def same(one: Any, other: Any) -> bool:
    """Whether two results are of the same types, shapes and numbers."""
    if isinstance(other, dict):
        return list(one) == list(other) and all(same(one[name], other[name]) for name in other)
    if isinstance(other, tuple | list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and np.shape(one) == np.shape(other) and bool(np.all(one == other))


@for_each("case", RESULTS)
def test_results_are_plain_numbers_arrays_and_dicts(case: tuple[Any, Any]) -> None:
    """Protects callers: the types and the nesting of every kind of result, for each way to give the inputs."""
    call, expected = case
    found = call()
    assert same(found, expected), found


def test_results_are_the_callers_own() -> None:
    """Protects callers who change a result: no input, no other result and no later call changes."""
    x = np.array([1.0, 2.0])
    for text in (
        "x",
        "x.T",
        "reshape(x, [2, 1])",
        "[1, 2]",
        "broadcast(x, [3, 2])",
        "x[::-1]",
        "(x, x)",
        "stop_gradient(x)",
    ):
        call = cgcli.value(text)
        given = {"x": x} if "x" in call.program.inputs else {}
        first, again = call(given), call(given)
        results = [*first.values(), *again.values()] if isinstance(first, dict) else [first, again]
        expected = [result.copy() for result in results]
        for at, result in enumerate(results):
            result += 100.0
            for other in range(at + 1, len(results)):
                np.testing.assert_array_equal(results[other], expected[other])
        np.testing.assert_array_equal(x, [1.0, 2.0])
    _, derivatives = cgcli.value_and_grad("sum(x*y)")(x=x, y=x)
    derivatives["x"] += 1.0
    np.testing.assert_array_equal(x, [1.0, 2.0])


def test_a_function_is_compiled_for_each_set_of_shapes() -> None:
    """Protects speed and right results together: other shapes, another order of names, and old ones again."""
    call = cgcli.value_and_grad("sum(x*y)")
    for _ in range(2):
        assert same(call(x=2, y=3), (6.0, {"x": 3.0, "y": 2.0}))
        assert same(call(y=3, x=2), (6.0, {"x": 3.0, "y": 2.0}))
        for size in range(1, 40):
            ones = np.ones(size)
            assert same(call(x=ones, y=2), (2.0 * size, {"x": 2 * ones, "y": float(size)}))


@for_each(
    "value",
    [
        2**53 + 1, -(10**400), Fraction(1, 3), Decimal("0.1"), mpmath.ldexp(2**70 + 1, -80), np.int64(2**53 + 1),
        [2**53 + 1, 0.5], [[Fraction(1, 3)], [2]], (Decimal("1e-30"), 1), np.array([2**53 + 1, 7]),
        np.array([mpmath.ldexp(2**70 + 1, 3), 1], dtype=object),
    ],
)  # fmt: skip
def test_exact_numbers_of_python_keep_their_digits(value: Any) -> None:
    """Protects digits that were computed elsewhere: with digits, and in bounds, none becomes a float on its way."""
    exact = sum(map(_fraction, np.array(value, dtype=object).flat), Fraction(0))
    found = cgcli.value("sum(x)", digits=500)(value)
    assert abs(_fraction(found) - exact) <= abs(exact) / 10**499
    low, high = cgcli.bounds("sum(x/10^400)")(x=(value, value))[0]
    assert Fraction(repr(low)) <= exact / 10**400 <= Fraction(repr(high))


def _fraction(number: Any) -> Fraction:
    """A number of Python, numpy or mpmath, exactly."""
    if isinstance(number, mpmath.mpf):
        sign, mantissa, exponent, _ = number._mpf_
        return Fraction((-1) ** sign * int(mantissa)) * Fraction(2) ** int(exponent)
    return Fraction(int(number) if isinstance(number, np.integer) else number)


@for_each("value", [Fraction(3, 2), Decimal("1.5"), mpmath.mpf(1.5), np.float32(1.5)])
def test_numbers_of_other_types_are_floats(value: Any) -> None:
    """Protects callers with fractions, decimals and columns of objects."""
    assert cgcli.value("x^2")(value) == 2.25
    np.testing.assert_array_equal(cgcli.value("x^2")([value, 2]), [2.25, 4])
    np.testing.assert_array_equal(cgcli.compile("x^2")({"x": [value, 2]})["value"], [2.25, 4])


def test_threads_may_call_a_function() -> None:
    """Protects servers: the first calls, which compile, come together."""
    for make in (cgcli.value, cgcli.grad, cgcli.hessian, cgcli.jacobian):
        call = make("sum(x^3)*y")
        expected = make("sum(x^3)*y")(x=[1, 2, 3], y=2)
        results: list[Any] = []

        def work(call: cgcli.Function = call, results: list[Any] = results) -> None:
            results.append(call(x=[1, 2, 3], y=2))

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(results) == 8
        assert all(same(result, expected) for result in results)


# ---- what goes wrong ----------------------------------------------------------------------


class _Refusing:
    """As a tensor of PyTorch that has a gradient: it does not become an array of numpy."""

    def __array__(self, dtype: object = None, copy: object = None) -> NoReturn:
        raise RuntimeError("detach it first")


# Calls, the error, and what its whole message holds, place and hint included.
MISTAKES: list[tuple[Any, type[cgcli.CgError], str]] = [
    (lambda: cgcli.parse("2 +"), ParseError, "2 +\n    ^"),
    (lambda: cgcli.parse("2x"), ParseError, "write 2*x"),
    (lambda: cgcli.value("")(), ParseError, "there is no expression"),
    (lambda: cgcli.value("sni(x)")(x=1), UnknownNameError, "did you mean 'sin'?"),
    (lambda: cgcli.value("x + y*z")(y=1), UnknownNameError, "no value for 'x', 'z'\n  x + y*z\n  ^     ^"),
    (lambda: cgcli.value("alpha")(alhpa=1), UnknownNameError, "did you mean 'alhpa'?"),
    (lambda: cgcli.value("x: [3]; x")(x=[1, 2]), ShapeError, "declared with shape [3], but given with shape [2]"),
    (lambda: cgcli.value("x + y")(x=[1, 2], y=[1, 2, 3]), ShapeError, "do not broadcast\n  x + y\n  ^   ^"),
    (lambda: cgcli.value("x")(x="2"), DataError, "the value of 'x' is not a number or a list of numbers"),
    (lambda: cgcli.value("x")(x=None), DataError, "the value of 'x' is not a number"),
    (lambda: cgcli.value("x")(x=1j), DataError, "the value of 'x' is not a number"),
    (lambda: cgcli.value("x")(x=10**400), DataError, "the value of 'x' is beyond the range of 64-bit floats"),
    (lambda: cgcli.value("x")(x=[Fraction(1, 3), None]), DataError, "the value of 'x' is not a number"),
    (lambda: cgcli.value("x")(x=_Refusing()), DataError, "cannot be read as numbers\n  detach it first"),
    (lambda: cgcli.value("x", digits=30)(x=[Fraction(1, 3), None]), DataError, "the value of 'x' is not a number"),
    (lambda: cgcli.value("x", digits=30)(x=10**5000), DataError, "an integer of more digits than Python writes"),
    (lambda: cgcli.parse(None), UsageError, "a program is a text, and not a 'NoneType'"),  # type: ignore[arg-type]
    (lambda: cgcli.grad("x", 3), UsageError, "wrt is a name or a list of names, and not 3"),  # type: ignore[arg-type]
    (lambda: cgcli.diff("x", [3]), UsageError, "wrt is a name or a list"),  # type: ignore[list-item]
    (lambda: cgcli.grad("x*y", "x, y")(1, 2), UsageError, "several names are a list: ['x', 'y']"),
    (lambda: cgcli.minimize("x^2", 3), UsageError, "values are given by name"),  # type: ignore[arg-type]
    (lambda: cgcli.export("x*y", "c", values=[1]), UsageError, "values are given by name"),  # type: ignore[arg-type]
    (lambda: cgcli.value("x")(x=[[1], [1, 2]]), DataError, "rows differ in length"),
    (lambda: cgcli.value("x")({"x": 1}, x=2), UsageError, "'x' is bound twice"),
    (lambda: cgcli.value("x")(3, 4), UsageError, "there are 2 values for 1 name"),
    (lambda: cgcli.value("x*y")(3, x=4), UsageError, "'x' is bound twice"),
    (lambda: cgcli.value("x*y")({"x": 1}, 2), DataError, "the value of 'x' is not a number"),
    (lambda: cgcli.value(3), UsageError, "a program is a text"),  # type: ignore[arg-type]
    (lambda: cgcli.value("zeros([5000, 5000]) + 1")(), cgcli.CgError, "more than 200 MB"),
    (lambda: cgcli.grad("pi*x", "pi")(x=1), cgcli.CgError, "no value for 'pi'"),
    (lambda: cgcli.grad("t = x^2; t*t", "t")(x=1), UsageError, "it is computed by the program"),
    (lambda: cgcli.grad("[x, 1]")(x=1), UsageError, "the value has shape [2], and a gradient needs a scalar"),
    (lambda: cgcli.hessian("(x, [x, 1])")(x=1), UsageError, "the output '[x, 1]' has shape [2]"),
    (lambda: cgcli.jacobian("x", mode="both"), UsageError, "there is no mode 'both'"),  # type: ignore[arg-type]
    (lambda: cgcli.jacobian("x*x")(x=np.ones(20000)), cgcli.CgError, "the Jacobian would be"),
    (lambda: cgcli.jvp("x")({"x": 1}, {"x": [1, 2]}), UsageError, "the tangent of 'x' has shape [2], and 'x' []"),
    (lambda: cgcli.jvp("x")({"x": 1}, {"y": 1}), UnknownNameError, "'y' has a tangent, and is no input"),
    (lambda: cgcli.vjp("x")({"x": 1}, [1]), UsageError, "the cotangent has shape [1], and the value []"),
    (lambda: cgcli.vjp("(x, x^2)")({"x": 1}, 1), UsageError, "the outputs are: x, x^2"),
    (lambda: cgcli.diff("x", "y"), UnknownNameError, "cannot differentiate by 'y'"),
    (lambda: cgcli.diff("x", "x", order=0), UsageError, "the order of a derivative is a whole number from 1 to 170"),
    (lambda: cgcli.diff("x", "x", order=1.5), UsageError, "whole number"),  # type: ignore[arg-type]
    (lambda: cgcli.diff("x: [2]; cumsum(x)", "x"), UsageError, "needs a scalar"),
    (lambda: cgcli.diff("(x, x^2)", "x"), UsageError, "how much does each of them count?"),
    (lambda: cgcli.diff("3"), UsageError, "there is nothing to differentiate by"),
    (lambda: cgcli.directional("x", 0), UsageError, "the order of a derivative is a whole number from 1 to 170"),
    (lambda: cgcli.train("x^2", {"x": 1}, lr="a"), UsageError, "lr is a number, and not 'a'"),
    (lambda: cgcli.train("x^2", {"x": 1}, rate=1), UsageError, "there is no setting 'rate'"),
    (lambda: cgcli.max_trips(-1), UsageError, "a bound on trips is a whole number from 1, and not -1"),
    (lambda: cgcli.fit("y = a*x", {}, {"a": 1}, starts=0), UsageError, "starts is a whole number from 1 to 1000000"),
    (lambda: cgcli.fit("y = a*x", {"x": 3, "y": [3]}, {"a": 1}), DataError, "column 'x' is no list"),
    (lambda: cgcli.jvp("x")({"x": 1}, [1]), UsageError, "tangents are given by name"),  # type: ignore[arg-type]
    (lambda: cgcli.value("[1, 2][0:x]")(x=1), ArgumentError, "[1, 2][0:x]\n         ^^^"),
]


@for_each("case", MISTAKES)
def test_mistakes_are_errors_with_their_place_and_a_fix(case: tuple[Any, type[cgcli.CgError], str]) -> None:
    """Protects callers: one family of errors, a sentence in `str`, and all that the command line says in `describe`."""
    call, kind, said = case
    with pytest.raises(cgcli.CgError) as caught:
        call()
    assert type(caught.value) is kind or kind is cgcli.CgError
    assert said in cgcli.describe(caught.value)
    assert str(caught.value) == caught.value.message
    assert "--" not in cgcli.describe(caught.value), "the library has no options"


@pytest.mark.parametrize(
    ("text", "given"), [("x + y*z", {"y": 1}), ("sni(x)", {"x": 1}), ("x: [3]; x", {"x": [1, 2]}), ("2 x", {})]
)
def test_errors_read_as_on_the_command_line(text: str, given: dict[str, Any], capsys: Capture) -> None:
    """Protects users of both: the same mistake has the same message."""
    with pytest.raises(cgcli.CgError) as caught:
        cgcli.value(text)(given)
    words = [f"{name}={str(number).replace(' ', '')}" for name, number in given.items()]
    assert cg(capsys, "eval", text, *words).err == cgcli.describe(caught.value) + "\n"


def test_the_library_is_silent(capfd: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder) -> None:
    """Protects programs that use it: nan, infinities and kinks are results, and nothing is printed."""
    assert np.isnan(cgcli.value("sqrt(x)")(x=-1))
    assert np.isinf(cgcli.value("exp(x) + 1/(x - x)")(x=1e4))
    assert cgcli.grad("abs(x)")(x=0) == {"x": 0.0}
    assert cgcli.hessian("ln(sum(x))")(x=[0, 0])["x"]["x"].shape == (2, 2)
    assert cgcli.jacobian("ln(x)")(x=[-1, 0])["x"].shape == (2, 2)
    assert capfd.readouterr() == ("", "")
    assert not recwarn


# ---- what is warned of --------------------------------------------------------------------

# Calls, their results, and what is warned of: a name without effect is no reason to fail.
WARNED: list[tuple[Any, Any, list[str]]] = [
    (lambda: cgcli.diff("x^2", values={"x": 3}), "2*x",
     ["the value of 'x' is not used: the formula holds for all of them; for the number, use grad"]),
    (lambda: cgcli.value("cos(x) = x")(x=3), 3.0,
     ["'cos' is a function of the language, and is defined anew here; to compare, write =="]),
    (lambda: cgcli.value("x^2")(x=3, y=1), 9.0, ["'y' is bound, but the expression does not use it"]),
    (lambda: cgcli.value(cgcli.diff("x*y + z", "x"))(x=2, y=3, z=4), 3.0,
     ["'x' is bound, but the expression does not use it", "'z' is bound, but the expression does not use it"]),
    (lambda: cgcli.grad("x^2", "v")(x=3), {"v": 0.0}, ["'v' is not in the expression: its derivative is 0"]),
    (lambda: cgcli.grad("speed^2", "sped")(speed=3), {"sped": 0.0},
     ["'sped' is not in the expression: its derivative is 0; did you mean 'speed'?"]),
    (lambda: cgcli.value_and_grad("x", ["x", "z"])(x=1, z=[1, 2]), (1.0, {"x": 1.0, "z": np.zeros(2)}),
     ["'z' is not in the expression: its derivative is 0"]),
    (lambda: cgcli.jvp("x")({"x": 1, "y": 2}, {"x": 1, "y": 1}), (1.0, 1.0), ["'y' is bound"]),
    (lambda: cgcli.compile("x", "y", values={"k": 1})({"x": [1.0]}), {"value": np.array([1.0]), "d_y": np.array([0.0])},
     ["'k' is bound", "'y' is not in the expression"]),
    (lambda: cgcli.diff("x*floor(x)", "x"), "floor(x)", ["floor counts as a constant: it is piecewise constant"]),
    (lambda: cgcli.diff("x^2", "x", values={"x": 3}), "2*x", ["the value of 'x' is not used"]),
]  # fmt: skip


@for_each("case", WARNED)
def test_a_name_without_effect_is_warned_of_and_the_call_succeeds(case: tuple[Any, Any, list[str]]) -> None:
    """Protects `value(diff(text))(**data)`, where the derivative drops a name: as on the command line, a warning."""
    call, expected, messages = case
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = call()
    assert same(found, expected), found
    assert len(caught) == len(messages)
    for warning, message in zip(caught, messages, strict=True):
        assert str(warning.message).startswith(message)
        assert warning.category is cgcli.CgWarning
        assert warning.filename == __file__, "the line that called the library"


def test_a_function_warns_once_for_each_set_of_shapes() -> None:
    """Protects loops: what was said when the program was compiled is not said again."""
    call = cgcli.value("x^2")
    with pytest.warns(cgcli.CgWarning):
        call(x=1, y=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert call(x=2, y=2) == 4.0


# ---- what commands print ------------------------------------------------------------------


def test_pictures_traces_and_checks_are_those_of_the_commands(tmp_path: Path, capsys: Capture) -> None:
    """Protects the one front door: the same program at the same values, in Python and on the command line."""
    text, values = "ln(x1) + x1*x2 - sin(x2)", {"x1": 2, "x2": 5}
    words, target = ["x1=2", "x2=5"], tmp_path / "graph.dot"
    for _ in range(2):
        dot = cgcli.picture(text, values, grad=True)
        assert cg(capsys, "render", text, *words, "--grad", "-o", str(target)).code == 0
        assert target.read_bytes() == dot
        trace = cgcli.evaluation_trace(text, values, grad=True, direction={"x1": 1})
        assert cg(capsys, "trace", text, *words, "--grad", "--tangent", "x1=1").out == trace + "\n"
        assert not cgcli.check_grad(text, values).mismatches
    wrong = cgcli.check_grad("f(x) = x^3; jvp f(x; dx) = 3*x*dx; f(x)", x=2)
    assert [row.name for row in wrong.mismatches] == ["x"]


def test_a_picture_is_pickled_as_it_was_drawn() -> None:
    """Protects workers that draw, and notebooks that keep what they have: a local function cannot be pickled."""
    shown: list[dict[str, Any]] = [{}, {"grad": True, "theme": "dark"}, {"backward": True}]
    for options in shown:
        made = cgcli.render("x*y", x=2, y=3, **options)
        dot = made.content(["dot"])["dot"]
        kept = pickle.loads(pickle.dumps(made))
        again = pickle.loads(pickle.dumps(kept))
        assert (again.svg, again.png, again.content(["dot"])["dot"]) == (made.svg, made.png, dot)
        assert (again._repr_svg_(), repr(again)) == (made.svg, repr(made))
        with pytest.raises(UsageError, match=r"the picture was pickled with dot, svg, png, and has no pdf"):
            again.content(["pdf"])
        with pytest.raises(UsageError, match="and has no steps"):
            again.frames()
        assert copy.deepcopy(made).content(["tex"])["tex"] == copy.copy(made).content(["tex"])["tex"]


def test_a_picture_is_one_thing_in_every_format(tmp_path: Path) -> None:
    """Protects the front door of pictures: each format on its own is what `picture` gives, and a file has it."""
    text, values = "x*sin(y)", {"x": 2, "y": 3}
    made = cgcli.render(text, values, grad=True, theme="dark")
    assert repr(made) == "<picture of 'x*sin(y)'>"
    whole = {kind: cgcli.picture(text, values, grad=True, theme="dark", kind=kind) for kind in ("svg", "png", "txt")}
    assert (made.svg.encode(), made.png) == (whole["svg"], whole["png"])
    assert made._repr_svg_() == made.svg
    for kind, content in whole.items():
        made.save(tmp_path / f"a.{kind}")
        assert (tmp_path / f"a.{kind}").read_bytes() == content
    for path, message in (("a.jpg", "unknown picture format"), (tmp_path / "no" / "a.svg", "no such file")):
        with pytest.raises(cgcli.CgError, match=message):
            made.save(path)
    with pytest.raises(cgcli.CgError, match="unknown picture format: 'jpg'"):
        cgcli.picture(text, kind="jpg")


# A program, and whether a notebook shows it as a picture.
IN_NOTEBOOKS = [
    ("x*y", True),
    ("x", True),
    ("1/0", True),
    ("repeat 5 { x = x/2 }; x", True),
    ("`<script>alert(1)</script>` + `]]>` + `&amp;`", True),
    ("A: [2, 3]; A @ x", False),  # of shapes that do not fit
    (" + ".join(f"x{at}^2" for at in range(400)), False),
    ("sin(" * 3000 + "x" + ")" * 3000, False),
]


@pytest.mark.parametrize(("text", "is_drawn"), IN_NOTEBOOKS)
def test_a_notebook_shows_a_program(text: str, is_drawn: bool) -> None:
    """Protects notebooks: a name is never a tag of the page, and what cannot be drawn is shown as text, at once."""
    shown = cgcli.parse(text)._repr_mimebundle_()
    assert shown["text/plain"] == text
    assert ("image/svg+xml" in shown) == is_drawn
    tags = {each.tag.partition("}")[2] for each in ElementTree.fromstring(shown.get("image/svg+xml", "<a/>")).iter()}
    assert "script" not in tags


NEED_VALUES = {
    "sum(i=1..3, i*x)": ("x",),
    "sum(i=1..3, i) + i": ("i",),
    "for k in 1..3 { s = s + k }; s": ("s",),
    "while x > 1 { h = x/2; x = h }; x": ("x",),
    "(a, b) = (x, 2); a*b": ("x",),
    "x = x + 1; x": ("x",),
    "solve(z^2 = a, z=1)": ("a",),
    "f(x) = k*x; k = 2; f(y)": ("y",),
}


@for_each("text", NEED_VALUES)
def test_inputs_are_the_names_that_need_a_value(text: str) -> None:
    """Protects values that are given by their place: an index, an unknown and what a trip computes have none."""
    assert cgcli.parse(text).inputs == NEED_VALUES[text]
    cgcli.value(text)(2.0)

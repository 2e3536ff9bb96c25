"""What cg prints, cg reads, and it is the same graph: expressions, gradients, second derivatives."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from cgcli.graph.node import CONSTANT, VARIABLE, Graph, Node, apply, name_of, toposort, variable, variables
from cgcli.graph.operation import Operation
from cgcli.lowering.lower import lower
from cgcli.ops.table import CONSTANTS, operations
from cgcli.printing.program import program
from cgcli.syntax.parser import parse
from cgcli.transform.differentiate import jvp, vjp
from tests.for_each import for_each
from tests.support import argument_names, defaults, key, ones

# Each way of writing that the printer has, at least once, and each place where brackets matter.
EXPRESSIONS = """
ln(x1) + x1*x2 - sin(x2)
x
3
-3
-0
1e300
-2.5e-300*x
nan + x
-nan*x
-inf*x
5e-324
-x
-x^2
(-x)^2
(-2)^x
2^-x
-(-x)
--x
neg(2)
-neg(neg(2))
x - -2
a - (b - c)
a - b - c
a + (b + c)
a/(b*c)
a/b/c
a*(b/c)
a//b//c
a % b % c
a % (b % c)
-a % b
-(a % b)
(a^b)^c
a^b^c
a^-b
(-a)^b
-x*y
(-x)*y
x*-y
-(x*y)
a + b*c
(a + b)*c
not a
not (a and b)
not a and b
(not a) == b
not a == b
(a and b) or c
a and (b or c)
a and (b and c)
a < b < c
(a < b) < c
a < (b < c)
(a == b) != c
a <= b
a >= b
x ? y : z
(x ? y : z) ? a : b
a ? b ? 1 : 2 : 3
(a ? b : c) + 1
sin(x)*sin(x)
a = x*w; sin(a) + a
a = x*w; b = a + 1; b*a*b
t1 = sin(x); t1*t2*t1
sin(x) + sin(x)^t1
`a b` + 1
`a b`*`and` + `x²`
`x̄`*`a·b`*`½`*`2x`*`.T`
x₁ + θ + Δx
e = 3; e + x
f(x, y) = x^2*y; f(a, b) + f(b, a)
square(x)
digamma(x, order=2)
x!
(x!)!
x!^2 - (x^2)!*(-x)!
-x! + (x + 1)!/2^x!
sin(x)! == 3
[x, 1]![0]
[x, 1][0]!
clip(x, 0, 1)
max(a, b, c)
max(a, max(b, c))
hypot(x, y)
log(x, 3)
zeros([2]) + x
[]
[1, 2]
[[1, 2], [3, 4]]
[x, 1]
[x, 1][0]
[x, 1][1:]
[[x, 1], [2, 3]]
[[1, 2], [x, 3]]
[[[x]]]
stack(1, 2)
stack([1, 2], [x, 3], axis=1)
stack([1, 2], [3, 4])
put([x, 2], [5], 1:3)
put(x, [3], 1)
X: [4]; X[::-1]
X: [4]; X[3:0:-2]
X: [4]; X[1:1]
X: [2, 3]; X[1, ::2]
X: [2, 3]; X[:, 0] + X[:, -1]
X: [2, 3]; X.T @ X
X: [2, 3]; X @ X.T
X: [2, 2]; (X + 1).T
X: [2, 2]; -X.T
X: [2, 2]; (-X).T
X: [2, 2]; X.T^2
X: [2, 2]; (X^2).T
X: [2, 2]; X @ X @ X
X: [2, 2]; X @ (X @ X)
X: [2, 2]; X*X @ X
X: [2, 2]; X[0].T
X: [2, 2, 2]; X.T
X: [2, 3, 4]; transpose(X, [2, 0, 1])
X: [2, 3]; sum(X)
X: [2, 3]; sum(X, axis=0)
X: [2, 3]; sum(X, axis=[0, 1], keepdims=1)
X: [2, 3]; max(X, axis=1)
X: [2, 3]; reshape(X, [-1])
X: [2, 0]; X
X: [1]; X
X: [3]; where(X > 0, 1, X)
X: [3]; std(X, ddof=1)
X: [3]; softmax(X)
X: [1, 1, 3, 3]; max_pool2d(X, 2, padding=1)
pi: [2]; pi
pi: []; pi + 1
einsum("i,i->", [x, 1], [2, 3])
diag([x, 1])
pad([x], 1)
f(x) = x^2; jvp f(x; dx) = 3*x*dx; f(a) + f(b)
f(x) = exp(x); jvp f(y; dz) = f(y)*dz; f(3*x) + f(x)
f(x) = sin(x)*sin(x); jvp f(x; dx) = sin(f(x))*dx*sin(f(x)); f(3*x)
f(x, y) = x*y; jvp f(x, y; dx, dy) = y*dx + 2*x*dy; f(a, f(a, b))
g(x) = f(x) + 1; f(x) = x^2; jvp f(x; dx) = 3*x*dx; jvp g(x; dx) = 5*f(x)*dx; g(x)*f(x)
f(x) = reshape(x, [-1]); jvp f(x; dx) = reshape(dx, [-1]); sum(f([x, 1])) + sum(f([x, 2, 3]))
max(x, y) = x + y; jvp max(x, y; dx, dy) = dx + 2*dy; max(x, y)*maximum(x, 3)
`my f`(`a b`) = `a b`^2; jvp `my f`(`a b`; `d a`) = 2*`a b`*`d a`; `my f`(x)
X: [2, 2]; f(A) = A @ A; jvp f(A; dA) = dA @ A + A @ dA; f(X)
""".strip().splitlines()

# One call of each operation that is not elementwise; those are called with one name for each argument.
CALLS = {
    "arange": "arange(0, 3, 0.5)*x",
    "argmax": "argmax(V)",
    "at_largest": "at_largest(V, V^2)",
    "argsort": "argsort(V)",
    "take_along": "take_along(V, [2, 0])",
    "put_along": "put_along(V, [2, 0, 2], 4, 0)",
    "argmin": "argmin(M, axis=0)",
    "avg_pool1d": "avg_pool1d(V, 2, 1, ceil_mode=1)",
    "avg_pool2d": "avg_pool2d(I, 2, padding=1, count_include_pad=0)",
    "avg_pool3d": "avg_pool3d(I, [1, 2, 2])",
    "broadcast": "broadcast(V, [2, 3])",
    "cofactor": "cofactor(S)",
    "cholesky": "cholesky(S)",
    "cofactor_along": "cofactor_along(S, S + 1)",
    "eigvalsh": "eigvalsh(S)",
    "eigvecsh": "eigvecsh(S)",
    "expm": "expm(S)",
    "expm_along": "expm_along(S, S + 1)",
    "logabsdet": "logabsdet(S)",
    "orthonormal": "orthonormal(S)",
    "over_gaps": "over_gaps(S, S[0], S[1], 1)",
    "pinv": "pinv(M, 1e-12)",
    "signdet": "signdet(S)*x",
    "svd_left": "svd_left(M)",
    "svd_right": "svd_right(M)",
    "svdvals": "svdvals(M)",
    "concat": "concat(V, V)",
    "conv1d": "conv1d(L, K, stride=2, padding=1)",
    "conv1d_weights": "conv1d_weights(L, K, 2, dilation=3)",
    "conv2d": "conv2d(I, F, padding=1, dilation=[1, 2])",
    "conv2d_weights": "conv2d_weights(I, F, [2, 3])",
    "conv3d": "conv3d(reshape(I, [1, 1, 1, 4, 4]), reshape(F, [1, 1, 1, 2, 2]))",
    "conv3d_weights": "conv3d_weights(reshape(I, [1, 1, 1, 4, 4]), reshape(F, [1, 1, 1, 2, 2]), [1, 2, 1])",
    "conv_transpose1d": "conv_transpose1d(L, K, stride=2, output_padding=1)",
    "conv_transpose2d": "conv_transpose2d(I, F, padding=1)",
    "conv_transpose3d": "conv_transpose3d(reshape(I, [1, 1, 1, 4, 4]), reshape(F, [1, 1, 1, 2, 2]))",
    "cross_entropy": "cross_entropy(M, [0, 2])",
    "cumsum": "cumsum(V)",
    "det": "det(S)",
    "diag": "diag(V)",
    "eye": "eye(2)*x",
    "einsum": 'einsum("ij,j->i", M, V)',
    "flip": "flip(V)",
    "fold": "fold(unfold(V, [2], [1]), [3], [1])",
    "index": "M[1, ::2]",
    "inv": "inv(S)",
    "linspace": "linspace(0, 1, 3)*x",
    "layer_norm": "layer_norm(M, axis=0, eps=0.1)",
    "log_softmax": "log_softmax(V)",
    "logdet": "logdet(S)",
    "logsumexp": "logsumexp(M, axis=1)",
    "matmul": "M @ V",
    "max": "max(M, axis=0)",
    "max_pool1d": "max_pool1d(V, 2)",
    "max_pool2d": "max_pool2d(I, 2, dilation=2, stride=1)",
    "max_pool3d": "max_pool3d(I, [1, 2, 2], ceil_mode=1)",
    "max_pool_along": "max_pool_along(V, V^2, max_pool1d(V^2, 2), 2)",
    "max_pool_shares": "max_pool_shares(F, I, max_pool2d(I, 3, 1), [3, 3], 1)",
    "mean": "mean(M, axis=0)",
    "min": "min(M, axis=0)",
    "mse": "mse(V, V + 1)",
    "norm": "norm(V)",
    "element": "element(V, x)",
    "put_element": "put_element(V, 1, 3)",
    "onehot": "onehot(argmax(V), 3)*x",
    "ones": "ones([2, 3])*x",
    "pad": "pad(V, [1, 2])",
    "prod": "prod(V)",
    "put": "put(V, [5], 1:4)",
    "reshape": "reshape(M, [3, 2])",
    "size": "size(M, axis=0)*x",
    "softmax": "softmax(V)",
    "solve": "solve(S, [x, 1])",
    "stack": "stack(V, V, axis=1)",
    "std": "std(V, ddof=1)",
    "sum": "sum(M, axis=1, keepdims=1)",
    "to_largest": "to_largest(at_largest(M, M^2, axis=0), M^2, axis=0)",
    "transpose": "M.T",
    "tril": "tril(S)",
    "triu": "triu(S, k=1)",
    "unfold": "unfold(M, [2, 1], [1, 1], [1, 2])",
    "var": "var(V)",
    "zeros": "zeros([2])*x",
}
SHAPES = "V: [3]; M: [2, 3]; S: [2, 2]; I: [1, 1, 4, 4]; F: [1, 1, 2, 2]; L: [1, 1, 5]; K: [1, 1, 2]; "


def sample(operation: Operation) -> Node:
    """One call of an operation."""
    if operation.elementwise:
        names = argument_names(operation)
        return apply(operation, tuple(map(variable, names)), defaults(operation))
    return lower(parse(SHAPES + CALLS[key(operation)])).output


def derivatives(output: Node, mark: str) -> list[Node]:
    """The adjoint of each input, and the tangent of the output along `mark` of each input."""
    inputs = variables(toposort([output]))
    tangents = {node: variable(f"{mark} {name_of(node)}", node.shape) for node in inputs}
    return [*vjp(output, ones(output), inputs), jvp(output, tangents)]


# Programs with several outputs, and what these are called when the program comes back.
SEVERAL = [
    ("(x, y)", ("x", "y")),
    ("(x*y, x + y)", ("x*y", "x + y")),
    ("a = x*2; b = x + 1; (a, b)", ("a", "b")),
    ("a = x*2; b = a + 1; (b, a)", ("b", "a")),
    ("a = 3; b = x; (a, b, x)", ("a", "b", "x")),
    ("a = x; b = a; (a, b, x)", ("a", "b", "x")),
    ("a = x*y; (a, x*y)", ("a", "a (2)")),
    ("(sin(x)^2, sin(x))", ("t1^2", "t1")),
    ("x = x + 1; y = x*x; (x, y)", ("x1", "y")),
    ("f(x) = x^2; jvp f(x; dx) = 3*x*dx; a = f(b); (a, f(c))", ("a", "f(c)")),
    ("(x" + " + sin(x)" * 20 + ", x)", ("x + t1 + t1 + t1 + t1 + t1 + t … + t1 + t1 + t1 + t1", "x")),
]


@for_each(("text", "names"), SEVERAL)
def test_several_outputs_come_back(text: str, names: tuple[str, ...]) -> None:
    """Protects pipes of programs with several results: the same nodes in the same order, and telling names."""
    graph = lower(parse(text))
    again = lower(parse(program(graph)))
    assert again.outputs == graph.outputs
    assert again.names == names
    assert program(again) == program(graph)


def assert_comes_back(node: Node) -> None:
    """What is printed of a node is read as the same node, and is printed the same again."""
    text = program(Graph((node,)))
    again = lower(parse(text))
    assert again.output is node, text
    assert program(again) == text


@for_each("text", EXPRESSIONS)
def test_an_expression_and_its_derivatives_come_back(text: str) -> None:
    graph = lower(parse(text))
    assert lower(parse(program(graph))).output is graph.output
    assert_comes_back(graph.output)
    for first in derivatives(graph.output, "first"):
        assert_comes_back(first)
        for second in derivatives(first, "second"):
            assert_comes_back(second)


@for_each("operation", list(operations()))
def test_every_operation_of_the_table_comes_back_with_its_derivatives(operation: Operation) -> None:
    output = sample(operation)
    assert output.op is operation or not operation.elementwise
    assert_comes_back(output)
    for first in derivatives(output, "first"):
        assert_comes_back(first)
        for second in derivatives(first, "second"):
            assert_comes_back(second)


# ---- random programs ------------------------------------------------------------------

NUMBERS = st.floats(allow_nan=True, allow_infinity=True).map(lambda value: repr(value).replace("e+", "e"))
NAMES = st.sampled_from(["x", "y", "θ₁", "`a b`", "`not`", "t1", *CONSTANTS])
BINARY = st.sampled_from(["+", "-", "*", "/", "//", "%", "^", "<", "<=", "==", "!=", ">", ">=", "and", "or"])
UNARY = st.sampled_from(["-", "not ", "sin", "exp", "neg", "abs", "relu"])


def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Expressions with brackets around their parts, so that the text says what the graph will be."""
    return st.one_of(
        st.tuples(inner, BINARY, inner).map(lambda t: f"({t[0]}) {t[1]} ({t[2]})"),
        st.tuples(UNARY, inner).map(lambda t: f"{t[0]}({t[1]})"),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]}) ? ({t[1]}) : ({t[2]})"),
        st.tuples(inner, inner).map(lambda t: f"max({t[0]}, {t[1]})"),
        st.tuples(inner, inner).map(lambda t: f"sum([{t[0]}, {t[1]}])"),
        st.tuples(inner, inner, st.sampled_from(["0", "-1"])).map(lambda t: f"[{t[0]}, {t[1]}][{t[2]}]"),
    )


@given(st.recursive(st.one_of(NUMBERS, NAMES), larger, max_leaves=12))
@settings(max_examples=150, deadline=None)
def test_any_expression_comes_back(text: str) -> None:
    assert_comes_back(lower(parse(text)).output)


def test_the_table_of_calls_is_complete() -> None:
    assert {key(operation) for operation in operations() if not operation.elementwise} == set(CALLS)
    assert {CONSTANT, VARIABLE}.isdisjoint(operations())


SIGNS = {
    "x - -y*2": "x - (-y*2)", "x - -2": "x - (-2)", "x + -3": "x + (-3)", "-(-x*y)": "-(-x*y)", "- -x": "-(-x)",
    "c - (-a + b)*d": "c - (-a + b)*d", "c - (-a)^2": "c - (-a)^2", "c - -a^2": "c - (-a^2)", "2*-x": "2*-x",
}  # fmt: skip


@for_each(("text", "expected"), SIGNS.items())
def test_no_sign_stands_before_a_sign(text: str, expected: str) -> None:
    assert program(lower(parse(text))) == expected

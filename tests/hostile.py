"""Small texts that could take all of a machine's time or memory: each construct nested, chained, repeated, or huge.

`texts(size)` makes one of every kind; `tests/test_limits.py` and `tests/bench/hostile.py` run commands on them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

BINARY = ("+", "-", "*", "/", "^", "@", "%", "//", "<", "<=", "==", "!=", " and ", " or ", " mod ", "**", "·")
PREFIXES = ("-", "+", "not ", "√", "--", "2^", "1/", "x ? y : ", "x < ", "f = ")
POSTFIXES = (
    "²",
    ".T",
    "[0]",
    "[0:2]",
    "[:, None]",
    "!",
    "'",
    "^2",
    "(1)",
    "°",
    "%",
    "⁻¹",
    "x",
    " x",
    "e",
    ".",
    "_",
    ";",
)
AROUND = ("({})", "[{}]", "sin({})", "x[{}]", "max({}, 1)", "({} + x^x)^x", "({} + 1/{x})", "ln({})*x", "tan({})",
          "abs({} - 1)", "sqrt({} + 1)", "{}/(x + {x})", "where(x > 0, {}, 1)", "({})^2 + ({x})", "sum([{}, 1])",
          "|{}|", "f({})", "f'({})", "({} if x else 1)", "\\frac{{{}}}{{2}}", "{{{}}}", "np.sin({})",
          "‖{}‖", "1/({} + {x})", "x/(1 + {}/{x})", "hypot({}, x)", "max({}, {x})", "min(x, {})", "where({} > 0, x, 1)",
          "({} + x)*({x} + 1)", "({} + x)*({} + 1)", "x^({})", "exp(-{}^2)", "atan2({}, 1)", "norm([{}, x])",
          "logaddexp({}, x)", "sigmoid({x}*{} + 1)", "softmax([{}, x])[0]", "{} - x*{x}", "-({} - {x})/2", "[{}, x][0]",
          "({})*({x}/3)", "log(x + 2, {})", "abs({}/{x})", "tanh({x}*{})", "relu({} - {x})", "prod([{}, {x}])",
          "x > {} ? x : 1", "sin({}) + cos({x})", "({}) mod 3", "not ({})", "sqrt({}^2 + {x}^2)")  # fmt: skip
WORDS = ("let ", "lambda x: ", "return ", "if ", "for i in ", "x.", "np.", "d/dx ", "∂", "∑", "\\", "\\left(", "$", "|",
         "“", "´", "x\u0301", "\u200b", "１", "½", "±", "0x", "1e", "1_", "1,", "1.", "1 ", "x,", "x=", "x:", "[", "(",
         "{", "`", "'", '"', "#", "\t", "\r", "\n", "jvp ", "jvp f(x; ", "f(x)=", "a, ", "1 2 ", "x if ", "?", ":",
         "..", "<", ">", "!", "&", "=>", ":=", "e^", "a b ", "a1", "_", ".5", "%pi", "²")  # fmt: skip


def nested(around: str, size: int) -> str:
    """x, put into a construct again and again. {x}: a name of each level's own."""
    text = "x"
    left, right = [], []
    for at in range(size):
        before, _, after = around.replace("{{", "\0").replace("}}", "\1").partition("{}")
        left.append(before.replace("{x}", f"a{at}"))
        right.append(after.replace("{x}", f"a{at}"))
    return ("".join(reversed(left)) + text + "".join(right)).replace("\0", "{").replace("\1", "}")


def names_in(text: str) -> list[str]:
    """The names that a text may ask values for."""
    return list(dict.fromkeys(re.findall(r"\b(?:[xybA]|a\d+(?:_\d+)?)\b(?!:)", text)))


def _row(size: int) -> str:
    """An array of names."""
    return "[" + ", ".join(f"a{at}" for at in range(size)) + "]"


def _matrix(cells: int) -> str:
    """A square matrix of names."""
    side = math.isqrt(cells)
    return "[" + ", ".join(_row(side).replace("a", f"a{row}_") for row in range(side)) + "]"


def texts(size: int = 1000) -> Mapping[str, str]:
    """One text of each kind, by what it is; most have a few times `size` characters."""
    found = {f"nested {around}": nested(around, size) for around in AROUND}
    found |= {f"chain of x{operator}": operator.join(["x"] * size) for operator in BINARY}
    found |= {f"chain of names{operator}": operator.join(f"a{at}" for at in range(size)) for operator in BINARY}
    found |= {f"chain of parts{operator}": operator.join(f"(x/{at + 2} + {at})" for at in range(size))
              for operator in BINARY}  # fmt: skip
    found |= {f"prefix {prefix}": prefix * size + "x" for prefix in PREFIXES}
    found |= {f"postfix {postfix}": "x" + postfix * size for postfix in POSTFIXES}
    found |= {f"repeated {word!r}": word * size for word in WORDS}
    found |= {f"repeated {word!r}, then x)": word * size + "x)" for word in WORDS}
    digits = "1" * 10 * size
    found |= {
        "a long name": "x" * 100 * size,
        "a long name in a product": f"2{'x' * 100 * size}",
        "digits and a name": f"x={digits}x",
        "digits, then a mistake": f"{digits} {digits}",
        "digits with underscores": "1_" * 10 * size + "x",
        "digits with commas": "1,111" * size,
        "digits with points": "1.111" * size,
        "a huge literal": digits,
        "a tiny literal": f"0.{'0' * 10 * size}1",
        "a huge exponent": f"1e{digits}",
        "a huge power": f"2^{digits}",
        "a tower of powers": "^".join(["9"] * size),
        "a power of a sum": f"(x + y + z)^{size}",
        "a power of powers": nested("({} + 1)^9", 30),
        "a product of sums": "*".join(f"(x + a{at})" for at in range(size)),
        "a product of equal sums": "*".join(["(x + y + 1)"] * size),
        "squares of squares": "; ".join(
            ["t0 = x + y", *(f"t{at + 1} = t{at}*t{at}" for at in range(size)), f"t{size}"]
        ),
        "sums of sums": "; ".join(["t0 = x", *(f"t{at + 1} = t{at} + sin(t{at})" for at in range(size)), f"t{size}"]),
        "functions that call twice": "; ".join(
            ["f0(x) = x*x", *(f"f{at + 1}(x) = f{at}(x) + f{at}(x + 1)" for at in range(60)), "f60(x)"]
        ),
        "functions of functions": "; ".join(
            ["f0(x) = x*x", *(f"f{at + 1}(x) = f{at}(f{at}(x))" for at in range(60)), "f60(x)"]
        ),
        "rules that call twice": "; ".join(
            ["f0(x) = x*x; jvp f0(x; dx) = 2*x*dx",
             *(f"f{at + 1}(x) = f{at}(f{at}(x)); jvp f{at + 1}(x; dx) = f{at}(x)*dx" for at in range(40)), "f40(x)"]
        ),
        "many definitions": "; ".join([*(f"f{at}(x, y) = x*y + {at}" for at in range(size)), "f1(x, y)"]),
        "many statements": "; ".join([*(f"a{at} = x + {at}" for at in range(size)), "a1"]),
        "many declarations": "; ".join([*(f"a{at}: [2]" for at in range(size)), "a1"]),
        "many outputs": "(" + ", ".join(f"x*{at}" for at in range(size)) + ")",
        "many parameters": f"f({', '.join(f'a{at}' for at in range(size))}) = "
        + " ".join(f"a{at}" for at in range(size)),
        "many ways to split": f"f({', '.join('a' * (at + 1) for at in range(30))}) = {'a' * size}b",
        "many arguments": f"max({', '.join(f'a{at}' for at in range(size))})",
        "many numbers in max": f"max({', '.join(map(str, range(size)))}, x)",
        "many elements": f"sum([{', '.join(f'a{at}' for at in range(size))}]^2)",
        "an array of arrays": "sum([" + ", ".join(["[x, y]"] * size) + "])",
        "a huge shape": "x: [100000, 100000]; sum(x)",
        "a huge result": "outer(arange(20000), arange(20000))",
        "a huge array": "sum(zeros(10^9))",
        "a huge range": "sum(arange(1e12))",
        "huge axes": f"x: [{', '.join(['2'] * 40)}]; sum(x)",
        "a huge product of arrays": "A: [3000, 3000]; sum(A @ A @ A)",
        "huge repetition": "sum(tile([1, 2], 10^9))",
        "a huge one-hot": "sum(onehot(3, 10^10))",
        "many shapes": "sum(reshape(zeros(2), [" + ", ".join(["1"] * size) + "]))",
        "many commas": "max(" + "," * size + ")",
        "many empty arguments": "f(" + "x," * size + ")",
        "an einsum": f"einsum('{'i,' * size}->', x)",
        "many comparisons": " < ".join(["x"] * size),
        "many choices": "".join(f"x > {at} ? {at} : " for at in range(size)) + "x",
        "accents": "x" + "\u0301" * size,
        "letters of all scripts": " ".join(chr(at) for at in range(0x100, 0x100 + size) if chr(at).isprintable()),
        "spaces": "x" + " " * 100 * size + "y",
        "lines": "\n" * 10 * size + "x y",
        "a comment": "x #" + "#" * 10 * size,
        "a text": "einsum('" + "i" * 10 * size + "', x)",
        "names in backticks": "`" + "a b" * 10 * size + "`",
        "an open name in backticks": "`" + "a b" * 10 * size,
        "determinants": nested("det([[{}, x], [1, x]])", 30),
        "products of arrays": "A: [2, 2]; sum(" + " @ ".join(["A"] * size) + ")",
        "inverses": "A: [2, 2]; sum(" + nested("inv({} + A)", 60).replace("x", "A") + ")",
        "a symbolic determinant": "det([" + ", ".join(
            "[" + ", ".join(f"a{row}_{column}" for column in range(9)) + "]" for row in range(9)) + "])",
        "gamma functions": nested("gamma({})", 12),
        "a matrix of names": f"A = {_matrix(size)}; sum(A @ A.T)",
        "a matrix of parts": "[" + ", ".join(
            "[" + ", ".join(f"x/{row + 1} + x^{column}" for column in range(31)) + "]" for row in range(size // 31)
        ) + "]",
        "an inverse of names": f"A = {_matrix(64)}; sum(inv(A))",
        "unions of slices": f"v = x*arange({size}); sum(concat("
        + ", ".join(f"v[{at}:{at + 1}]" for at in range(size)) + ")^2)",
        "elements one by one": f"v = x*arange({size}); " + " + ".join(f"v[{at}]*v[{-at - 1}]" for at in range(size)),
        "a vector's elements in a product": f"v: [{size}]; " + "*".join(f"v[{at}]" for at in range(size)),
        "outputs of functions": "(" + ", ".join(f"sin(x*{at})^2/(1 + x^{at})" for at in range(size)) + ")",
        "outputs of names": "(" + ", ".join(f"a{at}*a{(at + 1) % size}" for at in range(size)) + ")",
        "squares of names": " + ".join(f"(a{at} - a{(at + 1) % 300})^2" for at in range(300)),
        "a square of a sum of names": f"({' + '.join(f'a{at}' for at in range(300))})^2",
        "sines of a sum of names": "+".join(
            f"sin(a{at}*({' + '.join(f'a{at}' for at in range(30))}))" for at in range(30)
        ),
        "a product of powers": "*".join(f"(x + {at})^{at + 1}" for at in range(size)),
        "a product of fractions": "*".join(f"(x/{2 * at + 3})" for at in range(size)),
        "a product of decimals": "*".join(f"(x*0.{at + 1})" for at in range(size)),
        "a product of roots": "*".join(f"sqrt(x + {at})" for at in range(size)),
        "a product of roots of numbers": "*".join(f"sqrt({at + 2})" for at in range(size)) + "*x",
        "a product of exponentials": "*".join(f"exp(x*{at})" for at in range(size)),
        "a sum of logarithms": " + ".join(f"ln(x + {at})" for at in range(size)),
        "a sum of fractions": " + ".join(f"1/(x + {at})" for at in range(size)),
        "a sum of fractions of names": " + ".join(f"1/a{at}" for at in range(size)),
        "a sum of quotients": " + ".join(f"a{at}/(x + {at})" for at in range(size)),
        "a sum of sines": " + ".join(f"sin({at}*x)^2 + cos({at}*x)^2" for at in range(size)),
        "a sum of roots": " + ".join(f"sqrt({at + 2})*x" for at in range(size)),
        "a polynomial": " + ".join(f"{at}*x^{at}" for at in range(size)),
        "a polynomial of Horner": nested("({}*x + {x})", size),
        "a continued fraction": nested("{x} + 1/({})", size),
        "a network": "; ".join(["h0 = x", *(f"h{at + 1} = tanh(a{at}*h{at} + b)" for at in range(size)), f"h{size}"]),
        "steps of Newton": "; ".join(["t0 = x", *(f"t{at + 1} = t{at} - (t{at}^2 - 2)/(2*t{at})" for at in range(size)),
                                      f"t{size}"]),
        "a long definition": f"f(x) = {' + '.join(f'x^{at}*sin({at}*x)' for at in range(size))}; f(x) + f(x + 1)",
        "a call in a call": "; ".join(["f0(x) = x*x + 1", *(f"f{at + 1}(x) = f{at}(x)/x + {at}" for at in range(size)),
                                       f"f{size}(x)"]),
        "a text of points": "." * 10 * size,
        "points and digits": "1." * 10 * size,
        "quoted points": "einsum('" + "." * 10 * size + "', x)",
        "a string of brackets": "einsum('" + "(" * 10 * size + "', x)",
        "a tall column": "[" + ", ".join(f"[x*{at}]" for at in range(size)) + "]",
        "powers of a name": "*".join(f"x^{at}" for at in range(size)),
        "powers of powers of names": nested("({}^{x})", size // 2),
        "a convolution of names": f"conv1d(reshape({_row(size)}, [1, 1, {size}]), ones([1, 1, 9]))",
        "cumulated names": f"sum(cumsum({_row(size)})^2)",
        "sorted names": f"sum(sort({_row(size)})*arange({size}))",
        "softmax of names": f"sum(softmax({_row(size)})^2)",
        "a norm of names": f"norm({_row(size)})",
        "a polynomial of degree": f"polyval({_row(size)}, x)",
        "differences of names": f"sum(({_row(size)}[1:] - {_row(size)}[:-1])^2)",
        "fractions in fractions": "1/(1 + " * 300 + "x" + ")" * 300,
        "logarithms of powers": nested("ln({}^x + 1)", 40),
    }  # fmt: skip
    return found

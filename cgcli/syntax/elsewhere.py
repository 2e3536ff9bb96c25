"""Functions and names that other tools have, and cg has not or has by another name: what to write in their place."""

from __future__ import annotations

import re

from cgcli.annotations import Container, Sequence

_DERIVATIVE = "a derivative is D({0}, x); cg diff '{0}' prints the formula, cg grad '{0}' the number"
_LIMIT = "there are no limits; the value near a place is as in: cg eval 'sin(x)/x' x=1e-9"
_ROWS = "vectors as rows are a list of them, as in: [x, y]; matrices one above the other are concat(A, B)"
_BESIDE = "side by side is along the last axis, as in: concat(A, B, axis=-1)"
_DENSITY = (
    "write exp(-({0})^2/2)/sqrt(2*pi)",
    "write exp(-(({0}) - ({1}))^2/2)/sqrt(2*pi)",
    "write exp(-((({0}) - ({1}))/({2}))^2/2)/(({2})*sqrt(2*pi))",
)
_DISTRIBUTION = (
    "write ndtr({0})",
    "write ndtr(({0}) - ({1}))",
    "write ndtr((({0}) - ({1}))/({2}))",
)

# For each function what to write, with its arguments in braces; where several forms take another number of arguments,
# the one that fits. Names of spreadsheets are in capitals; all others are found in any case.
INSTEAD: dict[str, str | tuple[str, ...]] = {
    "lg": "write log10({0}), or log2({0})",
    "LOG": ("write log10({0}), or ln({0}) for the natural logarithm", "write log({0}, {1})"),
    "ld": "write log2({0})",
    "tg": "write tan({0})",
    "ctg": "write cot({0})",
    "arctg": "write atan({0})",
    "cosec": "write csc({0})",
    "sh": "write sinh({0})",
    "ch": "write cosh({0})",
    "th": "write tanh({0})",
    "sqr": "write ({0})^2",
    "nroot": "write root({0}, {1})",
    "fact": "write ({0})!",
    "AND": "write ({0}) and ({1})", "OR": "write ({0}) or ({1})", "NOT": "write not ({0})",
    "xor": "write ({0}) != ({1})",
    "int": "write trunc({0})", "INT": "write floor({0})", "fix": "write trunc({0})", "float": "write ({0})",
    "double": "write ({0})", "rem": "write fmod({0}, {1})", "divmod": "write ({0}//{1}, {0} % {1})",
    "idivide": "write ({0})//({1})", "quotient": "write trunc(({0})/({1}))",
    "sind": "write sin(({0})*deg)", "cosd": "write cos(({0})*deg)", "tand": "write tan(({0})*deg)",
    **dict.fromkeys(("ncr", "nchoosek", "comb", "choose", "combin"), "write binomial({0}, {1})"),
    **dict.fromkeys(("if", "ifelse", "iif", "cond", "ifthenelse"), "write where({0}, {1}, {2})"),
    **dict.fromkeys(("len", "length"), "write size({0}), or size({0}, 0) for the first axis"),
    **dict.fromkeys(("map", "apply", "lapply", "sapply"),
                    "an operation acts on each element as it is, as in: sin([1, 2])"),
    **dict.fromkeys(("print", "disp", "println", "echo"), "the last line is the result: write {0}"),
    **dict.fromkeys(("printf", "fprintf"), "the last line is the result, and is printed"),
    **dict.fromkeys(("rand", "randn", "random", "rnorm", "runif"),
                    "there are no random numbers: give values to a name, as in: r=0.5"),
    **dict.fromkeys(("integrate", "integral", "quad"), "cg differentiates, it does not integrate"),
    **dict.fromkeys(("factor", "simplify"), "a simpler form is a command: cg simplify '{0}'"),
    **dict.fromkeys(("symbols", "syms"), "a name needs no declaration: take the line away"),
    **dict.fromkeys(("pdf", "dnorm", "normpdf"), _DENSITY),
    **dict.fromkeys(("cdf", "pnorm", "normcdf", "normsdist", "normdist"), _DISTRIBUTION),
    **dict.fromkeys(("qnorm", "normsinv", "norminv"), "write ndtri({0})"),
    "detach": "write stop_gradient({0})",
    "tr": "write trace({0})",
    "t": "write transpose({0}), or t*({0}) to multiply",
    "crossprod": ("write ({0}).T @ ({0})", "write ({0}).T @ ({1})"),
    "mmult": "write ({0}) @ ({1})", "mtimes": "write ({0}) @ ({1})", "mldivide": "write solve({0}, {1})",
    "rdivide": "write ({0})/({1})", "ldivide": "write ({1})/({0})", "uminus": "write -({0})",
    "sumproduct": "write sum(({0})*({1}))",
    "sumsq": ("write sum(({0})^2)", "write sum([{*}]^2)"), "total": "write sum({0})",
    "colsums": "write sum({0}, axis=0)", "rowsums": "write sum({0}, axis=1)",
    "colmeans": "write mean({0}, axis=0)", "rowmeans": "write mean({0}, axis=1)",
    "I": "write eye({0})", "mse_loss": "write mse({0}, {1})", "l1_loss": "write mean(abs(({0}) - ({1})))",
    "sigma": "write sigmoid({0}), or sigma*({0}) to multiply",
    **{f"reduce_{name}": f"write {name}({{*}})" for name in ("sum", "mean", "prod", "max", "min")},
    "abs2": "write ({0})^2", "sd": "write std({0}, ddof=1)",
    "isnan": "write ({0}) != ({0})", "isna": "write ({0}) != ({0})", "isfinite": "write abs({0}) < inf",
    "isinf": "write abs({0}) == inf",
    "numel": "write size({0})", "nrow": "write size({0}, 0)", "ncol": "write size({0}, 1)",
    "rows": "write size({0}, 0)", "columns": "write size({0}, 1)",
    "unsqueeze": "write expand({0}, {1})",
    "view": "write reshape({0}, [{1*}])", "permute": "write transpose({0}, [{1*}])",
    "vstack": _ROWS, "vcat": _ROWS, "rbind": _ROWS, "hstack": _BESIDE, "cbind": _BESIDE, "column_stack": _BESIDE,
    "repmat": ("write tile({0}, {1})", "write tile({0}, {1})", "write tile({0}, [{1}, {2}])"),
    "inverse": "write inv({0})", "numeric": "write zeros({0})",
    "c": ("write [{0}], or c*({0}) to multiply", "write [{*}]"), "array": "write {0}",
    "vec": "write reshape({0}, [-1])", "list": "write [{*}]",
    "seq": ("write arange(1, {0} + 1)", "write arange({0}, {1} + 1)", "write arange({0}, {1} + ({2})/1000, {2})"),
    "seq_len": "write arange(1, {0} + 1)", "colon": "write arange({0}, {1} + 1)",
    "range length": "write linspace({0}, {1}, {2})",
    "range": ("write arange({0})", "write arange({0}, {1})", "write arange({0}, {1}, {2})"),
    "rep": "write {0}*ones({1})", "full": "write {1}*ones({0})", "fill": "write {0}*ones({1})",
    **dict.fromkeys(("fsolve", "findroot", "FindRoot", "find_root", "nsolve", "vpasolve", "fzero", "uniroot", "brentq",
                     "newton"), "a root is as in: solve(x^2 = 2, x=1)"),
    **dict.fromkeys(("scan", "NestList", "FoldList", "accumulate"),
                    "the values of all trips are as in: y = repeat 5 { x = cos(x); x }"),
    **dict.fromkeys(("nest", "Nest", "NestWhile", "fixedpoint"), "a loop is as in: repeat 20 { x = cos(x) }"),
    "collect": "write {0}",
    **dict.fromkeys(("stdev", "stdevs"), ("write std({0}, ddof=1)", "write std([{*}], ddof=1)")),
    "stdevp": ("write std({0})", "write std([{*}])"), "varp": ("write var({0})", "write var([{*}])"),
    "vars": ("write var({0}, ddof=1)", "write var([{*}], ddof=1)"),
    **dict.fromkeys(("complex", "real", "imag", "conj", "arg"), "there are no complex numbers"),
    **dict.fromkeys(("minimize", "fminsearch", "fminunc", "optim", "optimize", "nminimize"),
                    "a minimum is a command: cg minimize 'x^2 - x' x=1"),
    **dict.fromkeys(("curve_fit", "nls", "lm", "nlinfit", "nonlinearmodelfit", "lsqcurvefit"),
                    "a fit is a command: cg fit 'y = a*x + b' data.csv a=1 b=0"),
    "percentile": "write quantile({0}, ({1})/100)", "mode": "there is no most frequent value; mean({0}) is the mean",
    "cat": "write concat(x, y), with each array as an argument", "hcat": "write concat(x, y, axis=1)",
    "clamp": ("write clip({0}, low, high)", "write clip({0}, low, high)", "write clip({0}, {1}, {2})"),
    "diff": (f"{_DERIVATIVE}; the differences of neighbours are differences({{0}})", "write D({0}, {1})",
             "write D({0}, {1}, {2})"),
    **dict.fromkeys(("D", "derivative", "deriv", "grad", "gradient"),
                    (_DERIVATIVE, "write D({0}, {1})", "write D({0}, {1}, {2})")),
    "jacobian": _DERIVATIVE, "hessian": _DERIVATIVE,
    "d": "a derivative is D({0}, x); to multiply, write d*({0})",
    "limit": _LIMIT, "lim": _LIMIT,
    "matrix": "a matrix is a list of its rows, as in: [[1, 2], [3, 4]]",
    "rational": "write ({0})/({1})", "frac": "write ({0})/({1})", "N": "write ({0})",
    "true_divide": "write ({0})/({1})", "float_power": "write ({0})^({1})", "fma": "write ({0})*({1}) + ({2})",
    "ldexp": "write ({0})*2^({1})", "lerp": "write ({0}) + ({2})*(({1}) - ({0}))", "entr": "write -xlogy({0}, {0})",
    "clamp_min": "write max({0}, {1})", "clamp_max": "write min({0}, {1})", "masked_fill": "write where({1}, {2}, {0})",
    "logical_and": "write ({0}) and ({1})", "logical_or": "write ({0}) or ({1})", "logical_not": "write not ({0})",
    "logical_xor": "write (({0}) != 0) != (({1}) != 0)", "count_nonzero": "write sum(({0}) != 0)",
    "ptp": "write max({0}) - min({0})", "nansum": "write sum(nan_to_num({0}))",
    "logspace": "write 10^linspace({0}, {1}, {2})", "fliplr": "write flip({0}, 1)", "flipud": "write flip({0}, 0)",
    "diagonal": "write diag({0})", "lstsq": "write pinv({0}) @ ({1})", "multi_dot": "write a @ b @ c",
    "eig": "eigvalsh({0}) has the eigenvalues of a symmetric matrix", "softmin": "write softmax(-({0}))",
    "eigvals": "eigvalsh({0}) has the eigenvalues of a symmetric matrix", "normalize": "write ({0})/norm({0})",
    "chunk": "write split({0}, {1})", "dist": "write norm(({0}) - ({1}))", "jn": "write jv({0}, {1})",
    "yn": "write yv({0}, {1})", **{f"bessel{kind}": f"write {kind}v({{0}}, {{1}})" for kind in "jyik"},
    **{f"bessel{kind}{order}": f"write {kind}{order}({{0}})" for kind in "jyik" for order in "01"},
    **dict.fromkeys(("lambertw", "productlog"), "write solve(w*exp(w) = {0}, w=1)"), "li": "write expi(ln({0}))",
    "ei": "write expi({0})", "ceiling": "write ceil({0})", "cube": "write ({0})^3", "ramp": "write relu({0})",
    **dict.fromkeys(("step", "unitstep", "heavisidetheta"), "write heaviside({0}, 0.5), with the value at 0"),
    "kroneckerdelta": "write ({0}) == ({1})", "Phi": "write ndtr({0})",
    **dict.fromkeys(("npr", "perm", "permut"), "write ({0})!/(({0}) - ({1}))!"),
    "summation": "a sum is as in: sum(i=1..10, x^i)", "polyval": "a polynomial is as in: sum(i=0..2, c[i]*x^i)",
    "select": "write ({0})[{2}] for an element of the first axis",
    "plus": "write ({0}) + ({1})", "minus": "write ({0}) - ({1})", "times": "write ({0})*({1})",
}  # fmt: skip

# Functions of the language with another number of arguments.
COUNTS = {
    ("expand", 1): "an expanded form is a command: cg simplify '{0}'",
    ("eye", 2): "write eye({0})", ("root", 1): "write sqrt({0})",
    ("heaviside", 1): "write heaviside({0}, 0.5), with the value at 0",
    ("solve", 1): "write inv({0}) for the inverse, or solve(A, b) for the x of A @ x = b",
    ("atan", 2): "write atan2({0}, {1})",
    ("sqrt", 2): "write root({0}, {1})",
    ("pow", 3): "write ({0})^({1}) % ({2})",
    ("sum", 3): "write sum([{*}])", ("sum", 4): "write sum([{*}]), or with an index sum({0}={1}..{2}, {3})",
    ("mean", 3): "write mean([{*}])", ("mean", 4): "write mean([{*}])",
    ("prod", 3): "write prod([{*}])",
}  # fmt: skip

_MISSING = "a missing number is nan: write nan"

# Functions in Mathematica's square brackets that take their arguments in another order.
BRACKETS = {
    ("arctan", 2): "write atan2({1}, {0})",
    ("log", 2): "write log({1}, {0})",
    ("solve", 2): "an equation is not solved; solve(A, b) is the x of A @ x = b",
}

# Functions of a value as its methods, where the call is not that of the function of this name.
METHODS = {
    "reshape": "write reshape({0}, [{1*}])", "transpose": "write transpose({0}, [{1*}])", "T": "write {0}.T",
    "requires_grad_": "write {0}", "backward": "a derivative is a command: cg grad prints it",
}  # fmt: skip

# Names without a value that mean something elsewhere.
NAMES = {
    "True": "write true, or 1", "TRUE": "write true, or 1", "False": "write false, or 0", "FALSE": "write false, or 0",
    "None": "there is no empty value: leave the argument out, or of clip without one bound, write min(x, high)",
    "newaxis": "a new axis stands in an index, as in: x[:, None]",
    "end": "write -1 for the last element; a slice to the end is as in: v[1:], one without it as in: v[:-1]",
    "begin": "write 0 for the first element",
    "in": "max(v == x) is whether x is one of v",
    "null": _MISSING, "NULL": _MISSING, "NA": _MISSING, "nothing": _MISSING, "NAN": _MISSING,
    "infty": "write inf", "Infinity": "write inf", "infinity": "write inf", "oo": "write inf",
    "rand": "there are no random numbers: give a value, as in: rand=0.5",
    "M_PI": "write pi",
    "degrees": "write deg, as in: sin(90*deg)", "degree": "write deg, as in: sin(90*deg)",
}  # fmt: skip

# Parameters by the names that other tools give them.
PARAMETERS = {"dim": "axis", "dims": "axis", "axes": "axis", "keepdim": "keepdims", "keep_dims": "keepdims",
              "kernel_size": "kernel", "num": "count", "a_min": "low", "a_max": "high", "min": "low",
              "max": "high"}  # fmt: skip


def instead_of(function: str, args: Sequence[str]) -> str:
    """What to write in place of a call of another tool's function, or ''. args: the texts of its arguments."""
    args = [arg.strip("'\"") for arg in args]  # float('inf')
    forms = INSTEAD.get(function) or INSTEAD.get(function.casefold(), ())
    if isinstance(forms, str):
        forms = (forms,)
    counts = [len({*re.findall(r"\{(\d)\}", form)}) for form in forms]
    if len(args) in counts:
        return filled(forms[counts.index(len(args))], args)
    return filled(forms[-1 if len(args) > 1 else 0], args) if forms else ""


def as_call(function: str, args: Sequence[str]) -> str:
    """What to write in place of a method of args[0], in which `dim=0` is `axis=0`, and (2, 3) is [2, 3]."""
    written = [args[0]]
    for arg in args[1:]:
        key, equals, value = arg.partition("=")
        value = {"True": "1", "False": "0"}.get(value.strip(), value.strip())
        tuple_or_value = f"[{arg[1:-1]}]" if arg.startswith("(") and arg.endswith(")") and "," in arg else arg
        written.append(f"{PARAMETERS.get(key.strip(), key.strip())}={value}" if equals else tuple_or_value)
    form = METHODS.get(function)
    instead = filled(form, written) if form else instead_of(function, written)
    return instead or f"write {function}({', '.join(written)})"


def filled(form: str, args: Sequence[str]) -> str:
    """A form with arguments in its braces; brackets that hold one thing are left out."""
    others = ", ".join(args[1:])
    written = form.replace("[{1*}]", others if others.startswith("[") else f"[{others}]")
    written = written.replace("{*}", ", ".join(args))
    for place in dict.fromkeys(re.findall(r"\{(\d)\}", form)):
        written = written.replace(f"{{{place}}}", args[int(place)] if int(place) < len(args) else "…")
    return re.sub(r"(?<!\w)\(([\w.]+|\w+\([^()]*\)|\[[^\[\]]*\])\)", r"\1", written)


def elements_between(text: str, named: Container[str]) -> str:
    """What a slice of other tools means, one that ends before the end; '' for any other.

    named: the names that have a value.
    """
    if (match := re.fullmatch(r"(\d*)\s*:\s*end\s*-\s*(\d+)", text)) and "end" not in named:
        return f"{_from_zero(match[1]) if match[1] else ''}:-{match[2]}, which counts from 0"
    return ""


def element_of(array: str, items: Sequence[str]) -> str:
    """The element or the part of an array that Matlab's round brackets mean: v(1) is v[0]."""
    return f"{array}[{', '.join(map(_index, items))}]"


def _index(item: str) -> str:
    """An index that counts from 1, or a range whose end belongs to it, as one of cg."""
    start, colon, stop = (part.strip() for part in item.partition(":"))
    if colon:
        return f"{_from_zero(start)}:{'' if stop == 'end' else stop}" if start else ":"
    return "-1" if item == "end" else _from_zero(item)


def _from_zero(item: str) -> str:
    return str(int(item) - 1) if item.isdecimal() and int(item) > 0 else f"{item} - 1"

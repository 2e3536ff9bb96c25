"""Special functions that fewer programs use, by scipy.special, whose names and arguments they have.

Formulas of the derivatives: NIST Digital Library of Mathematical Functions, dlmf.nist.gov, chapters 5 to 8, 10 and 25.
By the order of a Bessel function, and by a and b of an incomplete gamma or beta function, no derivative is known here:
it is nan, never 0.
"""

from __future__ import annotations

import math

from cgcli.annotations import Any
from cgcli.graph.operation import BOUNDED, INCREASING, NON_NEGATIVE, ODD, POSITIVE, Kernel, Operation, Shorthand
from cgcli.graph.rules import UNKNOWN, Partial
from cgcli.ops.entry import elementwise
from cgcli.ops.lazily import np, special
from cgcli.ops.special import ERFC_COEFFICIENTS, nested
from cgcli.ops.statics import whole
from cgcli.ops.zeta import zeta

_HIGHEST_ORDER = 100  # of a derivative; its factorial is still a float64
_FIRST_TERM = 1e-100  # below which the square of an argument is nothing beside 1
_START = 400  # of Miller's recurrence, from where it has all digits for x from 1 on

_UNIT = (0.0, 1.0)
_WHOLE_OR_RIGHT = "x > 0 or v == floor(v) or (x == 0 and v >= 0)"

# What these functions are in simpler ones, for languages that lack them. Series and continued fractions end where a
# term no longer counts; DLMF is as above, and W. H. Press et al., Numerical Recipes, has the ways through them.


def _odd(first: int, last: int) -> str:
    """1 - first*s/2*(1 - (first + 2)*s/2*(…)), as asymptotic series of erfc are (DLMF 7.12.1)."""
    text = "1"
    for odd in range(last, first - 1, -2):
        text = f"1 - {odd}*s/2*({text})"
    return text


def _stirlings(x: str) -> str:
    """The formula of _stirling."""
    return f"(1/12 - (1/360 - (1/1260 - (1/1680 - 1/1188/{x}^2)/{x}^2)/{x}^2)/{x}^2)/{x}"


def _sign_of_gamma(x: str) -> str:
    return f"({x} > 0 || floor({x})/2 == floor(floor({x})/2) ? 1 : -1)"


def _by_bernoulli() -> str:
    """The sum of DLMF 25.2.9 behind the twelfth term."""
    text = repr(_ZETA_TERMS[-1])
    for k in range(len(_ZETA_TERMS) - 1, 0, -1):
        text = f"{_ZETA_TERMS[k - 1]!r} + (y + {2 * k - 1})*(y + {2 * k})*({text})"
    return text


def _hankel() -> str:
    """a - i*b is the sum of DLMF 10.17.3, from its twentieth term on, for order w and argument u."""
    steps = (f"r = (j - {(2 * k - 1) ** 2})*l/{k}; c = 1 - r*b; b = r*a; a = c; " for k in range(20, 0, -1))
    return "b = 0*y; a = 1 + b; j = 4*w*w; l = 1/(8*max(u, 1)); " + "".join(steps)


def _hankels_terms(order: str, real: str, imaginary: str) -> str:
    """What nodes at t and -t add to Hankel's integral (DLMF 10.9.10) on the path on which it does not oscillate.

    There its variable is t + i*g with g = atan(sinh(t)); k = sech(t), and exp(-z) is what is the same for all orders.
    """
    return (
        f"m = exp({order}*t - z); l = exp(-{order}*t - z); p = cos({order}*g); q = sin({order}*g); "
        f"{real} = {real} + l*(p + k*q) + m*(p - k*q); {imaginary} = {imaginary} + l*(k*p - q) + m*(k*p + q); "
    )


_ZETA_TERMS = (  # Bernoulli's number of 2*k, over (2*k)!*12^(2*k - 1)
    0.006944444444444444,
    -8.037551440329218e-07,
    1.328960224922159e-10,
    -2.3072226127120817e-14,
    4.0460553674103565e-18,
    -7.111885070412486e-22,
    1.2507837748454182e-25,
    -2.200087979310554e-29,
    3.870016710090489e-33,
    -6.807526927640426e-37,
    1.1974760285839903e-40,
    -2.1064178281350478e-44,
)
_ERFCX = (
    "size = abs(x); part = size/(size + 3); v = part - 0.5; s = 1/x^2; near = min(size, 28); "
    "high = near*134217729 - (near*134217729 - near); "
    f"y = size < 28 ? (1 + part*{nested(ERFC_COEFFICIENTS, 'v')})/(1 + size) : ({_odd(1, 9)})/(size*sqrt(pi)); "
    "x < 0 ? 2*exp(high*high)*exp((near - high)*(near + high)) - y : y"
)
_ERFCX_1 = f"s = 1/x^2; x > 15 ? -s/sqrt(pi)*({_odd(3, 21)}) : 2*x*erfcx(x) - 2/sqrt(pi)"
_ERFCINV = (  # three steps of Halley from Abramowitz and Stegun, 26.2.22
    "q = x > 1 ? 2 - x : x; t = sqrt(-2*ln(q/2)); "
    "z = (t - (2.30753 + t*0.27061)/(1 + t*(0.99229 + t*0.04481)))/sqrt(2); "
    + "e = erfc(z) - q; z = z + e/(2/sqrt(pi)*exp(-z*z) - z*e); " * 3
    + "w = x == 1 ? 0 : q > 0 ? z : q == 0 ? inf : nan; x > 1 ? -w : w"
)
_ERFINV = (
    "a = abs(x); z = erfcinv(1 - a); y = z + (a - erf(z))*sqrt(pi)/2*exp(z*z); "
    "sign(x)*(a < 0.5 ? y + (a - erf(y))*sqrt(pi)/2*exp(y*y) : z)"
)
_BETALN = (
    "m = max(x, y); a = min(x, y); l = max(m, 15); t = l + a; "
    "a < 0 || (a == 0 && m == inf) ? nan : a == 0 ? inf : m == inf ? -inf : lgamma(a) + (m > 15 ? "
    f"a - (l - 0.5)*log1p(a/l) - a*ln(t) + {_stirlings('l')} - {_stirlings('t')} : lgamma(m) - lgamma(m + a))"
)
_BINOMIAL = (
    "p = n + 1; q = k + 1; r = n - k + 1; "
    "p != p || k != k ? n + k : p <= 0 && p == floor(p) || k == inf ? nan : k == -inf ? 0 "
    ": n == inf ? (k <= 0 ? (k == 0 ? 1 : 0) : k == floor(k) ? inf : nan) "
    ": (q <= 0 && q == floor(q)) || (r <= 0 && r == floor(r)) ? 0 : q > 0 && r > 0 && p > 0 ? exp(-betaln(r, q))/p "
    f": {_sign_of_gamma('p')}*{_sign_of_gamma('q')}*{_sign_of_gamma('r')}*exp(lgamma(p) - lgamma(q) - lgamma(r))"
)
_ZETA = (  # DLMF 25.2.9, and 25.4.1 on the left
    "y = x < 0 ? 1 - x : x; h = 12^(-y); z = y > 60 ? 1 + 2^(-y) : 1 + "
    f"({' + '.join(f'{n}^(-y)' for n in range(11, 1, -1))}) + 12*h/(y - 1) + h/2 + h*y*({_by_bernoulli()}); "
    "s = sinpi(x/2); p = y < 150 ? (2*pi)^(-y)*gamma(y) : exp(lgamma(y) - y*ln(2*pi)); "
    "x < 0 ? (y > 250 && s == 0 ? 0 : 2*s*p*z) : z"
)
_EXP1 = (  # DLMF 6.6.2, and the continued fraction 6.9.1
    "y = x < 1 ? x : 0; t = -y; s = y; k = x == x ? 1 : x; "
    "while max(abs(t/k) > 1e-17*abs(s)) { k = k + 1; t = -t*y/k; s = s - t/k }; "
    "u = x < 1 ? 1e300 : x; b = u + 1; c = x == x ? 1e300 : x; d = 1/b; h = d; g = 0*d; i = x == x ? 0 : x; "
    "while max(abs(g - 1) > 1e-16 and i < 500) "
    "{ i = i + 1; b = b + 2; d = 1/(b - i*i*d); c = b - i*i/c; g = c*d; h = h*g }; "
    "x < 0 ? nan : x < 1 ? s - ln(x) - 0.5772156649015329 : x == inf ? 0 : h*exp(-x)"
)
_EXPI = (  # DLMF 6.6.1, and 6.12.2 from 40 on
    "y = x > 0 && x < 40 ? x : 0; t = y; s = y; k = x == x ? 1 : x; "
    "while max(t > 1e-17*s) { k = k + 1; t = t*y/k; s = s + t/k }; "
    "u = x < 40 ? 1e300 : x; c = x == x ? 1 : x; z = c; k = 0*c; "
    "while max(c > 1e-17*z) { k = k + 1; c = c*k/u; z = z + c }; "
    "x < 0 ? -exp1(-x) : x == 0 ? -inf : x < 40 ? 0.5772156649015329 + ln(x) + s : x == inf ? x : exp(x)/x*z"
)
_E1_OF_IX = (  # r + i*w is E1(i*a)*exp(i*a) for a from 4 on, by the continued fraction of DLMF 6.9.1
    "a = abs(x); u = a < 4 ? 1e8 : a; e = 1/(1 + u*u); g = e; h = -u*e; r = g; w = h; "
    "v = x == x ? 1 : x; c = 1e300*v; d = 0*v; k = d; m = d; n = d; "
    "while max(abs(m - 1) + abs(n) > 1e-16 and k < 500) { "
    "k = k + 1; v = v + 2; y = v - k*k*g; z = u - k*k*h; e = y*y + z*z; g = y/e; h = -z/e; "
    "e = c*c + d*d; c = v - k*k*c/e; d = u + k*k*d/e; m = c*g - d*h; n = c*h + d*g; "
    "e = r*m - w*n; w = r*n + w*m; r = e }; "
)
_NEXT = "while max(abs(t) > 1e-17*abs(s)) { t = -t*y*y/((k + 1)*(k + 2)); k = k + 2; s = s + t/k }; "
_SI = (
    f"{_E1_OF_IX}y = a < 4 ? a : 0; t = y; s = y; k = 1 + 0*d; {_NEXT}"
    "a < 4 ? (x < 0 ? -s : s) : sign(x)*(a == inf ? pi/2 : pi/2 + cos(a)*w - sin(a)*r)"
)
_CI = (
    f"{_E1_OF_IX}y = a < 4 ? a : 0; t = -y*y/2; s = t/2; k = 2 + 0*d; {_NEXT}"
    "x < 0 ? nan : a < 4 ? 0.5772156649015329 + ln(x) + s : a == inf ? 0 : a > 1e8 ? (sin(a) - cos(a)/a)/a "
    ": -(cos(a)*r + sin(a)*w)"
)
_GAMMAS = (  # DLMF 8.7.1, and the continued fraction 8.9.2
    "o = x == x ? a : x; i = a < inf && x < inf && a >= 0 && x >= 0; left = x < a + 1; l = max(o, 20); "
    f"f = a > 20 ? exp(l*ln(x/l) + l - x - {_stirlings('l')})/sqrt(2*pi*l) : exp(xlogy(a, x) - x - lgamma(a + 1)); "
    "y = i && left ? x : 0*o; t = y == y ? 1 : y; s = t; k = i ? o : 0; "
    "while max(t > 1e-17*s) { k = k + 1; t = t*y/k; s = s + t }; "
    "n = i ? o : 0; u = i && not left ? x : 1e300; b = u + 1 - n; c = t == t ? 1e300 : t; "
    "d = 1/b; h = d; g = 0*d; k = g; "
    "while max(abs(g - 1) > 1e-16 and k < 5000) "
    "{ k = k + 1; b = b + 2; e = k*(n - k); d = 1/(b + e*d); c = b + e/c; g = c*d; h = h*g }; "
    "p = left ? f*s : 1 - f*a*h; q = left ? 1 - f*s : f*a*h; "
    "a + x != a + x || a < 0 || x < 0 || a + x == 0 || (a == inf && x == inf) ? nan : "
)
_GAMMAINC = _GAMMAS + "a == inf || x == 0 ? 0 : x == inf || a == 0 ? 1 : p"
_GAMMAINCC = _GAMMAS + "a == inf || x == 0 ? 1 : x == inf || a == 0 ? 0 : q"
_BETAINC = (  # DLMF 8.17.22
    "i = a > 0 && b > 0 && a < inf && b < inf && 0 < x && x < 1; y = i ? x : 0.5; o = i ? a : 1; p = i ? b : 1; "
    "w = y > (o + 1)/(o + p + 2); u = w ? p : o; v = w ? o : p; y = w ? 1 - y : y; "
    "f = exp(u*ln(y) + v*log1p(-y) - betaln(u, v))/u; "
    "c = 1 + 0*y; d = 1/(1 - (u + v)*y/(u + 1)); h = d; g = 0*d; m = g; "
    "while max(abs(g - 1) > 1e-16 and m < 5000) { m = m + 1; n = 2*m; "
    "e = m*(v - m)*y/((u - 1 + n)*(u + n)); d = 1/(1 + e*d); c = 1 + e/c; h = h*d*c; "
    "e = -(u + m)*(u + v + m)*y/((u + n)*(u + 1 + n)); d = 1/(1 + e*d); c = 1 + e/c; g = c*d; h = h*g }; "
    "i ? (w ? 1 - f*h : f*h) : a + b + x != a + b + x || a < 0 || b < 0 || x < 0 || x > 1 || a + b == 0 "
    "|| (a == inf && b == inf) ? nan : x == 0 || x < 1 && (b == 0 || a == inf) ? 0 : 1"
)
_JV = (  # by recurrence downwards, with the sum of DLMF 10.23.15; far away by Hankel's expansion
    "u = abs(x); w = v == floor(v) ? abs(v) : v; far = u > 50 + w*w; tiny = u < 1e-7; "
    "y = far || tiny || u == inf ? 1 : u; o = abs(w) < 1e5 && y == y ? w : 0; y = abs(w) < 1e5 && y < 1e5 ? y : 1; "
    "n = floor(o); f = o - n; low = min(n, 0); "
    "m = floor((max(n, y) + 20 + 10*cbrt(max(n, y)))/2)*2 + 1; "
    "g = exp(lgamma(f + (m + 1)/2) - lgamma((m + 3)/2)); p = 0*m; q = 1 + p; z = p; keep = p; "
    "while max(m > low) { on = m > low; r = 2*(f + m)/y*q - p; p = on ? q : p; q = on ? r : q; m = on ? m - 1 : m; "
    "half = m/2; even = half == floor(half) && m >= 0 && on; g = even && m > 0 ? g*(half + 1)/(f + half) : g; "
    "z = even ? z + (m == 0 ? gamma(f + 1) : (f + m)*g)*q : z; keep = on && m == n ? q : keep; "
    "big = abs(q) > 1e60 ? 1e-60 : 1; p = p*big; q = q*big; z = z*big; keep = keep*big }; "
    "near = tiny ? (u/2)^w/gamma(w + 1)*(1 - u*u/4/(w + 1)) "
    ": abs(w) < 1e5 ? keep/z*(y/2)^f : u < abs(w)/2 ? 0 : nan; "
    f"{_hankel()}r = w/2 + 0.25; c = cospi(r); s = sinpi(r); "
    "value = far ? sqrt(2/(pi*u))*(a*(cos(u)*c + sin(u)*s) - b*(sin(u)*c - cos(u)*s)) : near; "
    "not (u < inf) || v != v ? nan : w == inf ? (x < 0 ? nan : 0) : u == 0 "
    "? (w == 0 ? 1 : w > 0 ? 0 : gamma(w + 1) > 0 ? inf : -inf) : w != floor(w) ? (x < 0 ? nan : value) "
    ": ((x < 0) != (v < 0) ? cospi(w) : 1)*value"
)
_IV = (  # DLMF 10.25.2 and 10.27.2
    "u = abs(v); o = u == floor(u); a = abs(x); y = (x == x ? u : x) < inf ? a/2 : 0; k = 0*y; t = 1 + k; s = t; "
    "while max(t > 1e-17*s) { k = k + 1; t = t*(y/k)*(y/(k + u)); s = s + t }; "
    "m = (x == 0 || (u == inf && a < inf) ? (u == 0 ? 1 : u < inf && not o && v < 0 ? inf : u == u ? 0 : u) "
    ": exp(u*ln(a/2) - lgamma(u + 1))*s) + (v < 0 && not o ? 2/pi*sinpi(u)*kv(u, a) : 0); "
    "x < 0 ? (o ? cospi(u)*m : nan) : m"
)
_KV = (  # the integral of DLMF 10.32.9 by the trapezoidal rule, which has all digits there
    "i = abs(v) < inf && x > 0 && x < inf; u = i ? abs(v) : 0; y = i ? x : 1; "
    "h = min(0.2, 0.45/sqrt(hypot(u, y))); z = asinh(u/y); m = u*z - 2*y*sinh(z/2)^2; "
    "t = 0*h; e = exp(-m)/2; s = e; o = abs(m - y) < 800; while max(o and (t < z or e > 1e-18*s)) "
    "{ t = t + h; e = exp(u*t - 2*y*sinh(t/2)^2 - m)*(1 + exp(-2*u*t))/2; s = s + e }; "
    "i ? (o ? h*exp(m - y)*s : m < y ? 0 : inf) "
    ": v + x != v + x || x < 0 || (abs(v) == inf && x > 0) ? nan : x == inf ? 0 : inf"
)
_YV = (  # for orders f of -1/2 to 1/2 and f + 1; then by recurrence upwards
    "i = abs(v) < 1e5 && x > 0 && x < inf; w = i ? abs(v) : 0; y = i ? x : 1; n = round(w); f = w - n; "
    "h = min(0.15, 0.45/sqrt(y)); t = 0*(h + f); m = 1 + t; a = t; b = t; c = t; d = t; "
    "while max(t == 0 or m > 1e-18*(abs(c) + abs(d))) "
    "{ k = sech(t); g = atan(sinh(t)); z = y*sinh(t)*tanh(t) + (t == 0 ? ln(2) : 0); "
    f"{_hankels_terms('f', 'a', 'b')}{_hankels_terms('(f + 1)', 'c', 'd')}t = t + h }}; "
    "s = sin(y); r = cos(y); o = cospi(f/2); p = sinpi(f/2); g = -s*p - r*o; l = s*o - r*p; "
    "q = h/pi*(g*a + l*b); r = h/pi*(g*d - l*c); k = 1 + t*0; "
    "while max(k < n) "
    "{ on = k < n; p = abs(r) < inf ? 2*(f + k)/y*r - q : r; q = on ? r : q; r = on ? p : r; k = k + 1 }; "
    "r = n == 0 ? q : r; s = v < 0 ? sinpi(w) : 0; r = (v < 0 ? cospi(w)*r : r) + (s == 0 ? 0 : s*jv(w, y)); "
    "i ? r : x == 0 ? (v < 0 && cospi(v) < 0 ? inf : -inf) : nan"
)


def _erfcx(x: Any, order: int) -> Any:
    """exp(x^2)*erfc(x), and its derivatives y_n: y_(n+1) = 2*x*y_n + 2*n*y_(n-1) (DLMF 7.18.8 and 7.18.9).

    Up to x = 1 by that; above, where it cancels, backwards (J. C. P. Miller), for they fall as n grows.
    """
    x = np.asarray(x, dtype=float)
    first = special.erfcx(x)
    before, value = first, first if order == 0 else 2.0 * x * first - 2.0 / math.sqrt(math.pi)
    for n in range(1, order):
        before, value = value, 2.0 * x * value + 2.0 * n * before
    if order == 0 or not np.any(x > 1.0):
        return value[()]
    size = np.where(x > 1.0, x, 1.0)
    ratio, product = np.zeros_like(size), np.ones_like(size)  # of each to the one before, with the sign turned
    for n in range(_START + order, 0, -1):
        ratio = 2.0 * n / (2.0 * size + ratio)
        if n <= order:
            product = product * ratio
    return np.where(x > 1.0, (-1.0) ** order * first * product, value)[()]


def _betaln(x: Any, y: Any) -> Any:
    """scipy's function; where one is large, what Stirling's series gives for the quotient of gamma functions."""
    large, small = np.maximum(x, y), np.minimum(x, y)
    value = np.where(small >= 0, special.betaln(x, y), np.nan)
    at = (large > 15.0) & (large < np.inf)
    if np.any(at):
        size, total = np.where(at, large, 16.0), np.where(at, large + small, 17.0)
        ratio = small - (size - 0.5) * np.log1p(small / size) - small * np.log(total)
        value = np.where(at & (small >= 0), special.gammaln(small) + ratio + _stirling(size) - _stirling(total), value)
    return value[()]


def _stirling(x: Any) -> Any:
    """lgamma(x) - (x - 1/2)*ln(x) + x - ln(2*pi)/2 for x > 15 (DLMF 5.11.1)."""
    square = 1.0 / (x * x)
    return (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188)))) / x


def _si(x: Any) -> Any:
    return special.sici(x)[0]


def _ci(x: Any) -> Any:
    return np.where(np.asarray(x) < 0, np.nan, special.sici(x)[1])[()]


def _kv(v: Any, x: Any) -> Any:
    """scipy's function, which is infinite at 0 for an order that is nan, too."""
    return np.where(np.isnan(v), np.nan, special.kv(v, x))[()]


def _iv(v: Any, x: Any) -> Any:
    """scipy's function; near 0, where that is 0 or nan, the first term of the series (DLMF 10.25.2)."""
    tiny = (np.abs(x) < _FIRST_TERM) & (x != 0)
    if not np.any(tiny):
        return special.iv(v, x)
    whole = v == np.floor(v)
    size = np.where(whole, np.abs(v), v)  # for whole orders, that of -v is that of v
    first = np.where(tiny, x, 1.0) ** size * 2.0**-size * special.rgamma(size + 1.0)
    return np.where(tiny, first, special.iv(v, np.where(tiny, 1.0, x)))[()]


def _bessel(
    name: str, kind: str, derivative: str, latex: str, domain: str = "", simpler: str = "", kernel: Kernel = ""
) -> Operation:
    return elementwise(f"{name}v", f"Bessel function of {kind}, of order v; no derivative by v",
                       kernel or f"scipy.special:{name}v", UNKNOWN, derivative, arrays="v x", domain=domain,
                       samples=((0.0, 10.0), (0.0, 20.0)), mp=f"bessel_{name}", example=f"{name}v(0, 1)",
                       latex=f"{latex}_{{#1}}(#2)", simpler=simpler)  # fmt: skip


def _of_order(name: str, order: int) -> Shorthand:
    return Shorthand(f"{name}{order}", f"Bessel function {name}v of order {order}", ("x",), f"{name}v({order}, x)",
                     example=f"{name}{order}(1)")  # fmt: skip


def _shorthand(name: str, doc: str, formula: str, example: str, arrays: str = "x", domain: str = "") -> Shorthand:
    return Shorthand(name, doc, tuple(arrays.split()), formula, domain=domain, example=example)


ENTRIES: tuple[Operation | Shorthand, ...] = (
    elementwise("erfinv", "inverse of erf", "scipy.special:erfinv", "exp(out^2)*(sqrt(pi)/2)", samples=(-1.0, 1.0),
                facts=ODD | INCREASING, domain="-1 < x and x < 1", mp="erfinv", example="erfinv(0.5)",
                simpler=_ERFINV),
    elementwise("erfcinv", "inverse of erfc, exact near 0", "scipy.special:erfcinv", "-exp(out^2)*(sqrt(pi)/2)",
                samples=(0.0, 2.0), domain="0 < x and x < 2", mp="erfcinv", example="erfcinv(1e-100)",
                simpler=_ERFCINV),
    elementwise("erfcx", "exp(x^2)*erfc(x), without underflow; its order-th derivative", _erfcx,
                "erfcx(x, order=order + 1)", statics=(whole("order", 0, least=0, most=_HIGHEST_ORDER),),
                samples=(-20.0, float("inf")), mp="erfcx", example="erfcx(30)", simpler=(_ERFCX, _ERFCX_1)),
    elementwise("betaln", "ln(beta(x, y))", _betaln,
                Partial("where(out == out, digamma(x), out) - digamma(x + y)", "digamma(x) - digamma(x + y)"),
                Partial("where(out == out, digamma(y), out) - digamma(x + y)", "digamma(y) - digamma(x + y)"),
                arrays="x y", commutative=True, samples=(POSITIVE, POSITIVE), domain="x > 0 and y > 0", mp="betaln",
                example="betaln(100, 200)", latex=r"\ln(\mathrm{B}(#1, #2))", simpler=_BETALN),
    elementwise("binomial", "how many ways there are to choose k of n, for real numbers too", "scipy.special:binom",
                "out*(digamma(n + 1) - digamma(n - k + 1))", "out*(digamma(n - k + 1) - digamma(k + 1))", arrays="n k",
                aliases="binom", domain="n >= 0 or n != floor(n)", samples=((5.0, 40.0), (0.0, 5.0)),
                mp="binomial", example="binomial(5, 2)",
                latex=r"\binom{#1}{#2}", simpler=_BINOMIAL),
    elementwise("gammainc", "regularized lower incomplete gamma function; no derivative by a", "scipy.special:gammainc",
                UNKNOWN, Partial("exp(where(out == out, xlogy(a - 1, x), out) - x - lgamma(a))",
                                  "exp(xlogy(a - 1, x) - x - lgamma(a))"), arrays="a x", samples=(POSITIVE, POSITIVE),
                facts=NON_NEGATIVE, domain="a >= 0 and x >= 0 and a + x > 0", mp="gamma_p", example="gammainc(2, 3)",
                latex="P(#1, #2)", simpler=_GAMMAINC),
    elementwise("gammaincc", "1 - gammainc(a, x), exact for large x; no derivative by a", "scipy.special:gammaincc",
                UNKNOWN, Partial("-exp(where(out == out, xlogy(a - 1, x), out) - x - lgamma(a))",
                                  "-exp(xlogy(a - 1, x) - x - lgamma(a))"), arrays="a x", samples=(POSITIVE, POSITIVE),
                facts=NON_NEGATIVE, domain="a >= 0 and x >= 0 and a + x > 0", mp="gamma_q", example="gammaincc(2, 3)",
                latex="Q(#1, #2)", simpler=_GAMMAINCC),
    elementwise("betainc", "regularized incomplete beta function; no derivatives by a and b", "scipy.special:betainc",
                UNKNOWN, UNKNOWN, Partial(
                    "exp(where(out == out, xlogy(a - 1, x), out) + (b - 1)*log1p(-x) - betaln(a, b))",
                    "exp(xlogy(a - 1, x) + (b - 1)*log1p(-x) - betaln(a, b))"), arrays="a b x",
                samples=(POSITIVE, POSITIVE, _UNIT), facts=NON_NEGATIVE,
                domain="a >= 0 and b >= 0 and a + b > 0 and 0 <= x <= 1", mp="beta_i",
                example="betainc(2, 3, 0.5)", latex="I_{#3}(#1, #2)", simpler=_BETAINC),
    _bessel("j", "the first kind", "(jv(v - 1, x) - jv(v + 1, x))/2", "J", _WHOLE_OR_RIGHT, _JV),
    _bessel("y", "the second kind", "(yv(v - 1, x) - yv(v + 1, x))/2", "Y", "x > 0", _YV),
    _bessel("i", "the first kind, modified", "(iv(v - 1, x) + iv(v + 1, x))/2", "I", _WHOLE_OR_RIGHT, _IV, _iv),
    _bessel("k", "the second kind, modified", "-(kv(v - 1, x) + kv(v + 1, x))/2", "K", "x > 0", _KV, _kv),
    elementwise("exp1", "exponential integral E1: of exp(-t)/t from x to infinity", "scipy.special:exp1",
                "-exp(-x)/where(out == out, x, out)", aliases="expint", samples=POSITIVE, facts=NON_NEGATIVE,
                domain="x > 0", mp="exp1", example="exp1(1)", latex="E_{1}", simpler=_EXP1),
    elementwise("expi", "exponential integral Ei: of exp(t)/t up to x", "scipy.special:expi", "exp(x)/x",
                samples=POSITIVE, domain="x != 0", mp="ei", example="expi(1)", latex=r"\operatorname{Ei}",
                simpler=_EXPI),
    elementwise("Si", "sine integral: of sin(t)/t from 0 to x", _si,
                Partial("where(abs(x) < 3, sinc(x/pi), sin(x)/x)", "sin(x)/x"), aliases="sinint",
                facts=BOUNDED | ODD, mp="si", example="Si(pi)", latex=r"\operatorname{Si}", simpler=_SI),
    elementwise("Ci", "cosine integral: of -cos(t)/t from x to infinity", _ci, "cos(x)/where(out == out, x, out)",
                aliases="cosint", samples=POSITIVE, domain="x > 0", mp="ci", example="Ci(1)",
                latex=r"\operatorname{Ci}", simpler=_CI),
    elementwise("zeta", "Riemann's zeta function; its order-th derivative", zeta,
                "zeta(x, order=order + 1)", statics=(whole("order", 0, least=0, most=_HIGHEST_ORDER),),
                samples=(1.0, float("inf")), domain="x != 1", mp="zeta", example="zeta(2)", latex=r"\zeta",
                simpler=(_ZETA,)),

    _shorthand("beta", "gamma(x)*gamma(y)/gamma(x + y)", "exp(betaln(x, y))", "beta(2, 3)", "x y", "x > 0 and y > 0"),
    _shorthand("factorial", "n!, for real numbers too: gamma(n + 1)", "gamma(n + 1)", "factorial(5)", "n"),
    _shorthand("trigamma", "derivative of digamma", "digamma(x, order=1)", "trigamma(1)"),
    Shorthand("polygamma", "the n-th derivative of digamma", ("x",), "digamma(x, order=n)",
              (whole("n", least=0, most=_HIGHEST_ORDER)._replace(leading=True),), example="polygamma(1, 2)"),
    _shorthand("ndtr", "normal distribution function", "erfc(-x/sqrt(2))/2", "ndtr(1.96)"),
    _shorthand("ndtri", "inverse of ndtr: quantile of the normal distribution", "-sqrt(2)*erfcinv(2*x)",
               "ndtri(0.975)", domain="0 < x and x < 1"),
    _shorthand("log_ndtr", "ln(ndtr(x)), exact for all x",
               "where(x > 0, log1p(-erfc(x/sqrt(2))/2), ln(erfcx(-x/sqrt(2))/2) - x^2/2)", "log_ndtr(-40)"),
    *(_of_order(name, order) for name in "jyik" for order in (0, 1)),
)  # fmt: skip

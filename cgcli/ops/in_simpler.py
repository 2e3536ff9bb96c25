"""What special functions are in simpler ones, for languages that lack them.

Series and continued fractions end where a term no longer counts. DLMF: NIST Digital Library of Mathematical Functions,
dlmf.nist.gov; W. H. Press et al., Numerical Recipes, has the ways through them.
"""

from __future__ import annotations

from cgcli.annotations import Sequence
from cgcli.ops.special import ERFC_COEFFICIENTS, nested


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


def _differences(terms: Sequence[str]) -> str:
    """Statements after which r*(u - v) is the difference of a polynomial's values at u and v, without cancellation.

    terms: its coefficients, from that of u on.
    """
    text = f"s = {terms[-1]}; r = s; "
    return text + "".join(f"s = s*v + {term}; r = r*u + s; " for term in terms[-2::-1])


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
ERFCX = (
    "size = abs(x); part = size/(size + 3); v = part - 0.5; s = 1/x^2; near = min(size, 28); "
    "high = near*134217729 - (near*134217729 - near); "
    f"y = size < 28 ? (1 + part*{nested(ERFC_COEFFICIENTS, 'v')})/(1 + size) : ({_odd(1, 9)})/(size*sqrt(pi)); "
    "x < 0 ? 2*exp(high*high)*exp((near - high)*(near + high)) - y : y"
)
ERFCX_1 = f"s = 1/x^2; x > 15 ? -s/sqrt(pi)*({_odd(3, 21)}) : 2*x*erfcx(x) - 2/sqrt(pi)"
ERFCINV = (  # three steps of Halley from Abramowitz and Stegun, 26.2.22
    "q = x > 1 ? 2 - x : x; t = sqrt(-2*ln(q/2)); "
    "z = (t - (2.30753 + t*0.27061)/(1 + t*(0.99229 + t*0.04481)))/sqrt(2); "
    + "e = erfc(z) - q; z = z + e/(2/sqrt(pi)*exp(-z*z) - z*e); " * 3
    + "w = x == 1 ? 0 : q > 0 ? z : q == 0 ? inf : nan; x > 1 ? -w : w"
)
ERFINV = (
    "a = abs(x); z = erfcinv(1 - a); y = z + (a - erf(z))*sqrt(pi)/2*exp(z*z); "
    "sign(x)*(a < 0.5 ? y + (a - erf(y))*sqrt(pi)/2*exp(y*y) : z)"
)
BETALN = (
    "m = max(x, y); a = min(x, y); l = max(m, 15); t = l + a; "
    "a < 0 || (a == 0 && m == inf) ? nan : a == 0 ? inf : m == inf ? -inf : lgamma(a) + (m > 15 ? "
    f"a - (l - 0.5)*log1p(a/l) - a*ln(t) + {_stirlings('l')} - {_stirlings('t')} : lgamma(m) - lgamma(m + a))"
)
DIGAMMA_DIFFERENCE = (  # by DLMF 5.5.2, 5.11.2 and 5.5.4, with h in each term
    "l = min(h, 1.7976931348623157e308); y = x + l; p = x <= 0 ? 1 - x : x; q = y <= 0 ? 1 - y : y; "
    "g = min(x, y) > 0 ? l : max(x, y) <= 0 ? -l : q - p; "
    "a = 1/(p + 10); b = 1/(q + 10); u = a*a; v = b*b; d = g*a*b; "
    + _differences(("1/12", "-1/120", "1/252", "-1/240", "1/132", "-691/32760", "1/12"))
    + f"f = {' + '.join(f'g/(p + {k})/(q + {k})' for k in range(10))}; "
    "f = f + log1p(g/(p + 10)) + (h > l ? h : 0) + d/2 + d*(a + b)*r; "
    "f + (x <= 0 ? pi/tan(pi*(x - round(x))) : 0) - (y <= 0 ? pi/tan(pi*(y - round(y))) : 0)"
)
BINOMIAL = (
    "p = n + 1; q = k + 1; r = n - k + 1; "
    "p != p || k != k ? n + k : p <= 0 && p == floor(p) || k == inf ? nan : k == -inf ? 0 "
    ": n == inf ? (k <= 0 ? (k == 0 ? 1 : 0) : k == floor(k) ? inf : nan) "
    ": (q <= 0 && q == floor(q)) || (r <= 0 && r == floor(r)) ? 0 : q > 0 && r > 0 && p > 0 ? exp(-betaln(r, q))/p "
    f": {_sign_of_gamma('p')}*{_sign_of_gamma('q')}*{_sign_of_gamma('r')}*exp(lgamma(p) - lgamma(q) - lgamma(r))"
)
ZETA = (  # DLMF 25.2.9, and 25.4.1 on the left
    "y = x < 0 ? 1 - x : x; h = 12^(-y); z = y > 60 ? 1 + 2^(-y) : 1 + "
    f"({' + '.join(f'{n}^(-y)' for n in range(11, 1, -1))}) + 12*h/(y - 1) + h/2 + h*y*({_by_bernoulli()}); "
    "s = sinpi(x/2); p = y < 150 ? (2*pi)^(-y)*gamma(y) : exp(lgamma(y) - y*ln(2*pi)); "
    "x < 0 ? (y > 250 && s == 0 ? 0 : 2*s*p*z) : z"
)
EXP1 = (  # DLMF 6.6.2, and the continued fraction 6.9.1
    "y = x < 1 ? x : 0; t = -y; s = y; k = x == x ? 1 : x; "
    "while max(abs(t/k) > 1e-17*abs(s)) { k = k + 1; t = -t*y/k; s = s - t/k }; "
    "u = x < 1 ? 1e300 : x; b = u + 1; c = x == x ? 1e300 : x; d = 1/b; h = d; g = 0*d; i = x == x ? 0 : x; "
    "while max(abs(g - 1) > 1e-16 and i < 500) "
    "{ i = i + 1; b = b + 2; d = 1/(b - i*i*d); c = b - i*i/c; g = c*d; h = h*g }; "
    "x < 0 ? nan : x < 1 ? s - ln(x) - 0.5772156649015329 : x == inf ? 0 : h*exp(-x)"
)
EXPI = (  # DLMF 6.6.1, and 6.12.2 from 40 on
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
SI = (
    f"{_E1_OF_IX}y = a < 4 ? a : 0; t = y; s = y; k = 1 + 0*d; {_NEXT}"
    "a < 4 ? (x < 0 ? -s : s) : sign(x)*(a == inf ? pi/2 : pi/2 + cos(a)*w - sin(a)*r)"
)
CI = (
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
GAMMAINC = _GAMMAS + "a == inf || x == 0 ? 0 : x == inf || a == 0 ? 1 : p"
GAMMAINCC = _GAMMAS + "a == inf || x == 0 ? 1 : x == inf || a == 0 ? 0 : q"
BETAINC = (  # DLMF 8.17.22
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
JV = (  # by recurrence downwards, with the sum of DLMF 10.23.15; far away by Hankel's expansion
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
IV = (  # DLMF 10.25.2 and 10.27.2
    "u = abs(v); o = u == floor(u); a = abs(x); y = (x == x ? u : x) < inf ? a/2 : 0; k = 0*y; t = 1 + k; s = t; "
    "while max(t > 1e-17*s) { k = k + 1; t = t*(y/k)*(y/(k + u)); s = s + t }; "
    "m = (x == 0 || (u == inf && a < inf) ? (u == 0 ? 1 : u < inf && not o && v < 0 ? inf : u == u ? 0 : u) "
    ": exp(u*ln(a/2) - lgamma(u + 1))*s) + (v < 0 && not o ? 2/pi*sinpi(u)*kv(u, a) : 0); "
    "x < 0 ? (o ? cospi(u)*m : nan) : m"
)
KV = (  # the integral of DLMF 10.32.9 by the trapezoidal rule, which has all digits there
    "i = abs(v) < inf && x > 0 && x < inf; u = i ? abs(v) : 0; y = i ? x : 1; "
    "h = min(0.2, 0.45/sqrt(hypot(u, y))); z = asinh(u/y); m = u*z - 2*y*sinh(z/2)^2; "
    "t = 0*h; e = exp(-m)/2; s = e; o = abs(m - y) < 800; while max(o and (t < z or e > 1e-18*s)) "
    "{ t = t + h; e = exp(u*t - 2*y*sinh(t/2)^2 - m)*(1 + exp(-2*u*t))/2; s = s + e }; "
    "i ? (o ? h*exp(m - y)*s : m < y ? 0 : inf) "
    ": v + x != v + x || x < 0 || (abs(v) == inf && x > 0) ? nan : x == inf ? 0 : inf"
)
YV = (  # for orders f of -1/2 to 1/2 and f + 1; then by recurrence upwards
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

"""C99, which is also C++: a function of one point, and one of many rows."""

from __future__ import annotations

import math

from cgcli.annotations import Mapping, Sequence
from cgcli.exporting.language import (
    AND,
    ARITHMETIC,
    ATOM,
    OR,
    Language,
    Statements,
    comment,
    helpers_in,
    joined,
    number_text,
)
from cgcli.exporting.task import Task
from cgcli.exporting.writer import into_row
from cgcli.graph.node import Node

_WORDS = (
    "auto break case char const continue default do double else enum extern float for goto if inline int long "
    "register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while "
    "_Bool and and_eq asm bitand bitor bool catch class compl const_cast constexpr delete dynamic_cast explicit "
    "export false friend mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected "
    "public reinterpret_cast static_assert static_cast template this thread_local throw true try typeid typename "
    "using virtual wchar_t xor xor_eq size_t NAN INFINITY NULL out in n row sin cos tan asin acos atan atan2 sinh "
    "cosh tanh asinh acosh atanh exp exp2 expm1 log log2 log10 log1p pow sqrt cbrt fabs floor ceil rint round trunc "
    "fmod hypot erf erfc tgamma lgamma fmin fmax j0 j1 jn y0 y1 yn gamma signgam remainder copysign nan main abs "
    "div errno index time alignas alignof asm char8_t char16_t char32_t co_await co_return co_yield concept consteval "
    "constinit decltype fortran i386 linux requires typeof "
    "typeof_unqual unix HUGE_VAL HUGE_VALF HUGE_VALL MATH_ERRNO MATH_ERREXCEPT "
    "FP_NAN FP_INFINITE FP_ZERO FP_SUBNORMAL FP_NORMAL FP_ILOGB0 FP_ILOGBNAN FP_FAST_FMA M_E M_LOG2E M_LOG10E M_LN2 "
    "M_LN10 M_PI M_PI_2 M_PI_4 M_1_PI M_2_PI M_2_SQRTPI M_SQRT2 M_SQRT1_2"
)
_LIBRARY = (  # functions that compilers know, whose names no other function can have
    "exp10 pow10 sincos signbit gettext dgettext dcgettext strfmon "
    "ldexp frexp modf fdim fma ilogb logb llrint llround lrint lround nearbyint nextafter nexttoward remquo scalb "
    "scalbln scalbn significand drem finite isinf isnan a64l abort aligned_alloc alloca bcmp bcopy bzero calloc "
    "conj execl execle execlp execv execve execvp exit feclearexcept fegetenv fegetexceptflag fegetround "
    "feholdexcept feraiseexcept fesetenv fesetexceptflag fesetround fetestexcept feupdateenv ffs ffsll fork "
    "fprintf fputc fputc_unlocked fputs free fscanf fwrite fwrite_unlocked imaxabs isascii labs lgamma_r "
    "lgammaf_r lgammal_r llabs malloc memchr memcmp memcpy memmove memset posix_memalign printf putc "
    "putc_unlocked putchar putchar_unlocked puts realloc rindex scanf snprintf sprintf sscanf stpcpy stpncpy "
    "strcasecmp strcat strchr strcmp strcpy strcspn strdup strftime strlen strncasecmp strncat strncmp strncpy "
    "strndup strnlen strpbrk strrchr strspn strstr toascii tolower toupper towlower towupper vfprintf vfscanf "
    "vprintf vscanf vsnprintf vsprintf vsscanf"
)
_COMPLEX = "abs acos acosh arg asin asinh atan atanh cos cosh exp imag log pow proj real sin sinh sqrt tan tanh"
_CLASSES = "alnum alpha blank cntrl digit graph lower print punct space upper xdigit"
_FUNCTIONS = frozenset([
    *(f"{name}{kind}" for name in f"{_WORDS} {_LIBRARY}".split() for kind in ("", "f", "l")),
    *(f"c{name}{kind}" for name in _COMPLEX.split() for kind in ("", "f", "l")),
    *(f"{kind}{name}" for name in _CLASSES.split() for kind in ("is", "isw")),
])  # fmt: skip
_BY_NAME = ("exp", "expm1", "exp2", "log1p", "log2", "log10", "sin", "cos", "tan", "asin", "acos", "atan", "sinh",
            "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "erfc", "sqrt", "cbrt", "floor", "ceil",
            "trunc")  # fmt: skip
_HELPERS = {
    "cg_max": "static double cg_max(double a, double b) { return a > b || a != a ? a : b; }",
    "cg_min": "static double cg_min(double a, double b) { return a < b || a != a ? a : b; }",
    "cg_sign": "static double cg_sign(double x) { return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : x; }",
    "cg_gamma": "static double cg_gamma(double x) { return x < 0.0 && x == floor(x) ? NAN : tgamma(x); }",
    "cg_lgamma": "static double cg_lgamma(double x) { return x == -INFINITY ? x : lgamma(x); }",
    "cg_logaddexp": """static double cg_logaddexp(double x, double y)
{
    double d = x - y;
    if (x == y) return x + 0.6931471805599453;
    return d > 0.0 ? x + log1p(exp(-d)) : d <= 0.0 ? y + log1p(exp(d)) : d;
}""",
    "cg_solve": """/* Makes x of b, with a x = b, by elimination. Leaves pivots in a; gives the sign of their order. */
static double cg_solve(int n, int m, double *a, double *b)
{
    double sign = 1.0;
    int singular = 0;
    for (int k = 0; k < n; k++) {
        int p = k;
        for (int i = k + 1; i < n; i++) if (fabs(a[i*n + k]) > fabs(a[p*n + k])) p = i;
        if (p != k) {
            sign = -sign;
            for (int j = 0; j < n; j++) { double t = a[k*n + j]; a[k*n + j] = a[p*n + j]; a[p*n + j] = t; }
            for (int j = 0; j < m; j++) { double t = b[k*m + j]; b[k*m + j] = b[p*m + j]; b[p*m + j] = t; }
        }
        if (a[k*n + k] == 0.0) { singular = 1; continue; }
        for (int i = k + 1; i < n; i++) {
            double f = a[i*n + k]/a[k*n + k];
            for (int j = k; j < n; j++) a[i*n + j] -= f*a[k*n + j];
            for (int j = 0; j < m; j++) b[i*m + j] -= f*b[k*m + j];
        }
    }
    for (int i = n - 1; i >= 0; i--)
        for (int j = 0; j < m; j++) {
            double s = b[i*m + j];
            for (int k = i + 1; k < n; k++) s -= a[i*n + k]*b[k*m + j];
            b[i*m + j] = singular ? NAN : s/a[i*n + i];
        }
    return sign;
}""",
    "cg_sigmoid": """static double cg_sigmoid(double x)
{
    double a = exp(-fabs(x));
    return (x < 0.0 ? a : 1.0)/(1.0 + a);
}""",
}  # fmt: skip
LANGUAGE = Language(
    "C",
    infix={**ARITHMETIC, "and": ("&&", AND), "or": ("||", OR)},
    calls={
        **{name: f"{name}({{0}})" for name in _BY_NAME},
        "ln": "log({0})", "abs": "fabs({0})", "round": "rint({0})", "power": "pow({0}, {1})",
        "atan2": "atan2({0}, {1})",
        "hypot": "hypot({0}, {1})", "fmod": "fmod({0}, {1})", "sign": "cg_sign({0})",
        "max": "cg_max({0}, {1})", "min": "cg_min({0}, {1})", "gamma": "cg_gamma({0})", "lgamma": "cg_lgamma({0})",
        "logaddexp": "cg_logaddexp({0}, {1})", "softplus": "cg_logaddexp(0.0, {0})", "sigmoid": "cg_sigmoid({0})",
        "stop_gradient": "({0})",
    },
    statements=Statements(
        let="const double {name} = {value};", let_truth="const int {name} = {value};",
        variable="double {name} = {value};", assign="{name} = {value};", array="double {name}[{size}] = {{0.0}};",
        filled="static const double {name}[{size}] = {{{values}}};",
        whole_numbers="static const int {name}[{size}] = {{{values}}};",
        loop="for (int {index} = 0; {index} < {count}; {index}++) {{",
        do="{call};", leave="break;",
        when="if ({condition}) {{", end="}}", quotient="{}/{}", place="(int)({})", whole="{}",
    ),
    number=lambda value: number_text(value, "INFINITY", "NAN"),
    unused="(void){name};", solve="cg_solve",
    choice="{} ? {} : {}", as_number="(double){atom}", no=("!{}", ATOM, ATOM),
    reserved=frozenset(_WORDS.split()), functions=_FUNCTIONS, helpers=_HELPERS,
)  # fmt: skip


def write(task: Task, *, header: bool = False) -> str:
    """The code of a function `f(x, …, out)` and of `f_rows(n, in, out)`; or the lines that declare both.

    out: the results one after the other; an array is `const double *`, row by row. Of rows, `in` has a pointer for each
    argument, to n numbers or n arrays, and `out` one for each number of the results.
    """
    names = task.argument_names(LANGUAGE.reserved, f"{task.function}_rows", functions=LANGUAGE.functions)
    arguments = [f"const double *{name}" if node.shape else f"double {name}" for node, name in names.items()]
    one = f"void {task.function}({', '.join([*arguments, 'double *out'])})"
    rows = f"void {task.function}_rows(size_t n, const double *const *in, double *const *out)"
    about = comment(task.header(names))
    if header:
        guard = f"CG_{task.function.upper()}_H"
        return joined([about, f"#ifndef {guard}", f"#define {guard}", "#include <stddef.h>", "#ifdef __cplusplus",
                       'extern "C" {', "#endif", f"{one};", f"{rows};", "#ifdef __cplusplus", "}", "#endif",
                       "#endif"])  # fmt: skip
    body = into_row(task, LANGUAGE, names)
    linkage = ["#ifdef __cplusplus", 'extern "C" {', "#endif"]
    return joined([
        about, "#include <math.h>", "#include <stddef.h>", "", *helpers_in(joined(body), LANGUAGE.helpers), *linkage,
        f"{one};", f"{rows};", "#ifdef __cplusplus", "}", "#endif", "",
        one, "{", *body, "}", "", rows, "{", *_rows(task, names), "}",
    ])  # fmt: skip


def _rows(task: Task, names: Mapping[Node, str]) -> Sequence[str]:
    """The lines that call the function for each row."""
    given = []
    for at, node in enumerate(names):
        size = math.prod(node.shape)
        given.append(f"in[{at}] + row*{size}" if node.shape else f"in[{at}][row]")
    unused = [] if given else ["    (void)in;"]
    return [
        *unused,
        "    for (size_t row = 0; row < n; row++) {",
        f"        double result[{max(task.size, 1)}];",
        f"        {task.function}({', '.join([*given, 'result'])});",
        f"        for (int k = 0; k < {task.size}; k++) out[k][row] = result[k];",
        "    }",
    ]

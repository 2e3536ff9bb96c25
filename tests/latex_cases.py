"""Programs, and the LaTeX that they are printed as: what a book would write."""

from __future__ import annotations

from itertools import pairwise

# A program on one line, its LaTeX on the next.
TABLE = r"""
ln(x1) + x1*x2 - sin(x2)
    \ln(x_{1}) + x_{1} x_{2} - \sin(x_{2})
a*b/c
    \frac{a b}{c}
a/b/c
    \frac{a}{b c}
a/(b/c)
    \frac{a c}{b}
(a+b)*x/2
    \frac{(a + b) x}{2}
x/2
    \frac{x}{2}
1/2*x^2
    \frac{x^{2}}{2}
-x^2
    -x^{2}
(-x)^2
    (-x)^{2}
x^(1/2)
    x^{1/2}
2*x*3*y
    2 \cdot 3 x y
x*2
    2 x
x*x
    x \cdot x
a - (b - c)
    a - (b - c)
a + (b - c)
    a + b - c
a + -b
    a - b
a - -b
    a + b
-(a+b)
    -(a + b)
-x*y
    -x y
x*-y
    -x y
sqrt(x+1)
    \sqrt{x + 1}
cbrt(x)
    \sqrt[3]{x}
sin(x)^2
    \sin^{2}(x)
ln(x)^y
    (\ln(x))^{y}
exp(-x^2/2)/sqrt(2*pi)
    \frac{\exp\left(-\frac{x^{2}}{2}\right)}{\sqrt{2 \pi}}
exp(-x)
    e^{-x}
1/(1+exp(-x))
    \frac{1}{1 + e^{-x}}
abs(x/y)
    \left|\frac{x}{y}\right|
floor(x)
    \lfloor x \rfloor
x//y
    \left\lfloor \frac{x}{y} \right\rfloor
x % y + 1
    (x \bmod y) + 1
(a+b)^(c+d)
    (a + b)^{c + d}
(x/y)^2
    \left(\frac{x}{y}\right)^{2}
2^x*3^y
    2^{x} \cdot 3^{y}
3*2^x
    3 \cdot 2^{x}
alpha*θ_max
    \alpha \theta_{\mathrm{max}}
rate*spot*x
    \mathrm{rate} \, \mathrm{spot} \, x
x > 0 ? ln(x) : x < -1 ? 2 : 3
    \begin{cases} \ln(x) & \text{if } x > 0 \\ 2 & \text{if } x < -1 \\ 3 & \text{otherwise} \end{cases}
(x > 0)*y
    [x > 0] y
not (a and b) or c < d
    [\lnot (a \land b) \lor c < d]
max(a, b/c)
    \max\left(a, \frac{b}{c}\right)
1e-5*x + 1.5e-5 + 1e300*y
    10^{-5} x + 1.5 \cdot 10^{-5} + 10^{300} y
inf*x
    \infty x
X: [3, 2]; w: [2]; y: [3]; sum((X@w - y)^2)
    \sum_{i} ((X w)_{i} - y_{i})^{2}
X: [3, 2]; X.T @ X
    X^{\top} X
X: [3, 2]; sum(X, axis=0)
    \sum_{i} X_{i,:}
X: [3, 2]; mean(X)
    \frac{1}{6} \sum_{i,j} X_{i,j}
x: [3]; y: [3]; 2*x*y + x/y
    2 x \odot y + x \oslash y
x: [3]; y: [3]; x @ y
    x^{\top} y
x: [3]; sum(x*ln(x))
    \sum_{i} x_{i} \ln(x_{i})
x: [3]; norm(x)
    \lVert x \rVert
X: [3, 3]; norm(X)
    \lVert X \rVert_{F}
X: [3,3]; det(X) + trace(X)
    \det(X) + \operatorname{tr}(X)
X: [3,3]; inv(X) @ [1,2,3]
    X^{-1} \begin{bmatrix} 1 \\ 2 \\ 3 \end{bmatrix}
x: [3]; x - mean(x)
    x - \frac{1}{3} \sum_{i} x_{i}
x: [3]; sum((x - mean(x))^2)
    \sum_{i} \left(x_{i} - \frac{1}{3} \sum_{j} x_{j}\right)^{2}
X: [3, 2]; X - mean(X, axis=0, keepdims=1)
    X - \frac{1}{3} \sum_{i} X_{i,:}
X: [3, 2]; sum(X - mean(X, axis=0))
    \sum_{i,j} \left(X_{i,j} - \frac{1}{3} \sum_{k} X_{k,j}\right)
X: [3, 2]; X[0, 1] + X[1, :] @ [x, y]
    X_{0,1} + X_{1,:}^{\top} \begin{bmatrix} x \\ y \end{bmatrix}
x1: [3]; x1[0] + x1[1:]
    x_{1,0} + x_{1,1:3}
[[x, 1], [2, y]]
    \begin{bmatrix} x & 1 \\ 2 & y \end{bmatrix}
[1, 2, 3]
    \begin{bmatrix} 1 \\ 2 \\ 3 \end{bmatrix}
[[1,2],[3,4]]
    \begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix}
hypot(x, y)
    \sqrt{x^{2} + y^{2}}
hypot(x, 0.5)^2
    \sqrt{x^{2} + \left(\frac{1}{2}\right)^{2}}^{2}
hypot(-x, y/2)
    \sqrt{(-x)^{2} + \left(\frac{y}{2}\right)^{2}}
hypot(x + 1, 1e-5)
    \sqrt{(x + 1)^{2} + (10^{-5})^{2}}
square(0.5)
    \left(\frac{1}{2}\right)^{2}
log(x, 3)
    \frac{\ln(x)}{\ln(3)}
log2(x)^2
    \log_{2}^{2}(x)
erf(x) + gamma(x) + digamma(x) + digamma(x, order=2)
    \operatorname{erf}(x) + \Gamma(x) + \psi(x) + \psi^{(2)}(x)
softmax([x, y])
    \operatorname{softmax}\left(\begin{bmatrix} x \\ y \end{bmatrix}\right)
x: [2]; X: [2,2]; softmax(X @ x, axis=0)
    \operatorname{softmax}(X x)
eye(3) @ zeros([3])
    I_{3} \mathbf{0}_{3}
arange(0, 5)
    \operatorname{arange}(\mathrm{start} = 0, \mathrm{stop} = 5)
sin(x + pi/2)
    \sin\left(x + \frac{\pi}{2}\right)
e = 3; e*exp(x)
    3 e^{x}
X: [3,3]; X^2
    X^{\circ 2}
x: [3]; argmax(x)
    \operatorname*{arg\,max}_{i} x_{i}
x: [3]; max(x) - min(x)
    \max_{i} x_{i} - \min_{i} x_{i}
stop_gradient(x)
    \operatorname{stop\_gradient}(x)
clip(x, 0, 1)
    \operatorname{clip}(x, 0, 1)
leaky_relu(x, slope=0.1)
    \operatorname{LeakyReLU}(x, \mathrm{slope} = 0.1)
-3*x - 2*-y
    -3 x + 2 y
x - 3*-y
    x + 3 y
-(x - y)/z
    -\frac{x - y}{z}
a*-b/(-c)
    \frac{a b}{c}
-(-x)
    x
2*(-3)
    -2 \cdot 3
x + -3
    x - 3
(-3)^x
    (-3)^{x}
1/x/y
    \frac{1}{x y}
x/y*z/w
    \frac{x z}{y w}
0.5*x
    \frac{1}{2} x
0.5*x/y
    \frac{x}{2 y}
(a/b)/(c/d)
    \frac{a d}{b c}
sqrt(x)*sqrt(y)
    \sqrt{x} \sqrt{y}
sqrt(x/y)
    \sqrt{\frac{x}{y}}
1/sqrt(1 - x^2)
    \frac{1}{\sqrt{1 - x^{2}}}
x^-1
    x^{-1}
x^0.5
    x^{1/2}
x^(-1/2)
    x^{-1/2}
x^-1.5
    x^{-3/2}
x^y^z
    x^{y^{z}}
(x^y)^z
    (x^{y})^{z}
(x1^2)^3
    (x_{1}^{2})^{3}
exp(x)^2
    (e^{x})^{2}
exp(sin(x/y))
    \exp\left(\sin\left(\frac{x}{y}\right)\right)
exp(x)*exp(-y)
    e^{x} e^{-y}
sin(x)*(a + b)
    \sin(x) (a + b)
sin(x)^-1
    (\sin(x))^{-1}
sin(x)^2.5
    (\sin(x))^{5/2}
gamma(x)^2
    \Gamma^{2}(x)
erf(x)^2
    \operatorname{erf}(x)^{2}
abs(x)^2
    |x|^{2}
a < b < c
    [a < b \land b < c]
(a < b) == c
    [[a < b] = c]
a <= b and b >= c or a != c
    [a \le b \land b \ge c \lor a \ne c]
not a < b
    [\lnot (a < b)]
(a or b) and c
    [(a \lor b) \land c]
where(x > 0, x, -x) + 1
    \left(\begin{cases} x & \text{if } x > 0 \\ -x & \text{otherwise} \end{cases}\right) + 1
sin(x > 0 ? x : y)
    \sin\left(\begin{cases} x & \text{if } x > 0 \\ y & \text{otherwise} \end{cases}\right)
2 + (x > 0)
    2 + [x > 0]
pi*x/2 + e
    \frac{\pi x}{2} + e
2/3*x
    \frac{2 x}{3}
ln(2)*x
    \ln(2) x
0.1*x
    0.1 x
x*y*0.25
    \frac{1}{4} x y
xlogy(x, y) + 1
    x \ln(y) + 1
expm1(x) - log1p(y/2)
    e^{x} - 1 - \ln\left(1 + \frac{y}{2}\right)
exp2(x) + log10(y)
    2^{x} + \log_{10}(y)
n!/(k!*(n - k)!)
    \frac{n!}{k! (n - k)!}
x!^2 + (x^2)!
    (x!)^{2} + (x^{2})!
(x!)! + (-x)! - y!
    (x!)! + (-x)! - y!
2*x0!*sin(x)! + 2^x!
    2 x_{0}! (\sin(x))! + 2^{x!}
(x/2)! + abs(x)!
    \left(\frac{x}{2}\right)! + |x|!
cos(binomial(n, k) + 1)*binomial(n, 2)^2
    \cos\left(\binom{n}{k} + 1\right) \binom{n}{2}^{2}
lgamma(x)*2
    2 \ln(|\Gamma(x)|)
logaddexp(x, y)
    \ln(e^{x} + e^{y})
asin(x) + acosh(y) + atan2(y, x)
    \arcsin(x) + \operatorname{arcosh}(y) + \operatorname{atan2}(y, x)
sec(x)*csc(x)/cot(x)
    \frac{\sec(x) \csc(x)}{\cot(x)}
sign(x)*round(y)
    \operatorname{sgn}(x) \operatorname{round}(y)
-x // 2
    \left\lfloor \frac{-x}{2} \right\rfloor
ceil(x/2)
    \left\lceil \frac{x}{2} \right\rceil
fmod(x, y)
    \operatorname{fmod}(x, y)
sinc(x) + sinc(x, order=1)
    \operatorname{sinc}(x) + \operatorname{sinc}^{(1)}(x)
relu(x) + sigmoid(-x)
    \operatorname{ReLU}(x) + \operatorname{sigmoid}(-x)
V: [3]; prod(V)*2
    2 \prod_{i} V_{i}
V: [3]; 2*sum(V)*x
    2 \left(\sum_{i} V_{i}\right) x
V: [3]; sum(V)^2
    \left(\sum_{i} V_{i}\right)^{2}
V: [3]; sum(2*V + 1)
    \sum_{i} (2 V_{i} + 1)
V: [3]; mean(V^2) - mean(V)^2
    \frac{1}{3} \sum_{i} V_{i}^{2} - \left(\frac{1}{3} \sum_{i} V_{i}\right)^{2}
V: [3]; norm(V/2)
    \left\lVert \frac{V}{2} \right\rVert
V: [3]; exp(V)
    \exp(V)
V: [3]; sum(exp(-V))
    \sum_{i} e^{-V_{i}}
V: [3]; logsumexp(V)
    \operatorname{logsumexp}(V)
V: [3]; V[1]*V[::2]
    V_{1} V_{0:4:2}
V: [3]; (2*V)[1]
    (2 V)_{1}
V: [3]; x*V @ V
    (x V)^{\top} V
M: [2, 3]; V: [3]; M @ V*x
    x M V
M: [2, 3]; V: [3]; w: [2]; w @ M @ V
    w^{\top} M V
M: [2, 3]; V: [3]; w: [2]; (M @ V - w) @ w
    (M V - w)^{\top} w
S: [2, 2]; w: [2]; S @ w + w @ S
    S w + S^{\top} w
S: [2, 2]; T: [2, 2]; w: [2]; w @ S.T @ T + w @ (S + T)
    T^{\top} S w + (S + T)^{\top} w
S: [2, 2]; T: [2, 2]; w: [2]; w @ S @ T @ w + (w @ T)[0]
    w^{\top} S T w + (T^{\top} w)_{0}
sqrt(2*pi)*sigma*sqrt(x)*(x + 1)
    \sqrt{2 \pi} \, \sigma \sqrt{x} (x + 1)
M: [2, 3]; (2*M).T
    (2 M)^{\top}
M: [2, 3]; V: [3]; 2*M.T @ (M @ V)
    2 M^{\top} M V
M: [2, 3]; sum(M.T)
    \sum_{i,j} M_{j,i}
M: [2, 3]; sum(M, axis=1, keepdims=1)*M
    \left(\sum_{i} M_{:,i}\right) \odot M
M: [2, 3]; max(M, axis=1)
    \max_{i} M_{:,i}
M: [2, 3]; sum(sum(M, axis=0))
    \sum_{i} \sum_{j} M_{j,i}
M: [2, 3]; M[:, 1] + M[0, 1]
    M_{:,1} + M_{0,1}
M: [2, 3]; sum(M[:, 1])
    \sum_{i} M_{i,1}
M: [2, 3]; norm(M, axis=0)
    \operatorname{norm}(M, \mathrm{axis} = 0)
M: [2, 3]; N: [2, 3]; (M*N) @ N.T
    (M \odot N) N^{\top}
M: [2, 3]; 1/M
    1 \oslash M
S: [2, 2]; S^-1 + inv(S)
    S^{\circ (-1)} + S^{-1}
S: [2, 2]; inv(S).T
    (S^{-1})^{\top}
S: [2, 2]; S*S
    S \odot S
S: [2, 2]; S @ S
    S S
S: [2, 2]; logdet(S) + solve(S, [1, 2])
    \ln(\det(S)) + S^{-1} \begin{bmatrix} 1 \\ 2 \end{bmatrix}
ones([2, 3])*x
    x \mathbf{1}_{2 \times 3}
T: [2, 2, 2]; sum(T, axis=2)
    \sum_{i} T_{:,:,i}
arange(0, 12, 1)*x
    x \operatorname{arange}(\mathrm{start} = 0, \mathrm{stop} = 12)
reshape([1, 2, 3, 4], [2, 2])*x
    x \operatorname{reshape}\left(\begin{bmatrix} 1 \\ 2 \\ 3 \\ 4 \end{bmatrix}, \mathrm{shape} = [2, 2]\right)
[[x, y], [1, 2]] @ [y, 3]
    \begin{bmatrix} x & y \\ 1 & 2 \end{bmatrix} \begin{bmatrix} y \\ 3 \end{bmatrix}
V: [3]; stack(V, 2*V)
    \begin{bmatrix} V^{\top} \\ (2 V)^{\top} \end{bmatrix}
V: [3]; einsum("i,i->", V, V)
    \operatorname{einsum}(\texttt{i,i->}, V, V)
V: [3]; softmax(V)^2
    \operatorname{softmax}(V)^{2}
i: [3]; sum(i)
    \sum_{j} i_{j}
std_dev*weights
    \mathrm{std\_dev} \, \mathrm{weights}
`a b`*and_or
    \mathrm{a\ b} \, \mathrm{and\_or}
`100%`*x
    \mathrm{100\%} \, x
Δx/Δt
    \frac{{\Delta x}}{{\Delta t}}
x_prime + `y'`
    {x'} + {y'}
`é`*`日本`
    \acute{e} \, \mathrm{\text{日本}}
d_x1*dx
    d_{x_{1}} {dx}
π: [2]; π
    \mathrm{pi}
`θ̂` + x_hat_1 + `x̄`
    \hat{\theta} + \hat{x}_{1} + \bar{x}
learning_rate*x
    \mathrm{learning\_rate} \, x
beta_max2
    \beta_{\mathrm{max},2}
`2x`*`_x`
    \mathrm{2x} \, \mathrm{\_x}
(a + b)/(c/d)
    \frac{(a + b) d}{c}
a/(1/x)
    \frac{a}{\frac{1}{x}}
x_bar^2
    \bar{x}^{2}
inf - nan
    \infty - \mathrm{NaN}
-0*x
    -0 x
1e6*x + 1234567*y
    10^{6} x + 1234567 y
lambda*omega_0 - φ
    \lambda \omega_{0} - \varphi
M: [2, 3]; V: [3]; sum((M @ V)^2)/2
    \frac{\sum_{i} (M V)_{i}^{2}}{2}
x: [12]; [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]]*x
    \begin{bmatrix} 1 & 2 & 3 & 4 & \cdots & 12 \end{bmatrix} \odot x
V: [3]; W: [3]; sum((V - W)^2)/sum(V)
    \frac{\sum_{i} (V_{i} - W_{i})^{2}}{\sum_{i} V_{i}}
1/2*m*v^2 + m*g*h
    \frac{m v^{2}}{2} + m g h
S0*exp(-q*T)*x
    S_{0} e^{-q T} x
exp(-(x - mu)^2/(2*sigma^2))/(sigma*sqrt(2*pi))
    \frac{\exp\left(-\frac{(x - \mu)^{2}}{2 \sigma^{2}}\right)}{\sigma \sqrt{2 \pi}}
A*sin(omega*t + phi)
    A \sin(\omega t + \phi)
x*pi*(y + 1)*2
    2 \pi x (y + 1)
y/(x*pi*4)
    \frac{y}{4 \pi x}
x/(1 + y/2)
    \frac{x}{1 + \frac{y}{2}}
1/(x + 1/(x + 1/(y*(x + 1)*2)))
    \frac{1}{x + \frac{1}{x + 1/(2 y (x + 1))}}
1/(1 + a/(b - (x + y)/2))
    \frac{1}{1 + \frac{a}{b - (x + y)/2}}
x^(n/2 + 3/2)
    x^{n/2 + 3/2}
2^(-(x/y)^2/(2*z))
    2^{-(x/y)^{2}/(2 z)}
x^(-a*b/c/d)
    x^{-a b/(c d)}
x^(pi/2)
    x^{\pi/2}
x^(x^2 > 1/2 ? y/2 : 1)
    x^{\begin{cases} y/2 & \text{if } x^{2} > 1/2 \\ 1 & \text{otherwise} \end{cases}}
x > 0 ? x/2 : x < -1 ? 2 : 3
    \begin{cases} \frac{x}{2} & \text{if } x > 0 \\[4pt] 2 & \text{if } x < -1 \\ 3 & \text{otherwise} \end{cases}
[[x, y/2], [1, 2], [x, 3]]
    \begin{bmatrix} x & \frac{y}{2} \\[4pt] 1 & 2 \\ x & 3 \end{bmatrix}
[y, (x > 0)*y, x]
    \begin{bmatrix} y \\ {}[x > 0] y \\ x \end{bmatrix}
[1/x, y]
    \begin{bmatrix} \frac{1}{x} \\[4pt] y \end{bmatrix}
1/(4*pi*epsilon_0)*q1*q2/r^2
    \frac{q_{1} q_{2}}{4 \pi \epsilon_{0} r^{2}}
"""

_LINES = [line.strip() for line in TABLE.strip().splitlines()]
CASES = list(zip(_LINES[::2], _LINES[1::2], strict=True))


def aligned(*lines: str) -> str:
    """Lines below each other; those with a fraction keep their distance."""
    breaks = [r" \\[4pt]" if r"\frac" in above + below else r" \\" for above, below in pairwise(lines)]
    rows = "\n".join(line + end for line, end in zip(lines, [*breaks, ""], strict=True))
    return f"\\begin{{aligned}}\n{rows}\n\\end{{aligned}}"

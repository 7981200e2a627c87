"""How far a fitted model is from the least-squares optimum, whatever its rounding errors.

The gradient at the model is found in whole numbers: the data and the coefficients are
multiples of a power of two, which Python adds and multiplies exactly. The singular values
of the scaled features turn it into the distance from the optimum, ∇F = H (θ - θ*), and into
the loss above it, ½ ∇Fᵀ H⁻¹ ∇F. No optimum has to be known to more digits than the model.
"""

from functools import cached_property

import numpy as np
from hypothesis import strategies as st
from numpy.polynomial import chebyshev
from problems import BOOLEANS, OUTPUTS, Drawn
from scipy import linalg, sparse

# Singular values below this share of the largest are zeros that rounding has moved. The
# problems to be judged have none that is this small and not zero.
ZERO = 1e-12
EPS = np.finfo(float).eps


seeds = st.integers(0, 2**32 - 1)
WEIGHTS = st.sampled_from((None, "positive", "some zero", "integer"))
DTYPES = st.sampled_from((np.float64, np.float64, np.float32))


@st.composite
def raw_problems(
    draw,
    rows=400,
    features=30,
    digits=8.0,
    offsets=(0.0, 1.0, 1e3, 1e6),
    penalised=BOOLEANS,
    weights=WEIGHTS,
    dtypes=DTYPES,
    csr=BOOLEANS,
):
    """Standardised features of condition 10^digits at most, then scaled and shifted.

    Without an intercept an offset is a direction like any other, which multiplies the
    condition: by so much that it is 10^digits at most. CSR has no offsets, and half of it
    is zeros (or none, where the condition is to be as drawn).
    """
    n, d = draw(st.integers(3, rows)), draw(st.integers(1, features))
    k, intercept, is_sparse = draw(OUTPUTS), draw(BOOLEANS), draw(csr)
    dtype, rng = draw(dtypes), np.random.default_rng(draw(seeds))
    rank = min(n - intercept, d)
    U = rng.standard_normal((n, rank))
    U = np.linalg.qr(U - U.mean(axis=0) * intercept)[0]
    V = np.linalg.qr(rng.standard_normal((d, rank)))[0]
    exponent = draw(st.floats(0.0, digits))
    Z = (U * np.logspace(0, -exponent, rank)) @ V.T
    Z /= np.sqrt(np.mean(Z**2, axis=0))
    if is_sparse and draw(BOOLEANS):
        Z *= rng.random(Z.shape) < 0.5
    if draw(BOOLEANS):  # y lies along every direction alike, the weakest included
        U, s, _ = np.linalg.svd(Z, full_matrices=False)
        y = U[:, s > 1e-10 * s[0]] @ rng.standard_normal((np.sum(s > 1e-10 * s[0]), k or 1))
    else:
        y = Z @ rng.standard_normal((d, k or 1))
    y /= np.maximum(y.std(axis=0), 1e-9)
    y += draw(st.sampled_from((0.0, 1e-6, 0.1, 3.0, 100.0))) * rng.standard_normal(y.shape)
    y = 10 ** rng.uniform(-5, 5) * (y + draw(st.sampled_from((0.0, 1.0, 1e3))))
    offset = 0.0 if is_sparse else draw(st.sampled_from(offsets))
    offset = offset if intercept else min(offset, 10 ** (digits - exponent))
    Z += offset * rng.uniform(-1, 1, d)
    X = 10 ** rng.uniform(-9, 9, d) * Z
    kind = draw(st.sampled_from(("plain", "duplicates", "constant", "one of three")))
    if kind == "duplicates":
        X = np.column_stack([X, X[:, rng.integers(0, d, 2)] * [-2.0, 2.0**-20]])
    elif kind == "constant":
        X[:, rng.integers(d)] = 10 ** rng.uniform(-9, 9)
    elif kind == "one of three":
        X = np.column_stack([X, 7.0 * np.eye(3)[rng.integers(0, 3, n)]])
    weighted, s = draw(weights), None
    if weighted == "positive":
        s = 10 ** rng.uniform(-2, 2, n)
    elif weighted is not None:
        s = rng.integers(weighted == "integer", 4, n)
        s[0] = 1
    alpha = 10 ** draw(st.floats(-8.0, 1.0)) if draw(penalised) else 0.0
    X = np.ascontiguousarray(X, dtype)
    X = sparse.csr_array(X) if is_sparse else X
    return Drawn(X, np.ascontiguousarray(y if k else y[:, 0]), s, alpha, intercept)


def powers(x, degree):
    return np.vander(x, degree + 1, increasing=True)[:, 1:]


def designs():
    """Name, X, y and digits to be had of designs like NIST's StRD problems of that name."""
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(-9, -3, 82))
    y = chebyshev.chebval((x + 6) / 3, rng.standard_normal(11))
    yield "Filip", powers(x, 10), 0.05 * y + 3e-3 * rng.standard_normal(82), 6
    X = powers(np.arange(21.0), 5)
    yield "Wampler1", X, 1 + X.sum(axis=1), 9
    yield "Wampler2", X, 1 + X @ 10.0 ** -np.arange(1, 6), 9
    noise = rng.permutation(np.repeat([-1.0, 1.0, 0.0], 7)) * rng.uniform(1e3, 3e3, 21)
    for name, size in (("Wampler3", 1), ("Wampler4", 100), ("Wampler5", 10_000)):
        yield name, X, 1 + X.sum(axis=1) + size * noise, 9
    year = np.arange(1947.0, 1963)
    t = year - 1947
    ramps = np.array([[2, 83], [2e4, 2.3e5], [90, 2000], [80, 1500], [1500, 1.07e5]])
    spread = [0.8, 8000, 900, 600, 200] * rng.standard_normal((16, 5))
    X = np.column_stack(
        [np.round(np.outer(t, ramps[:, 0]) + ramps[:, 1] + spread, 1), year]
    )
    yield "Longley", X, np.round(6e4 + 700 * t + 300 * rng.standard_normal(16)), 9


class Reference:
    """Least squares, penalised or not, on X and y: what its optimum is like.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n, d)
    y : ndarray of shape (n,) or (n, k)
    sample_weight : ndarray of shape (n,) or None
    alpha : float
    fit_intercept : bool
    """

    def __init__(self, X, y, sample_weight=None, alpha=0.0, fit_intercept=True):
        s = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, float)
        self.eps = np.finfo(X.dtype).eps
        X = X.toarray() if sparse.issparse(X) else X
        self.X, self.y = X[s > 0].astype(float), y.reshape(len(y), -1)[s > 0]
        self.s = s[s > 0]
        self.share = self.s / self.s.sum()
        self.alpha, self.fit_intercept = alpha, fit_intercept
        self.mean_y = self.share @ self.y
        # What there is to explain of each output; of a constant one, its rounding, or
        # without an intercept all of it.
        variance = self.share @ (self.y - self.mean_y) ** 2
        least = EPS * (self.share @ self.y**2)
        if not fit_intercept:
            least = np.where((self.y == self.y[0]).all(axis=0), least / EPS, least)
        self.variance = np.maximum(np.maximum(variance, least), np.finfo(float).tiny)
        self.centre, Z = np.zeros(self.X.shape[1]), self.X
        if fit_intercept:
            for _ in range(2):  # the second time without the rounding error of the mean
                middle = self.share @ Z
                self.centre, Z = self.centre + middle, Z - middle
            Z = np.where(np.ptp(self.X, axis=0) > 0, Z, 0.0)
        # Square root of the curvature's diagonal; one where that is zero.
        scale = np.hypot(np.sqrt(self.share @ Z**2), np.sqrt(alpha))
        self.scale = np.where(scale > 0, scale, 1.0)
        self.Z = Z / self.scale

    @cached_property
    def svd(self):
        """Singular values (rank,) of the scaled design and their directions (d, rank)."""
        Z = np.sqrt(self.share)[:, None] * self.Z
        if self.alpha:
            Z = np.vstack([Z, np.diag(np.sqrt(self.alpha) / self.scale)])
        _, s, Vt = linalg.svd(linalg.qr(Z, mode="economic")[1], full_matrices=False)
        seen = s > ZERO * s[0]
        return s[seen], Vt[seen].T

    @property
    def condition(self):
        s = self.svd[0]
        return s[0] / s[-1] if len(s) else 1.0

    @property
    def offset(self):
        """The largest mean of a feature in units of its spread."""
        return np.max(np.abs(self.centre / self.scale), initial=0.0, where=self.Z.any(0))

    def gradient(self, coef, intercept):
        """∇F: by the coefficients of the centred, scaled features (k, d), by b (k,)."""
        coef = np.atleast_2d(coef).astype(float)
        b = np.atleast_1d(intercept).astype(float)
        *parts, one = whole(self.X, self.y, coef.T, b, self.s)
        X, y, w, b, s = parts
        r = s[:, None] * (X @ w + one * (b - y))  # weighted residuals, times one³
        slope, level, total = X.T @ r, r.sum(axis=0), s.sum()  # times one⁴, one³ and one
        if self.fit_intercept:  # Σ (x - mean of x) r
            slope = (total * slope - np.outer(s @ X, level)) / (total**2 * one**3)
        else:
            slope, level = slope / (total * one**3), 0 * level
        level = (level / (total * one**2)).astype(float)
        return (slope.T.astype(float) + self.alpha * coef) / self.scale, level

    def excess(self, coef, intercept):
        """R² lost to the optimum, or what of the penalised loss: (F - F*) / ½ variance."""
        slope, level = self.gradient(coef, intercept)
        s, V = self.svd
        return (np.sum((slope @ V / s) ** 2, axis=1) + level**2) / self.variance

    def coefficients(self, coef, intercept):
        """Of the scaled features, each (k, d): of the optimum, the model's error.

        And the model's part along directions in which X does not vary.
        """
        s, V = self.svd
        error = self.gradient(coef, intercept)[0] @ V / s**2 @ V.T
        scaled = np.atleast_2d(coef) * self.scale
        known = scaled @ V @ V.T
        return known - error, error, scaled - known

    def excess_of_constant(self):
        """What the best constant loses (zero, without an intercept)."""
        middle = self.mean_y if self.fit_intercept else 0 * self.mean_y
        return self.excess(np.zeros((len(middle), len(self.scale))), middle)

    def rounding(self, coef, intercept):
        """What the optimum itself may lose, as it is stored and computed in X's precision.

        The terms of b + Σ x_j w_j are each off by eps: in `predict`, in every gradient,
        and since w and b are rounded too. Large offsets make large terms. A solution, or
        a gradient divided by a singular value, is off by eps κ (sums are of float64).
        """
        w = self.coefficients(coef, intercept)[0] / self.scale
        b = self.mean_y - w @ self.centre if self.fit_intercept else 0.0
        terms = np.abs(self.X) @ np.abs(w).T + np.abs(b) + np.abs(self.y)
        predictions = 4 * self.eps**2 * (self.share @ terms**2) / self.variance
        return predictions + EPS + (10 * EPS * self.condition) ** 2

    def perturbation(self, coef, intercept):
        """By how much coefficients move, relatively, if X changes by rounding errors.

        eps κ (1 + κ ‖r‖ / (‖Z‖ ‖w‖)), Björck, Numerical Methods for Least Squares Problems
        (1996), section 1.4.3; centring makes errors of eps·offset in Z.
        """
        s, w = self.svd[0], self.coefficients(coef, intercept)[0]
        r = self.y - self.mean_y * self.fit_intercept - self.Z @ w.T
        with np.errstate(divide="ignore", invalid="ignore"):  # where w is zero
            r = np.sqrt(self.share @ r**2) / (s[0] * np.linalg.norm(w, axis=1))
        return self.eps * (1 + self.offset) * self.condition * (1 + self.condition * r)


def whole(*arrays):
    """Arrays as Python integers, and last the power of two that they are multiples of."""
    pairs = [[a.as_integer_ratio() for a in A.ravel().tolist()] for A in arrays]
    one = max(q for part in pairs for _, q in part)
    numbers = [np.array([p * (one // q) for p, q in part], object) for part in pairs]
    return *(a.reshape(A.shape) for a, A in zip(numbers, arrays, strict=True)), one


def excess_by_gram(model, X, y, sample_weight=None, alpha=0.0):
    """R² lost, as `Reference.excess`, where there are many rows and κ² eps is small."""
    y = y.reshape(len(y), -1)
    s = np.ones(len(y)) if sample_weight is None else sample_weight
    s, coef = s / s.sum(), np.atleast_2d(model.coef_).astype(float).T
    middle, level = s @ X, s @ (y - X @ coef - model.intercept_)
    r = y - X @ coef - model.intercept_ - level
    if sparse.issparse(X):  # without offsets
        H = (X.multiply(s[:, None]).T @ X).toarray() - np.outer(middle, middle)
        slope = X.T @ (s[:, None] * r)
    else:
        Z = X - middle
        H, slope = (Z * s[:, None]).T @ Z, Z.T @ (s[:, None] * r)
    H[np.diag_indices_from(H)] += alpha
    scale = np.sqrt(np.diag(H))
    slope = (slope - alpha * coef) / scale[:, None]
    H /= np.outer(scale, scale)
    squares = np.sum(slope * linalg.solve(H, slope, assume_a="pos"), axis=0) + level**2
    return squares / (s @ (y - s @ y) ** 2)

"""A problem: its data, its parameters, and its objective in long double."""

from dataclasses import dataclass, fields
from functools import cached_property
from zlib import crc32

import numpy as np
from convex import LOSS_VALUES, Objective
from scipy import sparse

LONG, EPS = np.longdouble, np.finfo(float).eps
FORMS = ("dense", "float32", "CSR", "one-hot", "CSR float32")
LOSSES = tuple(LOSS_VALUES)
KINKED = ("absolute_error", "quantile", "epsilon_insensitive")
TRAITS = ("scales", "offsets", "near", "copies", "constants", "rare", "heavy", "leverage")
TARGETS = ("normal", "t(2)", "Cauchy", "integers", "zeros", "binary", "exact")
WEIGHTS = (None, "exponential", "zeros", "decades")
PENALTIES = (None, "l2", "l1", "elasticnet")


@dataclass(frozen=True)
class Problem:
    """A problem; every part of it has random numbers of its own, from the seed.

    Attributes
    ----------
    form : {'dense', 'float32', 'CSR', 'one-hot', 'CSR float32'}
    columns : tuple of str
        Of TRAITS, and "sorted" rows, "repeated" rows, and columns "far" from zero.
    alpha, epsilon : float
        In units of the data: of the alpha that makes everything zero, and of the spread of
        the targets.
    path : str
        A key of PATHS.
    """

    seed: int
    n: int
    d: int
    loss: str = "squared_error"
    penalty: str | None = None
    alpha: float = 0.1
    l1_ratio: float = 0.5
    epsilon: float = 0.5
    quantile: float = 0.5
    positive: bool = False
    intercept: bool = True
    form: str = "dense"
    columns: tuple = ()
    target: str = "normal"
    weights: str | None = None
    outputs: int = 1
    path: str = "plain"

    def __str__(self):
        given = ((f.name, getattr(self, f.name), f.default) for f in fields(self))
        return f"Problem({', '.join(f'{n}={v!r}' for n, v, was in given if v != was)})"

    @property
    def single(self):
        """Whether X is in single precision."""
        return self.form.endswith("float32")

    def rng(self, part):
        return np.random.default_rng([self.seed, crc32(part.encode())])

    @cached_property
    def X(self):
        n, d, rng = self.n, self.d, self.rng("X")
        if self.form == "one-hot":
            share = rng.dirichlet(np.full(d, 0.5 if self.seed % 2 else 50.0))
            level = rng.choice(d, size=n, p=share)
            return sparse.csr_array((np.ones(n), level, np.arange(n + 1)), shape=(n, d))
        X = rng.standard_t(1.5, (n, d)) if "heavy" in self.columns else None
        X = rng.standard_normal((n, d)) if X is None else X
        if self.form.startswith("CSR"):
            X = X * (rng.random((n, d)) < rng.uniform(0.05, 0.5))
        third = -(-d // 3)
        base = np.arange(d - third, d) % max(1, d - third)
        for trait in self.columns:
            rng = self.rng(trait)
            if trait in ("near", "copies") and d > 1:
                X[:, d - third :] = X[:, base]
            if trait == "near":
                noise = X[:, d - third :] * rng.standard_normal((n, third))
                # in float32 what is nearer may be a rounding error, and is left out of fits
                least = -3 if self.single else -7
                X[:, d - third :] += 10.0 ** rng.uniform(least, -2) * noise
            if trait == "rare":
                for j in rng.choice(d, -(-d // 4), replace=False):
                    X[:, j] *= np.isin(np.arange(n), rng.choice(n, min(n, 3)))
            if trait == "leverage":
                X[rng.choice(n, -(-n // 200), replace=False)] *= 1e3
            if trait == "constants":
                X[:, rng.choice(d, -(-d // 5), replace=False)] = rng.choice([0.0, 1.0, 3.7])
            if trait == "sorted":
                X = X[np.argsort(X[:, 0])]
            if trait == "repeated":
                X = X[rng.integers(0, -(-n // 3), n)]
        if "scales" in self.columns:
            scales = 10.0 ** self.rng("scales").uniform(-3, 3, d)
            # copies stay copies in float32, too
            X *= 2.0 ** np.round(np.log2(scales)) if self.single else scales
        blurred = self.single and {"near", "copies"} & set(self.columns)
        dense = not self.form.startswith("CSR")
        if "offsets" in self.columns and dense and not blurred:
            rng = self.rng("offsets")
            X += X.std(axis=0) * 10.0 ** rng.uniform(-1, 3) * rng.choice([0, 1, -1], d)
        if "far" in self.columns and dense and not self.single:
            X += X.std(axis=0) * 10.0 ** self.rng("far").uniform(3, 9, d)
        X = X.astype(np.float32) if self.single else X
        return X if dense else sparse.csr_array(X)

    @cached_property
    def dense(self):
        """X in long double."""
        X = self.X.toarray() if sparse.issparse(self.X) else self.X
        return X.astype(LONG)

    @cached_property
    def Y(self):
        """Targets (n, outputs)."""
        n, d, k, rng = self.n, self.d, self.outputs, self.rng("y")
        Z = self.dense.astype(float)
        Z = Z - Z.mean(axis=0)
        size = np.sqrt(np.mean(Z**2, axis=0))
        Z /= np.where(size > 1e-9 * np.abs(self.dense).max(initial=1e-300), size, np.inf)
        Y = Z @ (rng.standard_normal((d, k)) * (rng.random((d, k)) < 0.6)) + rng.choice(
            [0, 3]
        )
        noise = {
            "t(2)": lambda: rng.standard_t(2, (n, k)),
            "Cauchy": lambda: rng.standard_cauchy((n, k)),
            "exact": lambda: np.zeros((n, k)),
        }
        Y += noise.get(self.target, lambda: rng.standard_normal((n, k)))()
        if self.target == "integers":
            Y = np.round(3 * Y)
        elif self.target == "binary":
            Y = 1.0 * (np.median(Y) < Y)
        elif self.target == "zeros":
            Y = np.abs(Y) * (rng.random((n, k)) < 0.3)
        else:
            Y *= 10.0 ** rng.uniform(-3, 3)
        return Y.astype(np.float32).astype(float) if self.single else Y

    @cached_property
    def sample_weight(self):
        n, rng = self.n, self.rng("weights")
        if self.weights == "decades":
            return 10.0 ** rng.uniform(-3, 3, n)
        s = rng.exponential(size=n)
        if self.weights == "zeros":
            s[rng.permutation(n)[: n // 3]] = 0.0
        return s if self.weights else None

    @cached_property
    def s(self):
        """Weights of sum one, in long double."""
        s = np.ones(self.n) if self.sample_weight is None else self.sample_weight
        return s.astype(LONG) / s.astype(LONG).sum()

    @cached_property
    def settings(self):
        """Parameters of the estimator."""
        y, s = self.Y.astype(LONG), self.s
        spread = float(np.sqrt(s @ (y - s @ y) ** 2).max()) or 1.0
        given = {
            "loss": self.loss,
            "penalty": self.penalty,
            "l1_ratio": self.l1_ratio,
            "epsilon": self.epsilon * spread,
            "quantile": self.quantile,
            "positive": self.positive,
            "fit_intercept": self.intercept,
        }
        slope = np.abs(y - s @ y)
        if self.loss == "huber":
            slope = np.minimum(slope, given["epsilon"])
        elif self.loss in KINKED:
            slope = np.ones_like(slope)
        X = self.dense - s @ self.dense if self.intercept else self.dense
        top = float(((s @ slope) * np.sqrt(s @ X**2).max()).max())
        if self.penalty == "l2":  # of which the curvature is a better measure
            top = float((s @ X**2).max()) * (1.0 if self.loss not in KINKED else 1 / spread)
        return given | {"alpha": self.alpha * (top or 1.0)}

    # ------------------------------------------------------------------- objectives

    def objective(self, output):
        """The twin in convex.py of one output."""
        return Objective(
            self.dense.astype(float), self.Y[:, output], self.sample_weight, **self.settings
        )

    def cost(self, output, coef, intercept):
        """F in long double, and what rounding can be of it.

        A sum of d products is off by d + 2 roundings of the sum of their sizes, and the
        loss of a row by its slope times that. The coefficients and the targets are numbers
        in double precision themselves, so one rounding of that precision is added.
        """
        coef, intercept = np.asarray(coef, LONG), LONG(intercept)
        if self.positive and np.min(coef, initial=0.0) < 0:
            return np.inf, 0.0
        f, y, s = self.objective_of(output), self.Y[:, output].astype(LONG), self.s
        r = self.dense @ coef + intercept - y
        sizes = np.abs(self.dense) @ np.abs(coef) + np.abs(intercept) + np.abs(y)
        slack = ((self.d + 2) * np.finfo(LONG).eps + EPS) * sizes
        values = f.losses(r)
        F = s @ values + f.l1 * np.abs(coef).sum() + 0.5 * f.l2 * (coef @ coef)
        rounding = s @ np.abs(f.losses(np.abs(r) + slack) - f.losses(np.abs(r)))
        rounding += (self.n + self.d) * np.finfo(LONG).eps * F
        return F, rounding

    def objective_of(self, output):
        if output not in self.objectives:
            self.objectives[output] = self.objective(output)
        return self.objectives[output]

    @cached_property
    def objectives(self):
        return {}

    @cached_property
    def units(self):
        """What gaps are divided by, one an output: F of the best constant.

        Where the problem is not least squares and has no intercept, F of zero if larger.
        """
        return [self.unit(o) for o in range(self.outputs)]

    def unit(self, output):
        f, y = self.objective_of(output), self.Y[:, output].astype(LONG)
        if self.loss == "squared_error":
            constant = f.losses(y - self.s @ y)
        else:
            constant = f.losses(best_constant(f, y, self.s) - y)
        constant, zero = self.s @ constant, self.s @ f.losses(-y)
        # A constant that only rounding keeps from zero is no unit: `Evaluation.variance`.
        squares = "squared" in self.loss
        eps = EPS if squares else np.finfo(self.X.dtype).eps
        if constant <= ((8 * EPS) ** 2 if squares else eps) * zero:
            constant = max(constant, 8 * eps * zero) if self.intercept else zero
        quadratic = self.loss == "squared_error" and not (
            self.positive or self.penalty in ("l1", "elasticnet")
        )
        if not quadratic and not self.intercept:
            constant = max(constant, zero)
        return max(float(constant), float((8 * EPS * np.abs(y).max()) ** 2))


def best_constant(f, y, s):
    """The constant of the least loss, by thirds of the interval that contains it."""
    low, high = y.min(), y.max()

    def value(c):
        return s @ f.losses(c - y)

    for _ in range(200):
        a, b = low + (high - low) / 3, high - (high - low) / 3
        low, high = (low, b) if value(a) <= value(b) else (a, high)
    return min((low, high, s @ y, *np.quantile(y, [0.0, 0.5, 1.0])), key=value)

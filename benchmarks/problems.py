"""Least-squares problems of many kinds, with their true coefficients.

A family is a function (generator, features) -> (rows -> X). The parameters of the
distribution are drawn once, so that training rows and fresh rows have the same one.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse


@dataclass(frozen=True, eq=False)
class Problem:
    """y = X·coef + intercept + normal noise of standard deviation 1."""

    X: object
    y: np.ndarray
    coef: np.ndarray
    intercept: float
    X_test: object

    def excess(self, predict):
        """Mean squared error on fresh rows, minus that of the true coefficients."""
        truth = self.X_test @ self.coef + self.intercept
        return float(np.mean((predict(self.X_test) - truth) ** 2))


def make_problem(family, n, d, fresh=0, seed=0):
    """A problem of n rows of a family, with `fresh` more rows to test on."""
    rng = np.random.default_rng(seed)
    draw = family(rng, d)
    X = draw(n)
    coef, intercept = rng.standard_normal(d), 3.0
    if not sparse.issparse(X):
        coef /= X.std(axis=0)
    y = X @ coef
    y += intercept
    y += rng.standard_normal(n)
    return Problem(X, y, coef, intercept, draw(fresh) if fresh else None)


def normal(rng, d):
    """Standard normal."""
    return lambda n: rng.standard_normal((n, d))


def student(degrees):
    """Student's t: few moments, so a few rows carry much of the curvature."""
    return lambda rng, d: lambda n: rng.standard_t(degrees, (n, d))


def lognormal(sigma):
    """exp(sigma · normal)."""

    def family(rng, d):
        def draw(n):
            X = rng.normal(scale=sigma, size=(n, d))
            return np.exp(X, out=X)

        return draw

    return family


def scaled(rng, d):
    """Normal in units from 1e-3 to 1e3, ten standard deviations away from zero."""
    scale = np.logspace(-3, 3, d)

    def draw(n):
        X = rng.standard_normal((n, d))
        X += 10
        X *= scale
        return X

    return draw


def ill_conditioned(rng, d, condition=1e4):
    """Units from 1e-3 to 1e3, offsets from 1e3 to 1e-3; `condition` when standardised."""
    basis = np.linalg.qr(rng.standard_normal((d, d)))[0]
    mixing = np.geomspace(1, 1 / condition, d)[:, None] * basis
    scale = np.logspace(-3, 3, d)
    mixing *= scale / np.linalg.norm(mixing, axis=0)

    def draw(n):
        X = rng.standard_normal((n, d)) @ mixing
        X += scale[::-1]
        return X

    return draw


def outlying_rows(rng, d):
    """300 rows times 1e4."""

    def draw(n):
        X = rng.standard_normal((n, d))
        X[rng.choice(n, 300, replace=False)] *= 1e4
        return X

    return draw


def one_hot(all_levels):
    """Half of the columns one-hot, with frequencies like 1/rank³ and at least 5 rows each.

    With `all_levels` the most frequent level has a column too: these columns and the
    intercept are then linearly dependent.
    """

    def family(rng, d):
        first = 0 if all_levels else 1
        levels = d // 2 + first

        def draw(n):
            share = np.arange(1.0, levels + 1) ** -3
            counts = np.maximum(5, (n * share / share.sum()).astype(int))
            counts[0] += n - counts.sum()
            level = rng.permutation(np.repeat(np.arange(levels), counts))
            X = rng.standard_normal((n, d))
            X[:, d - d // 2 :] = level[:, None] == np.arange(first, levels)
            return X

        return draw

    return family


def clusters(rng, d):
    """One tight cluster, and one row in a thousand in five clusters far away."""
    centres = 1000 * rng.standard_normal((5, d))

    def draw(n):
        X = 0.01 * rng.standard_normal((n, d))
        far = rng.choice(n, max(n // 1000, 5), replace=False)
        X[far] = centres[rng.integers(0, 5, len(far))]
        X[far] += rng.standard_normal((len(far), d))
        return X

    return draw


def ordered(rng, d):
    """Every column in nearly ascending order."""

    def draw(n):
        X = rng.standard_normal((n, d))
        X.sort(axis=0)
        X += 0.1 * rng.standard_normal((n, d))
        return X

    return draw


def far_from_zero(rng, d):
    """Spread 1 about 1e6."""

    def draw(n):
        X = rng.standard_normal((n, d))
        X += 1e6
        return X

    return draw


def zipf(per_row):
    """CSR with `per_row` normal numbers per row; the frequency of a column is 1/rank."""

    def family(rng, d):
        def draw(n):
            step = max(1, 2**21 // per_row)
            columns = [
                distinct_columns(rng, min(step, n - start), d, per_row)
                for start in range(0, n, step)
            ]
            columns = np.vstack(columns)
            columns.sort(axis=1)
            starts = np.arange(0, n * per_row + 1, per_row, dtype=np.int32)
            values = rng.standard_normal(n * per_row)
            return sparse.csr_matrix((values, columns.ravel(), starts), shape=(n, d))

        return draw

    return family


def distinct_columns(rng, n, d, per_row):
    """n rows of `per_row` different columns, drawn until enough of them differ.

    The integer part of (d + 1)^U is r with probability log(1 + 1/r) / log(d + 1).
    """
    many = 2 * per_row
    while True:
        drawn = ((d + 1.0) ** rng.random((n, many))).astype(np.int32)
        np.clip(drawn, 1, d, out=drawn)
        drawn -= 1
        order = np.argsort(drawn, axis=1, kind="stable")
        ascending = np.take_along_axis(drawn, order, axis=1)
        first = np.ones(drawn.shape, dtype=bool)  # not drawn before in its row
        repeated = ascending[:, 1:] == ascending[:, :-1]
        np.put_along_axis(first, order[:, 1:], ~repeated, axis=1)
        count = np.cumsum(first, axis=1)
        if count[:, -1].min() >= per_row:
            return drawn[first & (count <= per_row)].reshape(n, per_row)
        many *= 2

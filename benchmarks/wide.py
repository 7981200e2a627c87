"""Thousands of columns: the defaults beside Ridge's Cholesky.

    python -m benchmarks.wide [--quick]

Whole fits, seconds of the best of alternating runs. The gap reported stands beside what
the objective is above that of an exact solution, both as shares of half the variance.
"""

import argparse
from functools import partial

import numpy as np
from sklearn.linear_model import Ridge

from benchmarks._timing import side_by_side
from benchmarks._words import met
from benchmarks.tables import with_spectrum
from sgdreg import SGDLinearRegressor

ALPHA = 1e-6
# Ours / Ridge, at most; and the least that a gap may be of what is truly missing.
LIMIT, HONEST = 1.0, 0.3
# Differences below this are rounding errors of the objective.
ROUNDING = 1e-11
SPECTRA = {"flat": 0.0, "1/j": 0.5, "1/j²": 1.0}
COPIES = (1e-3, 1e-4, 1e-5, 1e-6)


def objective(coef, X, y, alpha):
    """F at the best intercept."""
    residuals = y - X @ coef
    residuals -= residuals.mean()
    return 0.5 * np.mean(residuals**2) + 0.5 * alpha * coef @ coef


def best_coef(X, y, alpha):
    """The optimum, by a Cholesky solution and two refinements."""
    Z, t = X - X.mean(axis=0), y - y.mean()
    n, d = X.shape
    H = Z.T @ Z / n + alpha * np.eye(d)
    coef = np.zeros(d)
    for _ in range(3):
        coef = coef + np.linalg.solve(H, (t - Z @ coef) @ Z / n - alpha * coef)
    return coef


def line(name, X, y, alpha, limit=LIMIT):
    """One table: times, and whether the gap is honest."""
    settings = {"penalty": "l2", "alpha": alpha} if alpha else {}
    ours = SGDLinearRegressor(**settings)
    ridge = Ridge(alpha=max(alpha, 1e-12) * len(y), solver="cholesky")
    seconds = side_by_side([partial(ours.fit, X, y), partial(ridge.fit, X, y)], 2)
    low = objective(best_coef(X, y, alpha), X, y, alpha)
    low = min(low, objective(ridge.coef_, X, y, alpha))
    missing = (objective(ours.coef_, X, y, alpha) - low) / (0.5 * y.var())
    latest = ours.history_[-1]
    gap, share = latest["optimality_gap"], seconds[0] / seconds[1]
    honest = gap >= HONEST * missing or missing < ROUNDING
    words = [
        f"{seconds[0]:.2f} s, Ridge {seconds[1]:.2f} s: {share:.2f}",
        f"gap {gap:.0e}, true {missing:.0e} {'honest' if honest else 'NOT HONEST'}",
        f"passes {latest['passes']:.1f}",
    ]
    if limit:
        words[0] += f" (limit {limit:g}) {met(share, limit=limit)}"
    if not ours.converged_:
        words.append("not converged (it says so)")
    print(f"{name:<36}", ", ".join(words), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="8,000 × 2,000 only")
    quick = parser.parse_args().quick
    for n, d in (
        ((8000, 2000),) if quick else ((8000, 2000), (10_000, 2200), (20_000, 3000))
    ):
        for name, power in SPECTRA.items():
            X, y = with_spectrum(n, d, power)
            line(f"{n} × {d}, spectrum {name}", X, y, ALPHA)
    for size in COPIES[:1] if quick else COPIES:
        X, y = with_spectrum(6000, 2200, 0.5)
        rng = np.random.default_rng(1)
        X[:, -5:] = X[:, :5] + size * X[:, :5].std() * rng.standard_normal((len(y), 5))
        line(f"6000 × 2200, copies to {size:g}", X, y, 0.0, limit=None)


if __name__ == "__main__":
    main()

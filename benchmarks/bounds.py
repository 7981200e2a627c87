"""Losses with kinks, l1 and bounds: the defaults beside scikit-learn's own solvers.

    python -m benchmarks.bounds [--quick]

Whole fits, seconds, each with what its objective has above the best of all; the peers' with
the tolerance that they need for it. --quick leaves out what takes minutes.
"""

import argparse
import warnings
from functools import partial

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import HuberRegressor, Lasso, LinearRegression, QuantileRegressor

from benchmarks._timing import best_of
from sgdreg import SGDLinearRegressor, losses

SIZES = ((2000, 20), (20_000, 50), (200_000, 50), (2000, 500))
# Of the linear programs that QuantileRegressor solves: it takes minutes beyond.
LARGEST_LP = 2000 * 20


def problems(n, d):
    """(name, settings of ours, the peer, settings that make its objective ours)."""
    quantile = QuantileRegressor(quantile=0.9, alpha=0.0)
    yield "quantile 0.9", {"loss": "quantile", "quantile": 0.9}, quantile
    yield "huber", {"loss": "huber", "epsilon": 1.0}, HuberRegressor(alpha=0.0, tol=1e-8)
    l1 = {"penalty": "l1", "alpha": 0.05}
    yield "l1", l1, Lasso(alpha=0.05, tol=1e-8, max_iter=10_000)
    yield "positive", {"positive": True}, LinearRegression(positive=True)


def objective(ours, model, X, y):
    """F of a fitted model, by our settings."""
    loss = losses.get_loss(ours.loss, epsilon=ours.epsilon, quantile=ours.quantile)
    penalty = ours.alpha * np.abs(model.coef_).sum() if ours.penalty == "l1" else 0.0
    return loss.value(y, model.predict(X)).mean() + penalty


def show(*cells):
    """One line of the table."""
    print(
        "".join(f"{cell:<26}" if i == 0 else f"{cell:>13}" for i, cell in enumerate(cells))
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    warnings.simplefilter("ignore", ConvergenceWarning)
    show("", "ours", "steps", "peer", "peer / ours", "ours above", "peer above")
    for n, d in SIZES:
        rng = np.random.default_rng(0)
        X = rng.normal(size=(n, d)) * 10.0 ** rng.uniform(-0.5, 0.5, d) + 3
        y = X @ rng.normal(size=d) + rng.standard_t(2, size=n)
        for name, settings, peer in problems(n, d):
            ours = SGDLinearRegressor(**settings)
            seconds = best_of(partial(ours.fit, X, y), 2)
            row = [f"{n} × {d}  {name}", f"{seconds:.3f}", str(ours.n_iter_)]
            slow = isinstance(peer, QuantileRegressor) and n * d > LARGEST_LP
            if slow and (quick or n * d > 25 * LARGEST_LP):
                show(*row, "not run")
                continue
            theirs = best_of(partial(peer.fit, X, y), 1 if slow else 2)
            if isinstance(peer, HuberRegressor):  # it finds its own scale as well
                ours.set_params(epsilon=1.35 * peer.scale_).fit(X, y)
            values = [objective(ours, model, X, y) for model in (ours, peer)]
            above = [f"{(v - min(values)) / min(values):.1e}" for v in values]
            row += [f"{theirs:.3f}", f"{theirs / seconds:.2f}", *above]
            show(*row)


if __name__ == "__main__":
    main()

"""Small and middling data: ``python -m benchmarks.middle [--quick]``.

Whole fits of ``SGDLinearRegressor``, with its defaults, l2 and l1, beside scikit-learn's
LinearRegression, Ridge and Lasso on the same rows of standard normal features. A ratio is
the time of the fastest of these three over ours, whatever their problem. The clock is the
processor's with ``--cpu``: it counts what all threads have worked, and is disturbed less
by other processes.
"""

import argparse
import gc
import os
import warnings
from functools import partial
from time import perf_counter, process_time
from types import SimpleNamespace

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Lasso, LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV

from benchmarks import problems
from benchmarks._timing import side_by_side
from benchmarks._words import chosen, met
from sgdreg import SGDLinearRegressor

ROWS, FEATURES = (100, 1_000, 10_000, 100_000, 1_000_000), (1, 5, 20, 100)
SIZES = [(n, d) for d in FEATURES for n in ROWS]
SIZES += [(n, 1000) for n in (1_000, 10_000, 100_000)]
# No ratio may be below the first; from so many rows on, none below the second.
FLOOR, FLOOR_OF_MANY, MANY = 0.5, 0.9, 10_000
MEAN_FLOOR = 1.5  # geometric, of all ratios
SMALL_LIMIT = 2.0  # times LinearRegression's own time, where set-up is all there is
# Lasso's and our l1: this share of the least one that makes all coefficients zero.
L1_SHARE = 0.01
# Singular values of more work (n d²) take seconds, and are never the fastest.
MOST_SVD_WORK = 2e9
# Fits of a size in all, in seconds, and the fewest and most of each kind.
SECONDS, FEWEST, MOST = 1.0, 3, 200
# With --quick, numbers of X at most.
QUICK_NUMBERS = 2e7


def problem(n, d):
    """X and y."""
    made = problems.make_problem(problems.normal, n, d)
    return made.X, made.y


def ours(X, y):
    """{kind: estimator}."""
    alpha = L1_SHARE * top(X, y)
    return {
        "default": SGDLinearRegressor(),
        "l2": SGDLinearRegressor(penalty="l2", alpha=1.0 / len(y)),
        "l1": SGDLinearRegressor(penalty="l1", alpha=alpha),
    }


def peers(X, y):
    """{name: estimator}: each in the words of its users."""
    solvers = {"Ridge": Ridge(alpha=1.0), "Lasso": Lasso(alpha=L1_SHARE * top(X, y))}
    if X.size * X.shape[1] <= MOST_SVD_WORK:
        solvers["LinearRegression"] = LinearRegression()
    return solvers


def top(X, y):
    """The least l1 penalty that makes all coefficients zero."""
    return float(np.abs((y - y.mean()) @ X).max() / len(y))


def times(estimators, X, y, options):
    """{name: the shortest fit, in seconds}; all take turns."""
    fits = [partial(model.fit, X, y) for model in estimators.values()]
    once = side_by_side(fits, 1, options.clock).sum()
    repeats = int(np.clip(options.seconds / max(once, 1e-6), FEWEST, MOST))
    return dict(zip(estimators, side_by_side(fits, repeats, options.clock), strict=True))


def sizes_table(options):
    """A line for each size, and the geometric means."""
    print("\nratio: the fastest of LinearRegression, Ridge and Lasso over ours")
    titles = "".join(f"  {kind:>8s} (ms)   ratio        " for kind in options.kinds)
    print(f"{'':16s}{titles}  floor   fastest peer (ms)")
    ratios = {kind: [] for kind in options.kinds}
    for n, d in options.sizes:
        X, y = problem(n, d)
        own, others = ours(X, y), peers(X, y)
        found = times({k: own[k] for k in options.kinds} | others, X, y, options)
        fastest = min(others, key=found.get)
        floor = FLOOR_OF_MANY if n >= MANY else FLOOR
        line = f"{f'{n} × {d}':16s}"
        for kind in options.kinds:
            ratio = found[fastest] / found[kind]
            ratios[kind].append(ratio)
            line += f"  {1e3 * found[kind]:13.3f}  {ratio:6.2f}  {met(ratio, floor):6s}"
        print(f"{line}  {floor:5.1f}   {fastest} {1e3 * found[fastest]:.3f}", flush=True)
        del X, y, own, others
        gc.collect()
    means = {kind: float(np.exp(np.mean(np.log(ratios[kind])))) for kind in ratios}
    words = [f"{kind} {mean:.2f} {met(mean, MEAN_FLOOR)}" for kind, mean in means.items()]
    print(f"geometric mean (floor: {MEAN_FLOOR}): {', '.join(words)}")


def small_table(options):
    """Beside LinearRegression, which does as little around its answer as can be."""
    print(f"\nsmall data (limit: {SMALL_LIMIT:g} times LinearRegression's time)")
    print(f"{'':20s}  ours (ms)  LinearRegression (ms)  ours / LinearRegression")
    cases = {
        "100 × 1": problem(100, 1),
        "diabetes, 442 × 10": load_diabetes(return_X_y=True),
    }
    for name, (X, y) in cases.items():
        models = {"ours": SGDLinearRegressor(), "theirs": LinearRegression()}
        found = times(models, X, y, options)
        ratio = found["ours"] / found["theirs"]
        print(
            f"{name:20s}  {1e3 * found['ours']:9.3f}  {1e3 * found['theirs']:21.3f}"
            f"  {ratio:23.2f}   {met(ratio, limit=SMALL_LIMIT)}"
        )


def search_table(options):
    """A search for the penalty: a hundred fits, and as many scores."""
    n, d, count = 20_000, 20, 20
    X, y = problem(n, d)
    print(f"\nGridSearchCV, {count} penalties × 5 folds, {n} × {d} (limit: 1)")
    print(f"{'':6s}  ours (s)  peer (s)  ours / peer")
    alphas = np.logspace(-4, 1, count)
    for kind, peer in (("l2", Ridge()), ("l1", Lasso())):
        if kind not in options.kinds:
            continue
        factor = n if kind == "l2" else 1.0
        models = {
            "ours": (SGDLinearRegressor(penalty=kind), alphas),
            "theirs": (peer, factor * alphas),
        }
        searches = {
            name: GridSearchCV(model, {"alpha": some}, cv=5)
            for name, (model, some) in models.items()
        }
        found = times(searches, X, y, options)
        ratio = found["ours"] / found["theirs"]
        print(
            f"{kind:6s}  {found['ours']:8.3f}  {found['theirs']:8.3f}"
            f"  {ratio:11.2f}   {met(ratio, limit=1.0)}   ({type(peer).__name__})",
            flush=True,
        )


TABLES = {"small": small_table, "sizes": sizes_table, "search": search_table}


def main():
    """Run all tables, or those asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default=",".join(TABLES), help="tables, with commas")
    parser.add_argument("--kinds", default="default,l2,l1", help="fits, with commas")
    parser.add_argument("--cpu", action="store_true", help="count processor time")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for each size")
    parser.add_argument("--quick", action="store_true", help="leave out the large sizes")
    arguments = parser.parse_args()
    tables = chosen(arguments.only, TABLES, parser)
    warnings.simplefilter("ignore")
    quick = QUICK_NUMBERS if arguments.quick else np.inf
    options = SimpleNamespace(
        kinds=arguments.kinds.split(","),
        clock=process_time if arguments.cpu else perf_counter,
        seconds=arguments.seconds,
        sizes=[(n, d) for n, d in SIZES if n * d <= quick],
    )
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")
    for name in tables:
        TABLES[name](options)


if __name__ == "__main__":
    main()

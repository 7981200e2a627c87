"""Least squares with the defaults: ``python -m benchmarks.least_squares``.

``SGDLinearRegressor()`` and other solvers, fitted side by side: whole fits of raw float64
data, and how close each comes to the exact solution. A solver is "not there" where its test
error, minus that of the true coefficients, is more than 1.01 times that of exact least
squares (CSR: where its objective lacks more than 1e-4 of R²). A floor is the least value
that a ratio must reach, a limit the largest value that it may have.

Run it on an idle machine: another process on one core slows solvers with several threads
far more than those with one (Ridge took up to 80 times as long).
"""

import argparse
import gc
import os
import warnings
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression

from benchmarks import problems
from benchmarks._memory import fit_growth
from benchmarks._timing import memory_bandwidth, side_by_side
from benchmarks._words import chosen, met, notes
from benchmarks.exact import LeastSquares
from benchmarks.peers import OURS, Solver, dense_solvers, fit_side_by_side, ridge
from benchmarks.ridge_and_stream import ridge_tables, stream_table
from sgdreg import SGDLinearRegressor

THERE = 1.01  # excess test error, as a multiple of that of exact least squares
FRESH = 20_000  # rows on which the test error is measured
SMALL_REPEATS = 200  # fits of small data, of which the shortest counts
FEWEST = 1000  # rows of a table with --scale
SLOWER, LOST = 1.5, 1e-8  # limits for hard families: times Ridge's time, R²
SPARE, SQUARES = 50e6, 3  # limits of the memory of a fit: bytes, and numbers per d²


@dataclass(frozen=True)
class Case:
    """A dense table, and the least ratio of the times of its solvers to ours.

    Attributes
    ----------
    floor : float
        The least ratio for solvers of scikit-learn that are "there".
    floors : dict
        The least ratios for named solvers, instead of `floor`.
    anyway : dict
        The least ratios for named solvers that are "not there".
    """

    name: str
    family: object
    n: int
    d: int
    floor: float
    floors: dict = field(default_factory=dict)
    anyway: dict = field(default_factory=dict)


ONEDAL = "oneDAL LinearRegression"
DENSE = [
    Case(
        "standard normal", problems.normal, 1_000_000, 100, 2.5,
        {ONEDAL: 1.3}, {"SGDRegressor": 15.0},
    ),
    Case("standard normal", problems.normal, 200_000, 300, 2.0),
    Case("standard normal", problems.normal, 100_000, 1000, 1.5, {"Ridge lsqr": 1.0}),
    Case("standard normal", problems.normal, 1_000_000, 10, 1.3, {ONEDAL: 0.4}),
    Case("ill-conditioned", problems.ill_conditioned, 200_000, 100, 2.5),
    Case("Student-t(3)", problems.student(3), 200_000, 100, 1.5),
]  # fmt: skip
HARD = {
    "Student-t(1.5)": problems.student(1.5),
    "log-normal(2)": problems.lognormal(2),
    "300 rows × 1e4": problems.outlying_rows,
    "rare one-hot": problems.one_hot(all_levels=False),
    "one-hot, all levels": problems.one_hot(all_levels=True),
    "unbalanced clusters": problems.clusters,
    "sorted columns": problems.ordered,
    "offsets of 1e6": problems.far_from_zero,
}


def dense_tables(options):
    """Print the time until the test error is that of exact least squares."""
    for case in DENSE:
        dense_table(case, options)
        gc.collect()


def dense_table(case, options):
    n, d = options.rows(case.n), case.d
    problem = problems.make_problem(case.family, n, d, FRESH)
    X, y = problem.X, problem.y
    exact = problem.excess(LeastSquares().fit(X, y).predict)
    solvers, missing = dense_solvers(d, options.quick)
    fits = fit_side_by_side(solvers, X, y, options.repeats)
    reached = {
        name: problem.excess(model.predict) / exact if model else np.inf
        for name, (_, model) in fits.items()
    }
    own, model = fits[OURS.name]
    until = own if reached[OURS.name] <= THERE else np.inf
    read = X.nbytes / options.bandwidth
    print(
        f"\n{n} × {d}, {case.name}: one read of X {read:.4f} s, "
        f"test error of exact least squares above the noise {exact:.2e}"
    )
    print(f"{'':24s}   seconds   its error / exact   peer / ours   floor")
    for solver in solvers:
        name, seconds = solver.name, fits[solver.name][0]
        there, ratio = reached[name] <= THERE, seconds / until
        line = f"{name:24s}  {seconds:8.4f}   {reached[name]:17.4g}"
        if solver is OURS:
            line += f"   {'':11s}   {'':5s}   {notes(model, read / own)}"
        else:
            floor = case.floors.get(name, case.floor if solver.neighbour else None)
            floor = floor if there else case.anyway.get(name)
            line += f"   {ratio:11.2f}   "
            line += f"{'-':>5s}" if floor is None else f"{floor:5.1f}   {met(ratio, floor)}"
        print(line + "   not there" * (not there))
    for name in missing:
        print(f"{name:24s}  not installed")


def hard_table(options):
    """Rows that a sample represents badly, and columns that are far from standardised."""
    n, d = options.rows(200_000), 60
    peer = Solver("Ridge cholesky", partial(ridge, "cholesky"))
    limits = f"{SLOWER} times Ridge's time, {LOST:.0e} of R² lost"
    print(f"\n{n} × {d}, hard families (limits: {limits})")
    print(
        f"{'':20s}  ours (s)  Ridge (s)  ours / Ridge          R² lost"
        "            Ridge's  optimality gap"
    )
    for name, family in HARD.items():
        problem = problems.make_problem(family, n, d)
        X, y = problem.X, problem.y
        fits = fit_side_by_side([OURS, peer], X, y, options.repeats)
        (own, model), (theirs, other) = fits[OURS.name], fits[peer.name]
        exact = LeastSquares().fit(X, y)
        lost, also_lost = exact.r2_lost(model, X, y), exact.r2_lost(other, X, y)
        gap = model.history_[-1].get("optimality_gap", np.nan)
        print(
            f"{name:20s}  {own:8.3f}  {theirs:9.3f}"
            f"  {own / theirs:12.2f}  {met(own / theirs, limit=SLOWER):6s}"
            f"  {lost:7.1e}  {met(lost, limit=LOST):6s}"
            f"  {also_lost:9.1e}  {gap:14.1e}   {notes(model)}"
        )
        del problem, X, y, fits, model, other, exact
        gc.collect()


def memory_table(options):
    """The peak memory of a fit, minus that of the data."""
    limits = f"{SPARE / 1e6:.0f} MB and {SQUARES} d² numbers"
    print(f"\npeak memory of a fit beyond the data (limit: {limits})")
    print(f"{'':16s}     data (MB)   ours (MB)   limit            Ridge cholesky (MB)")
    for rows, d in ((1_000_000, 100), (100_000, 1000)):
        n = options.rows(rows)
        growth = fit_growth(SGDLinearRegressor, n, d)
        if growth is None:
            print("not measured: it takes /proc/self/status, which Linux has")
            return
        other = fit_growth(partial(ridge, "cholesky"), n, d)
        limit = SPARE + SQUARES * d**2 * 8
        print(
            f"{f'{n} × {d}':16s}  {8 * n * d / 1e6:12.0f}   {growth / 1e6:9.1f}"
            f"   {limit / 1e6:5.1f}   {met(growth, limit=limit):6s}   {other / 1e6:19.1f}"
        )


def small_table(options):
    """Whole fits whose time is mostly set-up."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((100, 1))
    y = X[:, 0] + rng.standard_normal(100)
    cases = [
        ("diabetes, 442 × 10", *load_diabetes(return_X_y=True), 2.0),
        ("100 × 1", X, y, 1.0),
    ]
    print(f"\nsmall data, best of {SMALL_REPEATS} fits")
    print(f"{'':20s}   ours (ms)   limit            LinearRegression (ms)")
    for name, X, y, limit in cases:
        models = SGDLinearRegressor(), LinearRegression()
        fits = [lambda m=m, X=X, y=y: m.fit(X, y) for m in models]
        times = side_by_side(fits, SMALL_REPEATS)
        own, theirs = 1e3 * times
        print(
            f"{name:20s}   {own:9.3f}   {limit:5.1f}   {met(own, limit=limit):6s}"
            f"   {theirs:21.3f}"
        )


TABLES = {
    "dense": dense_tables,
    "hard": hard_table,
    "memory": memory_table,
    "csr": ridge_tables,
    "stream": stream_table,
    "small": small_table,
}


def main():
    """Run all tables, or those asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default=",".join(TABLES), help="tables, with commas")
    parser.add_argument("--repeats", type=int, default=3, help="runs of all but the slow")
    parser.add_argument("--scale", type=float, default=1.0, help="share of all rows")
    parser.add_argument("--quick", action="store_true", help="leave out the slow solvers")
    arguments = parser.parse_args()
    tables = chosen(arguments.only, TABLES, parser)
    warnings.simplefilter("ignore")
    bandwidth = memory_bandwidth(np.ones(2**25))
    print(
        f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}; "
        f"one thread reads memory at {bandwidth / 1e9:.1f} GB/s"
    )
    options = SimpleNamespace(
        repeats=arguments.repeats,
        quick=arguments.quick,
        bandwidth=bandwidth,
        rows=lambda n: max(int(n * arguments.scale), FEWEST),
    )
    for name in tables:
        TABLES[name](options)


if __name__ == "__main__":
    main()

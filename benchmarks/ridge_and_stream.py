"""Two tables of `least_squares`: ridge of CSR rows, and one pass over a stream."""

import gc
from functools import partial

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler

from benchmarks import problems
from benchmarks._timing import best_of, side_by_side
from benchmarks._words import met, notes
from benchmarks.exact import SparseRidge
from benchmarks.peers import ours_for_ridge, sparse_peers, stream_peers
from sgdreg import SGDLinearRegressor

CLOSE = 1e-4  # R² that the model may lack
TOLERANCES = [10.0**-k for k in range(2, 9)]
FLOOR = 6.0  # least ratio of the times of Ridge's solvers to ours
CHUNK = 1000  # rows of a piece of a stream
FRESH = 20_000  # rows on which the test error is measured


def ridge_tables(options):
    """Ridge of CSR rows by our solver and by Ridge's, with the loosest tolerance needed."""
    n, d, per_row = options.rows(160_000), 100_000, 60
    problem = problems.make_problem(problems.zipf(per_row), n, d)
    for penalty in (0.1, 1.0):
        print(f"\nCSR {n} × {d}, {per_row} non-zeros a row, ridge of alpha·n = {penalty:g}")
        ridge_table(problem, penalty, options)
        gc.collect()


def ridge_table(problem, penalty, options):
    X, y = problem.X, problem.y
    n = X.shape[0]
    optimum = SparseRidge(X, y, penalty)
    peers, slow = sparse_peers(penalty, options.quick)
    chosen = {name: loosest(make, optimum, X, y) for name, make in peers.items()}
    ours = {
        "ours, tol=1e-4": ours_for_ridge(penalty, n, tol=1e-4),
        "ours, tol as default": ours_for_ridge(penalty, n),
    }
    models = ours | {name: model for name, (model, _) in chosen.items()}
    fast = [name for name in models if name not in slow]
    times = side_by_side([partial(models[k].fit, X, y) for k in fast], options.repeats)
    seconds = {name: found for name, (_, found) in chosen.items()}
    seconds |= dict(zip(fast, times, strict=True))
    lost = {name: optimum.lost(model) for name, model in models.items()}
    base = next(iter(ours))
    own = seconds[base] if lost[base] <= CLOSE else np.inf
    print(f"{'':22s}       tol   seconds   R² missing    peer / ours   floor")
    for name, model in models.items():
        there, ratio = lost[name] <= CLOSE, seconds[name] / own
        line = f"{name:22s}  {model.tol:8.0e}  {seconds[name]:8.3f}   {lost[name]:11.1e}"
        if name in ours:
            line += f"   {'':11s}   {'':5s}   {notes(model)}"
        else:
            line += f"   {ratio:11.2f}   {FLOOR:5.1f}   "
            line += met(ratio, FLOOR) if there else ""
        print(line + "   not there" * (not there))


def loosest(make, optimum, X, y):
    """The model with the loosest tolerance that is CLOSE, and the seconds of its fit."""
    for tol in TOLERANCES:
        model = make(tol)
        seconds = best_of(partial(model.fit, X, y), 1)
        if optimum.lost(model) <= CLOSE:
            break
    return model, seconds


STREAMS = {
    "normal": (problems.normal, 200_000, 100),
    "scales 1e±3, offsets": (problems.scaled, 200_000, 100),
    "Student-t(3)": (problems.student(3), 200_000, 100),
    "CSR, Zipf columns": (problems.zipf(30), 200_000, 20_000),
}


def one_pass(make, X, y):
    """A model that has seen these rows once, in pieces."""
    model = make()
    for start in range(0, len(y), CHUNK):
        model.partial_fit(X[start : start + CHUNK], y[start : start + CHUNK])
    return model


def stream_table(options):
    """One pass in pieces: ours on raw rows, SGDRegressor on rows scaled beforehand.

    CSR rows are not scaled for either, because their numbers are standard normal: divided
    by the small deviations of rare columns they would be so large that SGDRegressor
    diverges.
    """
    print(
        f"\none pass in pieces of {CHUNK} rows: test error above the noise, and seconds "
        "(limit: the error of the best SGDRegressor)"
    )
    for name, (family, rows, d) in STREAMS.items():
        n = options.rows(rows)
        problem = problems.make_problem(family, n, d, FRESH)
        stream_rows(f"{name}, {n} × {d}", problem, options)
        del problem
        gc.collect()


def stream_rows(title, problem, options):
    """Print one family: ours, and every SGDRegressor."""
    X, y = problem.X, problem.y
    scaler = None if sparse.issparse(X) else StandardScaler().fit(X)
    scaled = X if scaler is None else scaler.transform(X)
    models = {}

    def run(name, estimator, rows):
        models[name] = one_pass(lambda: clone(estimator), rows, y)

    ours = "SGDLinearRegressor"
    runs = {ours: partial(run, ours, SGDLinearRegressor(), X)}
    for name, estimator in stream_peers().items():
        runs[name] = partial(run, name, estimator, scaled)
    seconds = dict(zip(runs, side_by_side(runs.values(), options.repeats), strict=True))

    def predict(name, rows):
        if name != ours and scaler is not None:
            rows = scaler.transform(rows)
        return models[name].predict(rows)

    excess = {name: problem.excess(partial(predict, name)) for name in models}
    best = min((name for name in models if name != ours), key=lambda name: excess[name])
    print(f"{title:38s}      error   seconds   ours / this   limit")
    for name in models:
        line = f"  {name:36s}  {excess[name]:9.3g}  {seconds[name]:8.3f}"
        if name != ours:
            ratio = excess[ours] / excess[name]
            line += f"   {ratio:11.3g}"
            if name == best:
                line += f"   {1.0:5.1f}   {met(ratio, limit=1.0)}"
        print(line)

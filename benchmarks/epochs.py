"""An epoch of mini-batches beside one of SGDRegressor: ``python -m benchmarks.epochs``.

The time of one epoch is the time of a fit of 1 + m epochs minus that of a fit of one epoch,
divided by m, so that validation and set-up, which both have, do not count. The last table
has whole fits of a hundred rows, whose time is mostly set-up.
"""

import argparse
import warnings

import numpy as np
from scipy import sparse
from sklearn.linear_model import SGDRegressor

from benchmarks._timing import memory_bandwidth, side_by_side
from sgdreg import SGDLinearRegressor

STEP = 1e-5  # stable in every case; the time of an epoch does not depend on it
SMALL_STEP = 0.01  # the same for 100 × 1 rows


def peer(epochs, penalty, eta0=STEP):
    """SGDRegressor with constant steps."""
    return SGDRegressor(
        penalty=penalty,
        max_iter=epochs,
        tol=None,
        eta0=eta0,
        learning_rate="constant",
        random_state=0,
    )


def ours(epochs, penalty, eta0=STEP, **settings):
    """The same steps, in mini-batches."""
    return SGDLinearRegressor(
        penalty=penalty,
        max_iter=epochs,
        tol=None,
        learning_rate=eta0,
        random_state=0,
        **settings,
    )


def epoch_times(makers, X, y, repeats, more):
    """Seconds of one more epoch for each maker (epochs -> estimator)."""
    few = [lambda make=make: make(1).fit(X, y) for make in makers]
    many = [lambda make=make: make(1 + more).fit(X, y) for make in makers]
    times = side_by_side(few + many, repeats)
    return (times[len(makers) :] - times[: len(makers)]) / more


CASES = {
    "batch 32 in blocks": {"batch_size": 32, "shuffle": "blocks"},
    "batch 1 in row order": {"batch_size": 1},
    "batch 32 in row order": {"batch_size": 32},
    "batch 256 in blocks": {"batch_size": 256, "shuffle": "blocks"},
}


def table(title, X, y, penalties, floors, repeats, more):
    """Print the seconds of an epoch, their ratio to SGDRegressor's, and the bandwidth."""
    dense = X if isinstance(X, np.ndarray) else X.data
    size = X.nbytes if isinstance(X, np.ndarray) else X.data.nbytes + X.indices.nbytes
    bandwidth = memory_bandwidth(dense)
    print(f"\n{title}: one read of X at memory speed {size / bandwidth:.4f} s")
    print(f"{'':34s}  seconds   SGDRegressor / ours   floor   share of bandwidth")
    for penalty in penalties:
        makers = [lambda e, p=penalty: peer(e, p)]
        makers += [
            lambda e, p=penalty, s=settings: ours(e, p, **s) for settings in CASES.values()
        ]
        times = epoch_times(makers, X, y, repeats, more)
        print(f"{'SGDRegressor':24s} {penalty or '':8s}  {times[0]:8.4f}")
        for (name, _), seconds in zip(CASES.items(), times[1:], strict=True):
            floor = floors.get(name)
            floor = f"{floor:5.1f}" if floor else "    -"
            share = size / bandwidth / seconds
            print(
                f"{name:24s} {penalty or '':8s}  {seconds:8.4f}"
                f"   {times[0] / seconds:19.2f}   {floor}   {share:18.0%}"
            )


def small_fits(repeats):
    """Print whole fits of 100 × 1 rows for the same number of epochs."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((100, 1))
    y = X[:, 0] + rng.standard_normal(100)
    print("\nfit of 100 × 1 rows, whole fits (floor: at most 2)")
    print(f"{'epochs':>8s}  SGDRegressor (ms)   ours (ms)   ours / SGDRegressor")
    for epochs in (1, 5, 20, 100, 1000):
        models = peer(epochs, None, SMALL_STEP), ours(epochs, None, SMALL_STEP)
        theirs, own = side_by_side(
            [lambda m=model: m.fit(X, y) for model in models], repeats
        )
        print(
            f"{epochs:8d}  {theirs * 1e3:17.3f}   {own * 1e3:9.3f}   {own / theirs:19.2f}"
        )


def sparse_rows(rng, n, d, per_row):
    """CSR with `per_row` non-zeros per row in uniformly drawn columns."""
    columns = rng.integers(0, d, (n, per_row), dtype=np.int32)
    columns.sort(axis=1)
    values = rng.standard_normal(n * per_row)
    starts = np.arange(0, n * per_row + 1, per_row, dtype=np.int32)
    return sparse.csr_matrix((values, columns.ravel(), starts), shape=(n, d))


def main():
    """Run all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--more", type=int, default=2, help="epochs beyond the first")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(0)
    floors = {"batch 32 in blocks": 5.0, "batch 1 in row order": 1.8}
    for d in (100, 10):
        X = rng.standard_normal((arguments.rows, d))
        y = X @ rng.standard_normal(d) + rng.standard_normal(arguments.rows)
        table(
            f"{arguments.rows} × {d} float64",
            X, y, [None], floors, arguments.repeats, arguments.more,
        )  # fmt: skip
    del X
    n = arguments.rows // 5
    X = sparse_rows(rng, n, 100_000, 60)
    y = X @ rng.standard_normal(100_000) + rng.standard_normal(n)
    floors = {"batch 1 in row order": 1.0, "batch 32 in row order": 1.0}
    table(
        f"CSR {n} × 100000, 60 non-zeros a row",
        X, y, [None, "l2"], floors, arguments.repeats, arguments.more,
    )  # fmt: skip
    small_fits(30)


if __name__ == "__main__":
    main()

"""No hidden copy: what a fit adds to the peak memory of the process that holds the data."""

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from sgdreg import SGDLinearRegressor

SCRIPT = """
import os, resource, sys
import numpy as np
from sklearn.linear_model import LinearRegression
from sgdreg import SGDLinearRegressor

kind, rows, columns, path, *ways = sys.argv[1:]
rows, columns = int(rows), int(columns)
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
rng = np.random.default_rng(0)
small = rng.standard_normal((1000, columns))
if kind == "memmap":
    shape = rows, columns
    X = np.lib.format.open_memmap(path, mode="w+", dtype=float, shape=shape)
else:
    X = np.empty((rows, columns), dtype=np.float32 if kind == "float32" else float)
for start in range(0, rows, 1000):
    X[start : start + 1000] = small[: len(X[start : start + 1000])]
if kind == "memmap":
    del X
    X = np.load(path, mmap_mode="r")
y = X @ np.ones(columns) + rng.standard_normal(rows)
for settings in ways:
    if os.fork():
        os.wait()
        continue
    # In a process of its own, whose peak begins at what it holds.
    model = SGDLinearRegressor(**eval(settings))
    model.set_params(max_iter=2, tol=None)
    SGDLinearRegressor(**model.get_params()).fit(small, small[:, 0])  # buffers of libraries
    X.sum()  # a memory map's pages count once they are read
    before = peak()
    model.fit(X, y)
    print((peak() - before) / X.nbytes, flush=True)
    os._exit(0)
"""

SETTINGS = {
    "auto": "{}",
    "rows": "{'learning_rate': 1e-4}",
    "blocks": "{'learning_rate': 1e-4, 'batch_size': 32, 'shuffle': 'blocks'}",
    "full": "{'optimizer': 'nesterov', 'learning_rate': 1e-3, 'batch_size': 'full'}",
}


def added(kind, rows, columns, ways, folder):
    """Share of X's size that fitting it adds to the peak, each way."""
    pytest.importorskip("resource", reason="peak memory is read with resource (POSIX)")
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT, kind, str(rows), str(columns)]
    command += [str(folder / "X.npy"), *(SETTINGS[way] for way in ways)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    shares = [float(line) for line in done.stdout.splitlines()]
    assert len(shares) == len(ways), done.stderr
    return shares


@pytest.mark.parametrize("kind", ["float64", "float32", "memmap"])
def test_no_copy_of_200_megabytes(kind, tmp_path):
    """A copy would add 1; 0.2 leaves room for buffers that do not grow with X."""
    rows = 500_000 if kind == "float32" else 250_000
    assert max(added(kind, rows, 100, ("auto", "rows"), tmp_path)) < 0.2


@pytest.mark.heavy
@pytest.mark.parametrize("kind", ["float64", "memmap"])
def test_one_gigabyte_adds_less_than_five_per_cent(kind, tmp_path):
    assert max(added(kind, 1_250_000, 100, SETTINGS, tmp_path)) < 0.05


@pytest.mark.heavy
@pytest.mark.parametrize("loss", ["quantile", "absolute_error", "epsilon_insensitive"])
def test_losses_with_kinks_take_few_vectors_of_the_rows(loss):
    """Residuals, predictions, leverage; at the end, parabolas of all rows for a stream."""
    n, rng = 2_000_000, np.random.default_rng(0)
    X = np.empty((n, 8), np.float32)
    for start in range(0, n, 100_000):
        X[start : start + 100_000] = rng.standard_normal((100_000, 8))
    y = X.sum(axis=1) + rng.standard_t(2, n)
    tracemalloc.start()
    model = SGDLinearRegressor(loss=loss).fit(X, y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert model.converged_
    assert peak <= 6.5 * y.nbytes

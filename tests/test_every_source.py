"""A walk over sources, types, losses, penalties and shapes of chunks: as in memory.

Quick: some crossings, drawn at random. All of them: pytest -m heavy.
"""

import itertools
import warnings

import numpy as np
import pytest
from scipy import sparse

import sgdreg
from sgdreg import SGDLinearRegressor
from sgdreg._data import chunked_rows, rows

N, D = 600, 5
NAMES = list("abcde")
LOSSES = {
    "squared_error": lambda r: 0.5 * r**2,
    "absolute_error": np.abs,
    "huber": lambda r: np.where(np.abs(r) <= 0.7, 0.5 * r**2, 0.7 * (np.abs(r) - 0.35)),
    "quantile": lambda r: np.maximum(0.7 * r, -0.3 * r),
    "epsilon_insensitive": lambda r: np.maximum(np.abs(r) - 0.7, 0.0),
    "squared_epsilon_insensitive": lambda r: 0.5 * np.maximum(np.abs(r) - 0.7, 0.0) ** 2,
}
PENALTIES = (None, "l2", "l1", "elasticnet", "positive")
SOURCES = ("memory map", "Parquet", "CSV", "callable", "dask array", "dask frame")
KINDS = ("float64", "float32", "CSR")
SHAPES = ("empty first", "one row", "sorted", "constant chunk", "rare column")
CUTS = {"empty first": (0, 0, 250, N), "one row": (0, 1, 2, 3, 400, 401, N)}
AXES = (SOURCES, KINDS, LOSSES, PENALTIES, SHAPES, (False, True), (1, 2))
# Sources whose rows cannot be CSR: files and frames hold dense columns.
DENSE = ("memory map", "Parquet", "CSV", "dask frame")


def crossings():
    """All that exist, in a fixed random order."""
    every = [c for c in itertools.product(*AXES) if c[1] != "CSR" or c[0] not in DENSE]
    order = np.random.default_rng(0).permutation(len(every))
    return [every[i] for i in order]


def covering(every):
    """Some of them, such that each pair of values of two axes is among them."""
    seen, chosen = set(), []
    for crossing in every:
        pairs = set(itertools.combinations(enumerate(crossing), 2))
        if pairs - seen:
            chosen.append(crossing)
            seen |= pairs
    return chosen


EVERY = crossings()
SOME = covering(EVERY)


def draw(kind, shape, outputs):
    """X, y and weights, of which those of whole chunks are zero."""
    rng = np.random.default_rng(7)
    X = rng.standard_normal((N, D)) * np.logspace(-1, 2, D) + np.arange(D)
    if kind == "CSR":
        X[rng.random((N, D)) < 0.6] = 0.0
    X[: 250 if shape == "constant chunk" else 0] = X[0]
    X[: 500 if shape == "rare column" else 0, 2] = 0.0
    X = X.astype(np.float32 if kind == "float32" else float)
    y = X @ rng.standard_normal((D, outputs)) + rng.standard_t(3, (N, outputs))
    if shape == "sorted":
        order = np.argsort(y[:, 0])
        X, y = X[order], y[order]
    weights = rng.exponential(size=N)
    weights[:250] = 0.0
    return X, y if outputs > 1 else y[:, 0], weights


def made(source, X, y, weights, cuts, folder):
    """The arguments of `fit`, beside itself."""
    targets = y.reshape(N, -1)
    columns = dict(zip(NAMES, X.T, strict=True)) if source not in ("callable",) else {}
    keys = [f"y{k}" for k in range(targets.shape[1])]
    target = keys if y.ndim > 1 else keys[0]
    if source == "memory map":
        np.save(folder / "X.npy", X)
        return np.load(folder / "X.npy", mmap_mode="r"), y, weights
    if source == "callable":
        arrays = (X, y) if weights is None else (X, y, weights)

        def read():
            for start, stop in itertools.pairwise(cuts):
                yield tuple(array[start:stop] for array in arrays)

        return (sgdreg.chunks(read),)
    if source in ("Parquet", "CSV"):
        pa = pytest.importorskip("pyarrow")
        columns |= dict(zip(keys, targets.T, strict=True))
        columns |= {} if weights is None else {"w": weights}
        table, name = pa.table(columns), None if weights is None else "w"
        if source == "CSV":
            from pyarrow import csv  # noqa: PLC0415

            csv.write_csv(table, folder / "data.csv")
            path = folder / "data.csv"
            return (sgdreg.chunks(path, target=target, weights=name, rows=170),)
        from pyarrow import parquet  # noqa: PLC0415

        for number, (start, stop) in enumerate(itertools.pairwise(cuts)):
            part = table.slice(start, stop - start)
            parquet.write_table(part, folder / f"{number}.parquet", row_group_size=130)
        return (sgdreg.chunks(folder, target=target, weights=name),)
    da = pytest.importorskip("dask.array", reason="Dask is not installed")
    lengths = tuple(np.diff(cuts).tolist())

    def lazy(array):
        return da.from_array(array, chunks=(lengths, *array.shape[1:]))

    given = lazy(y), None if weights is None else lazy(weights)
    if source == "dask array":
        if sparse.issparse(X):
            dense = da.from_array(X.toarray(), chunks=(lengths, D))
            return dense.map_blocks(sparse.csr_array, dtype=X.dtype), *given
        return lazy(X), *given
    dd = pytest.importorskip("dask.dataframe", reason="dask.dataframe is not installed")
    return dd.from_dask_array(lazy(X), columns=NAMES), *given


def objective(settings, model, X, y, weights):
    """By NumPy: mean loss and penalty, summed over the outputs."""
    X = X.toarray() if sparse.issparse(X) else X.astype(float)
    coef = np.atleast_2d(model.coef_).astype(float)
    residuals = y.reshape(N, -1) - X @ coef.T - np.atleast_1d(model.intercept_)
    losses = np.average(LOSSES[settings["loss"]](residuals), axis=0, weights=weights)
    share = {"l2": 0.0, "l1": 1.0, "elasticnet": 0.15}.get(settings.get("penalty"))
    if share is None:
        return losses.sum()
    price = share * np.abs(coef) + (1.0 - share) * 0.5 * coef**2
    return losses.sum() + settings["alpha"] * price.sum()


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(chunked_rows, "BLOCK_BYTES", 2**12)
    monkeypatch.setattr(rows, "MAPPED_BYTES", 2**12)


def check(crossing, folder):
    source, kind, loss, penalty, shape, weighted, outputs = crossing
    X, y, weights = draw(kind, shape, outputs)
    weights = weights if weighted else None
    settings = {"loss": loss, "alpha": 0.01, "epsilon": 0.7, "quantile": 0.7}
    settings |= {"positive": True} if penalty == "positive" else {"penalty": penalty}
    X = sparse.csr_array(X) if kind == "CSR" else X
    given = made(source, X, y, weights, CUTS.get(shape, (0, 250, 300, N)), folder)
    if source == "CSV":  # text has no type
        X = X.astype(float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # parameters without effect
        whole = SGDLinearRegressor(random_state=0, **settings).fit(X, y, weights)
        ours = SGDLinearRegressor(random_state=0, **settings).fit(*given)
    assert ours.converged_ == whole.converged_, crossing
    assert ours.coef_.shape == whole.coef_.shape
    assert ours.coef_.dtype == whole.coef_.dtype
    best, found = (objective(settings, m, X, y, weights) for m in (whole, ours))
    constant = SGDLinearRegressor().fit(np.zeros((N, D)), y, weights)
    unit = objective(settings, constant, X, y, weights) - best
    tol = 1e-6 if ours.coef_.dtype == np.float32 else 1e-8  # of a model in float32
    assert abs(found - best) <= tol * abs(unit), crossing


@pytest.mark.parametrize("part", range(4))
def test_some_crossings(part, tmp_path):
    for number, crossing in enumerate(SOME[part::4]):
        folder = tmp_path / str(number)
        folder.mkdir()
        check(crossing, folder)


@pytest.mark.heavy
@pytest.mark.parametrize("part", range(20))
def test_every_crossing(part, tmp_path):
    for number, crossing in enumerate(EVERY[part::20]):
        folder = tmp_path / str(number)
        folder.mkdir()
        check(crossing, folder)

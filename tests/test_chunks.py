"""Rows that memory does not hold: the model of all rows in memory, from any source."""

import warnings
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

import sgdreg
from sgdreg import SGDLinearRegressor
from sgdreg._data import chunked_rows, rows
from sgdreg._solvers.newton import restricted

N, D = 3000, 6
SETTINGS = {
    "least squares": {},
    "no intercept": {"fit_intercept": False},
    "l2": {"penalty": "l2", "alpha": 0.1},
    "l1": {"penalty": "l1", "alpha": 0.1},
    "elastic net": {"penalty": "elasticnet", "alpha": 0.1},
    "positive": {"positive": True},
    "huber": {"loss": "huber", "epsilon": 0.7},
    "huber, auto": {"loss": "huber", "epsilon": "auto"},
    "squared ε": {"loss": "squared_epsilon_insensitive", "epsilon": 0.3},
    "quantile": {"loss": "quantile", "quantile": 0.8},
    "absolute, l2": {"loss": "absolute_error", "penalty": "l2", "alpha": 0.01},
    "ε, l1": {
        "loss": "epsilon_insensitive",
        "epsilon": 0.3,
        "penalty": "l1",
        "alpha": 0.01,
    },
    "huber, l1": {"loss": "huber", "epsilon": 0.7, "penalty": "l1", "alpha": 0.05},
    "held out": {"early_stopping": True},
}


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Blocks of some hundred rows, so that there are several."""
    monkeypatch.setattr(chunked_rows, "BLOCK_BYTES", 2**14)
    monkeypatch.setattr(chunked_rows, "BUFFER_BYTES", 2**15)


def problem(dtype=float, outputs=0, is_sparse=False, order=None):
    """X on raw scales, y with heavy tails, weights of which some are zero."""
    rng = np.random.default_rng(3)
    X = rng.standard_normal((N, D)) * np.logspace(-2, 2, D) + np.arange(D)
    if is_sparse:
        X[rng.random((N, D)) < 0.7] = 0.0
    X = X.astype(dtype)
    shape = (N, outputs) if outputs else N
    y = (X @ rng.standard_normal((D, max(1, outputs)))).reshape(shape)
    y = y + rng.standard_t(3, shape)
    weights = rng.exponential(size=N) * (rng.random(N) > 0.1)
    if order is not None:
        at = np.argsort(X[:, order])
        X, y, weights = X[at], y[at], weights[at]
    return (sparse.csr_array(X) if is_sparse else X), y, weights


def parts(*arrays, cuts=(0, 0, 1, 2, 900, 900, 1700, N)):
    """A function whose chunks are empty, single rows, and some hundred rows."""

    def read():
        for start, stop in pairwise(cuts):
            yield tuple(array[start:stop] for array in arrays)

    return read


def agree(settings, X, y, weights=None, exact=1e-9, source=None):
    """The models of chunks and of memory: the same objective, and so coefficients."""
    arrays = (X, y) if weights is None else (X, y, weights)
    source = sgdreg.chunks(source or parts(*arrays))
    ours = SGDLinearRegressor(random_state=0, **settings).fit(source)
    whole = SGDLinearRegressor(random_state=0, **settings).fit(X, y, weights)
    assert ours.converged_ == whole.converged_
    scale = np.asarray(
        np.sqrt(X.multiply(X).mean(axis=0)) if sparse.issparse(X) else X.std(0)
    )
    size = np.abs(scale * whole.coef_).max() + 1.0
    assert np.abs(scale * (ours.coef_ - whole.coef_)).max() <= exact * size
    return ours, whole


@pytest.mark.parametrize("kind", SETTINGS)
def test_the_model_of_chunks_is_that_of_memory(kind):
    X, y, weights = problem(order=5)
    loose = kind in ("held out",)
    agree(SETTINGS[kind], X, y, weights, exact=1e-3 if loose else 1e-6)


@pytest.mark.parametrize("is_sparse", [False, True], ids=["dense", "CSR"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("kind", ["least squares", "l1", "huber", "quantile"])
def test_types_and_containers(kind, dtype, is_sparse):
    X, y, _ = problem(dtype, is_sparse=is_sparse)
    ours, whole = agree(SETTINGS[kind], X, y, exact=1e-5)
    assert ours.coef_.dtype == whole.coef_.dtype == dtype


@pytest.mark.parametrize("kind", ["least squares", "l1", "huber", "quantile"])
def test_several_outputs(kind):
    X, y, weights = problem(outputs=2)
    ours, _ = agree(SETTINGS[kind], X, y, weights, exact=1e-6)
    assert ours.coef_.shape == (2, D)


def test_constant_and_dependent_columns():
    X, y, _ = problem()
    X[:, 1], X[:, 2], X[:900, 3] = 7.0, 2.0 * X[:, 0], 1.0
    agree({}, X, y, exact=1e-7)
    agree({"loss": "quantile"}, X, y, exact=1e-5)


def test_fewer_rows_than_columns():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((20, 50)), rng.standard_normal(20)
    agree({"penalty": "l2", "alpha": 0.1}, X, y, source=parts(X, y, cuts=(0, 1, 7, 20)))


@pytest.mark.parametrize("kind", ["least squares", "huber", "quantile"])
def test_same_bits_for_any_number_of_threads(kind):
    X, y, _ = problem()
    one, two = (
        SGDLinearRegressor(n_jobs=count, **SETTINGS[kind]).fit(sgdreg.chunks(parts(X, y)))
        for count in (1, 2)
    )
    assert one.coef_.tobytes() == two.coef_.tobytes()


def test_as_many_reads_as_passes():
    X, y, _ = problem()
    reads = []

    def read():
        reads.append(1)
        yield from parts(X, y)()

    model = SGDLinearRegressor().fit(sgdreg.chunks(read))
    # The first one counts the rows; the middle of the first block is an unfinished one.
    assert len(reads) == model.history_[-1]["passes"] + 2


# -------------------------------------------------------------------------- mini-batches


def test_textbook_steps_of_a_source_in_order_are_those_of_memory():
    X, y, _ = problem()
    settings = {"optimizer": "sgd", "learning_rate": 1e-6, "shuffle": False}
    settings |= {"tol": None, "max_iter": 3, "batch_size": 50}
    # Blocks of whole mini-batches: otherwise the last one of each block is shorter.
    source = sgdreg.chunks(parts(X, y, cuts=range(0, N + 1, 500)))
    ours = SGDLinearRegressor(**settings).fit(source)
    whole = SGDLinearRegressor(**settings).fit(X, y)
    np.testing.assert_allclose(ours.coef_, whole.coef_, rtol=1e-12)


def test_sorted_rows_are_mixed():
    # Rows sorted by the target: steps in their order end at the last rows' model.
    rng = np.random.default_rng(0)
    X = rng.standard_normal((20_000, 3))
    y = X @ [1.0, 2.0, 3.0] + rng.standard_normal(20_000)
    at = np.argsort(y)
    X, y = X[at], y[at]
    settings = {"optimizer": "sgd", "learning_rate": 0.01, "random_state": 0}
    settings |= {"tol": None, "max_iter": 2}
    best = SGDLinearRegressor().fit(X, y).score(X, y)

    def lost(**more):
        source = sgdreg.chunks(X, target=y, rows=200)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = SGDLinearRegressor(**settings | more).fit(source)
        return best - model.score(X, y)

    assert lost() < 0.02
    assert lost(shuffle=False) > 0.1


def test_a_step_over_all_rows_is_refused():
    X, y, _ = problem()
    model = SGDLinearRegressor(optimizer="nesterov", learning_rate=0.1, batch_size="full")
    with pytest.raises(ValueError, match="come in chunks"):
        model.fit(sgdreg.chunks(parts(X, y)))


# ------------------------------------------------------------------------------- sources


@pytest.fixture(scope="module")
def table():
    pa = pytest.importorskip("pyarrow")
    X, y, weights = problem()
    columns = {f"f{j}": X[:, j] for j in range(D)} | {"y": y, "w": weights}
    return pa.table(columns)


NAMES = [f"f{j}" for j in range(D)]


def sources(table, folder):
    """{kind: source} of the table in all forms."""
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import csv, dataset, feather, parquet  # noqa: PLC0415

    frame = table.to_pandas()
    first, second = table.slice(0, 1300), table.slice(1300)
    for name, part in (("a", first), ("b", second)):
        (folder / "parquet").mkdir(exist_ok=True)
        parquet.write_table(
            part, folder / "parquet" / f"{name}.parquet", row_group_size=400
        )
        feather.write_feather(part, folder / f"{name}.feather", "uncompressed")
        csv.write_csv(part, folder / f"{name}.csv")
    matrix = frame.to_numpy()
    np.save(folder / "all.npy", matrix)
    np.save(folder / "X.npy", matrix[:, :D])
    (folder / "npz").mkdir()
    for start in (0, 1000, 2000):
        some = matrix[start : start + 1000]
        arrays = {"X": some[:, :D], "y": some[:, D], "weights": some[:, D + 1]}
        np.savez(folder / "npz" / f"{start}.npz", **arrays)
    chunks = partial(sgdreg.chunks, target="y", weights="w")
    mapped = np.load(folder / "X.npy", mmap_mode="r")
    batches = pa.Table.to_batches
    return {
        "Parquet": chunks(folder / "parquet"),
        "pattern": chunks(f"{folder}/parquet/*.parquet", columns=NAMES),
        "Feather": chunks([folder / "a.feather", folder / "b.feather"]),
        "CSV": chunks(str(folder / "*.csv")),
        "dataset": chunks(dataset.dataset(folder / "parquet"), rows=700),
        "Arrow table": chunks(table),
        "pandas": chunks(frame, rows=700),
        ".npy": sgdreg.chunks(folder / "all.npy", target=D, weights=D + 1),
        ".npz": sgdreg.chunks(folder / "npz"),
        "memory map": sgdreg.chunks(mapped, target=matrix[:, D], weights=matrix[:, D + 1]),
        "frames": sgdreg.chunks(
            lambda: (
                (part.to_pandas()[NAMES], part.to_pandas()["y"], part.to_pandas()["w"])
                for part in batches(table, 500)
            )
        ),
    }


UNNAMED = {".npy", ".npz", "memory map"}


def test_every_source_gives_the_same_model(table, tmp_path):
    X, y, weights = problem()
    whole = SGDLinearRegressor().fit(X, y, weights)
    for kind, source in sources(table, tmp_path).items():
        model = SGDLinearRegressor().fit(source)
        np.testing.assert_allclose(model.coef_, whole.coef_, rtol=1e-9, err_msg=kind)
        assert model.score(source) == pytest.approx(whole.score(X, y, weights)), kind
        predicted = np.concatenate(list(model.predict(source)))
        np.testing.assert_allclose(predicted, whole.predict(X), rtol=1e-9)
        assert hasattr(model, "feature_names_in_") == (kind not in UNNAMED), kind


def test_polars_frames_and_lazy_frames(table):
    pl = pytest.importorskip("polars")
    X, y, _ = problem()
    whole = SGDLinearRegressor().fit(X, y)
    frame = pl.from_arrow(table).drop("w")
    for source in (frame, frame.lazy()):
        model = SGDLinearRegressor().fit(sgdreg.chunks(source, target="y", rows=700))
        np.testing.assert_allclose(model.coef_, whole.coef_, rtol=1e-9)
        assert list(model.feature_names_in_) == NAMES


def test_svmlight_files(tmp_path):
    from sklearn.datasets import dump_svmlight_file  # noqa: PLC0415

    X, y, _ = problem(is_sparse=True)
    X = X.toarray()
    X[1500:, -1] = 0.0  # the second file seems to have fewer columns
    X = sparse.csr_array(X)
    for start in (0, 1500):
        rows = slice(start, start + 1500)
        dump_svmlight_file(X[rows], y[rows], str(tmp_path / f"{start}.svmlight"))
    model = SGDLinearRegressor().fit(sgdreg.chunks(tmp_path))
    whole = SGDLinearRegressor().fit(X, y)
    np.testing.assert_allclose(model.coef_, whole.coef_, rtol=1e-7)


def test_arrays_that_can_be_sliced(tmp_path):
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    X, y, _ = problem()
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["X"], file["y"] = X, y
        model = SGDLinearRegressor().fit(sgdreg.chunks(file["X"], target=file["y"]))
    np.testing.assert_allclose(model.coef_, SGDLinearRegressor().fit(X, y).coef_, rtol=1e-9)


def test_memory_maps_are_read_a_block_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "MAPPED_BYTES", 2**14)
    X, y, weights = problem(np.float32)
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    for kind in ("least squares", "huber", "quantile", "l1"):
        model = SGDLinearRegressor(**SETTINGS[kind]).fit(mapped, y, weights)
        whole = SGDLinearRegressor(**SETTINGS[kind]).fit(X, y, weights)
        assert model.converged_
        np.testing.assert_allclose(model.coef_, whole.coef_, rtol=1e-4, err_msg=kind)


# -------------------------------------------------------------------------------- errors


def refused(make, kind, *texts):
    with pytest.raises(kind) as caught:
        make()
    for text in texts:
        assert text in str(caught.value)


def test_a_bad_chunk_is_named_and_costs_nothing_fitted():
    X, y, _ = problem()
    model = SGDLinearRegressor().fit(X, y)
    before = vars(model).copy()
    bad, infinite = X.copy(), y.copy()
    bad[2000, 3], infinite[1000] = np.nan, np.inf
    for rows_, targets, texts in (
        (bad, y, ["NaN", "row 2000, column 3"]),
        (X, infinite, ["chunk 5", "row 900 of all", "y contains infinity"]),
        (X, y[:-1], ["chunk 6", "inconsistent numbers of samples"]),
    ):
        source = sgdreg.chunks(parts(rows_, targets))
        refused(partial(model.fit, source), ValueError, *texts)
        assert vars(model).keys() == before.keys()
        assert all(vars(model)[name] is value for name, value in before.items())


def test_parquet_errors_name_file_and_row_group(tmp_path):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet  # noqa: PLC0415

    for name, values in (("a", [1.0, 2.0]), ("b", [1.0, None])):
        columns = {"x": [3.0, 5.0], "y": values}
        parquet.write_table(pa.table(columns), tmp_path / f"{name}.parquet")
    source = sgdreg.chunks(tmp_path, target="y")
    fit = partial(SGDLinearRegressor().fit, source)
    refused(fit, ValueError, "b.parquet, row group 0", "y contains NaN")


def test_chunks_must_be_alike():
    X, y, _ = problem()
    w = np.ones(N)
    model = SGDLinearRegressor()
    for second, text in (
        ((X[:, :3], y), "3 features"),
        ((X.astype(np.float32), y), "float32 here, float64"),
        ((sparse.csr_array(X), y), "sparse here, dense"),
        ((X, np.column_stack([y, y])), "targets a row"),
        ((X, y, w), "weights: yes here, no"),
        (X, "must be a tuple"),
    ):
        source = sgdreg.chunks(lambda second=second: iter([(X, y), second]))
        with pytest.raises((ValueError, TypeError), match=text):
            model.fit(source)


def test_a_source_that_changes_is_noticed():
    X, y, _ = problem()
    reads = []

    def read():
        reads.append(1)
        yield X[: N - len(reads)], y[: N - len(reads)]

    fit = partial(SGDLinearRegressor().fit, sgdreg.chunks(read))
    refused(fit, ValueError, "other chunks than when it was read first")


def test_what_cannot_be_read_is_refused(table, tmp_path):
    X, y, _ = problem()
    source = sgdreg.chunks(parts(X, y))
    refused(lambda: sgdreg.chunks(parts(X, y)()), TypeError, "Pass the function")
    refused(lambda: sgdreg.chunks(table.to_reader(), target="y"), TypeError, "read once")
    refused(lambda: sgdreg.chunks(table), ValueError, "needs target")
    refused(lambda: sgdreg.chunks(table, target="z"), ValueError, "no column 'z'")
    refused(lambda: sgdreg.chunks(tmp_path / "no.csv"), FileNotFoundError, "no.csv")
    (tmp_path / "data.xyz").touch()
    refused(lambda: sgdreg.chunks(tmp_path / "data.xyz"), ValueError, ".parquet")
    refused(lambda: sgdreg.chunks(3.0), TypeError, "float")
    refused(lambda: sgdreg.chunks(parts(X, y), target=1), TypeError, "target")
    refused(lambda: SGDLinearRegressor().fit(source, y), TypeError, "y was passed beside")
    search = GridSearchCV(SGDLinearRegressor(), {"alpha": [0.1]})
    refused(lambda: search.fit(source), TypeError, "GridSearchCV", "sample")
    refused(lambda: SGDLinearRegressor().partial_fit(source), TypeError, "fit(chunks)")
    pa = pytest.importorskip("pyarrow")
    text = sgdreg.chunks(pa.table({"city": ["a", "b"], "y": [1.0, 2.0]}), target="y")
    refused(lambda: SGDLinearRegressor().fit(text), ValueError, "'city' holds string")


def test_columns_are_those_of_the_fit(table):
    model = SGDLinearRegressor().fit(sgdreg.chunks(table, target="y", weights="w"))
    other = sgdreg.chunks(table, target="y", columns=NAMES[::-1])
    refused(lambda: model.score(other), ValueError, "in this order")
    same = sgdreg.chunks(table, target="y", columns=NAMES)
    assert model.score(same) == pytest.approx(
        model.score(table.to_pandas()[NAMES], table["y"].to_numpy())
    )


def test_files_are_closed_where_a_fit_ends_early():
    X, y, _ = problem()
    X[1, 0] = np.nan
    opened, closed = [], []

    def read():
        opened.append(1)
        try:
            yield from parts(X, y)()
        finally:
            closed.append(1)

    with pytest.raises(ValueError, match="NaN"):
        SGDLinearRegressor().fit(sgdreg.chunks(read))
    assert len(opened) == len(closed) >= 2


# --------------------------------------------------------------------------- many columns


@pytest.mark.parametrize("n", [90, 400])
def test_blocks_of_fewer_rows_than_columns(n, monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, 100)) + 1.0
    y = X @ rng.standard_normal(100) + rng.standard_normal(n)
    monkeypatch.setattr(chunked_rows, "BLOCK_BYTES", X.nbytes // 7)
    ours, _ = agree({}, X, y, exact=1e-6, source=parts(X, y, cuts=range(0, n + 1, 10)))
    lost = 0.5 * np.mean((y - ours.predict(X)) ** 2)
    best = 0.5 * np.linalg.lstsq(np.c_[X, np.ones(n)], y)[1].sum() / n if n > 100 else 0.0
    assert lost == pytest.approx(best, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("is_sparse", [False, True], ids=["dense", "CSR"])
@pytest.mark.parametrize("kind", ["l1", "elastic net"])
def test_more_columns_than_a_curvature_of_all_takes(kind, is_sparse, monkeypatch):
    rng = np.random.default_rng(0)
    n, d = 600, 2100
    X = rng.standard_normal((n, d))
    if is_sparse:
        X = sparse.csr_array(np.where(rng.random((n, d)) < 0.02, X, 0.0))
    y = X @ (rng.standard_normal(d) * (rng.random(d) < 0.01)) + rng.standard_normal(n)
    weights = rng.exponential(size=n) * (rng.random(n) > 0.1)
    monkeypatch.setattr(chunked_rows, "BLOCK_BYTES", 2**19)
    source = parts(X, y, weights, cuts=range(0, n + 1, 100))
    agree(SETTINGS[kind], X, y, weights, source=source)


def test_steps_of_all_rows_for_many_columns_are_refused():
    X, y = np.random.default_rng(0).standard_normal((50, 2100)), np.arange(50.0)
    fit = partial(
        SGDLinearRegressor(positive=True).fit, sgdreg.chunks(parts(X, y, cuts=(0, 50)))
    )
    refused(fit, ValueError, "come in chunks", "at most 2,000 features")


def test_features_are_used_in_the_order_of_columns():
    X, y, _ = problem()
    order = [2, 0, 1, 3, 4, 5]
    source = sgdreg.chunks(X, target=y, columns=order, rows=700)
    whole = SGDLinearRegressor().fit(X[:, order], y)
    np.testing.assert_allclose(SGDLinearRegressor().fit(source).coef_, whole.coef_)
    refused(lambda: sgdreg.chunks(X, target=y, columns=[9]), ValueError, "no column 9")
    refused(lambda: sgdreg.chunks(X, target=y, rows=0), ValueError, "at least 1, got 0")


@pytest.mark.parametrize("weighted", [False, True])
def test_few_rows_in_the_zone_are_all_counted(weighted):
    X, y, weights = problem()
    far = y[::-1].copy()  # of 3,000 rows, 7 are near the fit
    agree({"loss": "huber"}, X, far, weights if weighted else None, exact=1e-7)


@pytest.mark.parametrize("is_sparse", [False, True], ids=["dense", "CSR"])
@pytest.mark.parametrize(
    "settings",
    [
        {"penalty": "l1", "alpha": 0.05},
        {"penalty": "l2", "alpha": 0.1},
        {"loss": "huber", "penalty": "l2", "alpha": 0.05},
        {"loss": "quantile", "penalty": "l2", "alpha": 0.1, "max_iter": 3},
    ],
    ids=lambda settings: settings.get("loss", "squares") + ", " + settings["penalty"],
)
def test_more_features_than_a_factor_takes(settings, is_sparse):
    rng = np.random.default_rng(5)
    density = 0.01 if is_sparse else 1.0
    X = sparse.random_array((2300, 2100), density=density, rng=rng, format="csr")
    y = np.asarray(X[:, :5].sum(axis=1)).ravel() + 0.1 * rng.standard_normal(2300)
    X = X if is_sparse else X.toarray() - 0.5
    source = parts(X, y, cuts=(0, 1, 800, 2300))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        agree(settings, X, y, exact=2e-2 if "max_iter" in settings else 2e-5, source=source)


@pytest.mark.parametrize("settings", [{"loss": "quantile"}, {"optimizer": "svrg"}])
def test_a_fit_that_is_killed_is_resumed_with_chunks(settings, tmp_path):
    pytest.importorskip("skops")
    X, y, weights = problem()
    source, path = sgdreg.chunks(parts(X, y, weights)), tmp_path / "fit.skops"
    model = partial(SGDLinearRegressor, random_state=0, max_iter=4, tol=None, **settings)

    class Killed(Exception):
        """The end of the process."""

    class Kill(sgdreg.Checkpoint):
        def on_fit_task_end(self, estimator, context, *, fitted_estimator):
            super().on_fit_task_end(estimator, context, fitted_estimator=fitted_estimator)
            if fitted_estimator.n_iter_ == 2:
                raise Killed

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        whole = model().fit(source)
        with pytest.raises(Killed):
            model().set_callbacks(Kill(path)).fit(source)
        ours = SGDLinearRegressor.resume(path, source)
    assert ours.coef_.tobytes() == whole.coef_.tobytes()
    other = sgdreg.chunks(parts(X, y + 1.0, weights))
    resume = partial(SGDLinearRegressor.resume, path)
    refused(lambda: resume(other), ValueError, "not the data of the checkpoint")
    refused(lambda: resume(source, y), TypeError, "y was passed beside")


def test_types_of_parquet_files_are_joined(tmp_path):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet  # noqa: PLC0415

    X, y, _ = problem()
    whole = SGDLinearRegressor().fit(X, y)
    for number, (rows_, dtype) in enumerate(
        ((X[:0], pa.float32()), (X[:900], pa.float64()), (X[900:], pa.float32()))
    ):
        columns = {n: pa.array(c).cast(dtype) for n, c in zip(NAMES, rows_.T, strict=True)}
        part = {0: y[:0], 1: y[:900], 2: y[900:]}[number]
        table = pa.table(columns | {"y": part})
        order = [*NAMES, "y"] if number < 2 else ["y", *NAMES[::-1]]
        parquet.write_table(table.select(order), tmp_path / f"{number}.parquet")
    model = SGDLinearRegressor().fit(sgdreg.chunks(tmp_path, target="y"))
    assert model.coef_.dtype == np.float64
    np.testing.assert_allclose(model.coef_, whole.coef_, rtol=1e-4)


def test_a_parquet_file_that_is_damaged_is_named(tmp_path):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet  # noqa: PLC0415

    X, y, _ = problem()
    path = tmp_path / "a.parquet"
    table = pa.table({"x": X[:, 0], "y": y})
    parquet.write_table(table, path, row_group_size=1000, use_dictionary=False)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 4000] = b"\xff" * 4000
    damaged = tmp_path / "b.parquet"
    damaged.write_bytes(bytes(content))
    fit = partial(SGDLinearRegressor().fit, sgdreg.chunks(damaged, target="y"))
    with pytest.raises((OSError, ValueError), match=r"b\.parquet, row group 1"):
        fit()


def test_integers_of_a_text_file_may_be_followed_by_fractions(tmp_path):
    pytest.importorskip("pyarrow")
    lines = [f"{i},{i % 7},{2 * i + i % 7}" for i in range(250_000)]
    (tmp_path / "a.csv").write_text("a,b,y\n")
    (tmp_path / "b.csv").write_text("\n".join(["a,b,y", *lines, "0.5,1,2"]))
    model = SGDLinearRegressor().fit(sgdreg.chunks(tmp_path, target="y"))
    np.testing.assert_allclose(model.coef_, [2.0, 1.0], rtol=1e-6)


def test_a_function_that_returns_no_iterator_is_refused():
    fit = partial(SGDLinearRegressor().fit, sgdreg.chunks(lambda: None))
    refused(fit, TypeError, "has returned a NoneType", "iterator of (X, y)")


@pytest.mark.parametrize("fit", [{}, {"penalty": "l1", "alpha": 0.01}])
def test_a_band_that_is_not_copied_is_read_by_one_reader(fit, monkeypatch):
    """As a source may have one place in a file, where it reads."""
    monkeypatch.setattr(restricted, "COPIED", 0)
    monkeypatch.setattr(restricted, "COPIED_A_SQUARE", 0)
    X, y, weights = problem()
    place = []

    def read():
        place.clear()
        own = object()
        place.append(own)
        for part in parts(X, y, weights)():
            assert place == [own], "another reader has begun"
            yield part

    settings = {"loss": "quantile", "quantile": 0.7, "n_jobs": 2, **fit}
    agree(settings, X, y, weights, exact=1e-6, source=read)

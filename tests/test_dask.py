"""Dask arrays and frames, on threads of this process and on a cluster of two workers."""

import os
import signal
import warnings

import numpy as np
import pytest

import sgdreg
from sgdreg import SGDLinearRegressor
from sgdreg._sources import cluster as source
from sgdreg._sources import partitions

da = pytest.importorskip("dask.array", reason="Dask is not installed")
dd = pytest.importorskip("dask.dataframe", reason="dask.dataframe is not installed")
pd = pytest.importorskip("pandas")
distributed = pytest.importorskip("distributed", reason="distributed is not installed")

N, D = 6000, 5
SETTINGS = {
    "least squares": {},
    "l2": {"penalty": "l2", "alpha": 0.1},
    "l1": {"penalty": "l1", "alpha": 0.1},
    "positive": {"positive": True},
    "huber": {"loss": "huber", "epsilon": 0.7},
    "huber, auto": {"loss": "huber", "epsilon": "auto"},
    "quantile": {"loss": "quantile", "quantile": 0.8},
    "ε, l1": {"loss": "epsilon_insensitive", "penalty": "l1", "alpha": 0.01},
    "held out": {"early_stopping": True},
    "sgd": {"optimizer": "sgd", "learning_rate": 1e-5, "max_iter": 2, "tol": None},
}


@pytest.fixture(scope="module")
def cluster():
    """Two workers, each a process of one thread."""
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with distributed.LocalCluster(**options) as made:
            yield made


@pytest.fixture(params=["threads", "cluster"])
def where(request):
    """The scheduler: Dask's threads, or the cluster."""
    if request.param == "threads":
        yield None
        return
    with distributed.Client(request.getfixturevalue("cluster")) as client:
        yield client


@pytest.fixture
def client(cluster):
    with distributed.Client(cluster) as made:
        yield made


def problem(outputs=0):
    rng = np.random.default_rng(1)
    X = rng.standard_normal((N, D)) * np.logspace(-1, 2, D) + 3.0
    shape = (N, outputs) if outputs else N
    y = (X @ rng.standard_normal((D, max(1, outputs)))).reshape(shape)
    return X, y + rng.standard_t(3, shape), rng.exponential(size=N)


def collections(X, y, weights=None, rows=(900, 1, 2099, 3000)):
    """The same as Dask arrays, X in two columns of blocks."""
    X = da.from_array(X, chunks=(rows, (2, 3)))
    y = da.from_array(y, chunks=(rows, *y.shape[1:]))
    return X, y, None if weights is None else da.from_array(weights, chunks=(rows,))


def close(ours, whole, X, tol=1e-6):
    scale = np.asarray(X).std(axis=0)
    size = np.abs(scale * whole.coef_).max() + 1.0
    assert np.abs(scale * (ours.coef_ - whole.coef_)).max() <= tol * size
    assert isinstance(ours.coef_, np.ndarray)


ON_CLUSTER = ["least squares", "l1", "huber", "quantile", "sgd"]
CROSSED = [(kind, "threads") for kind in SETTINGS]
CROSSED += [(kind, "cluster") for kind in ON_CLUSTER]


@pytest.mark.parametrize(("kind", "where"), CROSSED, indirect=["where"])
def test_the_model_is_that_of_memory(kind, where):
    X, y, weights = problem()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours = SGDLinearRegressor(random_state=0, **SETTINGS[kind])
        ours.fit(*collections(X, y, weights))
        whole = SGDLinearRegressor(random_state=0, **SETTINGS[kind]).fit(X, y, weights)
    assert ours.converged_ == whole.converged_
    close(ours, whole, X, 0.1 if kind == "sgd" else 1e-3 if kind == "held out" else 1e-6)


def test_several_outputs_and_weights_of_zero(where):
    X, y, weights = problem(outputs=2)
    weights[::3] = 0.0
    ours = SGDLinearRegressor().fit(*collections(X, y, weights))
    close(ours, SGDLinearRegressor().fit(X, y, weights), X)
    lazy = ours.predict(collections(X, y)[0])
    assert lazy.shape == (N, 2)
    np.testing.assert_allclose(lazy.compute(), ours.predict(X))
    frame = pd.DataFrame(X)
    lazy = ours.predict(dd.from_pandas(frame, npartitions=3)).compute()
    np.testing.assert_allclose(lazy, ours.predict(X))


def test_frames_with_empty_partitions_and_unknown_lengths(where):
    X, y, _ = problem()
    frame = pd.DataFrame(X, columns=list("abcde")).assign(y=y, row=np.arange(N))
    lazy = dd.from_pandas(frame, npartitions=6)
    lazy = lazy[lazy["row"] > 2500]  # empties the first partitions
    ours = SGDLinearRegressor().fit(lazy[list("abcde")], lazy["y"])
    some = frame[frame.index > 2500]
    whole = SGDLinearRegressor().fit(some[list("abcde")], some["y"])
    close(ours, whole, X)
    assert list(ours.feature_names_in_) == list("abcde")
    assert ours.score(lazy[list("abcde")], lazy["y"]) == pytest.approx(
        whole.score(some[list("abcde")], some["y"])
    )
    predicted = ours.predict(lazy[list("abcde")])
    assert hasattr(predicted, "dask")
    np.testing.assert_allclose(predicted.compute(), whole.predict(some[list("abcde")]))
    unknown = lazy[[*"abcde", "y"]].to_dask_array()  # blocks of unknown lengths
    close(SGDLinearRegressor().fit(unknown[:, :5], unknown[:, 5]), whole, X)


def test_predictions_are_lazy(where):
    X, y, _ = problem()
    model = SGDLinearRegressor().fit(X, y)
    lazy, targets, _ = collections(X, y)
    predicted = model.predict(lazy)
    assert isinstance(predicted, da.Array)
    np.testing.assert_allclose(predicted.compute(), model.predict(X))
    assert model.score(lazy, targets) == pytest.approx(model.score(X, y))


def test_same_bits_wherever_the_rows_are(client):
    X, y, _ = problem()
    found = []
    for workers in (None, list(client.scheduler_info()["workers"])[:1]):
        held = client.persist(collections(X, y)[:2], workers=workers)
        found.append(SGDLinearRegressor().fit(*held).coef_.tobytes())
    assert found[0] == found[1]


def test_few_reductions_of_few_numbers(client, monkeypatch):
    X, y, _ = problem()
    runs = []
    run = source.Cluster.run

    def counted(self, *args, **kwargs):
        runs.append(found := run(self, *args, **kwargs))
        return found

    monkeypatch.setattr(source.Cluster, "run", counted)
    SGDLinearRegressor().fit(*collections(X, y))
    assert len(runs) <= 8


def test_tiny_partitions_are_passed_over_together(client, monkeypatch):
    X, y, _ = problem()
    tasks = []
    submit = distributed.Client.submit

    def counted(self, *args, **kwargs):
        tasks.append(args)
        return submit(self, *args, **kwargs)

    monkeypatch.setattr(distributed.Client, "submit", counted)
    lazy = da.from_array(X, chunks=(20, D)), da.from_array(y, chunks=20)  # 300 partitions
    model = SGDLinearRegressor().fit(*lazy)
    close(model, SGDLinearRegressor().fit(X, y), X)
    assert len(tasks) <= 20


def test_groups_stay_where_they_are(client, monkeypatch):
    X, y, _ = problem()
    monkeypatch.setattr(partitions, "GROUP", 5)
    lazy = da.from_array(X, chunks=(100, D)), da.from_array(y, chunks=100)
    held = []
    run = source.Cluster.run

    def seen(self, *args, **kwargs):
        found = run(self, *args, **kwargs)
        held.append(client.who_has(self.futures))
        return found

    monkeypatch.setattr(source.Cluster, "run", seen)
    monkeypatch.setattr(partitions, "GROUP_BYTES", 5 * 100 * D * 8)
    SGDLinearRegressor().fit(*lazy)
    assert len(held[-1]) == 12
    assert all(len(holders) == 1 for holders in held[-1].values())
    assert len({*held[-1].values()}) == 2


def test_a_worker_that_is_killed_costs_time_only(client):
    X, y, _ = problem()
    whole = SGDLinearRegressor(loss="huber", epsilon=0.5).fit(X, y)
    killed = []

    def kill(self, *args, **kwargs):
        if not killed and len(runs) == 3:
            killed.append(os.kill(client.run(os.getpid).popitem()[1], signal.SIGKILL))
        runs.append(1)
        return run(self, *args, **kwargs)

    runs, run = [], source.Cluster.run
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source.Cluster, "run", kill)
        model = SGDLinearRegressor(loss="huber", epsilon=0.5).fit(*collections(X, y))
    assert killed
    close(model, whole, X)
    client.wait_for_workers(2, timeout=30)


def test_errors_name_the_partition(where):
    X, y, _ = problem()
    y = y.copy()
    y[2000] = np.nan
    with pytest.raises(ValueError, match=r"(partitions 0 to 3|partition 2).*NaN"):
        SGDLinearRegressor().fit(*collections(X, y))
    X[3500, 1] = np.inf
    with pytest.raises(ValueError, match="row 3500, column 1"):
        SGDLinearRegressor().fit(*collections(X, problem()[1]))


def test_what_does_not_fit_is_refused(where):
    X, y, _ = problem()
    lazy, targets, _ = collections(X, y)
    with pytest.raises(TypeError, match="y is a ndarray"):
        SGDLinearRegressor().fit(lazy, y)
    with pytest.raises(ValueError, match="y is None"):
        SGDLinearRegressor().fit(lazy)
    frame = dd.from_pandas(pd.DataFrame(X), npartitions=3)
    with pytest.raises(ValueError, match="repartition"):
        SGDLinearRegressor().fit(frame, dd.from_pandas(pd.Series(y), npartitions=2))
    with pytest.raises(TypeError, match="partial_fit takes rows in memory"):
        SGDLinearRegressor().partial_fit(lazy, targets)


def test_partitions_that_do_not_belong_together_are_refused(where):
    X, y, weights = problem()

    def unknown(values, rows):
        """An array whose blocks have lengths that are not known."""
        frame = dd.from_pandas(pd.DataFrame(values), npartitions=1)
        frame = frame.repartition(divisions=[0, *np.cumsum(rows)[:-1].tolist(), N - 1])
        array = frame.to_dask_array()
        return array if values.ndim > 1 else array[:, 0]

    one, other = (1000, 2000, 3000), (2000, 1000, 3000)  # the sum of two is the same
    model = SGDLinearRegressor()
    with pytest.raises(ValueError, match=r"partition 0: X has 1,000 rows, and y has 2,000"):
        model.fit(unknown(X, one), unknown(y, other))
    with pytest.raises(ValueError, match=r"partition 0.*sample_weight has 2,000"):
        model.fit(unknown(X, one), unknown(y, one), unknown(weights, other))
    frame = dd.from_pandas(pd.DataFrame(X, columns=list("abcde")), npartitions=3)
    meta = frame._meta
    frame = frame.map_partitions(
        lambda part: part if part.index[0] < 3000 else part[list("edcba")],
        meta=meta,
        enforce_metadata=False,
    )
    with pytest.raises(ValueError, match=r"partition 2: the columns are"):
        model.fit(frame, dd.from_pandas(pd.Series(y), npartitions=3))


def test_a_partition_that_raises_is_named(where):
    X, y, _ = problem()
    lazy, targets, _ = collections(X, y)

    def lost(block, block_info=None):
        if len(block) == 2099:
            raise OSError("the disk is gone")
        return block

    lazy = lazy.rechunk({1: -1}).map_blocks(lost, dtype=float, meta=np.empty((0, 0)))
    with pytest.raises(RuntimeError, match="In partition 2: OSError: the disk is gone"):
        SGDLinearRegressor().fit(lazy, targets)


def test_names_and_kinds_of_collections(where):
    X, y, _ = problem()
    frame = dd.from_pandas(pd.DataFrame(X), npartitions=3)
    targets = dd.from_pandas(pd.Series(y), npartitions=3)
    assert not hasattr(SGDLinearRegressor().fit(frame, targets), "feature_names_in_")
    delayed = frame.to_delayed()[0]
    with pytest.raises(TypeError, match="X is a Dask Delayed"):
        SGDLinearRegressor().fit(delayed, targets)


def test_weights_stay_where_the_rows_are(client, monkeypatch):
    sent, run = [], source.Cluster.run

    def counted(self, function, numbers, arguments, plain=False):
        for _, more in [] if plain else arguments:
            sent.extend(value for value in more if isinstance(value, np.ndarray))
        return run(self, function, numbers, arguments, plain)

    monkeypatch.setattr(source.Cluster, "run", counted)
    SGDLinearRegressor().fit(*collections(*problem()))
    assert not [array for array in sent if len(array) > 100]


def test_a_lost_client_leaves_the_model_and_a_checkpoint(cluster, tmp_path, monkeypatch):
    pytest.importorskip("skops")
    X, y, _ = problem()
    settings = {"optimizer": "svrg", "random_state": 0, "max_iter": 4, "tol": None}
    path, runs, run = tmp_path / "fit.skops", [], source.Cluster.run
    model = SGDLinearRegressor(**settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = model.fit(X[:50], y[:50]).coef_.copy()
    client = distributed.Client(cluster)

    def closing(self, *args, **kwargs):
        runs.append(1)
        if path.exists():
            client.close()
        return run(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(source.Cluster, "run", closing)
        model.set_callbacks(sgdreg.Checkpoint(path))
        with pytest.raises(Exception, match=r"(?i)cancelled|closed"):
            model.fit(*collections(X, y))
    assert (model.coef_ == before).all()
    with distributed.Client(cluster), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours = SGDLinearRegressor.resume(path, *collections(X, y)[:2])
        whole = SGDLinearRegressor(**settings).fit(*collections(X, y)[:2])
    assert ours.coef_.tobytes() == whole.coef_.tobytes()

"""At home in scikit-learn: pipelines, searches, cloning, threads, pickles, routing."""

import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from joblib import Parallel, delayed
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler
from threadpoolctl import threadpool_info

from sgdreg import SGDLinearRegressor, optimizers, schedules
from sgdreg._data.threads import one_blas_thread
from sgdreg.optimizers import SGD, Momentum

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_diabetes(return_X_y=True, scaled=False)


def textbook(**parameters):
    """Three epochs of small steps on standardised features."""
    settings = {"learning_rate": 0.01, "batch_size": 4, "max_iter": 3, "tol": None}
    return SGDLinearRegressor(**(settings | {"random_state": 0} | parameters))


def test_pipeline_and_cross_validation_agree_with_least_squares():
    cv = KFold(5, shuffle=True, random_state=0)
    expected = cross_val_score(LinearRegression(), X, Y, cv=cv)
    assert_allclose(cross_val_score(SGDLinearRegressor(), X, Y, cv=cv), expected)
    scaled = make_pipeline(StandardScaler(), SGDLinearRegressor())
    assert_allclose(cross_val_score(scaled, X, Y, cv=cv), expected)


def test_polynomials_in_a_pipeline():
    x = np.linspace(-3, 3, 40)[:, None]
    y = 2 * x[:, 0] ** 2 - x[:, 0] + 1
    model = make_pipeline(PolynomialFeatures(2), SGDLinearRegressor()).fit(x, y)
    assert_allclose(model.predict(x), y, atol=1e-12)


def test_column_transformer_with_set_output():
    table = pd.DataFrame({"size": [50.0, 80, 65, 120, 95, 40], "town": list("abbaca")})
    price = pd.Series([100.0, 190, 160, 240, 210, 80], name="price")
    columns = ColumnTransformer(
        [
            ("n", StandardScaler(), ["size"]),
            ("c", OneHotEncoder(sparse_output=False), ["town"]),
        ]
    )
    model = Pipeline([("columns", columns), ("sgd", SGDLinearRegressor())])
    model.set_output(transform="pandas").fit(table, price)
    assert list(model[-1].feature_names_in_) == [
        "n__size", "c__town_a", "c__town_b", "c__town_c",
    ]  # fmt: skip
    exact = LinearRegression().fit(columns.fit_transform(table), price)
    assert_allclose(model.predict(table), exact.predict(columns.transform(table)))


@quiet
def test_grid_search_over_nested_parameters():
    search = GridSearchCV(
        make_pipeline(
            StandardScaler(),
            textbook(learning_rate=schedules.Constant(), optimizer=Momentum()),
        ),
        {
            "sgdlinearregressor__learning_rate__eta0": [1e-5, 1e-2],
            "sgdlinearregressor__optimizer__momentum": [0.0, 0.5],
            "sgdlinearregressor__batch_size": [1, 8],
        },
        cv=3,
    ).fit(X, Y)
    assert len(search.cv_results_["params"]) == 8
    best = search.best_params_
    assert best["sgdlinearregressor__learning_rate__eta0"] == 1e-2
    chosen = search.best_estimator_[-1]
    assert chosen.learning_rate.eta0 == 1e-2
    assert chosen.plan_.schedule.eta0 == 1e-2
    whole = GridSearchCV(
        textbook(), {"optimizer": [SGD(), Momentum(0.1)], "learning_rate": [1e-6, 1e-7]}
    )
    assert whole.fit(X, Y).best_params_["learning_rate"] == 1e-6


def test_clone_and_get_params_go_deep():
    model = SGDLinearRegressor(
        optimizer=optimizers.Nesterov(0.8), learning_rate=schedules.InvScaling(0.1, 0.3)
    )
    twin = clone(model)
    assert twin.optimizer is not model.optimizer
    assert twin.get_params()["learning_rate__power_t"] == 0.3
    twin.set_params(optimizer__momentum=0.2)
    assert model.optimizer.momentum == 0.8
    before = repr(model)
    with pytest.warns(UserWarning, match="not"):
        model.set_params(max_iter=2).fit(X / X.std(0) / 10, Y)
    assert repr(model.set_params(max_iter=1000)) == before  # fit changed no parameter


@quiet
@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_joblib_gives_the_same_bits(backend):
    Z = StandardScaler().fit_transform(X)
    models = [textbook(random_state=s) for s in (0, 1, 0, 1)] + [SGDLinearRegressor()]
    expected = [clone(m).fit(Z, Y).coef_ for m in models]
    with Parallel(n_jobs=2, backend=backend, max_nbytes=100) as parallel:
        fitted = parallel(delayed(m.fit)(Z, Y) for m in models)  # Z as a read-only memmap
    for model, coef in zip(fitted, expected, strict=True):
        assert_array_equal(model.coef_, coef)
    assert np.abs(expected[0] - expected[1]).max() > 0


@quiet
def test_n_jobs_changes_no_bit():
    for model in (SGDLinearRegressor(), textbook(learning_rate=1e-6)):
        one, two = (clone(model).set_params(n_jobs=j).fit(X, Y) for j in (None, 2))
        assert_array_equal(one.coef_, two.coef_)


@quiet
def test_a_pickle_predicts_and_continues_the_same():
    Z = StandardScaler().fit_transform(X)
    model = textbook(optimizer="momentum", average=True).fit(Z, Y)
    copy = pickle.loads(pickle.dumps(model))
    assert_array_equal(copy.predict(Z), model.predict(Z))
    assert_array_equal(copy.partial_fit(Z, Y).coef_, model.partial_fit(Z, Y).coef_)
    assert copy.history_[-1]["objective"] == model.history_[-1]["objective"]


def test_metadata_routing():
    weights = np.arange(1.0, len(Y) + 1)
    with config_context(enable_metadata_routing=True):
        model = SGDLinearRegressor().set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=True)
        inside = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), model)
        inside.fit(X, Y, sample_weight=weights)
        direct = SGDLinearRegressor().fit(X, Y, sample_weight=weights)
        assert_allclose(inside.predict(X), direct.predict(X))
        assert (
            np.abs(direct.predict(X) - SGDLinearRegressor().fit(X, Y).predict(X)).max() > 1
        )
        assert np.isfinite(
            cross_val_score(model, X, Y, params={"sample_weight": weights})
        ).all()


@quiet
def test_a_validation_set_is_routed_and_transformed_in_a_pipeline():
    with config_context(enable_metadata_routing=True):
        model = textbook(max_iter=200, tol=1e-4).set_fit_request(X_val=True, y_val=True)
        pipe = Pipeline(
            [("scale", StandardScaler()), ("sgd", model)], transform_input=["X_val"]
        )
        pipe.fit(X[:300], Y[:300], X_val=X[300:], y_val=Y[300:])
        best = pipe[-1].best_iteration_
        assert_allclose(
            pipe[-1].validation_scores_[best - 1], pipe.score(X[300:], Y[300:]), rtol=1e-12
        )


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_data_frames_and_their_names(frame):
    names = ["age", "size", "rooms"]
    data = frame({name: X[:, i] for i, name in enumerate(names)})
    model = SGDLinearRegressor().fit(data, Y)
    assert list(model.feature_names_in_) == names
    assert_allclose(model.coef_, SGDLinearRegressor().fit(X[:, :3], Y).coef_)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(data[names[::-1]])
    with pytest.raises(ValueError, match="feature names should match"):
        model.partial_fit(data[names[::-1]], Y)


@quiet
def test_multi_output_equals_one_by_one():
    """One pass over X for all outputs; each gets the coefficients it would get alone."""
    Z = StandardScaler().fit_transform(X)
    targets = np.column_stack([Y, Z @ np.arange(10.0), np.ones(len(Y))])
    sequential = textbook(shuffle=False, optimizer="nesterov", average=True, penalty="l2")
    for model in (SGDLinearRegressor(), sequential):
        for data in (Z, sparse.csr_array(Z)):
            together = clone(model).fit(data, targets)
            assert together.coef_.shape == (3, 10)
            assert together.intercept_.shape == (3,)
            assert together.predict(data).shape == targets.shape
            for j in range(3):
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    alone = clone(model).fit(data, targets[:, j])
                assert_allclose(together.coef_[j], alone.coef_, rtol=1e-9, atol=1e-9)
                assert_allclose(together.intercept_[j], alone.intercept_, atol=1e-9)
    column = SGDLinearRegressor().fit(Z, Y[:, None])
    assert column.coef_.shape == (1, 10)
    assert column.predict(Z).shape == (len(Y), 1)


def test_sparsify_and_densify():
    for targets in (Y, np.column_stack([Y, Y])):
        model = SGDLinearRegressor().fit(X, targets)
        expected, coef = model.predict(X), model.coef_.copy()
        for data in (X, sparse.csr_array(X)):
            assert_allclose(model.sparsify().predict(data), expected, rtol=1e-10)
        assert sparse.issparse(model.coef_)
        assert_array_equal(model.densify().coef_, coef)


def test_starting_values():
    exact = LinearRegression().fit(X, Y)
    model = SGDLinearRegressor(learning_rate=1e-9, max_iter=1, tol=None)
    model.fit(X, Y, coef_init=exact.coef_, intercept_init=exact.intercept_)
    assert_allclose(model.coef_, exact.coef_, rtol=1e-3)
    fixed = SGDLinearRegressor(fit_intercept=False, tol=1e-12)
    fixed.fit(X, Y, intercept_init=100.0)
    assert fixed.intercept_ == 100.0  # never learned, never lost
    assert_allclose(fixed.coef_, np.linalg.lstsq(X, Y - 100.0, rcond=None)[0], rtol=1e-8)


def test_the_input_is_never_changed():
    for data in (X.copy(), sparse.csr_array(X)):
        targets, weights = Y.copy(), np.ones(len(Y))
        before = data.copy()
        SGDLinearRegressor().fit(data, targets, weights).partial_fit(data, targets, weights)
        assert_array_equal(targets, Y)
        assert_array_equal(weights, 1.0)
        if sparse.issparse(data):
            assert_array_equal(data.indices, before.indices)
        changed = data != before
        assert not (changed.nnz if sparse.issparse(data) else changed.any())


@quiet
def test_a_callable_of_one_number_is_as_good_as_a_vectorised_one():
    Z = StandardScaler().fit_transform(X)
    one, many = (
        textbook(learning_rate=f).fit(Z, Y).coef_
        for f in (
            lambda t: 0.01 if t < 50 else 0.01 / t,
            lambda t: np.where(t < 50, 0.01, 0.01 / t),
        )
    )
    assert_array_equal(one, many)
    assert_array_equal(one, textbook(learning_rate=StepDown()).fit(Z, Y).coef_)


class StepDown(schedules.Constant):
    """A schedule of one's own, as the documentation suggests."""

    def __call__(self, t):
        return np.where(np.asarray(t) < 50, self.eta0, self.eta0 / np.asarray(t))


@quiet
def test_adaptive_steps_shorten_when_progress_stalls():
    Z = StandardScaler().fit_transform(X)
    model = SGDLinearRegressor(
        learning_rate="adaptive", eta0=0.01, tol=1e-4, max_iter=2000, random_state=0
    ).fit(Z, Y)
    rates = np.array([entry["learning_rate"] for entry in model.history_])
    assert model.converged_
    levels = np.unique(rates)[::-1]
    assert_allclose(levels, 0.01 * 0.2 ** np.arange(len(levels)), rtol=1e-9)
    assert levels[-1] <= 1e-6 * 5
    assert np.all(np.diff(rates) <= 0)
    exact = LinearRegression().fit(Z, Y)
    assert model.score(Z, Y) > exact.score(Z, Y) - 2e-3


def test_history_is_a_table():
    Z = StandardScaler().fit_transform(X)
    model = textbook(max_iter=4).fit(Z, Y)
    table = pd.DataFrame(model.history_)
    assert list(table["epoch"]) == [1, 2, 3, 4]
    assert list(table["objective"]) == model.loss_curve_
    assert np.all(np.diff(table["seconds"]) >= 0)
    assert np.all(np.diff(table["objective"]) < 0)
    assert model.t_ == 4 * -(-len(Y) // 4)
    auto = SGDLinearRegressor().fit(X, Y)
    assert auto.history_[-1]["optimality_gap"] <= 1e-8
    text = repr(auto.plan_)
    for word in ("SquaredError()", "rank 10 of 10", "batches     full", "averaging"):
        assert word in text


def test_a_monitor_beside_a_validation_set():
    monitor = ScoringMonitor(scoring="r2")
    model = textbook(learning_rate=1e-7, max_iter=3).set_callbacks(monitor)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, Y, X_val=X[:50], y_val=Y[:50])
    assert len(monitor.get_logs().data) >= 3


def test_overlapping_fits_leave_the_threads_of_blas_as_they_were():
    def count():
        pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
        return [pool["num_threads"] for pool in pools]

    before = count()
    outer = one_blas_thread()
    with one_blas_thread():
        outer.__enter__()
    inside = count()  # the first to enter has left, the second is still inside
    outer.__exit__(None, None, None)
    assert count() == before
    assert max(inside) == 1


def test_a_subclass_may_take_fewer_parameters():
    class Small(SGDLinearRegressor):
        def __init__(self, tol=1e-8):
            super().__init__(tol=tol)

    assert_allclose(Small().fit(X, Y).coef_, SGDLinearRegressor().fit(X, Y).coef_)


@quiet
def test_warm_start_follows_the_shape_of_y():
    model = textbook(learning_rate=1e-7, warm_start=True)
    assert model.fit(X, Y).coef_.shape == (10,)
    assert model.fit(X, Y[:, None]).predict(X).shape == (len(Y), 1)
    assert model.fit(X, Y).coef_.shape == (10,)


@pytest.mark.parametrize(
    ("n", "d", "mean"), [(60, 100, 2020), (50, 400, 1e3), (40, 40, 1e6)]
)
def test_more_features_than_rows_far_from_zero(n, d, mean):
    """The minimum-norm answer: rounding of the mean is no direction of the data."""
    for seed in range(5):
        rng = np.random.default_rng(seed)
        w = rng.normal(size=d) / np.sqrt(d)
        data, new = rng.normal(mean, 1, (2, n, d))
        y, y_new = (data - mean) @ w, (new - mean) @ w
        model, exact = SGDLinearRegressor().fit(data, y), LinearRegression().fit(data, y)
        assert model.score(data, y) > 1 - 1e-9
        assert_allclose(model.predict(new), exact.predict(new), atol=0.3 * y_new.std())
        stream = SGDLinearRegressor()
        for part in np.array_split(np.arange(n), 4):
            stream.partial_fit(data[part], y[part])
        assert_allclose(stream.predict(data), y, atol=1e-5 * y.std() * mean / 1e3)


def test_indices_outside_of_a_sparse_matrix_are_refused():
    for bad in (-1, 10, 50_000_000):
        broken = sparse.csr_matrix(X)
        broken.indices[3] = bad
        with pytest.raises(ValueError, match=r"The sparse X .* is not a matrix of shape"):
            SGDLinearRegressor().fit(broken, Y)


def test_duplicates_in_csr_are_summed():
    once = sparse.csr_matrix(X)
    twice = sparse.csr_matrix(
        (np.repeat(once.data / 2, 2), np.repeat(once.indices, 2), 2 * once.indptr),
        once.shape,
    )
    for model in (SGDLinearRegressor(), SGDLinearRegressor(optimizer="sgd", max_iter=2)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            a, b = (
                clone(model).set_params(random_state=0).fit(Z, Y) for Z in (once, twice)
            )
        assert_allclose(a.coef_, b.coef_, rtol=1e-9)
    assert twice.nnz == 2 * once.nnz  # the input stays as it was


def test_a_wide_stream_keeps_its_optimizer_whatever_the_size_of_a_chunk():
    rng = np.random.default_rng(0)
    model = SGDLinearRegressor()
    for rows in (5, 1200, 5):
        data = sparse.random(rows, 2100, density=0.05, random_state=1, format="csr")
        model.partial_fit(data, rng.normal(size=rows))
        assert type(model.plan_.optimizer).__name__ == "ConjugateGradient"
        assert model._continuation[1].statistics.curvature is None


def test_one_held_out_row_tells_nothing():
    model = textbook(early_stopping=True, learning_rate=1e-7)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X[:10], Y[:10])  # 0.1 of 10 rows is one: two are held out
    assert len(set(model.validation_scores_)) == len(model.validation_scores_)
    with pytest.raises(ValueError, match=r"one row of positive weight.*Pass more rows"):
        textbook(learning_rate=1e-7).fit(X, Y, X_val=X[:1], y_val=Y[:1])

"""Textbook steps with l1 and bounds: where they lead, exact zeros, sparse rows, averages,
rows drawn with replacement.
"""

import warnings

import numpy as np
import pytest
from convex import Objective
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse, stats
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression

from sgdreg import SGDLinearRegressor
from sgdreg.optimizers import SVRG, AdaGrad, Adam, Momentum, Nesterov, Optimizer, RMSprop

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
seeds = st.integers(0, 2**32 - 1)
some = effort(max_examples=max(1, effort.default.max_examples // 3))

PENALTIES = {
    "l1": {"penalty": "l1", "alpha": 0.1},
    "elasticnet": {"penalty": "elasticnet", "alpha": 0.2, "l1_ratio": 0.6},
    "positive": {"positive": True},
    "positive l1": {"penalty": "l1", "alpha": 0.1, "positive": True},
    "positive l2": {"penalty": "l2", "alpha": 0.1, "positive": True},
}
penalties = pytest.mark.parametrize("penalty", PENALTIES)


def standardised(seed=0, n=80, d=12):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) + 0.5 * rng.standard_normal((n, 1))
    w = np.where(np.arange(d) % 3 == 0, rng.choice([-1.5, 1.0, 2.0], d), 0.0)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    return X, X @ w + 2 + 0.5 * rng.standard_normal(n)


def peer(X, y, penalty, sample_weight=None):
    """The optimum, by others."""
    exact = {"tol": 1e-13, "max_iter": 10**6, "positive": "positive" in penalty}
    settings = {k: v for k, v in PENALTIES[penalty].items() if k not in exact}
    kind = settings.pop("penalty", None)
    if kind is None:
        return LinearRegression(positive=True).fit(X, y, sample_weight)
    if kind == "l2":
        settings["l1_ratio"] = 0.0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of coordinate descent without l1
            return ElasticNet(**settings, **exact).fit(X, y, sample_weight)
    cls = Lasso if kind == "l1" else ElasticNet
    return cls(**settings, **exact).fit(X, y, sample_weight)


# ---------------------------------------------------------------------- where they lead

# Settings, and the share of the objective by which they may miss.
METHODS = {
    "sgd": ({"learning_rate": 0.15, "batch_size": "full", "max_iter": 1500}, 1e-9),
    "momentum": (
        {
            "optimizer": Momentum(0.8),
            "learning_rate": 0.05,
            "batch_size": "full",
            "max_iter": 1500,
        },
        1e-9,
    ),
    "svrg": (
        {"optimizer": SVRG(), "learning_rate": 0.02, "batch_size": 8, "max_iter": 200},
        1e-6,
    ),
    "last of svrg": (
        {
            "optimizer": SVRG(),
            "learning_rate": 0.02,
            "batch_size": 8,
            "max_iter": 200,
            "average": False,
        },
        1e-6,
    ),
    "adagrad": (
        {
            "optimizer": AdaGrad(),
            "learning_rate": 0.5,
            "batch_size": "full",
            "max_iter": 3000,
        },
        1e-6,
    ),
    "adam": (
        {
            "optimizer": Adam(),
            "learning_rate": "invscaling",
            "eta0": 0.1,
            "power_t": 0.5,
            "batch_size": "full",
            "max_iter": 5000,
        },
        1e-6,
    ),
    "rmsprop": (
        {
            "optimizer": RMSprop(),
            "learning_rate": "invscaling",
            "eta0": 0.1,
            "power_t": 0.75,
            "batch_size": "full",
            "max_iter": 5000,
        },
        1e-4,
    ),
}


@penalties
@pytest.mark.parametrize("method", METHODS)
def test_the_optimum_and_its_zeros(method, penalty):
    X, y = standardised()
    settings, miss = METHODS[method]
    best = peer(X, y, penalty)
    objective = Objective(X, y, **PENALTIES[penalty])
    model = SGDLinearRegressor(
        **settings, **PENALTIES[penalty], tol=None, random_state=0
    ).fit(X, y)
    found, least = (objective(m.coef_, m.intercept_) for m in (model, best))
    assert least * (1 - 1e-9) <= found <= least * (1 + miss)
    assert (best.coef_ == 0).any()
    if miss <= 1e-6:
        assert_array_equal(model.coef_ == 0, best.coef_ == 0)
        assert_array_equal(np.sign(model.coef_), np.sign(best.coef_))


@penalties
def test_mini_batches_come_near(penalty):
    """Shrinking steps and the mean of the later half: near; the last weights have zeros."""
    X, y = standardised(2, n=400)
    objective = Objective(X, y, **PENALTIES[penalty])
    best = peer(X, y, penalty)
    least = objective(best.coef_, best.intercept_)
    for batch, eta0 in ((1, 0.04), (8, 0.15)):
        common = {"learning_rate": "invscaling", "eta0": eta0, "power_t": 0.5, "tol": None}
        common |= {"batch_size": batch, "max_iter": 60, "random_state": 0}
        model = SGDLinearRegressor(**common, **PENALTIES[penalty], average="tail").fit(X, y)
        assert objective(model.coef_, model.intercept_) <= least * 1.01
        last = SGDLinearRegressor(**common, **PENALTIES[penalty]).fit(X, y)
        assert objective(last.coef_, last.intercept_) <= least * 1.05
        if batch == 8:
            assert (last.coef_ == 0).any()


# -------------------------------------------------------------------------- sparse rows


def rows_of_few(rng, n=40, d=120, duplicates=False):
    """CSR with empty rows, many columns and, perhaps, entries given twice, unsorted."""
    counts = rng.integers(0, 4, n)
    counts[::7] = 0
    indptr = np.append(0, np.cumsum(counts))
    size = indptr[-1]
    indices = rng.integers(0, d, size) if duplicates else np.zeros(size, int)
    for i in range(n):
        if duplicates and counts[i] > 1:
            indices[indptr[i]] = indices[indptr[i] + 1]
        elif not duplicates:
            kept = rng.choice(d, counts[i], replace=False)
            indices[indptr[i] : indptr[i + 1]] = np.sort(kept)
    values = rng.standard_normal(size)
    X = sparse.csr_array((values, indices, indptr), shape=(n, d))
    return X, np.where(counts > 0, rng.standard_normal(n), 0.5)


LAZY = {**PENALTIES, "l2": {"penalty": "l2", "alpha": 0.1}, "none": {}}


@pytest.mark.parametrize("rule", ["sgd", "adagrad"])
@pytest.mark.parametrize("penalty", LAZY)
@some
@given(
    seeds,
    st.sampled_from((1, 2, 5)),
    st.sampled_from((False, True, 7, "tail", 0.9)),
    st.sampled_from(("rows", "replacement", "blocks", False)),
    st.sampled_from((None, 3)),
    st.sampled_from((np.float64, np.float32)),
    st.tuples(st.booleans(), st.booleans(), st.booleans()),
    st.sampled_from(("squared_error", "huber", "absolute_error")),
)
def test_sparse_rows_are_the_dense_ones(
    rule, penalty, seed, batch, average, shuffle, outputs, dtype, flags, loss
):
    duplicates, weighted, fit_intercept = flags
    rng = np.random.default_rng(seed)
    X, y = rows_of_few(rng, duplicates=duplicates)
    X = X.astype(dtype)
    if outputs:
        y = np.column_stack([y, -2 * y, y[::-1] + 1])
    s = rng.integers(0, 3, len(y)) * 1.0 if weighted else None
    common = {"optimizer": rule, "learning_rate": lambda t: 0.2 / t**0.3, "tol": None}
    common |= {"batch_size": batch, "average": average, "shuffle": shuffle}
    common |= {"fit_intercept": fit_intercept, "max_iter": 4, "random_state": 0}
    common |= {"loss": loss, **LAZY[penalty]}
    dense = SGDLinearRegressor(**common).fit(X.toarray(), y, s)
    before = X.data.copy(), X.indices.copy()
    lazy = SGDLinearRegressor(**common).fit(X, y, s)
    # Entries given twice are added up in float32 too, in another order.
    near = 1e-10 if dtype == np.float64 else 1e-6
    assert_allclose(lazy.coef_, dense.coef_, rtol=near, atol=near)
    assert_allclose(lazy.intercept_, dense.intercept_, rtol=near, atol=near)
    assert_allclose(lazy.loss_curve_, dense.loss_curve_, rtol=max(near, 1e-9), atol=near)
    assert_array_equal(X.data, before[0])
    assert_array_equal(X.indices, before[1])
    if penalty != "none" and dtype == np.float64 and not duplicates:
        assert_array_equal(lazy.coef_ == 0, dense.coef_ == 0)
    if "positive" in penalty:
        assert (lazy.coef_ >= 0).all()


@pytest.mark.parametrize("share", [0.5, 1.0, 1.5, 2.5])
@pytest.mark.parametrize("penalty", ["l2", "elasticnet", "positive l2", "positive both"])
@pytest.mark.parametrize("average", [False, True, "tail", 0.9])
@pytest.mark.parametrize("at", [1, 7, 41, 80])
def test_a_step_as_long_as_all_of_the_decay(share, penalty, average, at):
    """eta · l2 is one, or more, at one step: coefficients become zero, or turn around."""
    X, y = rows_of_few(np.random.default_rng(5))
    kinds = {
        "l2": {"penalty": "l2", "alpha": 0.4},
        "elasticnet": {"penalty": "elasticnet", "alpha": 0.5, "l1_ratio": 0.2},
        "positive l2": {"penalty": "l2", "alpha": 0.4, "positive": True},
    }
    kinds["positive both"] = kinds["elasticnet"] | {"positive": True}
    common = {"learning_rate": lambda t: share / 0.4 if t == at else 0.1}
    common |= {"average": average, "batch_size": 1, "tol": None, "max_iter": 3}
    common |= {"random_state": 0, **kinds[penalty]}
    dense = SGDLinearRegressor(**common).fit(X.toarray(), y)
    lazy = SGDLinearRegressor(**common).fit(X, y)
    assert_allclose(lazy.coef_, dense.coef_, rtol=1e-10, atol=1e-10)
    assert_allclose(lazy.intercept_, dense.intercept_, rtol=1e-10, atol=1e-10)
    assert_allclose(lazy.loss_curve_, dense.loss_curve_, rtol=1e-9)
    if "positive" in penalty:
        assert (lazy.coef_ >= 0).all()


# ----------------------------------------------------------------------------- positive


class Ball(Optimizer):
    slots = 1

    def direction(self, gradient, memory, t):
        memory[0] = 0.9 * memory[0] + gradient
        return memory[0]


class Watcher:
    """Keeps the least coefficient of every epoch's model."""

    def __init__(self):
        self.least = []

    def setup(self, estimator, context):
        pass

    teardown = on_fit_task_begin = setup

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        self.least.append(fitted_estimator.coef_.min())


RULES = {
    "sgd": {"optimizer": "sgd"},
    "momentum": {"optimizer": Momentum(0.9)},
    "adagrad": {"optimizer": "adagrad"},
    "rmsprop": {"optimizer": RMSprop(momentum=0.8)},
    "adam": {"optimizer": Adam(weight_decay=0.3)},
    "svrg": {"optimizer": "svrg"},
    "last of svrg": {"optimizer": "svrg", "average": False},
    "own": {"optimizer": Ball()},
    "scaled sgd": {"optimizer": Momentum(0.9, metric="diagonal")},
    "scaled adam": {"optimizer": Adam(metric="diagonal")},
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("csr", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_no_epoch_has_a_negative_coefficient(rule, csr, dtype):
    X, y = standardised(3)
    X[np.abs(X) < 0.4] = 0.0
    X = X.astype(dtype)
    for average in ({}, {"average": True}, {"average": "tail"}, {"average": 0.9}):
        settings = average | RULES[rule] | {"positive": True, "tol": None, "max_iter": 5}
        if "svrg" in rule and average.get("average") not in (None, "tail"):
            continue
        for penalty in ({}, {"penalty": "elasticnet", "alpha": 0.05}):
            for loss in ("squared_error", "absolute_error", "huber"):
                if "svrg" in rule and loss == "absolute_error":
                    continue
                watcher = Watcher()
                model = SGDLinearRegressor(
                    loss, learning_rate=0.03, batch_size=3, **settings, **penalty
                ).set_callbacks(watcher)
                model.set_params(random_state=0)
                model.fit(sparse.csr_array(X) if csr else X, y)
                assert len(watcher.least) >= 5
                assert min(watcher.least) >= 0
                assert model.coef_.max() > 0


@pytest.mark.parametrize("batch_size", ["auto", 8])
@pytest.mark.parametrize("loss", ["squared_error", "huber", "absolute_error"])
def test_no_epoch_of_the_defaults_either(batch_size, loss):
    X, y = standardised(4)
    watcher = Watcher()
    model = SGDLinearRegressor(loss, positive=True, batch_size=batch_size, max_iter=40)
    model.set_params(random_state=0).set_callbacks(watcher).fit(X, y)
    assert min(watcher.least) >= 0


def test_nesterovs_look_ahead_is_refused():
    X, y = standardised()
    for rule in ("nesterov", Nesterov(0.5), Momentum(0.5, nesterov=True)):
        model = SGDLinearRegressor(optimizer=rule, positive=True)
        for call in (model.fit, model.partial_fit):
            with pytest.raises(
                ValueError, match=r"positive=True does not go with .*Momentum"
            ):
                call(X, y)


# ----------------------------------------------------------------------------- averages


@penalties
@pytest.mark.parametrize("epochs", [1, 2, 3, 6, 7, 8, 13])
def test_averages_by_their_definitions(penalty, epochs):
    X, y = standardised(5)
    common = {"learning_rate": lambda t: 0.2 / t**0.5, "batch_size": "full", "tol": None}
    common |= PENALTIES[penalty]

    def weights(count, average):
        model = SGDLinearRegressor(**common, max_iter=count, average=average).fit(X, y)
        return np.append(model.coef_, model.intercept_)

    steps = np.array([weights(t, False) for t in range(1, epochs + 1)])
    share = 0.9 ** np.arange(epochs)[::-1]
    faded = share @ steps / share.sum()
    assert_allclose(weights(epochs, 0.9), faded, rtol=1e-12, atol=1e-14)
    assert_allclose(weights(epochs, True), steps.mean(axis=0), rtol=1e-12, atol=1e-14)
    first = min(3, epochs)
    assert_allclose(weights(epochs, first), steps[first - 1 :].mean(axis=0), atol=1e-13)
    tail = weights(epochs, "tail")
    fits = [a for a in range(epochs) if np.allclose(tail, steps[a:].mean(axis=0), 1e-11)]
    assert len(fits) == 1
    assert epochs / 4 - 1 <= fits[0] <= epochs / 2  # the latest half at least


# -------------------------------------------------------------------------- replacement


@pytest.mark.parametrize("csr", [False, True])
@pytest.mark.parametrize("batch", [1, 7])
@pytest.mark.parametrize("size", [1.0, 1e-6, 1e9])
def test_draws_are_in_proportion_to_the_weights(csr, batch, size):
    """One column a row, targets far away: a coefficient counts how often its row came."""
    n, epochs = 30, 200
    s = size * np.random.default_rng(0).integers(0, 6, n)
    X, y = np.eye(n), np.full(n, 1e9)
    model = SGDLinearRegressor(
        "absolute_error",
        learning_rate=float(batch),
        batch_size=batch,
        shuffle="replacement",
        fit_intercept=False,
        tol=None,
        max_iter=epochs,
        random_state=0,
    ).fit(sparse.csr_array(X) if csr else X, y, s)
    kept = s > 0
    counts = model.coef_
    assert (counts[~kept] == 0).all()
    whole = kept.sum() // batch * batch  # the last, short batch has longer shares
    if whole == kept.sum():
        assert_allclose(counts, np.round(counts), atol=1e-6)
        assert_allclose(counts.sum(), epochs * kept.sum(), rtol=1e-9)
    expected = s[kept] / s.sum() * counts.sum()
    assert stats.chisquare(counts[kept], expected).pvalue > (1e-6 if batch == 1 else 1e-12)


@penalties
@pytest.mark.parametrize("rule", ["sgd", "adagrad"])
def test_drawn_rows_lead_to_the_weighted_optimum(penalty, rule):
    X, y = standardised(6, n=300)
    y[150:] += 3 * X[150:, 1]  # weights matter
    s = np.where(np.arange(300) < 150, 5.0, 0.5)
    s[::11] = 0.0
    objective = Objective(X, y, s, **PENALTIES[penalty])
    best = peer(X, y, penalty, s)
    least = objective(best.coef_, best.intercept_)
    model = SGDLinearRegressor(
        optimizer=rule,
        learning_rate="invscaling",
        eta0=0.08 if rule == "sgd" else 0.3,
        power_t=0.5 if rule == "sgd" else 0.0,
        batch_size=4,
        shuffle="replacement",
        average="tail",
        tol=None,
        max_iter=150,
        random_state=0,
        **PENALTIES[penalty],
    ).fit(X, y, s)
    assert objective(model.coef_, model.intercept_) <= least * 1.01
    wrong = replace_weights(objective)
    assert objective(*wrong) > least * 1.01  # where rows drawn evenly would lead


def replace_weights(objective):
    """The optimum with the weights left out."""
    settings = {"penalty": objective.penalty, "positive": objective.positive}
    settings |= {"alpha": objective.alpha, "l1_ratio": objective.l1_ratio}
    even = Objective(objective.X, objective.y, **settings)
    _ = even.bounds
    return even.best

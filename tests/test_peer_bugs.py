"""Bugs of other packages' SGD code, each with the test that would have found it here.

Numbers are those of scikit-learn's issues and pull requests, unless a package is named.
"""

import copy
import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression, Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV

from sgdreg import SGDLinearRegressor, losses
from sgdreg._data.dataset import Data
from sgdreg._data.threads import ALONE
from sgdreg._estimator.inputs import hold_out
from sgdreg.losses import SQUARED_ERROR
from sgdreg.schedules import Adaptive

SQUARES = {"loss": SQUARED_ERROR, "team": ALONE}

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
PENALTIES = [
    {"penalty": None},
    {"penalty": "l2", "alpha": 0.3},
    {"penalty": "l1", "alpha": 0.3},
    {"penalty": "elasticnet", "alpha": 0.3, "l1_ratio": 0.5, "positive": True},
]


def data(n=60, d=4, seed=0, noise=0.5):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    return X, X @ np.arange(1.0, d + 1) + noise * rng.standard_normal(n) + 2.0


def textbook(**settings):
    common = {"learning_rate": 0.02, "batch_size": 4, "random_state": 0, "tol": None}
    return SGDLinearRegressor(**{**common, **settings})


# ----------------------------------------------------------------------- early stopping


def scores_of_epochs(model, X, y, X_val, y_val, **weights):
    """score() of the models of 1, 2, … epochs without a validation set."""
    scores = []
    for epochs in range(1, model.max_iter + 1):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            each = clone(model).set_params(max_iter=epochs).fit(X, y)
        scores.append(each.score(X_val, y_val, **weights))
    return scores


@quiet
@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("average", [False, True, 20, "tail"])
@pytest.mark.parametrize("optimizer", ["sgd", "momentum"])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("weighted", [False, True])
def test_validation_scores_are_those_of_the_model(
    penalty, average, optimizer, form, weighted
):
    """1 and 2: the scores were those of unscaled, or of not averaged, weights."""
    X, y = data()
    Z, v = data(20, seed=1)
    model = textbook(**penalty, average=average, optimizer=optimizer, max_iter=6)
    model.set_params(learning_rate=0.005)
    s = np.linspace(0.5, 2, 20) if weighted else None
    scores = scores_of_epochs(model, form(X), y, form(Z), v, sample_weight=s)
    model.fit(form(X), y, X_val=form(Z), y_val=v, sample_weight_val=s)
    assert_allclose(model.validation_scores_, scores, rtol=1e-10, atol=1e-12)
    assert [entry["validation_score"] for entry in model.history_] == (
        model.validation_scores_
    )
    assert len(set(scores)) == 6


@quiet
@pytest.mark.parametrize("average", [False, True])
@pytest.mark.parametrize("tol", [None, 1e-3])
def test_the_best_epoch_is_returned(average, tol):
    """3: the last epoch's model was returned, not the best one's."""
    X, y = data(15, 12, noise=40.0)
    Z, v = data(40, 12, seed=1, noise=40.0)
    model = textbook(max_iter=80, average=average, tol=tol)
    model.fit(X, y, X_val=Z, y_val=v)
    scores = model.validation_scores_
    best = int(np.argmax(scores))
    assert 0 < best < len(scores) - 1
    assert model.best_iteration_ == best + 1
    assert model.score(Z, v) == pytest.approx(scores[best], abs=1e-12)
    again = textbook(max_iter=best + 1, average=average).fit(X, y)
    assert_array_equal(model.coef_, again.coef_)
    if tol is not None:
        assert len(scores) < 80
        assert "validation score has not improved" in model.stop_reason_


# ----------------------------------------------------------------------- sample weights


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_rows_of_weight_zero_do_nothing(penalty, form, method):
    """4 (#16298): rows of weight zero shrank the coefficients and advanced t."""
    X, y = data()
    keep = np.arange(60) % 3 > 0
    y_other = np.where(keep, y, 1e6)
    model = textbook(**penalty, batch_size=1, max_iter=3, learning_rate="invscaling")
    whole = getattr(clone(model), method)(form(X), y_other, keep.astype(float))
    part = getattr(clone(model), method)(form(X[keep]), y[keep])
    assert_array_equal(whole.coef_, part.coef_)
    assert whole.intercept_ == part.intercept_
    assert whole.t_ == part.t_ == 40 * part.n_iter_


@pytest.mark.parametrize("c", [1e-6, 3.0, 1e6])
@pytest.mark.parametrize("settings", [{}, {"learning_rate": 0.02, "tol": 1e-3}])
def test_only_the_relative_size_of_weights_matters(c, settings):
    """5: all weights times c made every step c times as long."""
    X, y = data()
    w = np.random.default_rng(1).uniform(0.5, 2, 60)
    model = SGDLinearRegressor(**settings, random_state=0)
    once, scaled = clone(model).fit(X, y, w), clone(model).fit(X, y, c * w)
    assert_allclose(scaled.coef_, once.coef_, rtol=1e-10)
    assert scaled.n_iter_ == once.n_iter_
    assert_allclose(scaled.loss_curve_, once.loss_curve_, rtol=1e-8, atol=1e-20)


@quiet
@pytest.mark.parametrize("sigma", [1.5, 4.0])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("batch_size", ["auto", 8])
def test_weights_of_very_different_size(sigma, form, batch_size):
    """6 (#31536, #21305, #34799): sag and saga overflowed with log-normal weights."""
    X, y = data(300)
    w = np.random.default_rng(2).lognormal(0, sigma, 300)
    model = SGDLinearRegressor(penalty="l2", alpha=0.01, batch_size=batch_size)
    model.set_params(random_state=0, max_iter=300).fit(form(X), y, w)
    exact = Ridge(alpha=0.01 * w.sum(), solver="cholesky").fit(X, y, w)
    tight = batch_size == "auto"
    assert_allclose(model.coef_, exact.coef_, rtol=1e-6 if tight else 0.02)
    assert_allclose(model.intercept_, exact.intercept_, rtol=1e-6 if tight else 0.02)


@quiet
def test_log_normal_weights_with_a_step_chosen_from_the_data():
    """6: the step of a textbook optimizer respects the largest weights too."""
    X, y = data(300)
    w = np.random.default_rng(2).lognormal(0, 1.5, 300)
    for batch_size in (1, 8, "full"):
        model = SGDLinearRegressor(optimizer="sgd", batch_size=batch_size, max_iter=200)
        model.set_params(random_state=0).fit(X, y, w)
        exact = LinearRegression().fit(X, y, w)
        lowest, ours = (
            np.average((m.predict(X) - y) ** 2, weights=w) for m in (exact, model)
        )
        assert lowest <= ours <= 1.5 * lowest


# ----------------------------------------------------------------- stopping, divergence


def test_divergence_is_not_silent():
    """7 (#17925): R² of -8e26 without a warning, because residuals were clipped."""
    X, y = data()
    model = SGDLinearRegressor(learning_rate="invscaling", max_iter=3, tol=None)
    with pytest.raises(ValueError, match=r"Diverged at epoch 1, step \d+: .* scale the"):
        model.fit(1e3 * X, y)
    assert not hasattr(model, "coef_")


@quiet
@pytest.mark.parametrize("c", [1e-6, -1.0, 1e6])
@pytest.mark.parametrize("settings", [{}, {"learning_rate": 0.01, "tol": 1e-3}])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_units_of_y_do_not_change_when_it_stops(c, settings, early_stopping):
    """8: tol was absolute, in the units of y squared."""
    X, y = data()
    model = SGDLinearRegressor(**settings, random_state=0, early_stopping=early_stopping)
    one, other = clone(model).fit(X, y), clone(model).fit(X, c * y)
    assert one.n_iter_ == other.n_iter_
    assert one.converged_
    assert_allclose(other.coef_, c * one.coef_, rtol=1e-8)


def test_it_stops_on_the_penalised_objective():
    """9 (#30027): the plain loss decided, which a penalty makes grow."""
    X, y = data()
    model = SGDLinearRegressor(learning_rate=0.005, batch_size="full", tol=1e-6)
    model.set_params(penalty="l2", alpha=5.0, max_iter=5000)
    exact = Ridge(alpha=5.0 * 60).fit(X, y)
    start = LinearRegression().fit(X, y)  # from here the loss only grows
    model.fit(X, y, coef_init=start.coef_, intercept_init=start.intercept_)
    loss = [
        h["objective"] - 2.5 * w @ w
        for h, w in (
            (model.history_[0], start.coef_),
            (model.history_[-1], model.coef_),
        )
    ]
    assert loss[1] > 2 * loss[0]
    assert model.n_iter_ > 50
    assert np.all(np.diff(model.loss_curve_) < 0)
    assert_allclose(model.coef_, exact.coef_, rtol=3e-2)


# --------------------------------------------------------------------- validation split


def split_of(model, X, y, weights=None, seed=0):
    """(rows learnt from, rows held out)."""
    draw = np.random.default_rng(np.random.SeedSequence(seed).spawn(1)[0])
    data = Data.build(X, y.reshape(len(y), -1), weights, **SQUARES)
    parts = hold_out(data, model.validation_fraction, weights, draw)
    return tuple(set(part.rows.index.tolist()) for part in parts)


@pytest.mark.parametrize(
    ("n", "fraction", "count"), [(60, 0.1, 6), (61, 0.25, 16), (3, 0.5, 2)]
)
def test_the_split_holds_out_the_right_rows(n, fraction, count):
    """10 (#23255): a mask used as indices held out rows 0 and 1 for years."""
    X, y = data(n)
    model = SGDLinearRegressor(validation_fraction=fraction)
    train, held = split_of(model, X, y)
    assert train | held == set(range(n))
    assert not train & held
    assert len(held) == count
    assert len({frozenset(split_of(model, X, y, seed=s)[1]) for s in range(20)}) > 2
    union = set().union(*(split_of(model, X, y, seed=s)[1] for s in range(200)))
    assert union == set(range(n))


@quiet
def test_held_out_rows_are_not_learnt_from():
    """10, from outside: only rows learnt from move the model, only others the score."""
    X, y = data(20)
    model = textbook(early_stopping=True, validation_fraction=0.25, max_iter=1)
    base = model.fit(X, y)
    coef, score = base.coef_, base.validation_scores_
    held = set()
    for row in range(20):
        changed = y.copy()
        changed[row] += 1.0
        model.fit(X, changed)
        if np.array_equal(model.coef_, coef):
            assert model.validation_scores_ != score
            held.add(row)
    assert len(held) == 5
    assert held == split_of(model, X, y)[1]


@quiet
def test_means_are_over_the_rows_learnt_from():
    """11 (#23753): sums over training rows were divided by the number of all rows."""
    X, y = data(40)
    model = textbook(early_stopping=True, validation_fraction=0.5, max_iter=1)
    model.set_params(batch_size="full", penalty="l2", alpha=0.1, learning_rate=0.1)
    train, held = (sorted(rows) for rows in split_of(model, X, y))
    split = clone(model).fit(X, y)
    plain = clone(model).set_params(early_stopping=False, validation_fraction=0.1)
    plain.fit(X[train], y[train], X_val=X[held], y_val=y[held])
    assert_allclose(split.loss_curve_, plain.loss_curve_, rtol=1e-12)
    assert_allclose(split.coef_, plain.coef_, rtol=1e-12)
    assert_allclose(split.validation_scores_, plain.validation_scores_, rtol=1e-12)
    assert split.t_ == plain.t_ == 1


@pytest.mark.parametrize("seed", range(5))
def test_the_split_takes_rows_of_positive_weight(seed):
    """12 (#17229): a validation set of weight zero only, and a division by zero."""
    X, y = data(40)
    w = np.zeros(40)
    w[[3, 8, 21, 30]] = [1, 2, 3, 4]
    model = SGDLinearRegressor(validation_fraction=0.5)
    train, held = split_of(model, X, y, w, seed)
    assert train | held == {3, 8, 21, 30}
    assert len(held) == 2
    model.set_params(early_stopping=True, random_state=seed, tol=None, max_iter=2)
    model.fit(X, y, w)
    rows = sorted(held)
    assert model.validation_scores_[model.best_iteration_ - 1] == pytest.approx(
        r2_score(y[rows], model.predict(X[rows]), sample_weight=w[rows]), abs=1e-9
    )
    w[[3, 8, 21]] = 0
    with pytest.raises(ValueError, match=r"positive weight.*n_samples=1"):
        model.fit(X, y, w)


# ------------------------------------------------------------------------------- sparse


def wide_indices(X):
    X = sparse.csr_array(X)
    X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    return X


def mixed_indices(X):
    X = sparse.csr_array(X)
    X.indptr = X.indptr.astype(np.int64)
    return X


@quiet
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"learning_rate": 0.02, "max_iter": 7},
        {"learning_rate": 0.02, "max_iter": 7, "penalty": "l2", "alpha": 0.1},
        {"optimizer": "momentum", "batch_size": 5, "max_iter": 7, "average": True},
        {"learning_rate": 0.02, "early_stopping": True},
    ],
)
@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csr_matrix, wide_indices])
def test_sparse_and_dense_give_the_same_model(settings, form):
    """13 (#25198, #11178): the intercept of sparse data learnt 100 times slower."""
    X, y = data()
    X[np.abs(X) < 0.6] = 0
    model = SGDLinearRegressor(**settings, random_state=0)
    dense, other = clone(model).fit(X, y), clone(model).fit(form(X), y)
    assert_allclose(other.coef_, dense.coef_, rtol=1e-8)
    assert_allclose(other.intercept_, dense.intercept_, rtol=1e-8)
    assert other.n_iter_ == dense.n_iter_


@pytest.mark.parametrize("form", [wide_indices, mixed_indices])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    "settings", [{}, {"learning_rate": 0.02, "max_iter": 2, "tol": None}]
)
def test_int64_indices_are_accepted(form, method, settings):
    """14 (#11355, #21067): CSR of int64 indices was refused, or crashed."""
    X, y = data()
    model = SGDLinearRegressor(**settings, random_state=0)
    narrow = getattr(clone(model), method)(sparse.csr_array(X), y)
    Z = form(X)
    wide = getattr(clone(model), method)(Z, y)
    assert_array_equal(wide.coef_, narrow.coef_)
    assert_array_equal(wide.predict(Z), narrow.predict(sparse.csr_array(X)))
    assert Z.indptr.dtype == np.int64


# --------------------------------------------------------------------------- randomness


@quiet
@pytest.mark.parametrize("random_state", [None, 3, "RandomState"])
@pytest.mark.parametrize("settings", [{}, {"early_stopping": True}, {"batch_size": 4}])
def test_the_global_generator_is_not_used(random_state, settings):
    """15 (#19603): shuffles drew their seed from the global generator."""
    X, y = data()
    if random_state == "RandomState":
        random_state = np.random.RandomState(0)
    model = textbook(max_iter=3, random_state=random_state, **settings)
    before = np.random.get_state()  # noqa: NPY002
    model.fit(X, y)
    model.set_params(early_stopping=False).partial_fit(X, y)
    after = np.random.get_state()  # noqa: NPY002
    assert_array_equal(after[1], before[1])
    assert after[2:] == before[2:]


@quiet
def test_fits_in_threads_are_those_one_after_another():
    """16 (#13367): threads shared one RandomState, and corrupted it."""
    X, y = data(200)
    models = [textbook(random_state=seed, max_iter=20) for seed in range(8)]
    alone = [clone(m).fit(X, y).coef_ for m in models]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda m: m.fit(X, y).coef_, models))
    assert_array_equal(together, alone)
    shared = np.random.RandomState(0)
    with ThreadPoolExecutor(8) as pool:
        many = [textbook(random_state=shared, max_iter=20) for _ in range(8)]
        coefs = list(pool.map(lambda m: m.fit(X, y).coef_, many))
    shared = np.random.RandomState(0)
    expected = [
        textbook(random_state=shared, max_iter=20).fit(X, y).coef_ for _ in range(8)
    ]
    assert_allclose(np.sort(coefs, axis=0), np.sort(expected, axis=0), rtol=1e-12)


@pytest.mark.parametrize("make", [lambda: 7, lambda: np.random.RandomState(7)])
def test_each_partial_fit_has_its_own_order(make):
    """17: an int random_state gave every call the same permutation."""
    X, y = np.ones((6, 1)), np.arange(6.0)

    def last_rows():
        """With steps of size 1 on ones, the weight is the target of the last row."""
        model = textbook(learning_rate=1.0, batch_size=1, fit_intercept=False)
        model.set_params(random_state=make())
        return [round(float(model.partial_fit(X, y).coef_[0])) for _ in range(60)]

    rows = last_rows()
    assert set(rows) == set(range(6))
    assert last_rows() == rows


@quiet
def test_warm_start_continues_the_step_counter():
    """18 (#4306, #10011): warm_start began the schedule anew."""
    X, y = data()
    model = textbook(learning_rate="invscaling", warm_start=True, max_iter=2)
    rates = []
    for calls in range(1, 4):
        model.fit(X, y)
        assert model.t_ == 30 * calls
        assert model.n_iter_ == 2 * calls
        rates = [entry["learning_rate"] for entry in model.history_]
    assert_allclose(rates, 0.01 / (15.0 * np.arange(1, 7)) ** 0.25)


@quiet
def test_adaptive_steps_shrink_in_partial_fit():
    """18 (#20441): 'adaptive' never shortened its steps in partial_fit."""
    X, y = data()
    model = textbook(learning_rate="adaptive", tol=1e-3)
    for _ in range(60):
        model.partial_fit(X, y)
    rates = [entry["learning_rate"] for entry in model.history_]
    assert rates[0] == 0.01
    assert rates[-1] < 0.01
    whole = textbook(learning_rate=Adaptive(0.01), tol=1e-3, max_iter=60).fit(X, y)
    theirs = [entry["learning_rate"] for entry in whole.history_]
    assert rates[: len(theirs)] == theirs


# -------------------------------------------------------------------- losses, penalties


# Each loss, its slopes far below and far above the target, and its dead zone.
LOSSES = [
    (losses.SquaredError(), None, 0.0),
    (losses.Huber(0.7), (0.7, 0.7), 0.0),
    (losses.AbsoluteError(), (1.0, 1.0), 0.0),
    (losses.Quantile(0.8), (0.8, 0.2), 0.0),
    (losses.EpsilonInsensitive(0.7), (1.0, 1.0), 0.7),
    (losses.EpsilonInsensitive(0.0), (1.0, 1.0), 0.0),
    (losses.SquaredEpsilonInsensitive(0.7), None, 0.7),
]
each_loss = pytest.mark.parametrize(("loss", "slopes", "dead"), LOSSES, ids=str)


@each_loss
def test_gradients_are_those_of_the_losses(loss, slopes, dead):
    """19 (#6728): a wrong sign in a gradient lived for years. Finite differences."""
    h = 1e-6
    kinks = np.array([0.0, 0.7, -0.7, 0.03, 0.07, -0.07, 0.8, -0.8])
    sides = np.concatenate([kinks - 1e-3, kinks + 1e-3, np.linspace(-3, 3, 41) + 0.013])
    for target in (0.0, -5.0):
        y, p = np.full(len(sides), target), target + sides
        slope = (loss.value(y, p + h) - loss.value(y, p - h)) / (2 * h)
        assert_allclose(loss.gradient(y, p), slope, atol=1e-8)
        if loss.smoothness is not None:
            bend = (loss.gradient(y, p + h) - loss.gradient(y, p - h)) / (2 * h)
            assert_allclose(loss.curvature(y, p), bend, atol=1e-4)
            assert loss.curvature(y, p).max() == pytest.approx(loss.smoothness)
    if slopes is not None:
        far = loss.gradient(np.zeros(2), np.array([-1e9, 1e9]))
        assert far.tolist() == [-slopes[0], pytest.approx(slopes[1])]


@each_loss
def test_perfect_predictions_cost_nothing(loss, slopes, dead):
    """Nor do those within the dead zone; the rest does. At a kink: a subgradient."""
    y = np.array([-1e6, -1.0, 0.0, 3.0])
    assert (loss.value(y, y) == 0).all()
    assert (loss.gradient(y, y) == 0).all()
    r = np.array([-2.0, -0.69, 0.69, 2.0])
    cost = loss.value(np.zeros(4), r)
    assert ((cost > 0) == (np.abs(r) > dead)).all()
    edges = np.array([-dead, dead])
    slope = loss.gradient(np.zeros(2), edges)
    limits = loss.gradient(np.zeros(2), 1.000001 * edges + [-1e-9, 1e-9])
    assert (np.abs(slope) <= np.abs(limits)).all()


@each_loss
def test_smoothness_bounds_the_gradient(loss, slopes, dead):
    """|g(p) - g(q)| <= smoothness |p - q|, and no smaller number will do."""
    p, q = np.random.default_rng(0).uniform(-3, 3, (2, 20_000))
    y = np.zeros(20_000)
    ratio = np.abs((loss.gradient(y, p) - loss.gradient(y, q)) / (p - q)).max()
    if loss.smoothness is None:
        assert ratio > 20
    else:
        assert 0.9 * loss.smoothness < ratio <= loss.smoothness * (1 + 1e-9)


@pytest.mark.parametrize("settings", [{}, {"optimizer": "svrg", "tol": 1e-14}])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.3, 1.0])
def test_ends_of_the_elastic_net(settings, l1_ratio):
    """20 (#2631): l1_ratio was inverted: 0 must equal l2, 1 must equal l1."""
    X, y = data()
    common = {"alpha": 0.5, "random_state": 0, **settings}
    net = SGDLinearRegressor(penalty="elasticnet", l1_ratio=l1_ratio, **common).fit(X, y)
    theirs = ElasticNet(alpha=0.5, l1_ratio=l1_ratio, tol=1e-12, max_iter=100_000)
    if l1_ratio:
        assert_allclose(net.coef_, theirs.fit(X, y).coef_, rtol=0, atol=2e-4)
    same = {0.0: "l2", 1.0: "l1"}.get(l1_ratio)
    if same:
        end = SGDLinearRegressor(penalty=same, **common).fit(X, y)
        assert_allclose(net.coef_, end.coef_, rtol=0, atol=2e-4)


@quiet
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize(("l1_ratio", "same"), [(0.0, "l2"), (1.0, "l1")])
def test_ends_of_the_elastic_net_step_for_step(form, l1_ratio, same):
    X, y = data()
    net = textbook(penalty="elasticnet", l1_ratio=l1_ratio, alpha=0.5, max_iter=3)
    end = textbook(penalty=same, alpha=0.5, max_iter=3)
    assert_array_equal(net.fit(form(X), y).coef_, end.fit(form(X), y).coef_)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("average", [True, 25, "tail"])
def test_averaging_goes_on_in_partial_fit(form, average):
    """21 (#5246): partial_fit went on from the averaged weights."""
    X, y = data()
    Z = form(np.column_stack([X, np.zeros((60, 40))]))
    whole = textbook(average=average, max_iter=5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        whole.fit(Z, y)
    parts = textbook(average=average)
    for _ in range(5):
        parts = pickle.loads(pickle.dumps(parts)).partial_fit(Z, y)
    assert_array_equal(parts.coef_, whole.coef_)
    assert parts.intercept_ == whole.intercept_
    last = textbook(average=False, max_iter=5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        last.fit(Z, y)
    assert not np.allclose(last.coef_[:4], whole.coef_[:4], rtol=1e-6)


@quiet
def test_the_first_averaged_step():
    """22 (#28389): average=0 was off and 1 from the start, which nothing told apart."""
    X, y = data(8)
    coefs = []
    for stop in range(1, 9):  # the weights after each step
        rate = {"learning_rate": lambda t, stop=stop: np.where(t > stop, 0.0, 0.02)}
        model = textbook(batch_size=1, shuffle=False, max_iter=1, average=False, **rate)
        coefs.append(model.fit(X, y).coef_)
    for average, expected in (
        (False, coefs[-1]),
        (0, coefs[-1]),
        (True, np.mean(coefs, axis=0)),
        (1, np.mean(coefs, axis=0)),
        (6, np.mean(coefs[5:], axis=0)),
        (8, coefs[-1]),
        (9, coefs[-1]),
    ):
        model = textbook(batch_size=1, shuffle=False, max_iter=1, average=average)
        assert_allclose(model.fit(X, y).coef_, expected, rtol=1e-12)


def test_parameters_that_divide_by_zero_are_refused():
    """23 (#5329, #31933): 'optimal' divided by alpha=0, eta0=0 learnt nothing."""
    X, y = data()
    with pytest.raises(ValueError, match="'optimal' divides by alpha, which is 0"):
        SGDLinearRegressor(learning_rate="optimal", alpha=0).fit(X, y)
    with pytest.raises(ValueError, match="'eta0' parameter"):
        SGDLinearRegressor(learning_rate="constant", eta0=0).fit(X, y)


@quiet
@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("share", [0.5, 1.0, 1.5])
def test_steps_that_shrink_by_more_than_all(lazy, share):
    """24 (#3040): eta·alpha > 1 made the scale of the weights negative, or zero."""
    X, y = data(6, 2)
    X *= 0.1
    alpha, eta = 2.0, share / 2.0
    expected, b = np.zeros(2), 0.0
    for x, target in zip(X, y, strict=True):
        r = x @ expected + b - target
        expected, b = expected - eta * (r * x + alpha * expected), b - eta * r
    Z = sparse.csr_array(np.column_stack([X, np.zeros((6, 30))])) if lazy else X
    model = textbook(penalty="l2", alpha=alpha, learning_rate=eta, batch_size=1)
    model.set_params(shuffle=False, max_iter=1).fit(Z, y)
    assert_allclose(model.coef_[:2], expected, rtol=1e-10)
    assert_allclose(model.intercept_, b, rtol=1e-10)
    with pytest.raises(ValueError, match=r"Diverged .*\(largest stable value"):
        model.set_params(learning_rate=2.0, max_iter=100).fit(Z, y)


# ------------------------------------------------------------------ use and conventions


@quiet
@pytest.mark.parametrize("form", ["dense", "csr"])
def test_read_only_memory_maps_in_workers(tmp_path, form):
    """25 (#12122, #12498): early stopping crashed on joblib's read-only memory maps."""
    X, y = data(200)
    if form == "csr":
        X = sparse.csr_array(X)
    joblib.dump((X, y), tmp_path / "data")
    Z, v = joblib.load(tmp_path / "data", mmap_mode="r")
    inside = Z.data if form == "csr" else Z
    assert not inside.flags.writeable
    model = textbook(early_stopping=True, tol=1e-3)
    one, other = clone(model).fit(X, y), clone(model).fit(Z, v)
    assert_array_equal(other.coef_, one.coef_)
    search = GridSearchCV(model, {"batch_size": [2, 4]}, cv=2, n_jobs=2)
    with joblib.parallel_config("threading"):
        search.fit(Z, v, sample_weight=np.ones(200))
    assert set(search.cv_results_["rank_test_score"]) <= {1, 2}
    if form == "csr":
        return
    with joblib.parallel_config(max_nbytes=0):  # processes, with memory maps of its own
        (coef,) = joblib.Parallel(2)(joblib.delayed(_fitted)(m, X, y) for m in [model])
    assert_array_equal(coef, one.coef_)


def _fitted(model, X, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, y).coef_


@quiet
@pytest.mark.parametrize("settings", [{}, {"early_stopping": True}, {"optimizer": "auto"}])
def test_verbose_prints_one_line_an_epoch(settings, capsys):
    """26 (#25249): the verbose path crashed, since no test had taken it."""
    X, y = data()
    model = textbook(max_iter=3, **settings)
    if settings.get("optimizer") == "auto":
        model.set_params(learning_rate="auto")
    quiet_fit = clone(model).fit(X, y)
    assert capsys.readouterr().out == ""
    model.set_params(verbose=1).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    for epoch, (line, entry) in enumerate(zip(lines, model.history_, strict=True), 1):
        assert line.startswith(f"Epoch {epoch}, objective {entry['objective']:.6g}, ")
        assert ("validation R²" in line) == model.early_stopping
        assert f"learning rate {entry['learning_rate']:.3g}" in line
    assert_array_equal(model.coef_, quiet_fit.coef_)
    model.set_params(early_stopping=False).partial_fit(X, y)  # may print, must not crash


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_alpha_is_per_row(weighted, fit_intercept):
    """27 (#21891, #6919): alpha here is alpha·S of Ridge; nothing said or tested it."""
    X, y = data()
    w = np.linspace(0.5, 3, 60) if weighted else np.ones(60)
    model = SGDLinearRegressor(penalty="l2", alpha=0.7, fit_intercept=fit_intercept)
    model.fit(X, y, w if weighted else None)
    ridge = Ridge(alpha=0.7 * w.sum(), fit_intercept=fit_intercept).fit(X, y, w)
    assert_allclose(model.coef_, ridge.coef_, rtol=1e-8)
    assert_allclose(model.intercept_, ridge.intercept_, rtol=1e-8)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("positive", [False, True])
def test_alpha_of_l1_is_that_of_lasso(weighted, fit_intercept, positive):
    """27: and for l1, of Lasso, whose objective is the mean already."""
    X, y = data()
    w = np.linspace(0.5, 3, 60) if weighted else None
    common = {"alpha": 1.5, "fit_intercept": fit_intercept, "positive": positive}
    model = SGDLinearRegressor(penalty="l1", tol=1e-12, **common).fit(X, y, w)
    lasso = Lasso(tol=1e-12, max_iter=100_000, **common).fit(X, y, w)
    assert_allclose(model.coef_, lasso.coef_, rtol=0, atol=1e-5)
    assert_allclose(model.intercept_, lasso.intercept_, rtol=0, atol=1e-5)
    assert_array_equal(model.coef_ == 0, lasso.coef_ == 0)
    assert 0 < np.sum(lasso.coef_ == 0) < 4


@quiet
@pytest.mark.parametrize("constant", [1.0, -3.0, 0.1, 1e6])
def test_a_constant_column_beside_the_intercept(constant):
    """28 (#22884): weights are not unique, predictions are; the defaults keep it 0."""
    X, y = data()
    Z = np.column_stack([X, np.full(60, constant)])
    plain, both = SGDLinearRegressor().fit(X, y), SGDLinearRegressor().fit(Z, y)
    assert both.converged_
    assert_allclose(both.predict(Z), plain.predict(X), rtol=1e-8, atol=1e-8)
    assert_allclose(both.coef_[:-1], plain.coef_, rtol=1e-8)
    assert abs(both.coef_[-1] * constant) < 1e-6 * abs(plain.intercept_)
    if abs(constant) < 10:  # textbook steps share it: in proportion to the gradients
        steps = SGDLinearRegressor(optimizer="sgd", batch_size="full", tol=1e-14)
        steps.set_params(max_iter=20_000).fit(Z, y)
        assert_allclose(steps.predict(Z), plain.predict(X), rtol=1e-4, atol=1e-4)
        assert_allclose(steps.coef_[-1], constant * steps.intercept_, rtol=1e-6)


# ----------------------------------------------------------------------- other packages


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_defaults_on_a_few_rows(n):
    """cuML #1105, #2033: defaults raised errors, and few rows gave wrong answers."""
    X, y = data(n, 2)
    model = SGDLinearRegressor().fit(X, y)
    assert_allclose(model.predict(X), LinearRegression().fit(X, y).predict(X), atol=1e-8)


def test_the_intercept_takes_the_same_steps():
    """River #332: the intercept had a learning rate of its own."""
    X, y = data()
    ones = np.column_stack([X, np.ones(60)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        ours = textbook(max_iter=3).fit(X, y)
        column = textbook(max_iter=3, fit_intercept=False).fit(ones, y)
    assert_allclose(np.r_[ours.coef_, ours.intercept_], column.coef_, rtol=1e-12)


def test_targets_are_not_changed():
    """Vowpal Wabbit #3125: a regressor turned its targets into -1 and 1."""
    X, y = data()
    w = np.ones(60)
    kept = copy.deepcopy((X, y, w))
    SGDLinearRegressor(early_stopping=True, random_state=0).fit(X, y, w)
    SGDLinearRegressor().partial_fit(X, y, w)
    for array, before in zip((X, y, w), kept, strict=True):
        assert_array_equal(array, before)

"""Streams of other losses than the squared one, whose law changes with time.

The references are `convex.Objective`'s bounds: they know nothing of streams.
"""

import pickle

import numpy as np
import pytest
from convex import Objective
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sgdreg import SGDLinearRegressor
from sgdreg._curvature.of_rows import curvature_of
from sgdreg._data.dataset import Data
from sgdreg._data.threads import ALONE
from sgdreg._solvers import reservoir
from sgdreg._solvers.parabolas import Slopes
from sgdreg._solvers.reservoir import Sample
from sgdreg.losses import SQUARED_ERROR

SQUARES = {"loss": SQUARED_ERROR, "team": ALONE}

LOSSES = {
    "0.1": {"loss": "quantile", "quantile": 0.1},
    "0.9": {"loss": "quantile", "quantile": 0.9},
    "absolute": {"loss": "absolute_error"},
    "huber": {"loss": "huber", "epsilon": 1.0},
    "epsilon": {"loss": "epsilon_insensitive", "epsilon": 0.5},
    "sqeps": {"loss": "squared_epsilon_insensitive", "epsilon": 0.5},
}


def in_time_order(kind, n, seed=0):
    """Rows whose targets follow another law later."""
    rng = np.random.default_rng(seed)
    t, noise = 10.0 * np.arange(n) / n, rng.standard_t(3, n)
    X = rng.standard_normal((n, 4))
    late = np.arange(n) >= n // 2
    if kind == "shift":
        return X, X.sum(axis=1) + 20.0 * late + noise
    if kind == "slopes":
        return X, X.sum(axis=1) * np.where(late, -3.0, 1.0) + noise
    X = np.c_[t, np.sin(2 * np.pi * t), np.cos(2 * np.pi * t), X[:, 0]]
    return X, X @ [5.0, 3.0, 2.0, 1.0] + 0.3 * (t - 5.0) ** 2 + noise


def above_the_least(X, y, size, weights=None, form=np.asarray, **settings):
    """How far, of the optimum, a stream in pieces of some size ends above it."""
    model, A = SGDLinearRegressor(**settings), form(X)
    for start in range(0, len(y), size):
        B = slice(start, start + size)
        model.partial_fit(A[B], y[B], None if weights is None else weights[B])
    objective = Objective(X, y, sample_weight=weights, **settings)
    lower, _ = objective.bounds
    return objective(model.coef_, float(model.intercept_)) / lower - 1.0


@pytest.mark.parametrize("name", ["0.9", "absolute", "huber"])
def test_a_stream_with_a_season_and_a_bend(name):
    """Quantile 0.9 covered 46 % of these rows."""
    X, y = in_time_order("season", 6000)
    assert above_the_least(X, y, 200, **LOSSES[name]) <= 0.01


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("kind", ["shift", "slopes", "season"])
@pytest.mark.parametrize("size", [100])
def test_old_rows_do_not_keep_the_weights_of_an_old_model(monkeypatch, name, kind, size):
    """With less than half of the rows in the sample."""
    monkeypatch.setattr(reservoir, "LEAST_ROWS", 800)
    X, y = in_time_order(kind, 1200)
    assert above_the_least(X, y, size, **LOSSES[name]) <= 0.03


@pytest.mark.parametrize(
    "settings",
    [
        {"form": sparse.csr_array},
        {"form": np.float32},
        {"weights": np.random.default_rng(1).uniform(0.1, 3.0, 2000)},
        {"penalty": "l1", "alpha": 0.05},
        {"penalty": "l2", "alpha": 0.1},
        {"positive": True},
    ],
    ids=["csr", "float32", "weights", "l1", "l2", "positive"],
)
@pytest.mark.parametrize("name", ["0.9", "epsilon"])
def test_every_kind_of_stream_follows(monkeypatch, name, settings):
    monkeypatch.setattr(reservoir, "LEAST_ROWS", 800)
    X, y = in_time_order("shift", 2000)
    assert above_the_least(X, y, 200, **LOSSES[name], **settings) <= 0.03


@pytest.mark.parametrize("name", ["0.9", "huber"])
def test_a_stream_goes_on_from_a_pickle_in_bounded_memory(monkeypatch, name):
    monkeypatch.setattr(reservoir, "LEAST_ROWS", 100)
    for name_of_share in ("ROWS_A_FEATURE", "FEWEST_ROWS_A_FEATURE"):
        monkeypatch.setattr(reservoir, name_of_share, 20)
    X, y = in_time_order("shift", 2000)
    whole, parts = (SGDLinearRegressor(**LOSSES[name]) for _ in range(2))
    sizes = []
    for start in range(0, 2000, 100):
        B = slice(start, start + 100)
        kept = pickle.dumps(parts)
        sizes.append(len(kept))
        parts = pickle.loads(kept).partial_fit(X[B], y[B])
        whole.partial_fit(X[B], y[B])
    assert_array_equal(parts.coef_, whole.coef_)
    assert len(whole._continuation[1].statistics.sample.y) == 100
    assert sizes[-1] <= sizes[2] + 20 * 200  # the record of each call, 1,000 at most


def test_too_many_features_for_a_sample():
    """Their rows keep the weights that they were met with, as is documented."""
    rows, d = reservoir.rows_kept(409), 410
    assert 50 * 409 <= rows <= 2**26 // (8 * 409)
    assert reservoir.rows_kept(d) == 0
    rng = np.random.default_rng(2)
    X = rng.standard_normal((40, d))
    model = SGDLinearRegressor(loss="huber")
    for B in (slice(0, 20), slice(20, 40)):
        model.partial_fit(X[B], X[B, 0])
    assert model._continuation[1].statistics.sample is None
    assert np.isfinite(model.coef_).all()


def test_a_sample_of_fewer_rows_a_feature():
    """Without one these ended 14 % above the least."""
    X, y = in_time_order("season", 900)
    X = np.c_[X, np.random.default_rng(4).standard_normal((900, 291))]
    assert above_the_least(X, y, 300, **LOSSES["huber"]) <= 0.03


@pytest.mark.parametrize("weighted", [False, True])
def test_a_sample_stands_for_all_rows(monkeypatch, weighted):
    """Its weights add up to theirs, exactly; its means are theirs within 5 of their own
    standard errors; before it is full it is all rows."""
    monkeypatch.setattr(reservoir, "LEAST_ROWS", 400)
    monkeypatch.setattr(reservoir, "ROWS_A_FEATURE", 1)
    rng = np.random.default_rng(3)
    X = rng.standard_normal((10_000, 2)) + np.arange(10_000)[:, None] / 5000
    s = rng.uniform(0.0, 3.0, 10_000) if weighted else np.ones(10_000)
    sample = Sample.empty(2, None)
    for start in range(0, 10_000, 100):
        B = slice(start, start + 100)
        sample = sample.add(
            Data.build(X[B], X[B, :1].copy(), s[B], weight_unit=1.0, **SQUARES)
        )
        if start < 400:
            assert_array_equal(sample.X, X[: start + 100])
            assert_array_equal(sample.weights, s[: start + 100])
    data = sample.data(SQUARED_ERROR)
    assert data.n_rows == 400
    assert_allclose(data.weights.sum(), s.sum(), rtol=1e-12)
    assert_array_equal(sample.y, sample.X[:, 0])
    mean, true = np.average(sample.X, axis=0, weights=data.weights), s @ X / s.sum()
    assert_allclose(mean, true, rtol=0, atol=5 * X.std(axis=0).max() / np.sqrt(400))


@pytest.mark.parametrize("centred", [False, True])
def test_a_linear_term_beside_squares(centred):
    """Its optimum is that of the normal equations, here in NumPy."""
    rng = np.random.default_rng(5)
    X, s = rng.standard_normal((50, 3)) + np.arange(3.0), rng.uniform(0.5, 2.0, 50)
    y, slope = X.sum(axis=1) + rng.standard_normal(50), rng.standard_normal(4)
    data = Data.build(X, y[:, None], s, weight_unit=1.0, **SQUARES)
    metric, weights = curvature_of(data, centred).tilted(slope).solve(0.0)
    A, slope = (np.c_[X, np.ones(50)], slope) if centred else (X, slope[:3])
    expected = np.linalg.solve(A.T @ (s[:, None] * A), A.T @ (s * y) - slope)
    found = weights[0].copy()
    if centred:
        found[-1] -= metric.centre @ found[:-1]
    assert_allclose(found[: len(expected)], expected, rtol=1e-10)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_slopes_of_a_samples_rows_are_those_of_all_rows(monkeypatch, weighted):
    """With the linear term: exactly, where slopes are those of then. Rows of large slopes
    are kept more often, and the weights of all still add up."""
    monkeypatch.setattr(reservoir, "LEAST_ROWS", 400)
    monkeypatch.setattr(reservoir, "ROWS_A_FEATURE", 1)
    rng, n = np.random.default_rng(6), 4000
    X, slopes = rng.standard_normal((n, 2)), np.where(rng.random(n) < 0.01, 1.0, -0.01)
    s = rng.uniform(0.5, 2.0, n) if weighted else np.ones(n)
    sample = Sample.empty(2, None)
    for start in range(0, n, 100):
        B, old = slice(start, start + 100), None
        rows = Data.build(X[B], X[B, :1].copy(), s[B], weight_unit=1.0, **SQUARES)
        new = Slopes(slopes[B], np.abs(slopes[B])) if sample.overflows(rows) else None
        if sample.fills(rows):
            old = Slopes(slopes[:start], np.abs(slopes[:start]))
        sample = sample.add(rows, new, old)
    data, total = sample.data(SQUARED_ERROR), np.c_[X, np.ones(n)].T @ (s * slopes)
    assert_allclose(data.weights.sum(), s.sum(), rtol=1e-12)
    assert (sample.slopes == 1.0).sum() == (slopes == 1.0).sum()
    seen = data.sums(data.weights * sample.slopes)
    assert np.abs(seen - total).max() > 0.01
    assert_allclose(seen + sample.tilt(sample.slopes), total, rtol=1e-9, atol=1e-9)
    assert not sample.tilt(-sample.slopes).any()  # they tell nothing of opposite ones


@pytest.mark.parametrize("quantile", [0.5, 0.9, 0.998])
def test_a_long_stream_of_a_quantile(monkeypatch, quantile):
    """One row in ten is kept: 0.3, 0.6 and 15 % above the optimum when all counted alike
    and the dropped ones were forgotten."""
    monkeypatch.setattr(reservoir, "LEAST_ROWS", 1000)
    X, y = in_time_order("slopes", 20_000)
    X, y = X[:10_000], y[:10_000]
    loss = {"loss": "quantile", "quantile": quantile}
    far = 0.01 if quantile > 0.99 else 5e-4
    assert above_the_least(X, y, 500, **loss) <= far


@pytest.mark.parametrize("kind", ["huber", "sqeps"])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array, np.float32])
def test_a_long_stream_of_a_smooth_loss(monkeypatch, kind, form):
    """0.2 and 0.4 % when the rows that were dropped were forgotten."""
    monkeypatch.setattr(reservoir, "LEAST_ROWS", 1000)
    X, y = in_time_order("slopes", 20_000)
    X, y = 100.0 * np.arange(4) + X[:10_000], y[:10_000]
    assert above_the_least(X, y, 500, form=form, **LOSSES[kind]) <= 1e-4


@pytest.mark.parametrize(
    "settings",
    [{}, {"penalty": "l1", "alpha": 0.05}, {"positive": True}, {"fit_intercept": False}],
    ids=str,
)
@pytest.mark.parametrize("name", ["0.9", "huber"])
def test_each_of_several_outputs_is_a_stream_of_its_own(name, settings):
    """To the last digits, also from a pickle. (They took plain steps: with turning slopes
    78 % above the optimum.)"""
    X, y = in_time_order("slopes", 800)
    Y = np.c_[y, 1e3 - 50.0 * X[:, 0] + X[:, 1] * y]
    joint, *alone = (SGDLinearRegressor(**LOSSES[name], **settings) for _ in range(3))
    for start in range(0, len(y), 100):
        B = slice(start, start + 100)
        joint = pickle.loads(pickle.dumps(joint)).partial_fit(X[B], Y[B])
        for j, model in enumerate(alone):
            model.partial_fit(X[B], Y[B, j])
    expected = np.column_stack([model.predict(X) for model in alone])
    assert_allclose(joint.predict(X), expected, rtol=0, atol=1e-9 * Y.std())


@pytest.mark.parametrize("name", ["0.9", "huber"])
def test_several_outputs_go_on_after_a_fit(name):
    X, y = in_time_order("slopes", 2000)
    X, Y = X[:1000], np.c_[y, 5.0 - y][:1000]
    model = SGDLinearRegressor(**LOSSES[name]).fit(X[:500], Y[:500])
    for start in range(500, 1000, 100):
        model.partial_fit(X[start : start + 100], Y[start : start + 100])
    for targets, coef, b in zip(Y.T, model.coef_, model.intercept_, strict=True):
        objective = Objective(X, targets, **LOSSES[name])
        assert objective(coef, float(b)) <= 1.01 * objective.bounds[0]


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("loss", ["epsilon_insensitive", "squared_epsilon_insensitive"])
def test_rows_of_tiny_weights_beside_a_huge_one_in_a_dead_zone(loss, seed):
    """The huge one held the model where it was: above the best constant."""
    rng = np.random.default_rng(seed)
    n, d, pieces = (3, 1, 2) if seed % 2 else (20, 3, 1)
    X, y = rng.standard_normal((n, d)), rng.lognormal(0.0, 2.0, n)
    weights = 10.0 ** rng.uniform(-6, 6, n)
    settings = {"loss": loss, "penalty": "l1", "alpha": 1e-2, "epsilon": 0.5}
    model = SGDLinearRegressor(**settings)
    for part in np.array_split(np.arange(n), pieces):
        model.partial_fit(X[part], y[part], weights[part])
    objective = Objective(X, y, sample_weight=weights, **settings)
    found = objective(model.coef_, float(model.intercept_))
    assert found <= 1.001 * objective.of_constant + 1e-12 * y.max()


def test_slopes_that_grow_leave_old_rows_in_the_sample(monkeypatch):
    """In a unit of the first slopes the later rows were all of the sample: 170 % above."""
    monkeypatch.setattr(reservoir, "LEAST_ROWS", 300)
    monkeypatch.setattr(reservoir, "ROWS_A_FEATURE", 30)
    rng = np.random.default_rng(7)
    X, y = np.full((1400, 1), 3.0), rng.standard_t(2, 1400)
    y[700:] += 60.0
    settings = {"loss": "squared_epsilon_insensitive", "epsilon": 0.5}
    assert above_the_least(X, y, 50, **settings) <= 0.02


def test_the_linear_term_does_not_lead_away(monkeypatch):
    """Of targets in ascending order, at an extreme quantile, it had no slope against it:
    weights of 1e7."""
    monkeypatch.setattr(reservoir, "LEAST_ROWS", 300)
    monkeypatch.setattr(reservoir, "ROWS_A_FEATURE", 30)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        X, y = rng.standard_normal((800, 5)), np.sort(rng.standard_t(2, 800))
        model = SGDLinearRegressor(loss="quantile", quantile=0.999)
        for start in range(0, 800, 50):
            model.partial_fit(X[start : start + 50], y[start : start + 50])
            so_far = y[: start + 50] - model.predict(X[: start + 50])
            loss = np.maximum(0.999 * so_far, -0.001 * so_far).mean()
            level = y[: start + 50] - np.quantile(y[: start + 50], 0.999)
            assert loss <= 1.5 * np.maximum(0.999 * level, -0.001 * level).mean()

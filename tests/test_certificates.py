"""What a fit claims of itself is true: its gap is no less than a third of the true one.

Judged in long double and in fractions (`extended.py`). Models that are worse than a
constant come with a warning.
"""

import warnings
from fractions import Fraction

import numpy as np
import pytest
from extended import missing, missing_exactly
from reference import Reference
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from sgdreg import SGDLinearRegressor
from sgdreg.optimizers import OPTIMIZERS as RULES
from sgdreg.optimizers import SVRG, ConjugateGradient, InteriorPoint

OPTIMIZERS = {
    "auto": lambda: "auto",
    "cg": ConjugateGradient,
    "cg, diagonal": lambda: ConjugateGradient(metric="diagonal"),
    "cg, sketch": lambda: ConjugateGradient(metric="sketch"),
    "svrg": SVRG,
    "svrg, diagonal": lambda: SVRG(metric="diagonal"),
    "svrg, sketch": lambda: SVRG(metric="sketch"),
    "interior point": InteriorPoint,
}


def fitted(X, y, sample_weight=None, **settings):
    """The model, and what it warned of; (None, message) where it has diverged."""
    model = SGDLinearRegressor(random_state=0, **settings)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            model.fit(X, y, sample_weight)
        except ValueError as error:
            if "Diverged" not in str(error):
                raise
            return None, str(error)
    return model, [str(one.message) for one in caught]


def is_honest(model, gap, rounding=1e-13):
    """Within the documented factor of the true gap, or no claim at all."""
    told = model.history_[-1]["optimality_gap"]
    return not model.converged_ or gap <= min(told, model.tol) / 0.3 + rounding


def draw(seed):
    """X, y and weights of a random problem: offsets, scales, near copies, few rows."""
    rng = np.random.default_rng(seed)
    d = int(rng.integers(1, 9))
    n = max(3, int(rng.choice([d, d + 1, 2 * d + 1, 30, 200])))
    X = rng.standard_normal((n, d))
    kind = rng.choice(["plain", "scales", "offsets", "both", "copies", "heavy"])
    if kind in ("scales", "both"):
        X *= 10.0 ** rng.uniform(-30, 30, d)
    if kind in ("offsets", "both"):
        X += X.std(axis=0) * 10.0 ** rng.uniform(0, 10) * rng.choice([0, 1, -1], d)
    if kind == "copies":
        X = X[:, :1] * rng.uniform(0.5, 2, d) + 10.0 ** rng.uniform(-9, -1) * X
    if kind == "heavy":
        X *= rng.standard_t(1.2, (n, 1))
    Z = X - X.mean(axis=0)
    Z /= np.where(Z.std(axis=0) > 0, Z.std(axis=0), 1.0)
    y = Z @ rng.standard_normal(d) + 10.0 ** rng.uniform(-4, 1) * rng.standard_normal(n)
    y = y * 10.0 ** rng.uniform(-5, 5) + rng.choice([0.0, 1.0])
    weights = [None, None, rng.random(n) + 0.01, 10.0 ** rng.uniform(-6, 6, n)]
    return X, y, weights[rng.integers(4)]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_claims_never_lie(name):
    claims = 0
    for seed in range(24):
        X, y, weights = draw(seed)
        settings = {"fit_intercept": seed % 5 > 0, "max_iter": 50}
        if seed % 3 == 0:
            settings |= {"penalty": "l2", "alpha": [1e-4, 1.0][seed % 2]}
        model, _ = fitted(X, y, weights, optimizer=OPTIMIZERS[name](), **settings)
        if model is None:
            continue
        alpha = settings.get("alpha", 0.0)
        gap = missing(model, X, y, weights, alpha, settings["fit_intercept"])

        assert is_honest(model, gap, 1e-11), (seed, gap, model.stop_reason_)
        claims += model.converged_
    assert claims > 5


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("offset", [1e4, 1e6, 1e8, 1e10])
@pytest.mark.parametrize("optimizer", ["cg", "svrg"])
def test_offsets_without_a_metric(optimizer, offset, seed):
    rng = np.random.default_rng(seed)
    Z = rng.standard_normal((200, 3))
    y = Z @ [1.0, 2.0, 3.0] + 0.1 * rng.standard_normal(200)
    model, warned = fitted(Z + offset, y, optimizer=optimizer, max_iter=50)
    assert is_honest(model, missing(model, Z + offset, y))
    assert model.converged_ or warned


def test_offsets_beyond_what_a_matrix_of_all_features_can_hold():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 2050))
    y = X[:, :5].sum(axis=1) + rng.standard_normal(300)
    model, _ = fitted(X + 1e8, y, optimizer="cg", penalty="l2", alpha=1.0)
    best = SGDLinearRegressor(penalty="l2", alpha=1.0).fit(X, y)
    R2 = best.score(X, y) - model.score(X + 1e8, y)
    assert R2 > 0.01
    assert not model.converged_


def test_variance_reduced_steps_on_raw_columns_end_at_the_optimum():
    """A plateau is none where steps are too short for the weakest direction."""
    for seed in (19, 43, 56, 76):
        X, y, weights = draw(seed)
        model, _ = fitted(X, y, weights, optimizer="svrg", max_iter=50)
        assert is_honest(model, missing(model, X, y, weights))
    rng = np.random.default_rng(0)
    X = rng.standard_normal((100, 2)) * [1.0, 3.0]
    model, _ = fitted(X, X.sum(axis=1) + rng.standard_normal(100), optimizer="svrg")
    assert model.converged_
    assert model.history_[-1]["optimality_gap"] <= 1e-8


def test_an_interior_point_does_not_go_on_from_nonsense():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((20, 3))
    y = X.sum(axis=1)
    for scale in (1e-100, 1e-30, 1e-6, 1e30):
        model = SGDLinearRegressor(optimizer="interior_point", warm_start=True)
        model.fit(X * [1.0, scale, 1.0], y).fit(X, y)
        assert model.converged_
        np.testing.assert_allclose(model.coef_, 1.0, rtol=1e-9)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("apart", [1.8e-13, 1e-14, 3e-15, 1e-15])
@pytest.mark.parametrize("explained", [False, True])
def test_what_a_tiny_difference_of_large_columns_explains(explained, apart, seed):
    """Predictions by coefficients that cancel are rounded, and so is the answer."""
    rng = np.random.default_rng(seed)
    a, z = 2e9 + np.arange(50.0), rng.standard_normal(50)
    X = np.column_stack([a, a * (1.0 + apart * z)])
    y = 0.1 * rng.standard_normal(50) + (z if explained else 0.0)
    model, warned = fitted(X, y)
    gap = missing_exactly(model, X, y)
    assert model.history_[-1]["optimality_gap"] >= 0.3 * gap
    assert model.converged_ or warned


def computed_columns(seed=0, n=60):
    """Columns that depend on each other up to rounding: no direction of data is hidden."""
    rng = np.random.default_rng(seed)
    a, P, C = rng.random(n), rng.random((n, 5)), 15 + 8 * rng.standard_normal(n)
    softmax = np.exp(3 * rng.standard_normal((n, 20)))
    yield "shares", np.column_stack([a, 1 - a])
    yield "total", np.column_stack([P, P.sum(axis=1)])
    yield "degrees", np.column_stack([C, 1.8 * C + 32, C + 273.15])
    yield "softmax", softmax / softmax.sum(axis=1, keepdims=True)
    yield "centred rows", P - P.mean(axis=1, keepdims=True)


@pytest.mark.parametrize("seed", range(5))
def test_rounding_errors_are_nothing_hidden(seed):
    for name, X in computed_columns(seed):
        y = np.random.default_rng(seed + 100).standard_normal(len(X))
        model, warned = fitted(X, y)
        assert model.converged_, name
        assert not warned


def test_targets_far_from_zero_are_measured_by_their_own_variance():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 2))
    y = 1e10 + X @ [1.0, 2.0] + rng.standard_normal(200)
    model, _ = fitted(X, y, optimizer="cg", max_iter=1)
    gap = missing(model, X, y)
    assert gap > 1e-6
    assert model.history_[-1]["optimality_gap"] >= 0.3 * gap
    assert not model.converged_


# ------------------------------------------------------------- worse than a constant


def costs(model, X, y, weights, alpha):
    """(F, that of the best constant) of each output, squared error."""
    s = np.ones(len(y)) if weights is None else weights
    s, Y = s / s.sum(), y.reshape(len(y), -1)
    P, w = model.predict(X).reshape(Y.shape), np.atleast_2d(model.coef_)
    constant = s @ Y if model.fit_intercept else 0.0
    constant = np.where(np.ptp(Y, axis=0) + (not model.fit_intercept) > 0, constant, Y[0])
    F = 0.5 * s @ (Y - P) ** 2 + 0.5 * alpha * np.einsum("ij,ij->i", w, w)
    return F, 0.5 * s @ (Y - constant) ** 2, 0.5 * s @ Y**2


@pytest.mark.parametrize("optimizer", [*RULES, "auto"])
def test_worse_than_a_constant_is_said(optimizer):
    found = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        n, k = int(rng.choice([20, 60])), int(rng.choice([1, 1, 3]))
        X = rng.standard_normal((n, 3))
        y = X @ rng.standard_normal((3, k)) + 3.0 * rng.standard_normal((n, k))
        y *= 10.0 ** rng.uniform(-3, 3, k)
        if seed % 3 == 0:
            y[:, 0] = 10.0 ** rng.uniform(-3, 6)
        weights = 10.0 ** rng.uniform(-6, 6, n) if seed % 2 else None
        settings = {"max_iter": [1, 3, 30][seed % 3], "tol": [None, 1.0][seed % 2]}
        settings["fit_intercept"] = seed % 4 > 0
        if seed % 5 == 0:
            settings |= {"penalty": "l2", "alpha": 1.0}
        y = y if k > 1 else y[:, 0]
        model, warned = fitted(X, y, weights, optimizer=optimizer, **settings)
        if model is None:
            continue
        F, constant, zero = costs(model, X, y, weights, settings.get("alpha", 0.0))
        worse = F - 1.002 * constant > 1e-14 * zero
        if worse.any():
            assert any("worse than predicting" in text for text in warned), seed
        found += worse.any()
    assert found or optimizer in ("auto", "interior_point", "newton")


def test_constant_targets_are_judged():
    X = np.random.default_rng(0).standard_normal((50, 3))
    settings = {"learning_rate": 1e-3, "max_iter": 3, "tol": None}
    with pytest.warns(ConvergenceWarning, match=r"worse than predicting the mean .* 0\)"):
        SGDLinearRegressor(**settings).fit(X, np.full(50, 1e6))
    both = np.column_stack([X @ [1.0, 2.0, 3.0], np.full(50, 1e6)])
    with pytest.warns(ConvergenceWarning, match="the mean for output 1"):
        SGDLinearRegressor(learning_rate=1e-2, max_iter=3, tol=None).fit(X, both)
    for optimizer in ("auto", "interior_point", "cg"):  # predictions good to 1e-8 will do
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            SGDLinearRegressor(optimizer=optimizer).fit(X, np.full(50, 1e6))


def test_without_an_intercept_zero_is_the_constant():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((50, 3)), rng.standard_normal(50)
    settings = {"learning_rate": 0.6, "max_iter": 1, "tol": None, "fit_intercept": False}
    model, warned = fitted(X, y, batch_size=10, **settings)
    assert np.mean((y - model.predict(X)) ** 2) > 1.002 * np.mean(y**2)
    assert "worse than predicting zero" in warned[0]


# ------------------------------------------------------- weights that no step moves


@pytest.mark.parametrize("centre", [0.0, 3.0])
@pytest.mark.parametrize(
    "settings",
    [
        {"penalty": "l2"},
        {"penalty": "l2", "optimizer": "interior_point"},
        {"penalty": "l2", "optimizer": "cg"},
        {"penalty": "l1"},
        {"penalty": "elasticnet", "loss": "huber"},
        {"penalty": "l2", "loss": "absolute_error"},
    ],
    ids=str,
)
def test_a_warm_start_keeps_no_coefficient_of_what_has_become_constant(settings, centre):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, 3))
    y = X.sum(axis=1) + rng.standard_normal(30)
    model = SGDLinearRegressor(warm_start=True, alpha=0.1, **settings).fit(X, y)
    assert model.coef_[0] != 0
    X[:, 0] = centre
    model.fit(X, y)
    anew = SGDLinearRegressor(alpha=0.1, **settings).fit(X[:, 1:], y)
    assert model.converged_
    np.testing.assert_allclose(model.coef_, [0.0, *anew.coef_], rtol=1e-3, atol=1e-8)


def test_a_warm_start_from_other_directions_than_the_rows_have():
    """Ridge of two rows: from other rows' model as from zero."""
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((2, 8)), rng.standard_normal(2)
    settings = {"penalty": "l2", "alpha": 1e-6, "fit_intercept": False}
    model = SGDLinearRegressor(warm_start=True, **settings)
    model.fit(1e3 * rng.standard_normal((2, 8)), 1e6 * y).fit(X, y)
    dual = np.linalg.solve(X @ X.T + 2e-6 * np.eye(2), y)
    np.testing.assert_allclose(model.coef_, X.T @ dual, rtol=1e-6)


# ------------------------------------------------------- kinks, and sums that cancel


def mean_error(model, X, y):
    """The mean |error| of the model's numbers, in fractions."""
    w = [Fraction(float(number)) for number in (*model.coef_, model.intercept_)]
    rows = [[*map(Fraction, row), Fraction(1)] for row in X.tolist()]
    sums = [sum(map(Fraction.__mul__, row, w)) for row in rows]
    return float(sum(abs(p - Fraction(t)) for p, t in zip(sums, y.tolist(), strict=True)))


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_the_objective_along_kinks_is_that_of_coefficients_that_cancel(container):
    claims = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        n, apart = int(rng.choice([5, 30])), 10.0 ** -rng.integers(3, 15)
        X = rng.standard_normal((n, 3))
        y = X.sum(axis=1) + rng.standard_normal(n)
        X[:, 2] = X[:, 0] * (1.0 + apart * rng.standard_normal(n))
        X += [0.0, 0.0, 1e6][seed % 3]
        model, warned = fitted(container(X), y, loss="absolute_error")
        told = model.history_[-1]
        true = mean_error(model, X, y) / n
        unit = np.abs(y - np.median(y)).mean()
        assert abs(told["objective"] - true) <= (told["optimality_gap"] + 1e-8) * unit
        assert model.converged_ or warned
        claims += model.converged_
    assert claims


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("loss", ["absolute_error", "huber", "l1"])
def test_what_an_interior_point_leaves_out_is_counted(loss, seed):
    """Two columns that differ by some roundings, of which the difference explains y."""
    rng = np.random.default_rng(seed)
    a, z = 2e9 + np.arange(40.0), rng.standard_normal(40)
    X = np.column_stack([a, a * (1.0 + 3e-15 * z)])
    y = z + 0.1 * rng.standard_normal(40)
    settings = {"penalty": "l1", "alpha": 1e-9} if loss == "l1" else {"loss": loss}
    model, warned = fitted(X, y, **settings)
    apart = X[:, 1] - X[:, 0]
    slope, at = np.polyfit(apart, y, 1)
    possible = np.abs(y - slope * apart - at).mean()
    lost = np.abs(y - model.predict(X)).mean() / possible > 2.0
    assert not (lost and model.converged_)
    assert model.converged_ or warned


@pytest.mark.parametrize(
    "settings",
    [
        {"loss": "quantile", "quantile": 0.3},
        {"loss": "huber", "epsilon": 1.0},
        {"penalty": "l1", "alpha": 0.01},
        {"positive": True},
    ],
    ids=str,
)
def test_rounding_errors_are_nothing_hidden_from_an_interior_point(settings):
    for name, X in computed_columns():
        y = np.random.default_rng(100).standard_normal(len(X))
        model, warned = fitted(X, y, **settings)
        assert model.converged_, name
        assert not warned


@pytest.mark.parametrize("seed", [12, 20, 41])
def test_what_a_penalty_hardly_bends_is_counted(seed):
    """Raw columns, fewer rows: directions of ‖Xv‖ near rounding may explain targets."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((12, 25)) + 1e6 * rng.uniform(-1, 1, 25)
    X *= 10 ** rng.uniform(-9, 9, 25)
    y = 1e3 + rng.standard_normal(12)
    settings = {"penalty": "l2", "alpha": 1e-8, "fit_intercept": False, "tol": 1e-14}
    model, _ = fitted(X, y, **settings)
    reference = Reference(X, y, None, 1e-8, fit_intercept=False)
    told, lost = model.history_[-1]["optimality_gap"], reference.excess(model.coef_, 0.0)
    assert told >= 0.3 * lost - reference.rounding(model.coef_, 0.0)
    assert not model.converged_ or lost <= 1e-14


@pytest.mark.parametrize("seed", [86, 165, 527, 822, 850])
def test_steps_go_along_what_only_a_penalty_bends(seed):
    """Near copies over 24 decades: up to 5e-7 of what there is to explain was left."""
    rng = np.random.default_rng(seed)
    d = int(rng.integers(12, 18))
    u, v = rng.standard_normal(3), rng.standard_normal(d) * 10 ** rng.uniform(-9, 9, d)
    other = np.outer(rng.standard_normal(3), v * rng.standard_normal(d))
    X = np.outer(u, v) + other * 10 ** rng.uniform(-7, -3)
    X = X / np.abs(X).max(axis=0) * np.logspace(-12, 12, d)
    y = rng.standard_normal(3)
    model, warned = fitted(X, y, penalty="l2", alpha=1.0)
    reference = Reference(X, y, None, 1.0)
    lost = float(np.max(reference.excess(model.coef_, model.intercept_)))
    assert model.converged_
    assert not warned
    assert lost <= 1e-8


def test_copies_under_a_faint_penalty_are_no_gap():
    """Rounding errors bend what they differ by: no answer is the better for it."""
    rng = np.random.default_rng(0)
    for n, size in ((20, 1e9), (300, 1e12)):
        Z = rng.standard_normal((n, 3))
        X = size * np.column_stack([Z, 7 * Z[:, 0], np.eye(3)[rng.integers(0, 3, n)]])
        y = Z.sum(axis=1) + rng.standard_normal(n)
        model, warned = fitted(X, y, penalty="l2", alpha=1e-8)
        assert model.converged_
        assert not warned
        assert Reference(X, y, None, 1e-8).excess(model.coef_, model.intercept_) <= 1e-8


@pytest.mark.parametrize("optimizer", ["auto", "cg", "svrg", "interior_point"])
def test_constant_targets_without_an_intercept_are_to_be_explained(optimizer):
    X = np.random.default_rng(0).standard_normal((50, 3))
    settings = {"optimizer": optimizer, "fit_intercept": False}
    model, warned = fitted(X, np.full(50, 3.0), **settings)
    assert model.converged_
    assert not warned
    best = np.linalg.lstsq(X, np.full(50, 3.0))[0]
    np.testing.assert_allclose(model.coef_, best, rtol=1e-3)


def test_the_objective_told_is_that_of_the_epoch_returned():
    """At the floor objectives go up and down: the lowest is returned."""
    for seed in range(6):
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((30, 3))
        y = X.sum(axis=1) + rng.standard_normal(30)
        X[:, 2] = X[:, 0] * (1.0 + 1e-11 * rng.standard_normal(30))
        model, _ = fitted(X, y, loss="absolute_error")
        objectives = [entry["objective"] for entry in model.history_]
        assert objectives[-1] == min(objectives)

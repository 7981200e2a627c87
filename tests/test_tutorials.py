"""The five tutorials that this project grew from: replayed, and answered.

Losses there are squared errors without our ½, so a step of theirs is eta0 = 2·step here,
times the batch size where they sum over the batch.
"""

import os

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from sgdreg import SGDLinearRegressor

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def gradient_descent(step, epochs, **kwargs):
    """Full batches of a constant step (theirs), for so many epochs."""
    return SGDLinearRegressor(
        optimizer="sgd",
        learning_rate=2 * step,
        batch_size="full",
        max_iter=epochs,
        tol=None,
        **kwargs,
    )


# ------------------------------------------------- 1. house prices: y = m x + b in Python

LINE = np.arange(1.0, 6.0)[:, None]


@pytest.mark.parametrize(
    ("slope", "step", "epochs", "m", "b"),
    [
        (2.0, 0.01, 1000, 1.9975901753359888, 0.008700231670305241),
        (5.0, 0.005, 10_000, 4.99999998720654, None),
    ],
)
def test_1_line_replayed(slope, step, epochs, m, b):
    model = gradient_descent(step, epochs)
    model.fit(LINE, slope * LINE[:, 0], coef_init=[1.0], intercept_init=0.0)
    assert_allclose(model.coef_, [m], rtol=1e-10)
    if b is not None:
        assert_allclose(model.intercept_, b, rtol=1e-10)


@pytest.mark.parametrize("slope", [2.0, 5.0])
def test_1_line_answered(slope):
    model = SGDLinearRegressor().fit(LINE, slope * LINE[:, 0])
    assert model.converged_
    assert_allclose(model.coef_, [slope], rtol=1e-12)
    assert_allclose(model.intercept_, 0.0, atol=1e-12)


# -------------------------------------------- 2. step by step: two features, one row a step

ROWS = np.array([[4, 1], [2, 8], [1, 0], [3, 2], [1, 4], [6, 7.0]])
ROWS_Y = np.array([2, -14, 1, -1, -7, -8.0])
START = {"coef_init": [-0.017, -0.048], "intercept_init": 0.0}


# A single row, and one step towards it: its own mean is the better model, as fit says.
one_step = pytest.mark.filterwarnings("ignore:After 1 epoch the model is worse")


@one_step
def test_2_step_by_step_replayed():
    model = SGDLinearRegressor(learning_rate=0.1, shuffle=False, max_iter=1, tol=None)
    model.fit(ROWS[:1], ROWS_Y[:1], **START)
    assert_allclose(2 * model.loss_curve_[0], 4.48, atol=0.005)  # printed to two places
    assert_allclose(model.coef_, [0.8294, 0.1636], atol=1e-12)
    assert_allclose(model.intercept_, 0.2116, atol=1e-12)


@one_step
def test_2_running_away_is_seen_and_explained():
    """w2 is -34.8 after the six rows; a fit refuses that, and what follows explodes."""
    model = SGDLinearRegressor(learning_rate=0.1, shuffle=False, tol=None)
    model.set_params(max_iter=1).fit(ROWS[:1], ROWS_Y[:1], **START)
    model.partial_fit(ROWS[1:], ROWS_Y[1:])
    assert_allclose(model.coef_[1], -34.8, atol=0.05)
    for epochs, step in ((1, 6), (100, r"\d+")):
        with pytest.raises(
            ValueError,
            match=rf"Diverged .* epoch \d+, step {step}:.*Lower learning_rate \(largest",
        ):
            model.set_params(max_iter=epochs).fit(ROWS, ROWS_Y, **START)


def test_2_step_by_step_answered():
    model = SGDLinearRegressor().fit(ROWS, ROWS_Y)
    assert_allclose(model.coef_, [1, -2], atol=1e-12)
    assert_allclose(model.intercept_, 0, atol=1e-12)


# --------------------------------------------------- 3. one Keras Dense(1): two inputs


def plane(tmp_path):
    """1,000 rows of y = 2x - 3z + 5 + noise, saved and read back as in the tutorial."""
    rng = np.random.default_rng(0)
    x, z = rng.uniform(-10, 10, (2, 1000))
    y = 2 * x - 3 * z + 5 + rng.uniform(-1, 1, 1000)
    np.savez(tmp_path / "plane.npz", inputs=np.column_stack([x, z]), targets=y)
    with np.load(tmp_path / "plane.npz") as saved:
        return saved["inputs"], saved["targets"]


def test_3_network_replayed(tmp_path):
    """Step 0.02 in batches of 32, 100 epochs: it wanders about the answer, as published."""
    X, y = plane(tmp_path)
    model = SGDLinearRegressor(
        optimizer="sgd", learning_rate=0.02, batch_size=32, max_iter=100, tol=None
    )
    model.set_params(random_state=0).fit(X, y)
    assert model.t_ == 100 * 32
    exact = np.linalg.lstsq(np.column_stack([X, np.ones(1000)]), y, rcond=None)[0]
    assert_allclose([*model.coef_, model.intercept_], exact, atol=0.7)
    assert np.abs(model.coef_ - exact[:2]).max() > 1e-4  # a constant step never settles


def test_3_network_answered(tmp_path):
    X, y = plane(tmp_path)
    model = SGDLinearRegressor().fit(X, y)
    exact = np.linalg.lstsq(np.column_stack([X, np.ones(1000)]), y, rcond=None)[0]
    assert_allclose([*model.coef_, model.intercept_], exact, rtol=1e-10)
    assert_allclose([*model.coef_, model.intercept_], [2, -3, 5], atol=0.1)


# ------------------------------------------------------- 4. a perceptron in PyTorch

X4 = np.array(
    [
        *(4.7, 2.4, 7.5, 7.1, 4.3, 7.8, 8.9, 5.2, 4.59, 2.1, 8, 5, 7.5),
        *(5, 4, 8, 5.2, 4.9, 3, 4.7, 4, 4.8, 3.5, 2.1, 4.1),
    ]
)[:, None]
Y4 = np.array(
    [
        *(2.6, 1.6, 3.09, 2.4, 2.4, 3.3, 2.6, 1.96, 3.13, 1.76, 3.2, 2.1, 1.6),
        *(2.5, 2.2, 2.75, 2.4, 1.8, 1, 2, 1.6, 2.4, 2.6, 1.5, 3.1),
    ]
)
LEAST_SQUARES_4 = 0.1750716, 1.4045023


def test_4_perceptron_replayed():
    """4,000 full-batch steps of 0.001 on the *sum* of squares, by the matrix power."""
    model = gradient_descent(0.001 * len(X4), 4000).fit(X4, Y4)
    A = np.column_stack([X4, np.ones(25)])
    values, Q = np.linalg.eigh(A.T @ A / 25)
    best = np.linalg.lstsq(A, Y4, rcond=None)[0]
    decay = (1 - 2 * 0.001 * 25 * values) ** 4000
    assert_allclose(
        [*model.coef_, model.intercept_], best - Q @ (decay * (Q.T @ best)), rtol=1e-10
    )
    assert_allclose([*model.coef_, model.intercept_], LEAST_SQUARES_4, atol=5e-8)
    losses = 2 * 25 * np.array(model.loss_curve_[::100])  # what it prints every 100
    assert_allclose(losses[0], np.sum(Y4**2), rtol=1e-12)
    assert np.all(np.diff(losses) < 1e-12)


def test_4_perceptron_answered():
    model = SGDLinearRegressor().fit(X4, Y4)
    assert_allclose([*model.coef_, model.intercept_], LEAST_SQUARES_4, atol=5e-8)


# ------------------------------------------------------ 5. live coding: hours and score


@pytest.fixture
def hours(real_data):
    table = pd.read_csv(os.path.join(real_data, "linear_regression_live.csv"))
    return table.to_numpy()[:, :1].copy(), table.to_numpy()[:, 1].copy()


def test_5_live_replayed(hours):
    X, y = hours
    model = gradient_descent(0.0001, 1000).fit(X, y)
    assert_allclose(2 * model.loss_curve_[0], 5565.107834483211, rtol=1e-10)
    assert_allclose(model.coef_, [1.4777440851894448], rtol=1e-10)
    assert_allclose(model.intercept_, 0.08893651993741346, rtol=1e-10)
    error = np.mean((y - model.predict(X)) ** 2)
    assert_allclose(error, 112.61481011613473, rtol=1e-10)


@quiet
def test_5_live_not_converged_is_said(hours):
    """Why does the spreadsheet say something else? Not converged: the model says so."""
    model = gradient_descent(0.0001, 1000).set_params(tol=1e-8).fit(*hours)
    assert not model.converged_
    assert "without reaching tol" in model.stop_reason_


def test_5_live_answered(hours):
    X, y = hours
    model = SGDLinearRegressor().fit(X, y)
    assert_allclose(model.coef_, [1.32243102275536], rtol=1e-12)
    assert_allclose(model.intercept_, 7.99102098227038, rtol=1e-11)
    error = np.mean((y - model.predict(X)) ** 2)
    assert_allclose(error, 110.25738346621317, rtol=1e-12)


# ------------------------------------------------- the real data, raw, by the defaults

TARGETS = {
    "advertising": ("Sales", 0.8972106382),
    "anaypant_line_2x": ("y", 1.0),
    "anaypant_line_5x": ("y", 1.0),
    "bike_hour": ("cnt", 0.3888583906),
    "california_sklearn_form": ("MedHouseVal", 0.6062326852),
    "concrete": ("strength_mpa", 0.6155198704),
    "diamonds": ("price", 0.8592186832),
    "ex1data1": ("profit_10k", 0.7020315538),
    "ex1data2": ("price", 0.7329450180),
    "flights_200k": ("delay", 0.0222426122),
    "linear_regression_live": ("y", 0.5986557915),
    "parkinsons": ("y", 0.2529340408),
    "protein_casp": ("RMSD", 0.2724688306),
    "winequality_red": ("quality", 0.3605517030),
}


@pytest.mark.parametrize("name", TARGETS)
def test_the_defaults_reach_least_squares_on_raw_data(real_data, name):
    target, r2 = TARGETS[name]
    table = pd.read_csv(os.path.join(real_data, f"{name}.csv")).select_dtypes("number")
    if name == "bike_hour":  # the published answer leaves out the parts of the target
        table = table.drop(columns=["casual", "registered", "instant"], errors="ignore")
    y = table.pop(target)
    model = SGDLinearRegressor().fit(table, y)
    assert model.converged_
    assert model.n_iter_ <= 20
    assert_allclose(model.score(table, y), r2, rtol=0, atol=2e-10)


@quiet
def test_47_houses(real_data):
    """The posted houses: a careless step on raw features overflows; the defaults do not."""
    table = pd.read_csv(os.path.join(real_data, "ex1data2.csv")).to_numpy(float)
    X, y = table[:, :1].copy(), table[:, -1].copy()
    model = SGDLinearRegressor().fit(X, y)
    assert_allclose(model.coef_, [134.52528772], atol=1e-8)
    assert_allclose(model.intercept_, 71270.49244873, atol=1e-8)
    with pytest.raises(ValueError, match="largest stable value here is about") as caught:
        SGDLinearRegressor(learning_rate=0.01).fit(X, y)
    hint = float(str(caught.value).split("about ")[1].split(")")[0])
    stable = SGDLinearRegressor(learning_rate=hint / 2, max_iter=20, tol=None)
    stable.fit(X, y)  # does not raise: the hint is of use
    assert np.isfinite(stable.coef_).all()

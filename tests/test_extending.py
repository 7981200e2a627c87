"""The parts of one's own of docs/extending, held to what the built-in ones are held to."""

import pickle
import sys
from pathlib import Path
from unittest.mock import patch

import judges
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from problems import problems
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sgdreg import Checkpoint, SGDLinearRegressor
from sgdreg._solvers.registry import SOLVERS
from sgdreg.optimizers import SGD, SVRG, ConjugateGradient, InteriorPoint

sys.path.append(str(Path(__file__).parent.parent / "docs" / "extending"))

from loss import Expectile
from schedule import Triangle
from solver import BarzilaiBorwein, Steepest, SteepestDescent, TwoPoint
from update_rule import QHM

seeds = st.integers(0, 2**16)
SHARES = (0.1, 0.5, 0.8)


def rows(seed=0, n=60, d=3):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * [0.5, 1, 2]
    return X, X @ [3, -2, 1] + 1 + rng.normal(size=n)


# ------------------------------------------------------------------------- the loss


@pytest.mark.parametrize("share", SHARES)
@given(seeds)
def test_slope_and_bend_of_the_loss(share, seed):
    """Against differences of the value and of the gradient, away from the kink's sides."""
    rng, h = np.random.default_rng(seed), 1e-6
    y, p = rng.normal(size=(2, 50))
    p = np.where(np.abs(p - y) > 2 * h, p, y + 2 * h)
    loss = Expectile(share)
    slope = (loss.value(y, p + h) - loss.value(y, p - h)) / (2 * h)
    bend = (loss.gradient(y, p + h) - loss.gradient(y, p - h)) / (2 * h)
    assert_allclose(loss.gradient(y, p), slope, rtol=1e-6, atol=1e-9)
    assert_allclose(loss.curvature(y, p), bend, rtol=1e-6)
    assert (loss.curvature(y, p) <= loss.smoothness).all()
    assert (loss.value(y, y) == 0).all()


def expectile_by_weights(X, y, s, share):
    """The optimum by reweighted least squares, which ends when the signs are right."""
    A = np.column_stack([X, np.ones(len(X))])
    below = np.ones(len(y), dtype=bool)
    for _ in range(100):
        root = np.sqrt(s * np.where(below, share, 1 - share))
        theta = np.linalg.lstsq(A * root[:, None], y * root, rcond=None)[0]
        if (below == (before := A @ theta < y)).all():
            return theta
        below = before
    raise AssertionError("the signs go on changing")


@pytest.mark.parametrize("share", SHARES)
@given(seeds)
def test_the_optimum_of_the_loss(share, seed):
    X, y = rows(seed)
    s = np.random.default_rng(seed).integers(1, 4, len(y)).astype(float)
    model = SGDLinearRegressor(loss=Expectile(share)).fit(X, y, s)
    theta = expectile_by_weights(X, y, s, share)

    def objective(p):
        return np.average(Expectile(share).value(y, p), weights=s)

    least = objective(X @ theta[:-1] + theta[-1])
    assert model.converged_
    assert -1e-12 <= objective(model.predict(X)) - least <= 1e-8 * np.var(y)
    assert type(model.plan_.optimizer).__name__ == "Newton"


@given(seeds)
def test_a_step_of_the_loss(seed):
    X, y = rows(seed)
    model = SGDLinearRegressor(Expectile(0.8), learning_rate=0.01, batch_size="full")
    model.partial_fit(X, y)
    g = -np.where(y >= 0, 0.8, 0.2) * y
    assert_allclose(model.coef_, -0.01 * X.T @ g / len(y), rtol=1e-12)
    assert_allclose(model.intercept_, -0.01 * g.mean(), rtol=1e-12)


# --------------------------------------------------------------------- the schedule


@given(st.integers(1, 50), st.floats(0, 1), st.floats(1.5, 9))
def test_the_triangle(half, low, high):
    steps = Triangle(low, high, half)(np.arange(1, 6 * half + 1))
    assert_allclose(steps[: half + 1], np.linspace(low, high, half + 1), atol=1e-12)
    assert_allclose(steps[half : 2 * half], steps[1 : half + 1][::-1], atol=1e-12)
    assert_allclose(steps[2 * half :], steps[: 4 * half], atol=1e-12)


def test_a_fit_with_the_schedule():
    X, y = rows()
    law = Triangle(0.01, 0.1, half=5)
    model = SGDLinearRegressor(
        learning_rate=law, batch_size=20, shuffle=False, max_iter=4, tol=None
    ).fit(X, y)
    theta, A = np.zeros(4), np.column_stack([X, np.ones(len(X))])
    for t in range(12):
        B = slice(20 * (t % 3), 20 * (t % 3) + 20)
        theta -= float(law(t + 1)) * A[B].T @ (A[B] @ theta - y[B]) / 20
    assert_allclose([*model.coef_, model.intercept_], theta, rtol=1e-11)


# ------------------------------------------------------------------ the update rule


def run(X, y, *, eta, momentum=0.0, nesterov=False, **settings):
    """What the judges run: the estimator, with this rule in place of the built-in one."""
    rule = QHM(beta=0.9, share=0.0)
    if momentum:
        rule = QHM(beta=momentum, share=momentum if nesterov else 1.0)
    with patch.object(judges, "optimizer_of", lambda _: rule):
        return judges.run_estimator(X, y, eta=lambda t: eta(t) / (1 - momentum), **settings)


@given(problems())
def test_closed_form_of_the_rule(problem):
    judges.closed_form(run, problem)


@given(problems(), st.booleans())
def test_momentum_of_the_rule(problem, nesterov):
    judges.momentum_recurrence(run, problem, nesterov)


@given(problems(outputs=st.none()))
def test_single_rows_of_the_rule(problem):
    judges.equal_to_sgd_regressor(run, problem)


@given(problems(), st.sampled_from((1, 3, 100)))
def test_zero_weights_of_the_rule(problem, batch_size):
    judges.zero_weight_is_removed(run, problem, batch_size)


# --------------------------------------------------------------------- all of them

OWN = {
    "loss": {"loss": Expectile(0.8), "learning_rate": 0.05},
    "schedule": {"learning_rate": Triangle(0.01, 0.1, half=7)},
    "rule": {"optimizer": QHM(0.5, 0.9), "learning_rate": 0.05},
}
SEARCHED = {
    "loss": ("loss__share", [0.2, 0.5]),
    "schedule": ("learning_rate__half", [1, 20]),
    "rule": ("optimizer__share", [0.0, 1.0]),
}


def model_of(own, **settings):
    common = {"batch_size": 7, "max_iter": 3, "tol": None, "random_state": 0}
    return SGDLinearRegressor(**{**common, **OWN[own], **settings})


@pytest.mark.parametrize("own", OWN)
def test_copies_and_pieces(own):
    X, y = rows()
    model = model_of(own).fit(X, y)
    pieces = model_of(own)
    for _ in range(3):
        pieces.partial_fit(X, y)
    again = clone(model).fit(X, y)
    loaded = pickle.loads(pickle.dumps(model))
    for other in (pieces, again, loaded):
        assert_array_equal(other.coef_, model.coef_)
    assert_array_equal(
        loaded.partial_fit(X, y).coef_, model_of(own, max_iter=4).fit(X, y).coef_
    )


@pytest.mark.parametrize("own", OWN)
def test_searches(own):
    X, y = rows()
    name, values = SEARCHED[own]
    search = GridSearchCV(model_of(own), {name: values}, cv=2).fit(X, y)
    scores = search.cv_results_["mean_test_score"]
    assert scores[0] != scores[1]  # the parameter has reached the fit
    assert search.best_params_[name] == values[int(np.argmax(scores))]


# ----------------------------------------------------------------------- the solver


@pytest.fixture
def steepest(monkeypatch):
    monkeypatch.setitem(SOLVERS, SteepestDescent, Steepest)
    return SGDLinearRegressor(optimizer=SteepestDescent(), tol=None, max_iter=5)


def by_hand(X, y, epochs, alpha=0.0):
    """Weights and objectives of steepest descent from zero, written out."""
    A, w = np.column_stack([X, np.ones(len(X))]), np.zeros(X.shape[1] + 1)
    P = alpha * np.diag([1.0] * X.shape[1] + [0.0])
    H, objectives = A.T @ A / len(X) + P, []
    for _ in range(epochs):
        g = A.T @ (A @ w - y) / len(X) + P @ w
        w = w - (g @ g) / (g @ H @ g) * g
        objectives.append(np.mean((A @ w - y) ** 2) / 2 + w @ P @ w / 2)
    return w, objectives


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("alpha", [0.0, 0.3])
def test_every_step_of_the_solver(steepest, make, alpha):
    X, y = rows()
    if alpha:
        steepest.set_params(penalty="l2", alpha=alpha)
    steepest.fit(make(X), y)
    w, objectives = by_hand(X, y, 5, alpha)
    assert_allclose(np.append(steepest.coef_, steepest.intercept_), w, rtol=1e-9)
    assert_allclose(steepest.loss_curve_, objectives, rtol=1e-9)


def test_the_solver_ends_with_a_certificate(steepest):
    X, y = rows(n=200)
    Y = np.column_stack([y, -2 * y + X[:, 0]])
    model = steepest.set_params(tol=1e-10, max_iter=500).fit(X, Y)
    exact = np.linalg.lstsq(np.column_stack([X, np.ones(len(X))]), Y, rcond=None)[0]
    assert model.converged_
    assert model.history_[-1]["optimality_gap"] <= 1e-10
    assert_allclose(model.coef_, exact[:-1].T, rtol=1e-4, atol=1e-4)


@pytest.fixture
def two_point(monkeypatch):
    monkeypatch.setitem(SOLVERS, BarzilaiBorwein, TwoPoint)
    return SGDLinearRegressor(optimizer=BarzilaiBorwein(), tol=None, max_iter=5)


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("alpha", [0.0, 0.3])
def test_steps_that_keep_the_gradient_before(two_point, make, alpha):
    """Each but the first is as long as the exact line search of the step before."""
    X, y = rows()
    if alpha:
        two_point.set_params(penalty="l2", alpha=alpha)
    two_point.fit(make(X), y)
    A, w, eta = np.column_stack([X, np.ones(len(X))]), np.zeros(4), None
    P = alpha * np.diag([1.0, 1, 1, 0])
    H, curve = A.T @ A / len(X) + P, []
    for _ in range(5):
        g = A.T @ (A @ w - y) / len(X) + P @ w
        exact = (g @ g) / (g @ H @ g)
        w, eta = w - (exact if eta is None else eta) * g, exact
        curve.append(np.mean((A @ w - y) ** 2) / 2 + w @ P @ w / 2)
    assert_allclose(two_point.loss_curve_, curve, rtol=1e-8)


def test_a_solver_may_go_uphill_on_its_way(two_point):
    """Such steps were taken for the limit of floating-point arithmetic."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 6)) @ rng.normal(size=(6, 6))
    y = X @ rng.normal(size=6) + rng.normal(size=500)
    model = two_point.set_params(tol=1e-8, max_iter=2000).fit(X, y)
    objectives = np.array(model.loss_curve_)
    assert (np.diff(objectives) > 0).any()
    assert model.converged_
    best = np.linalg.lstsq(np.column_stack([X, np.ones(500)]), y, rcond=None)[0]
    least = np.mean((y - X @ best[:-1] - best[-1]) ** 2)
    assert np.mean((y - model.predict(X)) ** 2) <= least + 2e-8 * np.var(y)


def test_steps_of_a_solver_that_overflow_are_told(two_point, monkeypatch):
    monkeypatch.setattr(TwoPoint, "eta", np.full(1, 1e300))
    monkeypatch.setattr(TwoPoint, "before", np.ones((1, 4)))
    with pytest.raises(ValueError, match=r"Diverged at epoch 1, .* Scale the features or"):
        two_point.fit(*rows())


@pytest.mark.parametrize("own", ["steepest", "two_point"])
def test_the_solver_goes_on_from_a_checkpoint(own, tmp_path, request):
    pytest.importorskip("skops", reason="checkpoints need skops")
    steepest, (X, y) = request.getfixturevalue(own), rows()
    path = tmp_path / "fit.skops"
    short = clone(steepest).set_params(max_iter=3).set_callbacks(Checkpoint(path))
    checkpoint = short.fit(X, y).checkpoint_
    with pytest.raises(TypeError, match=r"resume\(path, X, y, optimizer=\.\.\.\)"):
        SGDLinearRegressor.resume(checkpoint, X, y, max_iter=5)
    given = {"max_iter": 5, "optimizer": clone(steepest.optimizer)}
    longer = SGDLinearRegressor.resume(checkpoint, X, y, **given)
    assert_array_equal(longer.coef_, steepest.fit(X, y).coef_)


@pytest.mark.parametrize(
    "settings", [{"loss": "huber"}, {"penalty": "l1"}, {"positive": True}], ids=str
)
def test_what_the_solver_does_not_serve_is_refused(steepest, settings):
    with pytest.raises(ValueError, match=r"SteepestDescent\(\) serves .* Use optimizer="):
        steepest.set_params(**settings).fit(*rows())


def test_a_solver_that_is_not_registered_is_missed(monkeypatch):
    # The example of the page, run in the same process, may have registered it.
    monkeypatch.delitem(SOLVERS, SteepestDescent, raising=False)
    with pytest.raises(TypeError, match=r"No solver is registered for SteepestDescent\(\)"):
        SGDLinearRegressor(optimizer=SteepestDescent()).fit(*rows())


@pytest.mark.parametrize("kind", [SVRG, ConjugateGradient, InteriorPoint])
def test_what_is_derived_from_a_built_in_one_has_its_solver(kind):
    """It ran as mini-batches of one row, or had no steps."""
    derived, (X, y) = type("Derived", (kind,), {}), rows()
    model, same = (
        SGDLinearRegressor(optimizer=optimizer(), max_iter=20, tol=None, random_state=0)
        for optimizer in (derived, kind)
    )
    assert_array_equal(model.fit(X, y).coef_, same.fit(X, y).coef_)
    assert model.plan_.slots["averaging"] == same.plan_.slots["averaging"]


@pytest.mark.parametrize("kind", [SGD, SVRG, ConjugateGradient])
def test_a_direction_of_its_own_makes_any_class_an_update_rule(kind):
    step = {"direction": lambda self, gradient, memory, t: gradient}
    derived, (X, y) = type("Derived", (kind,), step), rows()
    model, same = (
        SGDLinearRegressor(optimizer=rule, learning_rate=0.01, max_iter=3, tol=None)
        for rule in (derived(), SGD())
    )
    assert_allclose(
        model.set_params(shuffle=False).fit(X, y).coef_,
        same.set_params(shuffle=False).fit(X, y).coef_,
        rtol=1e-12,
    )

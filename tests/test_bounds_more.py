"""Defaults, whatever the loss and the bounds: what must not change the answer, what the
answer satisfies, what others find, losses and rules of one's own, streams, many features.
"""

import warnings
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from convex import Objective
from hypothesis import example, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import optimize, sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import (
    ElasticNet,
    HuberRegressor,
    Lasso,
    LinearRegression,
    QuantileRegressor,
)
from test_bounds import MISS, PENALTIES, WITH_EPSILON, loss_names, parameters
from twin_rules import LOSSES as SLOPES

from sgdreg import SGDLinearRegressor
from sgdreg.losses import Loss
from sgdreg.optimizers import Optimizer

SQUARED = ("squared_error", "huber", "squared_epsilon_insensitive")
seeds = st.integers(0, 2**32 - 1)
positives = pytest.mark.parametrize("positive", [False, True])
few = partial(effort, max_examples=max(1, effort.default.max_examples // 8))
# ... of tests with a dozen fits each
fewer = partial(effort, max_examples=max(1, effort.default.max_examples // 13))
some = partial(effort, max_examples=max(1, effort.default.max_examples // 5))


@st.composite
def cases(draw, loss, positive, penalties=PENALTIES):
    """X, y and the estimator's parameters."""
    n, d = draw(st.integers(3, 40)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(seeds))
    X = rng.standard_normal((n, d)) * 10 ** rng.uniform(-1, 1, d)
    X += draw(st.sampled_from((0.0, 5.0)))
    noise = draw(st.sampled_from((0.1, 3.0)))
    y = X @ rng.standard_normal(d) + 1 + noise * rng.standard_t(3, n)
    kinds = {"alpha": draw(st.sampled_from((1e-3, 0.1)))}
    kinds["epsilon"] = draw(st.sampled_from((0.1, 1.0)))
    found = parameters(loss, draw(st.sampled_from(penalties)), **kinds, positive=positive)
    if loss == "quantile":
        found["quantile"] = draw(st.sampled_from((0.1, 0.5, 0.8)))
    if found["penalty"] == "elasticnet":
        found["l1_ratio"] = draw(st.sampled_from((0.15, 0.9)))
    return X, y, found | {"fit_intercept": draw(st.booleans())}


def fitted(X, y, sample_weight=None, **settings):
    """Fitted and converged, without a warning."""
    model = silently(X, y, sample_weight, **settings)
    assert model.converged_, model.stop_reason_
    return model


def silently(X, y, sample_weight=None, **settings):
    """Fitted without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return SGDLinearRegressor(**settings).fit(X, y, sample_weight)


def at_a_plateau(X, y, **settings):
    """Fitted without a certificate, of which one warning says how it ended."""
    with pytest.warns(ConvergenceWarning) as caught:
        model = SGDLinearRegressor(**settings).fit(X, y)
    assert len(caught) == 1
    said = str(caught[0].message)
    assert said.startswith(model.stop_reason_)
    assert f"With {X.shape[1]} features" in said
    assert not model.converged_
    assert "How far the optimum is, such steps cannot tell" in model.stop_reason_
    return model


def assert_as_good(objective, *models, miss=MISS):
    """F at each (coefficients, intercept) is the same, as far as tol allows."""
    values = [objective(*model) for model in models]
    rounding = 1e-12 * np.abs(objective.y).max(initial=1.0) + 1e-9 * min(values)
    assert max(values) - min(values) <= miss * objective.of_constant + rounding


def of(model):
    return model.coef_, model.intercept_


# ------------------------------------------------------- what must not change the answer


@loss_names
@positives
@fewer()
@given(st.data())
def test_weights_are_repetitions(loss, positive, data):
    X, y, settings = data.draw(cases(loss, positive))
    rng = np.random.default_rng(data.draw(seeds))
    s = rng.integers(0, 4, len(y)).astype(float)
    s[:2] = 1.0, 3.0
    kept = s > 0
    objective = Objective(X, y, s, **settings)
    repeated = np.repeat(np.arange(len(y)), s.astype(int))
    models = [
        fitted(X, y, s, **settings),
        fitted(X[repeated], y[repeated], **settings),
        fitted(X[kept], y[kept], s[kept], **settings),
        fitted(X, y, 1e-5 * s, **settings),
        fitted(X, y, 1e9 * s, **settings),
        fitted(sparse.csr_array(X), y, s, **settings),
    ]
    assert_as_good(objective, *map(of, models))
    # What stands in a row of weight zero does not matter.
    X[~kept], y[~kept] = 1e6, -1e7
    model = fitted(X, y, s, **settings)
    assert_as_good(objective, of(models[0]), of(model))
    assert_allclose(model.coef_, models[2].coef_, rtol=1e-9, atol=1e-12)


@loss_names
@positives
@few()
@given(st.data(), st.booleans())
def test_outputs_are_alone(loss, positive, data, csr):
    X, y, settings = data.draw(cases(loss, positive))
    Y = np.column_stack([y, -3.0 * y + X[:, 0], np.full(len(y), 2.0), 1e-3 * y[::-1]])
    A = sparse.csr_array(X) if csr else X
    together = fitted(A, Y, **settings)
    for o, target in enumerate(Y.T):
        alone = fitted(A, target, **settings)
        objective = Objective(X, target, **settings)
        both = of(alone), (together.coef_[o], together.intercept_[o])
        assert_as_good(objective, *both)


@loss_names
@positives
@fewer()
@given(st.data())
def test_formats_of_the_same_numbers(loss, positive, data):
    X, y, settings = data.draw(cases(loss, positive))
    X[np.abs(X) < 0.3 * np.abs(X).mean()] = 0.0
    settings |= {"random_state": 0}
    dense = fitted(X, y, **settings)
    frozen = X.copy(), y.copy()
    for array in frozen:
        array.flags.writeable = False
    strided = np.repeat(X, 2, axis=1)[:, ::2]
    for A, target in ((np.asfortranarray(X), y), frozen, (strided, y)):
        assert_array_equal(fitted(A, target, **settings).coef_, dense.coef_)
    assert_array_equal(frozen[0], X)
    objective = Objective(
        X, y, **{k: v for k, v in settings.items() if k != "random_state"}
    )
    csr = sparse.csr_array(X)
    explicit = sparse.csr_array(csr - sparse.csr_array(X > 1e9))
    for A in (csr, explicit, sparse.csc_array(X), sparse.coo_array(X)):
        assert_as_good(objective, of(fitted(A, y, **settings)), of(dense))
    single = X.astype(np.float32)
    objective = replace(objective, X=single.astype(float))
    exact = fitted(single.astype(float), y, **settings)
    for A in (single, np.asfortranarray(single), sparse.csr_array(single)):
        model = fitted(A, y, **settings)
        assert model.coef_.dtype == np.float32
        assert_as_good(objective, of(model), of(exact), miss=1e-5)
        if positive:
            assert (model.coef_ >= 0).all()


@loss_names
@positives
@few()
@given(st.data(), st.sampled_from((1e-6, 0.3, 1e5)))
def test_units_of_y(loss, positive, data, c):
    """y → c y, epsilon → c epsilon. The loss grows by c² or c, l1 by c, l2 by c²."""
    X, y, settings = data.draw(cases(loss, positive))
    objective, scaled = Objective(X, y, **settings), dict(settings)
    if loss in WITH_EPSILON:
        scaled["epsilon"] = c * settings["epsilon"]
    penalty = settings["penalty"]
    if penalty is not None:
        grown = c if loss in SQUARED else 1.0  # what l1 is multiplied by; l2: grown / c
        l1, l2 = grown * objective.l1, grown / c * objective.l2
        scaled["alpha"] = l1 + l2
        if penalty == "elasticnet":
            scaled["l1_ratio"] = l1 / (l1 + l2)
    model = fitted(X, c * y, **scaled)
    mine = model.coef_ / c, model.intercept_ / c
    assert_as_good(objective, mine, of(fitted(X, y, **settings)))


@loss_names
@positives
@few()
@given(st.data())
def test_units_and_offsets_of_columns(loss, positive, data):
    X, y, settings = data.draw(cases(loss, positive, penalties=(None,)))
    rng = np.random.default_rng(data.draw(seeds))
    a = 10 ** rng.uniform(-6, 6, X.shape[1])
    b = settings["fit_intercept"] * rng.uniform(-10, 10, X.shape[1])
    model, other = fitted(X, y, **settings), fitted(a * (X + b), y, **settings)
    coef = other.coef_ * a
    objective = Objective(X, y, **settings)
    assert_as_good(objective, of(model), (coef, other.intercept_ + coef @ b))
    if settings["fit_intercept"]:
        shifted = fitted(X, y + 100, **settings)
        assert_as_good(objective, of(model), (shifted.coef_, shifted.intercept_ - 100))


@loss_names
@positives
@few()
@given(st.data())
def test_order_of_rows_and_columns(loss, positive, data):
    X, y, settings = data.draw(cases(loss, positive))
    rng = np.random.default_rng(data.draw(seeds))
    rows, columns = rng.permutation(len(y)), rng.permutation(X.shape[1])
    other = fitted(X[rows][:, columns], y[rows], **settings)
    coef = np.empty(X.shape[1])
    coef[columns] = other.coef_
    objective = Objective(X, y, **settings)
    assert_as_good(objective, of(fitted(X, y, **settings)), (coef, other.intercept_))


# ------------------------------------------------------------ what the answer satisfies


def stationarity(objective, coef, intercept, near):
    """The least largest component of a subgradient of F that is `near` the model.

    Residuals and coefficients may be moved by `near`, which is what lets kinks be found.
    """
    f = objective
    slope = SLOPES[f.loss][1]
    r = f.A @ coef + intercept - f.y
    low, high = (slope(r + side * near, f.epsilon, f.quantile) for side in (-1, 1))
    rows = np.column_stack([f.A, np.full(len(r), float(f.fit_intercept))])
    B = [rows.T * f.s]
    bounds = [*zip(low, high, strict=True)]
    d = len(coef)
    if f.l1 or f.positive:
        B.append(np.eye(d + 1, d))
        for w in coef:
            least = -np.inf if f.positive else -f.l1
            bounds.append((least if w <= near else f.l1, f.l1 if w >= -near else -f.l1))
    B = np.hstack(B)
    fixed = np.append(f.l2 * np.asarray(coef, float), 0.0)
    one = np.ones((d + 1, 1))
    found = optimize.linprog(
        np.append(np.zeros(B.shape[1]), 1.0),
        A_ub=np.vstack([np.hstack([B, -one]), np.hstack([-B, -one])]),
        b_ub=np.concatenate([-fixed, fixed]),
        bounds=[*bounds, (0, None)],
    )
    assert found.status == 0, found.message
    return found.fun


@loss_names
@positives
@some()
@given(st.data())
def test_zero_is_a_subgradient(loss, positive, data):
    X, y, settings = data.draw(cases(loss, positive))
    X, y = X / np.abs(X).max(axis=0), y / np.abs(y).max()
    if loss in WITH_EPSILON:
        settings["epsilon"] *= 0.1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # rounding comes before 1e-13
        model = SGDLinearRegressor(**settings, tol=1e-13).fit(X, y)
    objective = Objective(X, y, **settings)
    assert stationarity(objective, *of(model), near=1e-5) <= 1e-5
    if positive:
        assert model.coef_.min() >= 0


# ---------------------------------------------------------------------- what others find


def sparse_truth(seed, n=100, d=30):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) * 10 ** rng.uniform(-0.5, 0.5, d) + rng.uniform(
        -2, 2, d
    )
    w = np.where(np.arange(d) % 4 == 0, rng.standard_normal(d), 0.0)
    return X, X @ w + 3 + 0.5 * rng.standard_normal(n)


@some()
@given(
    seeds,
    st.sampled_from((0.1, 0.5, 0.9)),
    st.sampled_from((0.0, 0.02)),
    st.booleans(),
    st.booleans(),
)
def test_quantile_regressor(seed, quantile, alpha, weighted, fit_intercept):
    X, y = sparse_truth(seed, 60, 5)
    s = np.random.default_rng(seed).integers(1, 4, 60) * 1.0 if weighted else None
    common = {"quantile": quantile, "fit_intercept": fit_intercept}
    settings = common | {"loss": "quantile"}
    if alpha:
        settings |= {"penalty": "l1", "alpha": alpha}
    peer = QuantileRegressor(**common, alpha=alpha, solver="highs").fit(X, y, s)
    objective = Objective(X, y, s, **settings)
    models = of(fitted(X, y, s, **settings)), of(peer)
    assert_as_good(objective, *models, miss=1e-7)


@some()
@given(seeds, st.sampled_from((1.1, 1.35, 3.0)), st.sampled_from((0.0, 1.0)), st.booleans())
def test_huber_regressor(seed, epsilon, alpha, weighted):
    """With sigma fixed its objective is 2 S / sigma times Huber's of epsilon · sigma."""
    X, y = sparse_truth(seed, 80, 5)
    rng = np.random.default_rng(seed)
    X, y = (X - X.mean(axis=0)) / X.std(axis=0), y + 5 * rng.standard_cauchy(80)
    s = rng.integers(1, 4, 80).astype(float) if weighted else np.ones(80)
    peer = HuberRegressor(epsilon=epsilon, alpha=alpha, max_iter=10000, tol=1e-9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its line search, at the end
        peer.fit(X, y, s)
    settings = {"loss": "huber", "epsilon": epsilon * peer.scale_}
    if alpha:
        settings |= {"penalty": "l2", "alpha": alpha * peer.scale_ / s.sum()}
    objective = Objective(X, y, s, **settings)
    model = fitted(X, y, s, **settings)
    assert objective(*of(model)) <= objective(*of(peer)) + MISS * objective.of_constant
    assert objective(*of(peer)) <= objective(*of(model)) * (1 + 1e-5)
    assert_allclose(model.coef_, peer.coef_, atol=0.02 * np.abs(y).mean())


@some()
@example(3217, 0.01, 0.3, False, False, True)  # one of five is none, the others are zeros
@example(3217, 0.01, 0.3, False, True, True)
@given(
    seeds,
    st.sampled_from((0.01, 0.1, 1.0)),
    st.sampled_from((0.3, 1.0)),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_lasso_and_elastic_net(seed, alpha, l1_ratio, positive, weighted, fit_intercept):
    X, y = sparse_truth(seed)
    s = np.random.default_rng(seed).integers(1, 4, len(y)) * 1.0 if weighted else None
    common = {"alpha": alpha, "positive": positive, "fit_intercept": fit_intercept}
    peers = {"tol": 1e-12, "max_iter": 10**6}
    settings = common | {"penalty": "l1"}
    if l1_ratio == 1:
        peer = Lasso(**common, **peers).fit(X, y, s)
    else:
        settings |= {"penalty": "elasticnet", "l1_ratio": l1_ratio}
        peer = ElasticNet(**common, **peers, l1_ratio=l1_ratio).fit(X, y, s)
    objective = Objective(X, y, s, **settings)
    model = fitted(X, y, s, **settings)
    found, best = objective(*of(model)), objective(*of(peer))
    assert best * (1 - 1e-9) <= found <= best * (1 + 1e-6)
    assert_same_zeros(objective, model.coef_, peer.coef_)


def assert_same_zeros(objective, coef, best):
    """But for coefficients so close to zero that they change nothing."""
    differ = (coef == 0) != (best == 0)
    counts = np.abs(best - coef) * objective.A.std(axis=0) > 1e-3 * objective.y.std()
    assert not (differ & counts).any()
    assert differ.sum() <= 1


@some()
@given(seeds, st.booleans(), st.sampled_from(((50, 8), (8, 20))))
def test_non_negative_least_squares(seed, fit_intercept, shape):
    X, y = sparse_truth(seed, *shape)
    settings = {"positive": True, "fit_intercept": fit_intercept}
    objective = Objective(X, y, **settings)
    peer = LinearRegression(**settings).fit(X, y)
    for A in (X, np.asfortranarray(X), sparse.csr_array(X)):
        model = fitted(A, y, **settings)
        assert_as_good(objective, of(model), of(peer))
        if not fit_intercept:
            assert_as_good(objective, of(model), (optimize.nnls(X, y)[0], 0.0))
        if len(y) > X.shape[1]:
            assert_same_zeros(objective, model.coef_, peer.coef_)


# ------------------------------------------------------------ losses and rules of one's own


class LogCosh(Loss):
    smoothness = 1.0

    def value(self, y, p):
        r = np.abs(p - y)
        return r + np.log1p(np.exp(-2 * r)) - np.log(2)

    def gradient(self, y, p):
        return np.tanh(p - y)


class BentLogCosh(LogCosh):
    def curvature(self, y, p):
        return 1 - np.tanh(p - y) ** 2


class PseudoHuber(Loss):
    smoothness = 1.0

    def __init__(self, delta=1.0):
        self.delta = delta

    def value(self, y, p):
        return self.delta**2 * (np.hypot(1, (p - y) / self.delta) - 1)

    def gradient(self, y, p):
        return (p - y) / np.hypot(1, (p - y) / self.delta)


class BentPseudoHuber(PseudoHuber):
    def curvature(self, y, p):
        return np.hypot(1, (p - y) / self.delta) ** -3


class OwnHuber(Loss):
    """The built-in one, written anew."""

    smoothness = 1.0

    def value(self, y, p):
        r = np.abs(p - y)
        return np.where(r <= 0.3, 0.5 * r**2, 0.3 * (r - 0.15))

    def gradient(self, y, p):
        return np.clip(p - y, -0.3, 0.3)


class BentHuber(OwnHuber):
    def curvature(self, y, p):
        return 1.0 * (np.abs(p - y) <= 0.3)


class OwnAbsolute(Loss):
    def value(self, y, p):
        return np.abs(p - y)

    def gradient(self, y, p):
        return np.sign(p - y)


@pytest.mark.parametrize(
    "loss", [LogCosh(), BentLogCosh(), PseudoHuber(0.3), BentPseudoHuber(0.3)], ids=str
)
@pytest.mark.parametrize("alpha", [None, 0.1])
@few()
@given(seeds)
def test_a_smooth_loss_of_ones_own(loss, alpha, seed):
    rng = np.random.default_rng(seed)
    X, y = sparse_truth(seed, 50, 4)
    y += rng.standard_t(2, 50)
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    s = rng.integers(1, 4, 50).astype(float)
    l2 = alpha or 0.0

    def objective(theta):
        p = Z @ theta[:-1] + theta[-1]
        g = s / s.sum() * loss.gradient(y, p)
        slope = np.append(Z.T @ g + l2 * theta[:-1], g.sum())
        losses = s @ loss.value(y, p) / s.sum()
        return losses + 0.5 * l2 * theta[:-1] @ theta[:-1], slope

    best = optimize.minimize(
        objective, np.zeros(5), jac=True, method="BFGS", options={"gtol": 1e-9}
    )
    constant = optimize.minimize_scalar(lambda c: np.average(loss.value(y, c), weights=s))
    penalty = {"penalty": "l2", "alpha": alpha} if alpha else {}
    for A in (Z, sparse.csr_array(Z), np.asfortranarray(Z)):
        model = fitted(A, y, s, loss=loss, **penalty)
        found = objective(np.append(*of(model)))[0]
        assert found <= best.fun + MISS * constant.fun
        gap = model.history_[-1]["optimality_gap"]
        assert found - best.fun <= gap * constant.fun / 0.3 + 1e-12


@pytest.mark.parametrize("loss", [OwnHuber(), BentHuber()], ids=str)
@pytest.mark.parametrize("penalty", PENALTIES)
@positives
@fewer()
@given(seeds)
def test_a_copy_of_hubers_loss(loss, penalty, positive, seed):
    X, y = sparse_truth(seed, 40, 5)
    settings = {"penalty": penalty, "positive": positive}
    if penalty:
        settings["alpha"] = 0.05
    objective = Objective(X, y, loss="huber", epsilon=0.3, **settings)
    built_in = fitted(X, y, loss="huber", epsilon=0.3, **settings)
    assert_as_good(objective, of(fitted(X, y, loss=loss, **settings)), of(built_in))


def test_a_copy_of_hubers_loss_within_bounds():
    """Rows far away bend nothing; steps are found all the same."""
    rng = np.random.default_rng(1)
    X = rng.standard_normal((20, 2))
    y = X @ rng.standard_normal(2) + 3 + 0.5 * rng.standard_normal(20)
    for settings in ({"penalty": "l1", "alpha": 0.05}, {"positive": True}):
        objective = Objective(X, y, loss="huber", epsilon=0.3, **settings)
        best = fitted(X, y, loss="huber", epsilon=0.3, **settings)
        for loss in (OwnHuber(), BentHuber()):
            assert_as_good(objective, of(fitted(X, y, loss=loss, **settings)), of(best))


@pytest.mark.parametrize("penalty", [None, "elasticnet"])
@positives
def test_a_kinked_loss_of_ones_own(penalty, positive):
    """Nothing is known of it: shrinking steps, which come near."""
    X, y = sparse_truth(0, 100, 5)
    settings = {"penalty": penalty, "positive": positive}
    if penalty:
        settings["alpha"] = 0.05
    objective = Objective(X, y, loss="absolute_error", **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = SGDLinearRegressor(OwnAbsolute(), random_state=0, **settings).fit(X, y)
    miss = objective(*of(model)) - objective.bounds[0]
    assert -1e-9 <= miss <= 0.02 * objective.of_constant
    if positive:
        assert (model.coef_ >= 0).all()


class Own(Optimizer):
    def direction(self, gradient, memory, t):
        return gradient


class Ball(Optimizer):
    slots = 1

    def direction(self, gradient, memory, t):
        memory[0] = 0.7 * memory[0] + gradient
        return memory[0]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("loss", ["squared_error", "huber", OwnHuber()], ids=str)
@pytest.mark.parametrize("penalty", PENALTIES)
@positives
@fewer()
@given(seeds)
def test_a_rule_of_ones_own(loss, penalty, positive, seed):
    X, y = sparse_truth(seed, 30, 5)
    common = {"learning_rate": 0.003, "batch_size": 4, "max_iter": 5, "tol": None}
    common |= {"loss": loss, "penalty": penalty, "positive": positive, "random_state": 0}
    if penalty:
        common["alpha"] = 0.1
    for A in (X, sparse.csr_array(X)):
        own, built_in = (
            SGDLinearRegressor(optimizer=rule, **common).fit(A, y)
            for rule in (Own(), "sgd")
        )
        assert_allclose(own.coef_, built_in.coef_, rtol=1e-11, atol=1e-13)
        assert_array_equal(own.coef_ == 0, built_in.coef_ == 0)
        ball = SGDLinearRegressor(optimizer=Ball(), **common).fit(A, y)
        assert not positive or (ball.coef_ >= 0).all()


def bad(name, answer, base=LogCosh):
    """A loss one of whose methods gives another answer."""

    class Bad(base):
        calls = 0

    def method(self, y, p):
        return answer(y, p, getattr(base, name)(self, y, p))

    setattr(Bad, name, method)
    return Bad()


def spoil(y, p, answer):
    p -= y
    return answer


def fail(y, p, answer):
    raise ZeroDivisionError("its own failure")


BAD_ANSWERS = {
    "a scalar": (lambda y, p, a: 1.0, ValueError, "shape"),
    "a column": (lambda y, p, a: a[:, None], ValueError, "shape"),
    "too short": (lambda y, p, a: a[:-1], ValueError, "shape"),
    "NaN": (lambda y, p, a: np.where(np.arange(len(a)) == 0, np.nan, a), ValueError, "NaN"),
    "nothing": (lambda y, p, a: None, (TypeError, ValueError), None),
    "words": (lambda y, p, a: ["one"] * len(a), (TypeError, ValueError), None),
    "changes p": (spoil, ValueError, "read-only"),
    "raises": (fail, ZeroDivisionError, "its own failure"),
}
WAYS = {
    "defaults": {},
    "batches": {"batch_size": 8, "max_iter": 5},
    "textbook": {"learning_rate": 0.01, "max_iter": 2, "tol": None},
    "svrg": {"optimizer": "svrg", "batch_size": 5, "max_iter": 5},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", BAD_ANSWERS)
@pytest.mark.parametrize("method", ["value", "gradient", "curvature"])
def test_a_bad_loss_of_ones_own(kind, method, way):
    """Its own error or a sentence; what had been fitted before stays; data too."""
    if method == "curvature" and way != "defaults":
        pytest.skip("not asked for")
    X, y = sparse_truth(1, 20, 3)
    before = X.copy(), y.copy()
    answer, error, match = BAD_ANSWERS[kind]
    model = SGDLinearRegressor(**WAYS[way], random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y)
    kept = model.coef_.copy()
    model.set_params(loss=bad(method, answer, BentLogCosh))
    with pytest.raises(error, match=match):
        model.fit(X, y)
    assert_array_equal(model.coef_, kept)
    if method != "curvature":
        fresh = SGDLinearRegressor(loss=bad(method, answer, BentLogCosh), **WAYS[way])
        with pytest.raises(error, match=match):
            fresh.partial_fit(X, y)
        assert not hasattr(fresh, "coef_")
    assert_array_equal(X, before[0])
    assert_array_equal(y, before[1])


def test_answers_of_other_types_do():
    """Lists, integers, float32, and an array that the loss writes to again."""
    X, y = sparse_truth(2, 30, 3)
    expected = fitted(X, y, loss=LogCosh()).coef_
    for change in (
        lambda y, p, a: a.tolist(),
        lambda y, p, a: a.astype(np.longdouble),
        lambda y, p, a: np.asfortranarray(a),
        lambda y, p, a: np.repeat(a, 2)[::2],
    ):
        loss = bad("gradient", change)
        assert_allclose(fitted(X, y, loss=loss).coef_, expected, rtol=1e-6)

    class Buffered(LogCosh):
        buffer = np.empty(30)

        def gradient(self, y, p):
            self.buffer[:] = np.tanh(p - y)
            return self.buffer

        def value(self, y, p):
            self.buffer[:] = super().value(y, p)
            return self.buffer

    assert_allclose(fitted(X, y, loss=Buffered()).coef_, expected, rtol=1e-6)


# ------------------------------------------------------------------------------ streams


@st.composite
def chunks(draw, n):
    """Slices of n rows, between drawn ends."""
    ends = draw(st.sets(st.integers(1, n - 1), max_size=6))
    ends = [0, *sorted(ends), n]
    return [slice(*pair) for pair in pairwise(ends)]


BOUNDED = (
    {"penalty": "l1", "alpha": 0.05},
    {"penalty": "elasticnet", "alpha": 0.2, "l1_ratio": 0.6},
    {"positive": True},
    {"penalty": "l1", "alpha": 0.05, "positive": True},
    {"penalty": "l2", "alpha": 0.1, "positive": True},
)


@pytest.mark.parametrize("penalty", BOUNDED, ids=str)
@few()
@given(seeds, st.data(), st.booleans(), st.booleans(), st.booleans())
def test_bounded_least_squares_by_streams(penalty, seed, data, csr, weighted, fit_first):
    """After every chunk it is the optimum of all rows so far."""
    X, y = sparse_truth(seed, 60, 6)
    s = np.random.default_rng(seed).uniform(0.5, 3.0, 60) if weighted else np.ones(60)
    Y = np.column_stack([y, y[::-1] - 2 * y])
    A = sparse.csr_array(X) if csr else X
    model = SGDLinearRegressor(**penalty, fit_intercept=data.draw(st.booleans()))
    for rows in data.draw(chunks(60)):
        if rows.start == 0 and fit_first:
            model.fit(A[rows], Y[rows], s[rows])
        else:
            model.partial_fit(A[rows], Y[rows], s[rows])
        seen = slice(0, rows.stop)
        for o in range(2):
            objective = Objective(
                X[seen], Y[seen, o], s[seen], fit_intercept=model.fit_intercept, **penalty
            )
            lower, upper = objective.bounds
            found = objective(model.coef_[o], model.intercept_[o])
            allowed = MISS if rows.start == 0 and fit_first else 1e-8
            rounding = 1e-9 * upper + 1e-13 * np.abs(Y).max() ** 2
            assert lower - rounding <= found
            assert found <= upper + allowed * objective.of_constant + rounding


# Loss, and the share of the optimum by which a stream may miss it.
ROBUST = {
    "huber": ({"loss": "huber", "epsilon": 1.0}, 1e-3),
    "sqeps": ({"loss": "squared_epsilon_insensitive", "epsilon": 0.5}, 1e-2),
    "median": ({"loss": "absolute_error"}, 0.03),
    "quantile": ({"loss": "quantile", "quantile": 0.8}, 0.03),
    "epsilon": ({"loss": "epsilon_insensitive", "epsilon": 0.3}, 0.03),
}


@pytest.mark.parametrize("name", ROBUST)
@pytest.mark.parametrize(
    ("penalty", "size"),
    [
        ({}, 50),
        ({"penalty": "l1", "alpha": 0.02}, 250),
        ({"positive": True}, 250),
    ],
    ids=str,
)
@pytest.mark.parametrize("fit_first", [False, True])
def test_other_losses_by_streams(name, penalty, size, fit_first):
    loss, miss = ROBUST[name]
    X, y = sparse_truth(3, 2000, 5)
    y = y + 0.5 * np.random.default_rng(4).standard_t(3, 2000)
    model = SGDLinearRegressor(**loss, **penalty)
    start = 1000 if fit_first else 0
    if fit_first:
        model.fit(X[:start], y[:start])
    for first in range(start, 2000, size):
        model.partial_fit(X[first : first + size], y[first : first + size])
    objective = Objective(X, y, **loss, **penalty)
    found, best = objective(*of(model)), objective.bounds[0]
    assert found <= best * (1 + miss)


@pytest.mark.parametrize("name", ROBUST)
def test_a_fit_is_not_forgotten(name):
    """A few rows of another law, after a fit to many: an answer near the old one."""
    loss, miss = ROBUST[name]
    X, y = sparse_truth(5, 1500, 4)
    model = SGDLinearRegressor(**loss).fit(X, y)
    objective = Objective(X, y, **loss)
    before = objective(*of(model))
    model.partial_fit(X[:5], y[:5] + 1.0)
    assert objective(*of(model)) <= before * (1 + max(miss, 0.02))


# ----------------------------------------------------------------------- many features


def wide(seed, csr):
    rng = np.random.default_rng(seed)
    n, d = 300, 2500
    X = rng.standard_normal((n, d))
    if csr:
        X[rng.random((n, d)) > 0.03] = 0.0
    w = np.where(np.arange(d) < 15, rng.choice([-2.0, 2.0], d), 0.0)
    y = X @ w + 1 + 0.3 * rng.standard_normal(n)
    return X, y


@pytest.mark.parametrize("csr", [False, True])
@positives
def test_lasso_of_many_features(csr, positive):
    X, y = wide(0, csr)
    alpha = 0.1 * np.abs(X.T @ (y - y.mean())).max() / len(y)
    A = sparse.csr_array(X) if csr else X
    common = {"alpha": alpha, "positive": positive}
    model = SGDLinearRegressor(penalty="l1", random_state=0, **common).fit(A, y)
    assert model.converged_
    assert model.history_[-1]["optimality_gap"] <= 1e-8
    peer = Lasso(**common, tol=1e-12, max_iter=10**5).fit(X, y)
    objective = Objective(X, y, penalty="l1", **common)
    found, best = objective(*of(model)), objective(*of(peer))
    assert best * (1 - 1e-9) <= found <= best * (1 + 1e-8)
    assert_array_equal(model.coef_ == 0, peer.coef_ == 0)


@pytest.mark.parametrize("csr", [False, True])
def test_huber_of_many_features(csr):
    X, y = wide(1, csr)
    y[::20] += 30.0
    settings = {"loss": "huber", "epsilon": 1.0, "penalty": "l2", "alpha": 0.1}
    model = fitted(sparse.csr_array(X) if csr else X, y, **settings)
    objective = Objective(X, y, **settings)

    def smooth(theta):
        r = X @ theta[:-1] + theta[-1] - y
        g = np.clip(r, -1.0, 1.0) / len(y)
        value = objective(theta[:-1], theta[-1])
        return value, np.append(X.T @ g + 0.1 * theta[:-1], g.sum())

    best = optimize.minimize(
        smooth,
        np.zeros(X.shape[1] + 1),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 5000, "maxfun": 10000, "ftol": 1e-15, "gtol": 1e-9},
    )
    assert objective(*of(model)) <= best.fun * (1 + 1e-8)


def test_huber_with_l1_of_many_features():
    X, y = wide(1, True)
    y[::20] += 30.0
    settings = {"loss": "huber", "epsilon": 1.0, "penalty": "l1", "alpha": 0.1}
    at_a_plateau(sparse.csr_array(X), y, tol=1e-3, random_state=0, **settings)


@pytest.mark.parametrize("chosen", [{"batch_size": 32}, {"average": True}])
def test_steps_of_a_users_choice_end_without_a_warning(chosen):
    X, y = wide(2, False)
    settings = {"loss": "huber", "epsilon": 1.0, "penalty": "l2", "alpha": 0.1}
    model = silently(X, y, tol=1e-3, random_state=0, **settings, **chosen)
    assert not model.converged_


def test_an_interior_point_ended_on_its_way_has_not_diverged():
    """Its iterates need not be models: they come with a warning, not with an error."""
    rng = np.random.default_rng(16885)
    n, d = 8, 2
    X = np.sort(rng.standard_normal((n, d)), axis=0)
    y = X @ rng.standard_normal(d) + 0.1 * rng.standard_normal(n)
    weights = rng.integers(0, 3, n).astype(float)
    weights[0] = 1
    settings = {"loss": "huber", "epsilon": 1e6, "positive": True}
    settings |= {"optimizer": "interior_point"}
    model = SGDLinearRegressor(max_iter=3, **settings)
    with pytest.warns(ConvergenceWarning):
        model.fit(sparse.csr_array(X), y, weights)
    assert not model.converged_
    ended = SGDLinearRegressor(**settings).fit(X, y, weights)
    assert ended.converged_

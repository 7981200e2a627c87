"""Every rule with every loss and penalty: the twin's steps, and what follows from them."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from judges import (
    LOSS_NAMES,
    RULES,
    constant_gradient,
    draws_follow_the_weights,
    optimizer_of,
    optimum_stays,
    run_estimator,
    run_twin,
    slope_of_the_objective,
)
from numpy.testing import assert_allclose, assert_array_equal
from problems import problems
from scipy import sparse
from test_mutants import PENALTIES, fixed_problems

from sgdreg import SGDLinearRegressor

EPOCHS = 3
# Several examples for each combination of a parametrised test: fewer of each.
FEW = settings(max_examples=max(1, settings.default.max_examples // 6))
# ... where only the rules are parametrised
SOME = settings(max_examples=max(1, settings.default.max_examples // 2))
KINDS = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam")
# An epsilon far above rounding: a gradient of zero but for rounding moves nothing then,
# whatever its sign.
epsilons = st.sampled_from((1e-6, 1e-3, 0.1))
kinds = pytest.mark.parametrize("kind", KINDS)
loss_names = pytest.mark.parametrize("loss", LOSS_NAMES)


@st.composite
def rules(draw, kind):
    """A rule of the twin, with parameters."""
    if kind == "sgd":
        return {"kind": kind}
    if kind in ("momentum", "nesterov"):
        return {"kind": kind, "momentum": draw(st.sampled_from((0.3, 0.7)))}
    rule = {"kind": kind, "epsilon": draw(epsilons)}
    if kind == "adagrad":
        return rule | {"initial": draw(st.sampled_from((0.0, 0.2)))}
    if kind == "rmsprop":
        momentum = draw(st.sampled_from((0.0, 0.6)))
        return rule | {"rho": draw(st.sampled_from((0.8, 0.99))), "momentum": momentum}
    return rule | {
        "beta_1": draw(st.sampled_from((0.0, 0.9))),
        "beta_2": draw(st.sampled_from((0.9, 0.999))),
        "weight_decay": draw(st.sampled_from((0.0, 0.5))),
    }


@st.composite
def objectives(draw, loss, kind):
    """Loss and penalty, with their parameters, as run_estimator and the twin take them."""
    positive = kind != "nesterov" and draw(st.booleans())  # refused: it looks ahead
    found = {"loss": loss, "positive": positive}
    if loss in ("huber", "epsilon_insensitive", "squared_epsilon_insensitive"):
        found["epsilon"] = draw(st.sampled_from((0.05, 0.8)))
    if loss == "quantile":
        found["quantile"] = draw(st.sampled_from((0.1, 0.5, 0.7)))
    penalty = draw(st.sampled_from((None, "l2", "l1", "elasticnet")))
    found |= {"penalty": penalty, "alpha": 0.0}
    if penalty is not None:
        found["alpha"] = draw(st.sampled_from((0.01, 0.3)))
    if penalty == "elasticnet":
        found["l1_ratio"] = draw(st.sampled_from((0.0, 0.2, 0.9, 1.0)))
    return found


@st.composite
def orders(draw):
    """Batches, their order, and what is averaged."""
    return {
        "batch_size": draw(st.sampled_from((1, 2, 3, 7, 100))),
        "shuffle": draw(st.sampled_from((False, "rows", "blocks", "replacement"))),
        "average": draw(st.sampled_from((False, True, 4, "tail", 0.9))),
        "seed": draw(st.integers(0, 2**31 - 1)),
    }


def first_step(problem, kind, loss):
    """A step that no rule diverges with, whichever rows are drawn and however weighted."""
    if kind in ("adagrad", "rmsprop", "adam"):  # the length of a step is about eta's
        return 0.01
    curvature = 2.0 if loss == "squared_epsilon_insensitive" else 1.0
    largest = np.max(np.sum(problem.design**2, axis=1)) * problem.weights.max()
    return 0.1 / (1.0 + curvature * largest)


def without_a_row(problem, left_out):
    """Weights of which one is zero, where it can be."""
    weights = problem.sample_weight
    if left_out and weights is not None and len(weights) > 1:
        weights = np.append(0.0, weights[1:])
    return weights


def with_empty_columns(X, empty):
    """CSR with many columns without entries: a batch has fewer entries than features."""
    return np.column_stack([X, np.zeros((len(X), empty))])


@kinds
@loss_names
@FEW
@given(st.data())
def test_equal_to_the_twin(kind, loss, data):
    """Dense, CSR with a buffer and CSR by lazy steps: the twin's numbers, all of them."""
    problem = data.draw(problems(max_rows=25))
    common = data.draw(objectives(loss, kind)) | data.draw(orders())
    common["rule"] = data.draw(rules(kind))
    common["sample_weight"] = without_a_row(problem, data.draw(st.booleans()))
    common["fit_intercept"] = problem.fit_intercept
    single = data.draw(st.booleans())
    eta0 = first_step(problem, kind, loss)
    common |= {"eta": lambda t: eta0 / t**0.25, "epochs": EPOCHS}
    X = problem.X.astype(np.float32) if single else problem.X
    if data.draw(st.booleans()):
        X = with_empty_columns(X, 60).astype(X.dtype)
    expected, losses = run_twin(X, problem.y, **common)
    size = 1 + np.abs(expected).max()
    # Steps are of float64 whatever X is; only the coefficients returned are rounded.
    rounded = 1e-7 if single else 0.0
    for same in (X, sparse.csr_array(X)):
        thetas, curve = run_estimator(same, problem.y, **common)
        assert_allclose(thetas, expected, rtol=rounded, atol=1e-10 * size)
        assert_allclose(curve, losses, rtol=1e-9, atol=1e-10)


def make_model(problem, rule, common, eta0):
    common = dict(common)
    return SGDLinearRegressor(
        optimizer=optimizer_of(rule),
        learning_rate="invscaling",
        eta0=eta0,
        tol=None,
        max_iter=5,
        fit_intercept=problem.fit_intercept,
        random_state=common.pop("seed"),
        **common,
    )


@kinds
@loss_names
@FEW
@given(st.data())
def test_partial_fits_compose(kind, loss, data):
    """k calls of partial_fit, or fit + warm start, are one fit of k epochs: same bits."""
    problem = data.draw(problems(max_rows=25))
    rule = data.draw(rules(kind))
    common = data.draw(objectives(loss, kind)) | data.draw(orders())
    weights = without_a_row(problem, data.draw(st.booleans()))
    eta0 = first_step(problem, kind, loss)
    X = problem.X
    if data.draw(st.booleans()):
        X = sparse.csr_array(with_empty_columns(X, 50))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # parameters that this loss or penalty lacks
        whole = make_model(problem, rule, common, eta0).fit(X, problem.y, weights)
        parts = make_model(problem, rule, common, eta0)
        for _ in range(5):
            parts.partial_fit(X, problem.y, weights)
        resumed = make_model(problem, rule, common, eta0).set_params(warm_start=True)
        for epochs in (2, 3):
            resumed.set_params(max_iter=epochs).fit(X, problem.y, weights)
    for other in (parts, resumed):
        assert_array_equal(other.coef_, whole.coef_)
        assert_array_equal(other.intercept_, whole.intercept_)
        assert other.t_ == whole.t_
        assert other.n_iter_ == whole.n_iter_ == 5
        assert other.loss_curve_ == whole.loss_curve_


@kinds
@SOME
@given(st.data())
def test_a_row_of_weight_zero_is_the_row_left_out(kind, data):
    problem = data.draw(problems(weighted=st.just(True)))
    weights = problem.sample_weight.copy()
    weights[:: data.draw(st.integers(2, 4))] = 0.0
    loss = data.draw(st.sampled_from(LOSS_NAMES))
    common = data.draw(objectives(loss, kind)) | data.draw(orders())
    common |= {"rule": data.draw(rules(kind)), "epochs": 2}
    eta0 = 0.1 * first_step(problem, kind, loss)
    common |= {"eta": lambda t: eta0, "fit_intercept": problem.fit_intercept}
    kept = weights > 0
    a, la = run_estimator(problem.X, problem.y, sample_weight=weights, **common)
    b, lb = run_estimator(
        problem.X[kept], problem.y[kept], sample_weight=weights[kept], **common
    )
    assert_array_equal(a, b)
    assert_array_equal(la, lb)


# Not Nesterov's: the weights in its formula are the point ahead, which may lie beyond zero.
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "nesterov"])
@SOME
@given(st.data())
def test_positive_coefficients_are_not_negative(kind, data):
    """After every epoch; nor is their average."""
    problem = data.draw(problems())
    loss = data.draw(st.sampled_from(LOSS_NAMES))
    common = data.draw(objectives(loss, kind)) | data.draw(orders()) | {"positive": True}
    common |= {"rule": data.draw(rules(kind)), "epochs": EPOCHS}
    eta0 = first_step(problem, kind, loss)
    common |= {"eta": lambda t: eta0, "fit_intercept": problem.fit_intercept}
    thetas, _ = run_estimator(
        problem.X, problem.y, sample_weight=problem.sample_weight, **common
    )
    assert np.array(thetas)[:, :, :-1].min() >= 0


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_constant_gradient(rule):
    for problem in fixed_problems():
        constant_gradient(run_estimator, problem, rule)


@loss_names
def test_slope_of_the_objective(loss):
    for problem in fixed_problems():
        slope_of_the_objective(run_estimator, problem, loss)


@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
def test_the_optimum_stays(rule, penalty):
    if rule["kind"] == "nesterov" and penalty.get("positive"):
        with pytest.raises(ValueError, match=r"positive=True does not go with Nesterov"):
            optimum_stays(run_estimator, next(fixed_problems()), rule, **penalty)
        return
    for problem in fixed_problems():
        optimum_stays(run_estimator, problem, rule, **penalty)


def test_draws_follow_the_weights():
    draws_follow_the_weights(run_estimator, seed=0)


@kinds
def test_names_are_the_objects_with_their_defaults(kind):
    X = np.random.default_rng(0).standard_normal((20, 3))
    models = [
        SGDLinearRegressor(
            optimizer=optimizer,
            learning_rate=0.01,
            batch_size=3,
            tol=None,
            max_iter=2,
            random_state=0,
        ).fit(X, X @ [1.0, 2.0, 3.0])
        for optimizer in (kind, optimizer_of({"kind": kind}))
    ]
    assert_array_equal(models[0].coef_, models[1].coef_)

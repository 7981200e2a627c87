"""A call written for scikit-learn's SGDRegressor works here, or says why it does not.

Names, parameters, attributes and methods are read off SGDRegressor itself, so that a new
one fails a test. What is deterministic is compared step for step.
"""

import inspect
import warnings

import numpy as np
import pytest
from convex import Objective
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, SGDRegressor
from sklearn.utils import get_tags

from sgdreg import SGDLinearRegressor

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
N, D = 40, 3


def names_of(parameter):
    """The strings (and None) that SGDRegressor accepts."""
    found = []
    for each in SGDRegressor._parameter_constraints[parameter]:
        found += [None] if each is None else sorted(getattr(each, "options", ()))
    return found


LOSSES, PENALTIES, SCHEDULES = map(names_of, ("loss", "penalty", "learning_rate"))
NO_SCHEDULES = ["pa1", "pa2"]


def data(seed=0):
    """Rows so short that steps of size one, as 'optimal' begins with, do not diverge."""
    rng = np.random.default_rng(seed)
    X = 0.3 * rng.standard_normal((N, D))
    return X, X @ [1.0, -2.0, 3.0] + 0.5 * rng.standard_normal(N) + 1.0


def pair(**settings):
    """SGDRegressor and, with every parameter of its own spelt out, the one here."""
    peer = SGDRegressor(**settings)
    return peer, SGDLinearRegressor(**peer.get_params())


def assert_same(model, peer, tolerance=1e-10):
    for name in ("coef_", "intercept_"):
        expected = getattr(peer, name)
        got = np.asarray(getattr(model, name)).reshape(expected.shape)
        assert_allclose(got, expected, rtol=tolerance, atol=tolerance, err_msg=name)
    assert model.n_iter_ == peer.n_iter_
    assert model.t_ == peer.t_ - 1  # which counts from 1
    assert np.abs(peer.coef_).max() > 1e-3


# ------------------------------------------------------------------------------- names


def test_the_names_are_those_that_these_tests_know():
    assert set(LOSSES) == {
        "squared_error", "huber", "epsilon_insensitive", "squared_epsilon_insensitive",
    }  # fmt: skip
    assert set(PENALTIES) == {None, "l2", "l1", "elasticnet"}
    assert set(SCHEDULES) == {
        "constant", "invscaling", "optimal", "adaptive", *NO_SCHEDULES,
    }  # fmt: skip


# Each parameter of SGDRegressor: values, and whether its steps are those here (the others
# are random, or are compared elsewhere in this file).
STEPS, RUNS = True, False
VALUES = {
    "loss": [(name, STEPS) for name in LOSSES],
    "penalty": [(None, STEPS), ("l2", STEPS), ("l1", RUNS), ("elasticnet", RUNS)],
    "alpha": [(0, STEPS), (0.0, STEPS), (0.7, STEPS)],
    "l1_ratio": [(0, STEPS), (0.15, STEPS), (1.0, STEPS), (None, STEPS)],
    "fit_intercept": [(True, STEPS), (False, STEPS)],
    "max_iter": [(1, STEPS), (7, STEPS), (np.int64(3), STEPS)],
    "tol": [(None, STEPS), (0, RUNS), (1e-3, RUNS)],
    "shuffle": [(True, RUNS), (False, STEPS), (np.bool_(False), STEPS)],
    "verbose": [(0, STEPS), (1, STEPS), (2, STEPS), (True, STEPS)],
    "epsilon": [(0.0, STEPS), (0.4, STEPS)],
    "random_state": [(None, STEPS), (3, STEPS), (np.random.RandomState(3), STEPS)],
    "learning_rate": [
        ("constant", STEPS),
        ("invscaling", STEPS),
        ("optimal", STEPS),
        ("adaptive", STEPS),
    ],
    "eta0": [(1e-3, STEPS), (0.3, STEPS), (1, STEPS)],
    "power_t": [(0, STEPS), (0.5, STEPS), (1.0, STEPS)],
    "early_stopping": [(False, STEPS), (True, RUNS)],
    "validation_fraction": [(0.1, STEPS), (0.4, STEPS)],
    "n_iter_no_change": [(1, STEPS), (9, STEPS)],
    "warm_start": [(False, STEPS), (True, STEPS)],
    "average": [
        (False, STEPS),
        (True, STEPS),
        (1, STEPS),
        (25, STEPS),
        (np.int64(25), STEPS),
        (10_000, STEPS),
    ],
}
# What a parameter needs beside it to have an effect (here, no effect earns a warning).
BESIDE = {
    "alpha": {"penalty": "l2"},
    "epsilon": {"loss": "epsilon_insensitive"},
    "learning_rate": {"alpha": 0.5},
    "eta0": {"learning_rate": "constant"},
}
EACH = [(name, *value) for name, values in VALUES.items() for value in values]


def test_every_parameter_is_here():
    theirs, ours = SGDRegressor().get_params(), SGDLinearRegressor().get_params()
    assert set(VALUES) == set(theirs)
    assert set(theirs) <= set(ours)
    model = SGDLinearRegressor().set_params(**theirs)
    assert {name: model.get_params()[name] for name in theirs} == theirs
    (first,) = (
        p.name
        for p in inspect.signature(SGDRegressor.__init__).parameters.values()
        if p.kind is p.POSITIONAL_OR_KEYWORD and p.name != "self"
    )
    assert getattr(SGDLinearRegressor("huber"), first) == "huber"


# Said of settings that do nothing; SGDRegressor does not say it.
NO_EFFECT = (
    r"^\w+=.* has no effect with \w+=[^.]*\.$|never shortens its steps with tol=None"
)


def of_no_effect(name, value):
    if name == "learning_rate":
        return value == "adaptive"  # with tol=None, which leaves no measure of stalling
    default = inspect.signature(SGDLinearRegressor).parameters[name].default
    return name in ("l1_ratio", "validation_fraction") and value not in (default, None)


@quiet
@pytest.mark.parametrize(("name", "value", "steps"), EACH)
def test_each_parameter_in_a_call_with_all_of_them(name, value, steps, capsys):
    """All 19 given: the same steps as SGDRegressor's, at the end of 4 epochs."""
    X, y = data()
    settings = {"shuffle": False, "tol": None, "max_iter": 4}
    peer, model = pair(**settings | BESIDE.get(name, {}) | {name: value})
    assert peer.fit(X, y).coef_.shape == (D,)
    if of_no_effect(name, value):
        with pytest.warns(UserWarning, match=NO_EFFECT):
            model.fit(X, y)
    else:
        model.fit(X, y)
    assert (model.coef_.shape, model.n_features_in_) == ((D,), D)
    assert model.predict(X).shape == (N,)
    if steps:
        assert_same(model, peer)
    if name != "verbose":
        assert capsys.readouterr().out == ""


@quiet
@pytest.mark.parametrize(("name", "value", "steps"), EACH)
def test_each_parameter_by_itself_where_the_rest_are_defaults(name, value, steps):
    """The defaults here are others: the least squares, or a warning of one sentence."""
    X, y = data()
    short = {"alpha": 0.5} if value == "optimal" else {}  # 1e-4 makes steps of size 10
    model = SGDLinearRegressor(**short, **{name: value})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        model.fit(X, y)
    said = [str(w.message) for w in caught if w.category is UserWarning]
    for text in said:
        assert text.startswith((f"{name}={value!r} has no effect with ", "learning_rate="))
    assert len(said) <= 1
    # What does nothing is named; what does something is not.
    idle = {"eta0", "power_t", "l1_ratio", "validation_fraction", "epsilon", "alpha"}
    default = inspect.signature(SGDLinearRegressor).parameters[name].default
    assert bool(said) == (name in idle and value not in (default, None))
    if name not in ("loss", "penalty", "learning_rate", "fit_intercept", "early_stopping"):
        A = np.column_stack([X, np.ones(N)])
        exact = np.linalg.lstsq(A, y, rcond=None)[0]
        assert_allclose(np.r_[model.coef_, model.intercept_], exact, rtol=1e-8)


@pytest.mark.parametrize("penalty", [None, "l2", "l1"])
def test_no_l1_ratio_is_no_setting_without_effect(penalty):
    """SGDRegressor: "None if `penalty` is not `elasticnet`" is the way to leave it out."""
    X, y = data()
    model = SGDLinearRegressor(penalty=penalty, l1_ratio=None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X, y)
    assert_array_equal(model.coef_, SGDLinearRegressor(penalty=penalty).fit(X, y).coef_)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", NO_SCHEDULES)
def test_passive_aggressive_steps_say_why_not(name, loss, method):
    X, y = data()
    model = SGDLinearRegressor(loss, learning_rate=name)
    with pytest.raises(ValueError, match=f"^learning_rate='{name}' is no sched") as caught:
        getattr(model, method)(X, y)
    text = str(caught.value)
    assert text.endswith(f"scikit-learn's SGDRegressor(learning_rate='{name}').")
    assert "depends on the loss of its own row" in text
    assert ". " not in text  # one sentence
    assert not hasattr(model, "coef_")


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        # These SGDRegressor refuses too.
        ({"tol": -np.inf}, r"'tol' parameter .* range \[0.0, inf\) or None. Got -inf"),
        ({"max_iter": 0}, r"'max_iter' parameter .* \[1, inf\). Got 0"),
        ({"loss": "log_loss"}, "'loss' parameter .* Got 'log_loss'"),
        ({"penalty": "none"}, "'penalty' parameter .* Got 'none'"),
        (
            {"learning_rate": "optimal", "alpha": 0},
            "'optimal' divides by alpha, which is 0",
        ),
        ({"penalty": "elasticnet", "l1_ratio": None}, "needs an l1_ratio .*, got None"),
        ({"eta0": 0}, r"'eta0' parameter .* \(0.0, inf\). Got 0"),
        ({"validation_fraction": 1.0}, "'validation_fraction' parameter .* Got 1.0"),
    ],
)
def test_what_both_refuse(settings, match):
    X, y = data()
    with pytest.raises(ValueError, match=match):
        SGDLinearRegressor(**settings).fit(X, y)
    with pytest.raises(ValueError):  # noqa: PT011
        SGDRegressor(**settings).fit(X, y)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        # Deprecated in SGDRegressor since 1.8; steps that grow.
        ({"power_t": -0.5}, r"'power_t' parameter .* range \[0.0, inf\). Got -0.5"),
        # There, a model that stays zero.
        ({"loss": "huber", "epsilon": 0}, "epsilon of Huber must be a positive .* got 0"),
    ],
)
def test_what_only_this_one_refuses(settings, match):
    X, y = data()
    with pytest.raises(ValueError, match=match):
        SGDLinearRegressor(**settings).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        SGDRegressor(**settings).fit(X, y)


# --------------------------------------------------------------- attributes and methods


@quiet
def test_every_attribute_and_method_is_here():
    X, y = data()
    peer, model = pair(random_state=0, tol=None, max_iter=3)
    peer.fit(X, y)
    model.fit(X, y)
    for name in vars(peer):
        if name.endswith("_") and not name.startswith("_"):
            assert hasattr(model, name), name
    methods = [
        name
        for name in dir(SGDRegressor)
        if not name.startswith("_") and callable(getattr(SGDRegressor, name))
    ]
    assert {"fit", "partial_fit", "predict", "score", "densify", "sparsify"} < set(methods)
    for name in methods:
        theirs, ours = (
            inspect.signature(getattr(cls, name)).parameters
            for cls in (SGDRegressor, SGDLinearRegressor)
        )
        assert set(theirs) <= set(ours), name
    with config_context(enable_metadata_routing=True):
        assert model.set_fit_request(coef_init=True, intercept_init=True) is model
    assert get_tags(model).input_tags.sparse == get_tags(peer).input_tags.sparse


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("settings", [{}, {"learning_rate": 0.01}, {"loss": "huber"}])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@quiet
def test_the_intercept_is_of_the_kind_of_linear_regressions(dtype, settings, method):
    X, y = data()
    X, y = X.astype(dtype), y.astype(dtype)
    peer = LinearRegression().fit(X, y)
    assert type(peer.intercept_) is dtype
    for fit_intercept in (True, False):
        model = SGDLinearRegressor(**settings, fit_intercept=fit_intercept)
        getattr(model, method)(X, y)
        assert type(model.intercept_) is dtype
        assert model.intercept_.copy() == model.intercept_
        assert model.intercept_.shape == ()
        assert model.intercept_.dtype == model.coef_.dtype
        assert model.predict(X).dtype == dtype


@quiet
def test_shapes_and_kinds_of_the_attributes():
    X, y = data()
    peer, model = pair(shuffle=False, tol=None, max_iter=3)
    peer.fit(X, y)
    model.fit(X, y)
    assert model.coef_.shape == peer.coef_.shape == (D,)
    assert model.coef_.dtype == peer.coef_.dtype
    # A number where SGDRegressor has an array of one: as LinearRegression's and Ridge's.
    assert np.ndim(model.intercept_) == 0
    assert peer.intercept_.shape == (1,)
    assert_allclose(np.atleast_1d(model.intercept_), peer.intercept_, rtol=1e-12)
    assert isinstance(model.intercept_, np.float64)
    assert (model.n_iter_, model.t_) == (3, 3 * N)
    assert_allclose(model.predict(X), peer.predict(X), rtol=1e-10)
    assert model.score(X, y) == pytest.approx(peer.score(X, y), rel=1e-10)
    w = np.linspace(1, 2, N)
    assert model.score(X, y, w) == pytest.approx(peer.score(X, y, w), rel=1e-10)
    assert model.score(X, y, w) != pytest.approx(model.score(X, y), rel=1e-6)


@quiet
def test_sparsify_and_densify():
    X, y = data()
    peer, model = pair(shuffle=False, tol=None, max_iter=3)
    for each in (peer, model):
        dense = each.fit(X, y).predict(X)
        assert each.sparsify() is each
        assert sparse.issparse(each.coef_)
        assert each.coef_.nnz == D
        assert_allclose(each.predict(X), dense, rtol=1e-12)
        assert each.densify() is each
        assert_allclose(each.coef_.ravel(), clone(each).fit(X, y).coef_, rtol=0)
    assert model.coef_.shape == (D,)


@quiet
@pytest.mark.parametrize("shape", [(D,), (1, D)])
def test_starting_values(shape):
    """The attributes of either are starting values of the other."""
    X, y = data()
    peer, model = pair(shuffle=False, tol=None, max_iter=2, learning_rate="constant")
    start = np.array([3.0, -1.0, 0.5])
    for intercept in (np.array([2.0]), [2.0]):
        # SGDRegressor writes into the array it is given.
        peer.fit(X, y, coef_init=start.copy(), intercept_init=intercept)
        model.fit(X, y, coef_init=start.reshape(shape), intercept_init=intercept)
        assert_same(model, peer)
    first = model.coef_.copy(), model.intercept_
    model.fit(X, y, coef_init=peer.coef_, intercept_init=peer.intercept_)
    assert_array_equal(peer.coef_, clone(peer).fit(X, y, start.copy(), 2.0).coef_)
    peer.fit(X, y, coef_init=first[0], intercept_init=first[1])
    assert_same(model, peer)
    assert_array_equal(start, [3.0, -1.0, 0.5])
    assert np.abs(model.coef_ - start).max() > 0.1


def test_starting_values_by_position_are_refused():
    """The third argument is `sample_weight`, as with scikit-learn's other regressors."""
    X, y = data()
    with pytest.raises(ValueError, match=r"sample_weight must have one number a row"):
        SGDLinearRegressor().fit(X, y, np.zeros(D))
    with pytest.raises(TypeError, match="positional arguments"):
        SGDLinearRegressor().fit(X, y, np.zeros(D), 0.0)


# ------------------------------------------------------------------------ step for step

EPSILON = {"huber": 0.6, "epsilon_insensitive": 0.2, "squared_epsilon_insensitive": 0.2}
# Neither clips nor diverges. 'optimal' starts with alpha^(-1/4), which alpha must not make
# larger; where its product with alpha exceeds 1, SGDRegressor sets weights to zero.
STEP_SETTINGS = {
    "constant": {"eta0": 0.05},
    "invscaling": {"eta0": 0.2, "power_t": 0.3},
    "optimal": {"alpha": 0.6},
    "adaptive": {"eta0": 0.05},
}
AVERAGES = [False, True, 17, 45, 10_000]
EPOCHS = 3


def settings_of(loss, penalty, schedule, **more):
    alpha = {"alpha": 0.3} if penalty else {}
    epsilon = {"epsilon": EPSILON[loss]} if loss in EPSILON else {}
    common = {"loss": loss, "penalty": penalty, "learning_rate": schedule, "shuffle": False}
    return common | {"tol": None} | alpha | epsilon | STEP_SETTINGS[schedule] | more


def weights_of(weighted):
    """None, or weights of mean one: of others SGDRegressor's steps have the size."""
    if not weighted:
        return None
    w = np.random.default_rng(5).uniform(0.5, 1.5, N)
    return w / w.mean()


silent = pytest.mark.filterwarnings("ignore:learning_rate='adaptive' never shortens")
grid = [
    pytest.mark.parametrize("loss", LOSSES),
    pytest.mark.parametrize("penalty", [None, "l2"]),
    pytest.mark.parametrize("schedule", list(STEP_SETTINGS)),
]


def over_the_grid(test):
    for mark in grid:
        test = mark(test)
    return silent(quiet(test))


def test_the_schedules_compared_are_all_that_there_are():
    assert set(STEP_SETTINGS) == set(SCHEDULES) - set(NO_SCHEDULES)


@over_the_grid
@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("weighted", [False, True])
def test_step_for_step(loss, penalty, schedule, average, weighted):
    X, y = data()
    w = weights_of(weighted)
    for fit_intercept in (True, False):
        settings = settings_of(loss, penalty, schedule, average=average)
        peer, model = pair(**settings, fit_intercept=fit_intercept)
        model.set_params(batch_size=1)
        for epochs in (1, EPOCHS):
            peer.set_params(max_iter=epochs).fit(X, y, sample_weight=w)
            model.set_params(max_iter=epochs).fit(X, y, sample_weight=w)
            assert_same(model, peer)
        plain = SGDRegressor(**settings | {"average": False}, fit_intercept=fit_intercept)
        plain.set_params(max_iter=EPOCHS).fit(X, y)
        differs = bool(average) and average <= EPOCHS * N
        assert differs or weighted or np.array_equal(plain.coef_, peer.coef_)
        if differs:  # the average is one, in both
            assert np.abs(plain.coef_ - peer.coef_).max() > 1e-4


@over_the_grid
def test_partial_fit_step_for_step(loss, penalty, schedule):
    X, y = data()
    w = weights_of(True)
    for average in (False, 45):
        settings = settings_of(loss, penalty, schedule, average=average)
        peer, model = pair(**settings)
        for rows in (slice(None), slice(None), slice(10, 30), slice(None)):
            peer.partial_fit(X[rows], y[rows])
            model.partial_fit(X[rows], y[rows])
            assert model.t_ == peer.t_ - 1
            assert_allclose(model.coef_, peer.coef_, rtol=1e-10, atol=1e-10)
            assert_allclose(model.intercept_, peer.intercept_[0], rtol=1e-10, atol=1e-10)
    peer, model = pair(**settings_of(loss, penalty, schedule))
    for _ in range(2):
        peer.partial_fit(X, y, sample_weight=w)
        model.partial_fit(X, y, sample_weight=w)
        assert_allclose(model.coef_, peer.coef_, rtol=1e-10, atol=1e-10)


@over_the_grid
@pytest.mark.parametrize("average", [False, 17])
def test_sparse_step_for_step_without_an_intercept(loss, penalty, schedule, average):
    """Of sparse rows SGDRegressor's intercept learns a hundred times slower."""
    X, y = data()
    X[np.abs(X) < 0.2] = 0
    Z = sparse.csr_matrix(X)
    settings = settings_of(loss, penalty, schedule, average=average, fit_intercept=False)
    peer, model = pair(**settings, max_iter=EPOCHS)
    assert_same(model.fit(Z, y), peer.fit(Z, y))
    assert_allclose(model.predict(Z), peer.predict(Z), rtol=1e-9, atol=1e-10)


@quiet
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("penalty", [None, "l2"])
def test_adaptive_steps_shorten_alike(loss, penalty):
    """A `tol` that nothing reaches: both stall, shorten and stop in the same epochs.

    SGDRegressor's is absolute, this one's relative to the objective.
    """
    X, y = data()
    settings = settings_of(loss, penalty, "adaptive", max_iter=100, n_iter_no_change=2)
    peer, model = pair(**settings | {"tol": 1e6})
    model.set_params(tol=0.99).fit(X, y)
    assert_same(model, peer.fit(X, y))
    rates = [entry["learning_rate"] for entry in model.history_]
    levels = 0.05 * 0.2 ** np.arange(8)  # the first of at most 1e-6 is the last
    assert_allclose(np.unique(rates)[::-1], levels, rtol=1e-12)
    assert model.converged_
    assert model.n_iter_ == 1 + 2 * 8


@quiet
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("n_iter_no_change", [1, 3])
def test_both_stop_in_the_same_epoch(loss, n_iter_no_change):
    """Without improvement at all, where relative and absolute are the same."""
    X, y = data()
    settings = settings_of(loss, None, "constant", n_iter_no_change=n_iter_no_change)
    peer, model = pair(**settings | {"tol": 1e6})
    model.set_params(tol=0.99)
    assert_same(model.fit(X, y), peer.fit(X, y))
    assert model.n_iter_ == 1 + n_iter_no_change


@quiet
@pytest.mark.parametrize("penalty", [None, "l2"])
def test_weights_of_any_size_are_steps_of_that_size_there(penalty):
    """Here only relative sizes matter: times their mean, eta is SGDRegressor's."""
    X, y = data()
    w = 4.0 * weights_of(True)
    common = {"penalty": penalty, "learning_rate": "constant", "shuffle": False}
    common |= {"tol": None, "max_iter": 4}
    if penalty:
        common["alpha"] = 0.4
    peer = SGDRegressor(**common, eta0=0.02).fit(X, y, sample_weight=w)
    if penalty:
        common["alpha"] = 0.4 / 4.0
    model = SGDLinearRegressor(**common, eta0=0.02 * 4.0).fit(X, y, sample_weight=w)
    assert_same(model, peer)


@quiet
def test_absolute_error_is_their_epsilon_insensitive_without_an_epsilon():
    X, y = data()
    settings = settings_of("epsilon_insensitive", "l2", "invscaling", max_iter=EPOCHS)
    peer, model = pair(**settings | {"epsilon": 0.0})
    peer.fit(X, y)
    assert_same(model.fit(X, y), peer)
    assert_same(model.set_params(loss="absolute_error", epsilon=0.1).fit(X, y), peer)


@quiet
def test_warm_start_goes_on_from_the_coefficients():
    """With steps that do not shrink; of others, t goes on here and begins anew there."""
    X, y = data()
    settings = settings_of("squared_error", "l2", "constant", max_iter=2)
    peer, model = pair(**settings, warm_start=True)
    for calls in (1, 2, 3):
        peer.fit(X, y)
        model.fit(X, y)
        assert_allclose(model.coef_, peer.coef_, rtol=1e-10)
        assert_allclose(model.intercept_, peer.intercept_[0], rtol=1e-10)
        assert model.t_ == 2 * N * calls
    whole = clone(model).set_params(max_iter=6).fit(X, y)
    assert_array_equal(model.coef_, whole.coef_)


# -------------------------------------------------------------------- what is random


@quiet
@pytest.mark.parametrize("make", [lambda: 5, lambda: np.random.RandomState(5)])
def test_seeds_repeat_an_order_and_shuffle_makes_one(make):
    X, y = data()
    settings = {"tol": None, "max_iter": 2, "eta0": 0.1}
    fits = [pair(**settings, random_state=make())[1].fit(X, y).coef_ for _ in range(2)]
    assert_array_equal(*fits)
    other = pair(**settings, random_state=6)[1].fit(X, y).coef_
    given = pair(**settings, shuffle=False)[1].fit(X, y).coef_
    assert np.abs(fits[0] - other).max() > 1e-6
    assert np.abs(fits[0] - given).max() > 1e-6


@quiet
@pytest.mark.parametrize("fraction", [0.1, 0.35])
def test_early_stopping_learns_from_the_share_that_is_left(fraction):
    X, y = data()
    settings = {"early_stopping": True, "validation_fraction": fraction, "random_state": 0}
    peer, model = pair(**settings, eta0=0.1, n_iter_no_change=3)
    peer.fit(X, y)
    model.fit(X, y)
    for each in (peer, model):
        assert 3 < each.n_iter_ < 1000
    left = N - int(np.ceil(fraction * N))
    assert model.t_ == model.n_iter_ * left  # held-out rows are no steps
    assert len(model.validation_scores_) == model.n_iter_
    model.set_params(n_iter_no_change=6)
    assert (
        clone(model).fit(X, y).n_iter_
        > model.set_params(n_iter_no_change=1).fit(X, y).n_iter_
    )


@quiet
@pytest.mark.parametrize("verbose", [1, 2, True])
def test_verbose_prints_and_changes_nothing(verbose, capsys):
    X, y = data()
    _, model = pair(random_state=0, tol=None, max_iter=4, verbose=verbose)
    model.fit(X, y)
    out = capsys.readouterr().out
    assert [line.split(",")[0] for line in out.splitlines()] == [
        f"Epoch {epoch}" for epoch in (1, 2, 3, 4)
    ]
    loud = model.coef_
    assert_array_equal(model.set_params(verbose=0).fit(X, y).coef_, loud)
    assert capsys.readouterr().out == ""


# --------------------------------------------------------------------- at the optimum

# SGDRegressor's l1 is the cumulative, truncated one (Tsuruoka et al., 2009): it owes each
# coefficient the sum of all penalties so far, and pays when the coefficient can, so that a
# step is not the proximal one that is taken here. Only where they lead is the same. (Its
# average with l1 is one of weights that have not been truncated, and leads elsewhere.)


@quiet
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(
    ("penalty", "l1_ratio"),
    [("l1", 0.15), ("elasticnet", 0.0), ("elasticnet", 0.5), ("elasticnet", 1.0)],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_l1_and_the_elastic_net_at_the_optimum(loss, penalty, l1_ratio, weighted):
    X, y = data()
    X *= 3
    X = np.column_stack([X, X[::-1]])  # three features too many
    w = weights_of(weighted)
    problem = {"loss": loss, "penalty": penalty, "alpha": 0.1, "l1_ratio": l1_ratio}
    if loss in EPSILON:
        problem["epsilon"] = EPSILON[loss]
    exact = Objective(X, y, w, **problem)
    lower, upper = exact.bounds
    if penalty == "elasticnet":
        spelt = problem
    else:
        spelt = {name: value for name, value in problem.items() if name != "l1_ratio"}
    default = SGDLinearRegressor(**spelt).fit(X, y, sample_weight=w)
    assert exact(default.coef_, default.intercept_) - lower <= 2e-8 * exact.of_constant

    # Steps that shrink as 1/√t.
    steps = {"learning_rate": "invscaling", "eta0": 0.05, "power_t": 0.5, "tol": None}
    steps |= {"max_iter": 1000, "random_state": 0}
    gaps = [
        exact(each.coef_, np.ravel(each.intercept_)[0]) - lower
        for each in (
            SGDRegressor(**problem, **steps).fit(X, y, sample_weight=w),
            SGDLinearRegressor(**spelt, **steps).fit(X, y, sample_weight=w),
        )
    ]
    assert min(gaps) > -1e-9 * upper
    assert max(gaps) <= 3e-4 * exact.of_constant, gaps
    if l1_ratio:  # and l1 is there: the optimum without it is far from that
        without = SGDLinearRegressor(**spelt | {"alpha": 1e-9}).fit(X, y, sample_weight=w)
        far = exact(without.coef_, without.intercept_) - lower
        assert far > 10 * max(gaps)

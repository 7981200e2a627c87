"""Penalties as objects, and custom ones: their formulas, their steps, their optima."""

import pickle
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import GridSearchCV

from sgdreg import SGDLinearRegressor, optimizers
from sgdreg.penalties import L1, L2, ElasticNet, Penalty

sys.path.append(str(Path(__file__).parent.parent / "docs" / "extending"))

from penalty import GroupLasso

seeds = st.integers(0, 2**16)
EARLY = pytest.mark.filterwarnings("ignore:After . epochs the model is worse")
GROUPS = np.array([0, 0, 1, 1, 2, 2])
# By the formula that the compiled passes know, and all that there are.
NORMS = [L2(0.3), L1(0.3), ElasticNet(0.3, 0.4)]
BUILT_IN = [*NORMS]


class CustomL1(L1):
    """‖w‖₁ once more, by methods that the compiled passes do not know."""

    def value(self, coef):
        return self.alpha * np.abs(coef).sum()

    def prox(self, coef, step):
        return np.sign(coef) * np.maximum(np.abs(coef) - step * self.alpha, 0.0)


class SCAD(Penalty):
    """Fan and Li (2001): like l1 near zero, constant beyond a · alpha; not convex."""

    separable = True

    def __init__(self, alpha=0.1, a=3.7):
        self.alpha = alpha
        self.a = a

    def value(self, coef):
        w, x, a = np.abs(coef), self.alpha, self.a
        among = (2 * a * x * w - w**2 - x**2) / (2 * (a - 1))
        return np.select([w <= x, w <= a * x], [x * w, among], x**2 * (a + 1) / 2).sum()

    def prox(self, coef, step):
        w, x, a = np.abs(coef), self.alpha, self.a
        near = np.maximum(w - step * x, 0.0)
        among = ((a - 1) * w - step * a * x) / (a - 1 - step)
        return np.sign(coef) * np.select(
            [w <= x * (1 + step), w <= a * x], [near, among], w
        )


class Prior(Penalty):
    """½ alpha ‖w - centre‖², which costs something at zero."""

    separable = True

    def __init__(self, centre, alpha):
        self.centre = centre
        self.alpha = alpha

    def value(self, coef):
        return 0.5 * self.alpha * np.sum((coef - self.centre) ** 2)

    def prox(self, coef, step):
        return (coef + step * self.alpha * self.centre) / (1 + step * self.alpha)


class NotNegative(Penalty):
    """A bound: its value is zero, its proximal step a projection."""

    def value(self, coef):
        return 0.0

    def prox(self, coef, step):
        return np.maximum(coef, 0.0)


def rows(seed=0, n=90, offset=0.0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 6)) * [1, 2, 1, 0.5, 1, 1] + offset
    return X, X @ [3, 1, 0, 0, -2, 0.5] + 1 + rng.normal(size=n)


def fitted(penalty, X, y, weights=None, **settings):
    settings = {"random_state": 0, **settings}
    return SGDLinearRegressor(penalty=penalty, **settings).fit(X, y, weights)


# ----------------------------------------------------------------------- the formulas


@pytest.mark.parametrize(
    "penalty", [*BUILT_IN, GroupLasso(GROUPS, 0.3), SCAD(0.3)], ids=repr
)
@given(seeds)
def test_prox_is_where_its_objective_is_least(penalty, seed):
    rng = np.random.default_rng(seed)
    coef, step = rng.normal(size=6) * rng.choice([0, 0.1, 1, 3], 6), rng.uniform(0.01, 2)

    def objective(v):
        return 0.5 * np.sum((v - coef) ** 2) + step * penalty.value(v)

    v = penalty.prox(coef.copy(), step)
    others = v + rng.normal(size=(60, 6)) * 10.0 ** rng.uniform(-6, 0.5, (60, 1))
    others = [*others, *(others * (rng.random((60, 6)) < 0.5)), coef, np.zeros(6)]
    assert objective(v) <= min(map(objective, others)) + 1e-13
    if penalty.separable:
        steps = rng.uniform(0.01, 2, 6)
        each = [penalty.prox(np.full(6, w), s)[0] for w, s in zip(coef, steps, strict=True)]
        assert_allclose(penalty.prox(coef, steps), each, rtol=1e-14)


@pytest.mark.parametrize("penalty", NORMS, ids=repr)
@given(seeds)
def test_slopes(penalty, seed):
    rng, h = np.random.default_rng(seed), 1e-7
    coef = rng.normal(size=6) * rng.choice([0, 1], 6)
    low, high = penalty.subdifferential(coef)
    for j, unit in enumerate(np.eye(6)):
        up = (penalty.value(coef + h * unit) - penalty.value(coef)) / h
        down = (penalty.value(coef) - penalty.value(coef - h * unit)) / h
        assert_allclose([low[j], high[j]], [down, up], atol=1e-6)


@pytest.mark.parametrize("loss", ["squared_error", "huber"])
@pytest.mark.parametrize("penalty", NORMS, ids=repr)
def test_the_optimum_by_its_slopes(penalty, loss):
    """At the optimum minus the gradient of the loss is one of the penalty's slopes."""
    X, y = rows()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = fitted(penalty, X, y, loss=loss, epsilon=1.0 if loss == "huber" else 0.1)
    slope = model.plan_.loss.gradient(y, model.predict(X))
    low, high = penalty.subdifferential(model.coef_)
    below = -X.T @ slope / len(y)
    assert model.converged_
    assert (low - 2e-4 <= below).all()
    assert (below <= high + 2e-4).all()


# ---------------------------------------------------------------- objects for names

SAME = [
    (L2(0.3), {"penalty": "l2", "alpha": 0.3}),
    (L1(0.3), {"penalty": "l1", "alpha": 0.3}),
    (ElasticNet(0.3, 0.4), {"penalty": "elasticnet", "alpha": 0.3, "l1_ratio": 0.4}),
]
WAYS = [
    {},
    {"positive": True},
    {"loss": "quantile"},
    {"optimizer": "momentum", "learning_rate": 0.01, "batch_size": 7, "max_iter": 3},
    {"optimizer": "adagrad", "positive": True, "max_iter": 3},
]


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize(("penalty", "named"), SAME, ids=lambda given: str(given)[:12])
@EARLY
def test_an_object_is_its_name(penalty, named, way):
    X, y = rows()
    y = np.column_stack([y, -y])
    way = {**way, "tol": None} if "max_iter" in way else way
    for rows_ in (X, sparse.csr_matrix(X)):
        one, other = fitted(penalty, rows_, y, **way), fitted(X=rows_, y=y, **named, **way)
        assert_array_equal(one.coef_, other.coef_)
        assert_array_equal(one.intercept_, other.intercept_)
        assert str(one.plan_) == str(other.plan_)


def test_an_overridden_method_is_called():
    X, y = rows()
    assert repr(fitted(CustomL1(0.3), X, y).plan_.penalty.custom) == "CustomL1(alpha=0.3)"
    assert fitted(L1(0.3), X, y).plan_.penalty.custom is None


# ------------------------------------------------------------------------- the steps

RULES = [
    optimizers.SGD(),
    optimizers.SGD(metric="diagonal"),
    optimizers.Momentum(0.7),
    optimizers.Momentum(0.7, metric="diagonal"),
    optimizers.AdaGrad(),
    optimizers.AdaGrad(metric="diagonal"),
    optimizers.RMSprop(momentum=0.5),
    optimizers.Adam(weight_decay=0.1),
    optimizers.SVRG(),
    optimizers.SVRG(metric="diagonal"),
]


@pytest.mark.parametrize("rule", RULES, ids=repr)
@EARLY
def test_custom_steps_are_the_compiled_ones(rule):
    """l1 by methods and l1 by the kernel: the same steps, in every metric."""
    X, y = rows(offset=1.0)
    y, weights = np.column_stack([y, 2 - y]), np.arange(len(X)) % 3.0
    settings = {"optimizer": rule, "learning_rate": 0.02, "batch_size": 7, "tol": None}
    settings |= {"max_iter": 3, "average": "tail"}
    for rows_ in (X, X.astype(np.float32), sparse.csr_matrix(X)):
        own = fitted(CustomL1(0.2), rows_, y, weights, **settings)
        named = fitted("l1", rows_, y, weights, alpha=0.2, **settings)
        tight = 1e-6 if rows_.dtype == np.float32 else 1e-11
        assert_allclose(own.coef_, named.coef_, rtol=tight, atol=tight)
        assert_allclose(own.intercept_, named.intercept_, rtol=tight)
        assert_allclose(own.loss_curve_, named.loss_curve_, rtol=1e-11)


def group_lasso(w, amount):
    """The proximal step, a group at a time."""
    out = np.empty(6)
    for group in (slice(0, 2), slice(2, 4), slice(4, 6)):
        size = np.sqrt(np.sum(w[group] ** 2))
        out[group] = max(0.0, 1 - amount * np.sqrt(2) / size) * w[group] if size else 0.0
    return out


@pytest.mark.parametrize("metric", [None, "diagonal"])
@pytest.mark.parametrize("momentum", [0.0, 0.6])
@EARLY
def test_steps_of_the_example_written_out(momentum, metric):
    """Raw features, or the centred ones in their common scale."""
    X, y = rows(offset=2.0)
    y = np.column_stack([y, 1 - 2 * y])
    rule = optimizers.SGD(metric)
    if momentum:
        rule = optimizers.Momentum(momentum, metric=metric)
    eta, alpha = 0.01, 1.0
    model = fitted(
        GroupLasso(GROUPS, alpha),
        X,
        y,
        optimizer=rule,
        learning_rate=eta,
        batch_size=20,
        shuffle=False,
        max_iter=4,
        tol=None,
    )
    middle, inverse = np.zeros(6), 1.0
    if metric:
        middle, inverse = X.mean(axis=0), 1 / np.sqrt(np.mean(X.var(axis=0)))
    Z, length = X - middle, eta * inverse
    for o in range(2):
        w, b, v, u = np.zeros(6), 0.0, np.zeros(6), 0.0
        curve = []
        for _ in range(4):
            curve.append(alpha * np.sqrt(2) * sum(np.hypot(w[::2], w[1::2])))
            for start in range(0, 90, 20):
                B = slice(start, start + 20)
                r = Z[B] @ w + b - y[B, o]
                g = inverse * (Z[B].T @ r) / len(r)
                to = group_lasso(w - length * (momentum * v + g), length * inverse * alpha)
                v, w = (w - to) / length, to
                u = momentum * u + r.mean()
                b -= eta * u
        assert_allclose(model.coef_[o], w, rtol=1e-11, atol=1e-13)
        assert_allclose(model.intercept_[o], b - middle @ w, rtol=1e-11)
        assert curve[0] == 0.0 < curve[-1]


# ------------------------------------------------------------------------ the optimum


@pytest.mark.parametrize("kind", ["dense", "sparse", "float32"])
@pytest.mark.parametrize("offset", [0.0, 30.0])
def test_the_optimum_of_the_example(offset, kind):
    """Its conditions: the gradient of a zero group is short, of another one opposite."""
    X, y = rows(n=300, offset=offset)
    s, alpha = np.arange(300) % 3.0, 0.4
    rows_ = {"dense": X, "sparse": sparse.csr_matrix(X), "float32": X.astype("f")}[kind]
    model = fitted(GroupLasso(GROUPS, alpha), rows_, y, s, tol=1e-12)
    coef = model.coef_.astype(float)
    r = X @ coef + float(model.intercept_) - y
    g = (X - np.average(X, axis=0, weights=s)).T @ (s * r) / s.sum()
    bound, near = alpha * np.sqrt(2), 1e-4 if kind == "float32" else 1e-5
    assert (coef[2:4] == 0).all()
    assert np.linalg.norm(g[2:4]) < bound
    for group in (slice(0, 2), slice(4, 6)):
        pull = bound * coef[group] / np.linalg.norm(coef[group])
        assert_allclose(g[group], -pull, atol=near)


def test_what_auto_chooses_and_says():
    X, y = rows()
    for penalty, metric in (
        (GroupLasso(GROUPS, 0.3), "one scale"),
        (SCAD(0.3), "diagonal"),
    ):
        model = fitted(penalty, X, y)
        assert repr(model.plan_.optimizer) == "SVRG(metric='diagonal')"
        assert model.plan_.slots["metric"].startswith(metric)
        assert model.plan_.slots["penalty"] == repr(penalty)
        assert not model.converged_
        assert "such steps cannot tell" in model.stop_reason_
        assert "optimality_gap" not in model.history_[-1]
    kinks = fitted(SCAD(0.3), X, y, loss="absolute_error")
    assert repr(kinks.plan_.optimizer) == "SGD(metric='diagonal')"
    least = np.abs(y - fitted(None, X, y, loss="absolute_error").predict(X)).mean()
    found = np.abs(y - kinks.predict(X)).mean() + SCAD(0.3).value(kinks.coef_)
    assert found < least + SCAD(0.3).value(np.array([3, 1, 0, 0, 2, 0.5]))


def test_not_convex():
    """Where the penalty is flat, SCAD is least squares on the features that it keeps."""
    X, y = rows(n=400)
    model = fitted(SCAD(0.15), X, y, tol=1e-12)
    kept = np.flatnonzero(model.coef_)
    assert kept.tolist() == [0, 1, 4, 5]
    A = np.column_stack([X[:, kept[:3]], np.ones(400)])
    rest = y - model.coef_[5] * X[:, 5]
    theta = np.linalg.lstsq(A, rest, rcond=None)[0]
    assert_allclose(model.coef_[kept[:3]], theta[:3], atol=1e-5)


def test_a_penalty_that_costs_something_at_zero():
    X, y = rows()
    centre, alpha = np.full(6, 40.0), 1e3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = fitted(Prior(centre, alpha), X, y, tol=1e-13)
    Z, n = X - X.mean(axis=0), len(y)
    H = Z.T @ Z / n + alpha * np.eye(6)
    expected = np.linalg.solve(H, Z.T @ (y - y.mean()) / n + alpha * centre)
    assert_allclose(model.coef_, expected, rtol=1e-6)


def test_a_bound_by_its_projection():
    X, y = rows()
    own, known = fitted(NotNegative(), X, y, tol=1e-13), fitted(None, X, y, positive=True)
    assert (own.coef_ >= 0).all()
    assert_allclose(own.coef_, known.coef_, atol=1e-4)


# ------------------------------------------------------------------- life of a model

STEPS = {"learning_rate": 0.02, "batch_size": 7, "max_iter": 3, "tol": None}


@pytest.mark.parametrize("penalty", [GroupLasso(GROUPS, 0.3), L1(0.3)], ids=repr)
def test_copies_and_pieces(penalty):
    X, y = rows()
    model = fitted(penalty, X, y, **STEPS)
    pieces = SGDLinearRegressor(penalty=penalty, random_state=0, **STEPS)
    for _ in range(3):
        pieces.partial_fit(X, y)
    loaded = pickle.loads(pickle.dumps(model))
    for other in (pieces, clone(model).fit(X, y), loaded):
        assert_array_equal(other.coef_, model.coef_)
    longer = fitted(penalty, X, y, **(STEPS | {"max_iter": 4})).coef_
    assert_array_equal(loaded.partial_fit(X, y).coef_, longer)


def test_the_plan_keeps_the_penalty_of_its_fit():
    X, y = rows()
    penalty = GroupLasso(GROUPS, 0.3)
    model = fitted(penalty, X, y)
    penalty.alpha = 5.0
    assert model.plan_.penalty.custom.alpha == 0.3


def test_searches():
    X, y = rows()
    for penalty in (GroupLasso(GROUPS), L1()):
        model = SGDLinearRegressor(penalty=penalty, random_state=0)
        search = GridSearchCV(model, {"penalty__alpha": [0.001, 3.0]}, cv=2).fit(X, y)
        scores = search.cv_results_["mean_test_score"]
        assert scores[0] > scores[1]
        assert search.best_params_ == {"penalty__alpha": 0.001}


@pytest.mark.filterwarnings("ignore:Ran for")
def test_checkpoints():
    X, y = rows()
    for penalty, custom in ((L1(0.3), False), (GroupLasso(GROUPS, 0.3), True)):
        again = {"penalty": clone(penalty)} if custom else {}
        short, long = (fitted(penalty, X, y, max_iter=n) for n in (2, 30))
        if custom:
            with pytest.raises(TypeError, match=r"this fit's penalty.*penalty=\.\.\."):
                SGDLinearRegressor.resume(short.checkpoint_, X, y, max_iter=30)
        on = SGDLinearRegressor.resume(short.checkpoint_, X, y, max_iter=30, **again)
        assert_array_equal(on.coef_, long.coef_)


def test_the_surface():
    """The objective over two coefficients, where they share a group with others."""
    pytest.importorskip("matplotlib")
    from sgdreg.display._plane import Plane  # noqa: PLC0415

    X, y = rows()
    model = fitted(GroupLasso(GROUPS, 0.3), X, y)
    plane = Plane(model, X, y, None, (1, 4), 0)
    coef = model.coef_.copy()
    coef[[1, 4]] = 0.7, -1.2
    r = X @ coef + model.intercept_ - y
    expected = 0.5 * np.mean(r**2) + model.penalty.value(coef)
    assert_allclose(plane(np.array([[0.7, -1.2]])), [expected], rtol=1e-12)


# ------------------------------------------------------------------------ what is refused

GROUPED = GroupLasso(GROUPS, 0.3)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"optimizer": "cg"}, r"ConjugateGradient\(\) serves .* not penalty=GroupLasso"),
        (
            {"optimizer": "interior_point"},
            r"InteriorPoint\(\) serves .* and not penalty=.* Use optimizer='auto'",
        ),
        ({"optimizer": "nesterov"}, r"GroupLasso.* a look ahead.*use Momentum"),
        ({"optimizer": "adam"}, r"Adam\(\) steps by .* use 'sgd', 'momentum' or 'svrg'"),
        ({"optimizer": optimizers.SGD("sketch")}, r"custom penalties cannot act"),
        ({"positive": True}, r"positive=True .* let its prox return"),
        ({"penalty": L1(-1.0)}, r"alpha of L1 must be a finite number >= 0, got -1\.0"),
        (
            {"penalty": ElasticNet(1.0, 1.5)},
            r"l1_ratio of ElasticNet .* \[0, 1\], got 1\.5",
        ),
        ({"penalty": L1(10**400)}, r"In penalty: alpha of L1 .* 1329 bits"),
    ],
    ids=str,
)
def test_refused(settings, said):
    X, y = rows()
    with pytest.raises(ValueError, match=said):
        SGDLinearRegressor(**{"penalty": GROUPED, **settings}).fit(X, y)


def test_targets_beyond_squares():
    X, y = rows()
    with pytest.raises(ValueError, match=r"about .e-180.*penalty=GroupLasso.*rescale y"):
        fitted(GROUPED, X, y * 2.0**-600)
    small = L1(0.3 * 2.0**-600)  # whose numbers are known
    assert_array_equal(
        fitted(small, X, y * 2.0**-600).coef_ == 0, fitted(L1(0.3), X, y).coef_ == 0
    )


def test_streams_need_a_step():
    X, y = rows()
    for loss in ("squared_error", "quantile"):
        model = SGDLinearRegressor(loss, penalty=GROUPED)
        with pytest.raises(
            ValueError, match=r"partial_fit chooses no steps .* learning_rate"
        ):
            model.partial_fit(X, y)
        assert not hasattr(model, "coef_")
        model.set_params(learning_rate=0.01).partial_fit(X, y)


class Half(Penalty):
    def value(self, coef):
        return 0.0


class NoBase(BaseEstimator):
    value = prox = CustomL1.value


@pytest.mark.parametrize(
    ("penalty", "said"),
    [
        (Penalty(), "Penalty() has no method value and prox: derive it"),
        (Half(), "Half() has no method prox: derive it"),
        (NoBase(), "NoBase() has no such base class: derive it"),
        (optimizers.SGD(), "SGD() has no method value and prox"),
    ],
    ids=repr,
)
def test_no_penalty(penalty, said):
    with pytest.raises(TypeError) as caught:
        fitted(penalty, *rows())
    assert said in str(caught.value)


class Answers(Penalty):
    """A penalty whose answers are wrong."""

    def __init__(self, value=0.0, prox=None):
        self._value, self._prox = value, prox

    def __repr__(self):
        return "Answers()"

    def __deepcopy__(self, memo):
        return self

    def value(self, coef):
        return self._value

    def prox(self, coef, step):
        if isinstance(self._prox, Exception):
            raise self._prox
        coef[:] = 0.0  # what it is given is its own
        return coef if self._prox is None else self._prox


@pytest.mark.parametrize(
    ("penalty", "error", "said"),
    [
        (
            Answers(np.zeros(6)),
            ValueError,
            r"value\(coef\) .* a number, shape \(\), got \(6,",
        ),
        (Answers("x"), TypeError, r"value\(coef\) of the penalty Answers\(\) must return"),
        (Answers(np.nan), ValueError, r"has returned nan: it must be finite"),
        (Answers(np.inf), ValueError, r"inf: it must be finite.* let prox bring them back"),
        (Answers(prox=np.zeros(5)), ValueError, r"prox\(coef, step\) .* shape \(6,\), got"),
        (Answers(prox=np.full(6, np.nan)), ValueError, r"prox.* has returned NaN"),
        (Answers(prox=KeyError("mine")), KeyError, "mine"),
    ],
    ids=str,
)
@pytest.mark.parametrize("way", [{}, STEPS], ids=["auto", "steps"])
def test_wrong_answers(penalty, error, said, way):
    X, y = rows()
    model = SGDLinearRegressor(penalty=penalty, **way)
    with pytest.raises(error, match=said):
        model.fit(X, y)
    assert not hasattr(model, "coef_")


def test_divergence_is_told_as_such():
    with pytest.raises(ValueError, match="Diverged"):
        fitted(GROUPED, *rows(), optimizer="sgd", learning_rate=1e150)


def test_parameters_without_effect():
    X, y = rows()
    for penalty in (L1(0.3), GROUPED):
        for name, value in (("alpha", 0.5), ("l1_ratio", 0.5)):
            with pytest.warns(UserWarning, match=f"{name}=0.5 has no effect with penalty="):
                fitted(penalty, X, y, **{name: value})

"""Searches: grids, random draws and halving over every kind of parameter, and copies."""

import copy
import inspect
import pickle
import re
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse, stats
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    ParameterGrid,
    RandomizedSearchCV,
    TimeSeriesSplit,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sgdreg import SGDLinearRegressor, losses, optimizers, schedules
from sgdreg.losses import Huber, Loss, Quantile
from sgdreg.optimizers import Adam, Momentum, Optimizer
from sgdreg.schedules import Constant, InvScaling, WarmUp

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
# In a grid of penalties, None is beside an alpha that is meant for the others.
no_penalty = pytest.mark.filterwarnings("ignore:alpha=.* no effect with penalty=None")
CV = KFold(3, shuffle=True, random_state=1)


# ------------------------------------------------------------- objects of the user's own


class LogCosh(Loss):
    """Smooth, with a parameter."""

    def __init__(self, width=1.0):
        self.width = width

    @property
    def smoothness(self):
        return 1.0 / self.width

    def value(self, y, p):
        return self.width * np.log(np.cosh((p - y) / self.width))

    def gradient(self, y, p):
        return np.tanh((p - y) / self.width)


class Saw(Constant):
    """Steps that shrink over every `period` steps."""

    def __init__(self, eta0=0.01, period=10):
        super().__init__(eta0)
        self.period = period

    def __call__(self, t):
        return self.eta0 / (1 + np.asarray(t) % self.period)


class Signs(Optimizer):
    """Steps along the signs of a running mean of the gradient."""

    slots = 1

    def __init__(self, memory=0.5):
        self.memory = memory

    def direction(self, gradient, memory, t):
        memory[0] = self.memory * memory[0] + (1 - self.memory) * gradient
        return np.sign(memory[0])


def root(t):
    """A function as a schedule; one of a module, as pickles ask for."""
    return 0.02 / np.sqrt(t)


# --------------------------------------------------------------------------- by hand


def data(n=60, d=4, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    return X, X @ np.arange(1.0, d + 1) + 0.7 * rng.standard_normal(n) + 2.0


def textbook(**settings):
    common = {"learning_rate": 0.02, "batch_size": 4, "max_iter": 4, "tol": None}
    return SGDLinearRegressor(**{**common, "random_state": 0, **settings})


def silently(model, X, y, **more):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, y, **more)


def rows(X, index):
    return X.iloc[index] if hasattr(X, "iloc") else X[index]


def last(model):
    """The regressor, be it the end of a pipeline."""
    return model[-1] if isinstance(model, Pipeline) else model


def check_by_hand(search, X, y, folds=CV):
    """Each candidate's score is the mean of fits without any search, bit for bit.

    And the best one's refit is a direct fit. Returns how many scores there are, which is
    how many candidates if each value has come to where it acts.
    """
    results = search.cv_results_
    assert np.isfinite(results["mean_test_score"]).all()
    if "iter" not in results:  # a halving search draws rows of its own
        splits = list(folds.split(X, y))
        for i, candidate in enumerate(results["params"]):
            for k, (train, test) in enumerate(splits):
                model = clone(search.estimator).set_params(**clone(candidate, safe=False))
                model = silently(model, rows(X, train), y[train])
                score = model.score(rows(X, test), y[test])
                assert results[f"split{k}_test_score"][i] == score, (candidate, k)
        assert search.best_index_ == np.argmax(results["mean_test_score"])
    direct = clone(search.estimator).set_params(**clone(search.best_params_, safe=False))
    silently(direct, X, y)
    best = search.best_estimator_
    assert_array_equal(last(best).coef_, last(direct).coef_)
    assert last(best).intercept_ == last(direct).intercept_
    assert last(best).loss_curve_ == last(direct).loss_curve_
    assert (last(best).t_, last(best).n_iter_) == (last(direct).t_, last(direct).n_iter_)
    assert_array_equal(search.predict(X), direct.predict(X))
    for name, value in search.best_params_.items():
        if not any(other.startswith(f"{name}__") for other in search.best_params_):
            assert repr(best.get_params()[name]) == repr(value)
    return len(set(np.round(results["mean_test_score"], 12)))


# --------------------------------------------------------------------------- the grids

ETAS = [1e-4, 3e-3, 0.03]
GRIDS = {
    "a number of a schedule": (
        {"learning_rate": Constant()},
        {"learning_rate__eta0": ETAS},
    ),
    "numbers of a schedule": (
        {"learning_rate": InvScaling()},
        {"learning_rate__eta0": [0.01, 0.1], "learning_rate__power_t": [0.1, 0.4, 0.8]},
    ),
    "within a warm-up": (
        {"learning_rate": WarmUp(InvScaling(), steps=5)},
        {
            "learning_rate__schedule__eta0": [0.01, 0.1],
            "learning_rate__schedule__power_t": [0.2, 0.6],
            "learning_rate__steps": [3, 12],
        },
    ),
    "the schedule of a warm-up": (
        {"learning_rate": WarmUp(0.01, steps=5)},
        {"learning_rate__schedule": [0.01, Constant(0.03), InvScaling(0.1), root]},
    ),
    "numbers of an optimizer": (
        {"optimizer": Momentum()},
        {"optimizer__momentum": [0.1, 0.5, 0.8], "optimizer__nesterov": [False, True]},
    ),
    "numbers of Adam": (
        {"optimizer": Adam()},
        {"optimizer__beta_1": [0.5, 0.9], "optimizer__weight_decay": [0.0, 0.5]},
    ),
    "numbers of a loss": (
        {"loss": Huber()},
        {"loss__epsilon": [0.1, 0.5, 2.0]},
    ),
    "the level of a quantile": (
        {"loss": Quantile()},
        {"loss__quantile": [0.2, 0.5, 0.8]},
    ),
    "losses": (
        {},
        {"loss": [*losses.LOSSES, Huber(0.5), LogCosh(0.5), LogCosh(2.0)]},
    ),
    "penalties": (
        {"alpha": 0.3},
        {"penalty": [None, "l2", "l1", "elasticnet"]},
    ),
    "penalties without steps": (
        {"alpha": 0.3, "learning_rate": "auto", "batch_size": "auto", "tol": 1e-8},
        {"penalty": [None, "l2", "l1", "elasticnet"], "positive": [False]},
    ),
    "averages": ({}, {"average": [False, True, 20, 0.2, "tail"]}),
    "orders": ({}, {"shuffle": [True, False, "blocks", "replacement"]}),
    "batch sizes": ({}, {"batch_size": [1, 2, 5, 16, "full"]}),
    "schedules": (
        {},
        {"learning_rate": [0.01, "invscaling", Constant(0.03), Saw(0.05), root]},
    ),
    "optimizers": (
        {"learning_rate": 0.005},
        {"optimizer": ["sgd", "adam", Momentum(0.5), Signs(), Signs(0.9)]},
    ),
    "numbers of objects of one's own": (
        {"loss": LogCosh(), "learning_rate": Saw(), "optimizer": Signs()},
        {
            "loss__width": [0.5, 2.0],
            "learning_rate__period": [4, 9],
            "optimizer__memory": [0.0, 0.7],
        },
    ),
    "a bit of everything": (
        {"learning_rate": Constant()},
        [
            {"learning_rate__eta0": [0.01], "batch_size": [2, 8], "average": [True]},
            {"optimizer": [Momentum(0.5)], "optimizer__momentum": [0.2, 0.6]},
            {"loss": [Huber()], "loss__epsilon": [0.3, 1.0]},
        ],
    ),
}


@quiet
@no_penalty
@pytest.mark.parametrize(("settings", "grid"), GRIDS.values(), ids=GRIDS)
def test_a_grid_is_its_candidates_one_by_one(settings, grid):
    X, y = data()
    model = textbook(**settings)
    before = repr(model.get_params())
    search = GridSearchCV(model, grid, cv=CV).fit(X, y)
    n = len(ParameterGrid(grid))
    assert len(search.cv_results_["params"]) == n
    distinct = check_by_hand(search, X, y)
    assert distinct == n
    assert repr(model.get_params()) == before  # neither it nor its objects were touched
    assert not hasattr(model, "coef_")


@quiet
def test_the_objects_of_a_grid_are_left_alone():
    """Candidates are copies: nested parameters of one do not reach into another."""
    X, y = data()
    shared = Momentum(0.5)
    grid = {"optimizer": [shared], "optimizer__momentum": [0.1, 0.7]}
    search = GridSearchCV(textbook(), grid, cv=CV).fit(X, y)
    assert shared.momentum == 0.5
    assert search.best_estimator_.optimizer is not shared
    assert (
        search.best_estimator_.optimizer.momentum
        == (search.best_params_["optimizer__momentum"])
    )


@quiet
def test_the_search_finds_what_is_known_to_be_best():
    """With outliers the robust loss and the step that learns; of alphas, that of Ridge."""
    X, y = data(200)
    y[::9] += 60.0
    grid = {
        "loss": ["squared_error", "absolute_error"],
        "learning_rate__eta0": [1e-6, 0.02],
    }
    model = textbook(learning_rate=Constant(), max_iter=30)
    search = GridSearchCV(model, grid, cv=CV, scoring="neg_median_absolute_error")
    assert search.fit(X, y).best_params_ == {
        "loss": "absolute_error",
        "learning_rate__eta0": 0.02,
    }
    alphas = np.logspace(-4, 1, 11)
    ours = GridSearchCV(SGDLinearRegressor(penalty="l2"), {"alpha": alphas}, cv=CV)
    exact = [
        np.mean(
            [
                Ridge(alpha * len(train)).fit(X[train], y[train]).score(X[test], y[test])
                for train, test in CV.split(X)
            ]
        )
        for alpha in alphas
    ]
    scores = ours.fit(X, y).cv_results_["mean_test_score"]
    np.testing.assert_allclose(scores, exact, rtol=1e-6, atol=1e-8)
    assert ours.best_params_["alpha"] == alphas[np.argmax(exact)]


# ----------------------------------------------------------------- random and halving

DRAWN = {
    "learning_rate__schedule__eta0": stats.loguniform(1e-3, 0.05),
    "learning_rate__steps": stats.randint(1, 20),
    "optimizer__momentum": stats.uniform(0, 0.7),
    "loss": ["squared_error", Huber(1.0), LogCosh(0.5)],
    "penalty": [None, "l2", "l1"],
    "average": [False, True, "tail"],
    "shuffle": [True, False],
    "batch_size": stats.randint(1, 9),
}


@quiet
def test_random_draws_from_distributions():
    """Among what is drawn are NumPy's integers and floats."""
    X, y = data()
    model = textbook(learning_rate=WarmUp(Constant(), steps=3), optimizer=Momentum())
    search = RandomizedSearchCV(model, DRAWN, n_iter=12, cv=CV, random_state=0)
    assert check_by_hand(search.fit(X, y), X, y) == 12
    assert len({c["batch_size"] for c in search.cv_results_["params"]}) > 3


@quiet
@pytest.mark.parametrize("resource", ["n_samples", "max_iter"])
def test_halving(resource):
    """More rows, or more epochs, for those that are still in."""
    X, y = data(216)
    model = textbook(learning_rate=WarmUp(Constant(), steps=3), optimizer=Momentum())
    grid = {
        "learning_rate__schedule__eta0": [1e-5, 1e-4, 2e-3],
        "optimizer__momentum": [0.0, 0.3, 0.6],
    }
    most = {"n_samples": "auto", "max_iter": 18}[resource]
    least = {"n_samples": 24, "max_iter": 2}[resource]
    search = HalvingGridSearchCV(
        model, grid, cv=CV, resource=resource, max_resources=most, min_resources=least,
        factor=3, random_state=0,
    )  # fmt: skip
    search.fit(X, y)
    assert search.n_candidates_ == [9, 3, 1]
    assert search.n_resources_ == [least, 3 * least, 9 * least]
    assert search.best_params_["learning_rate__schedule__eta0"] == 2e-3
    check_by_hand(search, X, y)
    if resource == "max_iter":
        assert search.best_estimator_.n_iter_ == 18
        results = search.cv_results_
        for candidate, scores in zip(
            results["params"],
            zip(*(results[f"split{k}_test_score"] for k in range(3)), strict=True),
            strict=True,
        ):
            by_hand = []
            for train, test in CV.split(X):
                each = silently(clone(model).set_params(**candidate), X[train], y[train])
                assert each.n_iter_ == candidate["max_iter"]
                by_hand.append(each.score(X[test], y[test]))
            assert list(scores) == by_hand


# ------------------------------------------------------------------------- in parallel


@quiet
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_two_jobs_give_the_same_as_one(backend):
    X, y = data()
    model = textbook(learning_rate=WarmUp(Constant(), steps=3), optimizer=Momentum())
    grid = [
        {"learning_rate__schedule__eta0": [0.01, 0.03], "optimizer__momentum": [0.2, 0.6]},
        {"loss": ["huber", Huber(0.5), LogCosh(0.5)], "learning_rate": [Saw(0.1), root]},
        {"optimizer": [Signs(), Adam()], "average": [True, "tail"], "shuffle": ["blocks"]},
        {"penalty": ["l2", "l1"], "alpha": [0.1], "learning_rate": ["auto"],
         "batch_size": ["auto"], "optimizer": ["auto"]},
    ]  # fmt: skip
    one = GridSearchCV(model, grid, cv=CV).fit(X, y)
    with joblib.parallel_config(backend):
        two = GridSearchCV(model, grid, cv=CV, n_jobs=2).fit(X, y)
        drawn = [
            RandomizedSearchCV(
                model, DRAWN, n_iter=5, cv=CV, random_state=0, n_jobs=jobs
            ).fit(X, y)
            for jobs in (None, 2)
        ]
    for a, b in ((one, two), drawn):
        for k in range(3):
            name = f"split{k}_test_score"
            assert_array_equal(b.cv_results_[name], a.cv_results_[name])
        assert repr(b.best_params_) == repr(a.best_params_)
        assert_array_equal(b.best_estimator_.coef_, a.best_estimator_.coef_)
        assert b.best_estimator_.intercept_ == a.best_estimator_.intercept_
    assert len(set(one.cv_results_["mean_test_score"])) == len(ParameterGrid(grid))


@quiet
def test_seeds_that_are_states_are_copied_not_shared():
    """scikit-learn's clones copy a RandomState: every candidate has the same stream."""
    X, y = data()
    grid = {"learning_rate": [0.01, 0.03]}
    seed = np.random.RandomState(4)
    state = seed.get_state()[1].copy()
    one, again = (
        GridSearchCV(textbook(random_state=seed), grid, cv=CV).fit(X, y) for _ in range(2)
    )
    assert_array_equal(one.best_estimator_.coef_, again.best_estimator_.coef_)
    assert_array_equal(seed.get_state()[1], state)
    direct = textbook(random_state=np.random.RandomState(4), **one.best_params_)
    assert_array_equal(silently(direct, X, y).coef_, one.best_estimator_.coef_)


# --------------------------------------------------------------------------- pipelines


def houses(n=90):
    rng = np.random.default_rng(3)
    table = pd.DataFrame(
        {
            "size": rng.uniform(30, 200, n),
            "year": rng.integers(1900, 2020, n),
            "town": rng.choice(list("abcd"), n),
        }
    )
    price = 2.0 * table["size"] + 0.3 * (table["year"] - 1950)
    price += table["town"].map({"a": 0.0, "b": 40.0, "c": -30.0, "d": 10.0})
    return table, (price + rng.normal(0, 5, n)).to_numpy()


@quiet
@no_penalty
@pytest.mark.parametrize("dense", [True, False])
def test_a_pipeline_with_columns_of_two_kinds(dense):
    table, price = houses()
    columns = ColumnTransformer(
        [
            ("numbers", StandardScaler(), ["size", "year"]),
            ("towns", OneHotEncoder(sparse_output=not dense), ["town"]),
        ],
        sparse_threshold=0.0 if dense else 1.0,
    )
    assert sparse.issparse(columns.fit_transform(table)) != dense
    model = Pipeline(
        [
            ("columns", columns),
            ("sgd", textbook(learning_rate=WarmUp(InvScaling(), 5), max_iter=20)),
        ]
    )
    grid = {
        "columns__numbers__with_std": [True],
        "columns__towns__drop": [None, "first"],
        "sgd__learning_rate__schedule__eta0": [1e-4, 0.02],
        "sgd__penalty": [None, "l2"],
        "sgd__alpha": [0.2],
        "sgd__batch_size": [1, 8],
    }
    search = GridSearchCV(model, grid, cv=CV).fit(table, price)
    assert check_by_hand(search, table, price) == 16
    assert search.best_params_["sgd__learning_rate__schedule__eta0"] == 0.02
    assert search.best_params_["sgd__penalty"] is None
    names = search.best_estimator_[:-1].get_feature_names_out()
    assert len(last(search.best_estimator_).coef_) == len(names)


def sentences():
    """Reviews of known worth: the sum of their words'."""
    worth = {"awful": -3.0, "dull": -1.5, "plain": 0.0, "nice": 1.5, "superb": 3.0}
    rng = np.random.default_rng(2)
    texts, scores = [], []
    for _ in range(80):
        chosen = rng.choice(list(worth), size=rng.integers(1, 5))
        fillers = rng.choice(["the", "film", "was", "rather", "and"], size=3)
        texts.append(" ".join(rng.permutation([*chosen, *fillers])))
        scores.append(np.mean([worth[word] for word in chosen]) + 0.1 * rng.normal())
    return np.array(texts, dtype=object), np.array(scores)


@quiet
def test_sparse_text():
    texts, scores = sentences()
    model = make_pipeline(TfidfVectorizer(), textbook(max_iter=15))
    grid = [
        {
            "tfidfvectorizer__ngram_range": [(1, 1), (1, 2)],
            "sgdlinearregressor__learning_rate": [0.01, InvScaling(0.5), Saw(0.5)],
            "sgdlinearregressor__average": [False, True],
        },
        {
            "tfidfvectorizer__dtype": [np.float32],
            "sgdlinearregressor__optimizer": ["adagrad", Momentum(0.5), Signs()],
            "sgdlinearregressor__loss": ["huber", LogCosh()],
        },
        {
            "sgdlinearregressor__learning_rate": ["auto"],
            "sgdlinearregressor__batch_size": ["auto"],
            "sgdlinearregressor__penalty": ["l2", "l1"],
            "sgdlinearregressor__alpha": [0.003],
            "sgdlinearregressor__tol": [1e-8],
        },
    ]
    search = GridSearchCV(model, grid, cv=CV, n_jobs=1).fit(texts, scores)
    assert check_by_hand(search, texts, scores) == len(ParameterGrid(grid))
    best = search.best_estimator_
    X = best[:-1].transform(texts)
    assert sparse.issparse(X)
    dense = silently(clone(best[-1]), X.toarray(), scores)
    np.testing.assert_allclose(best[-1].coef_, dense.coef_, rtol=1e-4, atol=1e-4)
    word = dict(zip(best[0].get_feature_names_out(), best[-1].coef_, strict=True))
    order = ["awful", "dull", "plain", "nice", "superb"]
    assert np.all(np.diff([word[each] for each in order]) > 0)


@quiet
def test_splits_in_time_and_weights():
    """Other splitters, and sample weights that the search hands on."""
    X, y = data()
    w = np.linspace(0.1, 3, len(y))
    folds = TimeSeriesSplit(3)
    grid = {"learning_rate__eta0": ETAS, "penalty": ["l2"], "alpha": [0.0, 0.5]}
    search = GridSearchCV(textbook(learning_rate=Constant()), grid, cv=folds)
    search.fit(X, y, sample_weight=w)
    for i, candidate in enumerate(search.cv_results_["params"]):
        for k, (train, test) in enumerate(folds.split(X)):
            each = clone(search.estimator).set_params(**candidate)
            silently(each, X[train], y[train], sample_weight=w[train])
            score = search.cv_results_[f"split{k}_test_score"][i]
            assert score == each.score(X[test], y[test], w[test])
    direct = clone(search.estimator).set_params(**search.best_params_)
    silently(direct, X, y, sample_weight=w)
    assert_array_equal(search.best_estimator_.coef_, direct.coef_)
    assert np.abs(silently(direct, X, y).coef_ - search.best_estimator_.coef_).max() > 1e-4


@quiet
def test_a_candidate_that_cannot_be_is_one_failed_score():
    """Its message reaches the user, and the rest of the search is not lost."""
    X, y = data()
    grid = {"optimizer__momentum": [0.5, 1.5]}
    search = GridSearchCV(textbook(optimizer=Momentum()), grid, cv=CV)
    with pytest.warns() as caught:
        search.fit(X, y)
    said = "".join(str(w.message) for w in caught)
    assert re.search(r"momentum of .* must be a number in \[0, 1\)", said)
    assert np.isnan(search.cv_results_["mean_test_score"][1])
    assert search.best_params_ == {"optimizer__momentum": 0.5}
    with pytest.raises(ValueError, match=r"must be a number in \[0, 1\)"):
        search.set_params(error_score="raise").fit(X, y)
    with pytest.raises(ValueError, match="Invalid parameter 'inertia' for estimator Mom"):
        GridSearchCV(search.estimator, {"optimizer__inertia": [1]}, cv=CV).fit(X, y)


# ------------------------------------------------------------------------------ copies

KINDS = {
    "loss": [
        losses.SquaredError(), losses.Huber(0.7), losses.AbsoluteError(),
        losses.Quantile(0.3), losses.EpsilonInsensitive(0.2),
        losses.SquaredEpsilonInsensitive(0.2), LogCosh(0.8),
    ],
    "learning_rate": [
        schedules.Constant(0.03), schedules.InvScaling(0.1, 0.4), schedules.Optimal(0.5),
        schedules.Adaptive(0.03, 0.5), schedules.StepDecay(0.05, 0.5, 20),
        schedules.Exponential(0.05, 0.9, 10), schedules.Piecewise([30], [0.05, 0.01]),
        schedules.Polynomial(0.05, 90), schedules.Cosine(0.05, 90),
        schedules.OneCycle(0.05, 90), schedules.WarmUp(InvScaling(0.1), 7),
        schedules.WarmUp(WarmUp(Saw(0.05), 4), 3), Saw(0.05, 7), root,
    ],
    "optimizer": [
        optimizers.SGD(), optimizers.SGD("diagonal"), optimizers.SGD("sketch"),
        optimizers.Momentum(0.4), optimizers.Nesterov(0.4), optimizers.AdaGrad(),
        optimizers.RMSprop(momentum=0.3), optimizers.Adam(0.8), optimizers.SVRG(),
        optimizers.ConjugateGradient(), optimizers.InteriorPoint(),
        optimizers.Newton(), Signs(0.3),
    ],
}  # fmt: skip
EACH_KIND = [
    pytest.param(slot, value, id=f"{slot}-{i}-{getattr(value, '__name__', None) or value}")
    for slot, values in KINDS.items()
    for i, value in enumerate(values)
]


def test_every_kind_is_here():
    known = {type(value) for values in KINDS.values() for value in values}
    public = [getattr(schedules, name) for name in schedules.__all__]
    public += [getattr(optimizers, name) for name in optimizers.__all__]
    public += [kind for kind, _ in losses.LOSSES.values()]
    assert {kind for kind in public if inspect.isclass(kind)} - {Optimizer} <= known


def of_kind(slot, value):
    model = textbook(**{slot: copy.deepcopy(value)})
    if getattr(value, "finds_steps", False):
        model.set_params(learning_rate="auto", batch_size="auto", tol=1e-10)
    return model


def joblibbed(model, folder):
    joblib.dump(model, folder / "model.joblib")
    return joblib.load(folder / "model.joblib")


COPIES = {
    "clone": lambda model, folder: clone(model),
    "deepcopy": lambda model, folder: copy.deepcopy(model),
    "pickle": lambda model, folder: pickle.loads(pickle.dumps(model)),
    "pickle 2": lambda model, folder: pickle.loads(pickle.dumps(model, protocol=2)),
    "joblib": joblibbed,
}


def parameters(model):
    """All of them, with objects as their names (repr shows what is not the default)."""
    return {name: repr(value) for name, value in model.get_params().items()}


@quiet
@pytest.mark.parametrize(("slot", "value"), EACH_KIND)
def test_copies_before_a_fit(slot, value, tmp_path):
    X, y = data()
    model = of_kind(slot, value)
    before = parameters(model)
    fitted = {}
    for name, made in COPIES.items():
        twin = made(model, tmp_path)
        assert parameters(twin) == before, name
        if not inspect.isfunction(value):
            assert getattr(twin, slot) is not getattr(model, slot)
            assert type(getattr(twin, slot)) is type(value)
        fitted[name] = twin.fit(X, y)
        assert parameters(twin) == before, name  # a fit changes none
    expected = model.fit(X, y)
    assert np.abs(expected.coef_).max() > 0.01
    for name, twin in fitted.items():
        assert_array_equal(twin.coef_, expected.coef_, err_msg=name)
        assert twin.intercept_ == expected.intercept_
        assert twin.loss_curve_ == expected.loss_curve_


@quiet
@pytest.mark.parametrize(("slot", "value"), EACH_KIND)
def test_copies_of_a_fitted_model(slot, value, tmp_path):
    """They predict the same, print the same, and go on with the same steps."""
    X, y = data()
    model = of_kind(slot, value).fit(X, y)
    expected = model.predict(X)
    new, target = data(seed=9)
    twins = {n: made(model, tmp_path) for n, made in COPIES.items() if n != "clone"}
    for name, twin in twins.items():
        assert_array_equal(twin.predict(X), expected, err_msg=name)
        assert repr(twin.plan_) == repr(model.plan_)
        assert twin.history_ == model.history_
        assert parameters(twin) == parameters(model)
    assert not hasattr(clone(model), "coef_")
    again = clone(model).fit(X, y)  # what is fitted does not follow into a clone
    assert_array_equal(again.predict(X), expected)
    if getattr(value, "finds_steps", False):
        return  # they take all rows: partial_fit is another matter
    model.partial_fit(new, target)
    assert np.abs(model.predict(X) - expected).max() > 1e-6
    for name, twin in twins.items():
        assert_array_equal(twin.predict(X), expected, err_msg=name)  # nothing is shared
        twin.partial_fit(new, target)
        assert_array_equal(twin.coef_, model.coef_, err_msg=name)
        assert twin.intercept_ == model.intercept_
        assert twin.t_ == model.t_


@quiet
@pytest.mark.parametrize(("slot", "value"), EACH_KIND)
def test_nested_parameters_are_set_where_they_act(slot, value):
    """set_params of each number reaches the object, and a clone has one of its own."""
    model = of_kind(slot, value)
    if inspect.isfunction(value):
        assert model.get_params()[slot] is value
        return
    for name, old in value.get_params(deep=False).items():
        nested = f"{slot}__{name}"
        assert repr(model.get_params()[nested]) == repr(old)
        if not isinstance(old, float):
            continue
        twin = clone(model).set_params(**{nested: old / 2})
        assert getattr(getattr(twin, slot), name) == old / 2
        assert getattr(getattr(model, slot), name) == old


@quiet
@pytest.mark.parametrize("by", ["set_params", "attribute", "another"])
@pytest.mark.parametrize("begin", ["fit", "partial_fit"])
def test_a_nested_parameter_changed_after_a_fit_is_seen(by, begin):
    """The next fit, and the next partial_fit, take what is set now."""
    X, y = data()
    for slot, value, name in (
        ("learning_rate", WarmUp(Constant(0.02), 3), "schedule__eta0"),
        ("optimizer", Momentum(0.5), "momentum"),
        ("loss", Huber(0.5), "epsilon"),
        ("learning_rate", Saw(0.05), "period"),
        ("optimizer", Signs(0.5), "memory"),
        ("loss", LogCosh(0.5), "width"),
    ):
        new = 5 if name == "period" else 0.2
        model = getattr(textbook(**{slot: clone(value)}), begin)(X, y)
        untouched = copy.deepcopy(model)
        if by == "set_params":
            model.set_params(**{f"{slot}__{name}": new})
        elif by == "another":  # object of the same class
            model.set_params(**{slot: clone(value).set_params(**{name: new})})
        else:
            *path, attribute = name.split("__")
            inner = getattr(model, slot)
            for each in path:
                inner = getattr(inner, each)
            setattr(inner, attribute, new)
        model.partial_fit(X, y)
        untouched.partial_fit(X, y)
        assert np.abs(model.coef_ - untouched.coef_).max() > 1e-6, (slot, name)
        fresh = textbook(**{slot: clone(value)}).set_params(**{f"{slot}__{name}": new})
        assert_array_equal(model.fit(X, y).coef_, fresh.fit(X, y).coef_)


@quiet
@pytest.mark.parametrize(
    ("slot", "value", "name", "field"),
    [
        ("learning_rate", Constant(0.02), "eta0", "schedule"),
        ("optimizer", Momentum(0.5), "momentum", "optimizer"),
        ("loss", Huber(0.5), "epsilon", "loss"),
    ],
)
def test_the_plan_of_a_fit_stays_what_it_was(slot, value, name, field):
    """What has been fitted is no matter of parameters that are set afterwards."""
    X, y = data()
    model = textbook(**{slot: clone(value)}).fit(X, y)
    before = repr(getattr(model.plan_, field))
    model.set_params(**{f"{slot}__{name}": 0.3})
    assert repr(getattr(model.plan_, field)) == before


@quiet
def test_a_fitted_search_is_pickled_whole(tmp_path):
    X, y = data()
    grid = {"learning_rate__schedule__eta0": [0.01, 0.03], "loss": [Huber(), LogCosh()]}
    model = textbook(learning_rate=WarmUp(Saw(), 3), optimizer=Signs())
    search = GridSearchCV(model, grid, cv=CV).fit(X, y)
    for name in ("pickle", "joblib"):
        twin = COPIES[name](search, tmp_path)
        assert_array_equal(twin.predict(X), search.predict(X))
        assert repr(twin.best_params_) == repr(search.best_params_)
        assert_array_equal(clone(twin).fit(X, y).predict(X), search.predict(X))

"""What the text says of passes, threads and losses is what happens."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.optimize import nnls

from sgdreg import SGDLinearRegressor
from sgdreg._curvature import sample
from sgdreg._curvature.of_rows import curvature_of
from sgdreg._data.dataset import Data
from sgdreg._data.threads import Team
from sgdreg._solvers import full_gradient, interior_point, parabolas, primal_dual
from sgdreg.losses import AbsoluteError, Loss


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 5)) * [1, 2, 3, 4, 5]
    return X, X @ [1.0, -2.0, 3.0, 0.5, 0.0] + 1.0 + rng.normal(size=400)


# -------------------------------------------------------------------------- passes


@pytest.fixture
def passes(monkeypatch):
    """Counts the passes that evaluate all rows."""
    counted, evaluate = [], Data.evaluate
    monkeypatch.setattr(
        Data, "evaluate", lambda self, *a: counted.append(self) or evaluate(self, *a)
    )
    return counted


@pytest.mark.parametrize("batch_size", [8, "full"])
def test_the_search_for_a_stable_step_counts(rows, passes, batch_size):
    model = SGDLinearRegressor(optimizer="sgd", batch_size=batch_size, max_iter=1, tol=None)
    model.fit(*rows)
    assert len(passes) > 3
    assert model.history_[0]["passes"] >= len(passes)


def test_what_is_used_again_is_counted_once(rows):
    X, y = rows
    settings = {"optimizer": "momentum", "learning_rate": 0.01, "batch_size": 8}
    model = SGDLinearRegressor(**settings)
    for _ in range(3):
        model.partial_fit(X / X.std(axis=0), y)
    assert [entry["passes"] for entry in model.history_] == [1.0, 2.0, 3.0]


def test_the_curvature_of_squares_is_taken_once(rows, monkeypatch):
    """For the steps of all outputs under a bound, and for a stream that follows."""
    X, y = rows
    taken = []
    for module in (full_gradient, interior_point, parabolas, primal_dual, sample):
        monkeypatch.setattr(
            module, "curvature_of", lambda *a, **k: taken.append(a) or curvature_of(*a, **k)
        )
    model = SGDLinearRegressor(positive=True).fit(X, np.column_stack([y, -y]))
    assert len(taken) == 1
    model.partial_fit(X, np.column_stack([y, -y]))
    for output, sign in enumerate((1, -1)):
        centred = X - X.mean(axis=0), sign * (y - y.mean())
        assert_allclose(model.coef_[output], nnls(*centred)[0], rtol=1e-6, atol=1e-9)


# ------------------------------------------------------------------------- threads


@pytest.fixture
def shared(monkeypatch):
    """Counts the pieces that every team of threads has been given in a pass."""
    counted, in_order = [], Team.in_order

    def seen(team, function, pieces):
        counted.append((team.size, len(pieces)))
        return in_order(team, function, pieces)

    monkeypatch.setattr(Team, "in_order", seen)
    return counted


@pytest.mark.parametrize("held_out", [None, "given", "drawn"])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_every_pass_is_the_teams(shared, monkeypatch, form, held_out):
    monkeypatch.setattr("sgdreg._data.dataset.PIECE_NUMBERS", 100)
    rng = np.random.default_rng(1)
    X = rng.normal(size=(300, 4))
    y = X @ [1.0, 2.0, 3.0, 4.0] + rng.normal(size=300)
    weights = rng.uniform(0.5, 2.0, size=300)
    given = {"X_val": form(X[:200]), "y_val": y[:200]} if held_out == "given" else {}
    settings = {"optimizer": "sgd", "batch_size": 16, "max_iter": 3, "tol": None}
    settings |= {"early_stopping": held_out == "drawn", "random_state": 0}
    models = []
    for n_jobs in (1, 2, 3):
        shared.clear()
        model = SGDLinearRegressor(n_jobs=n_jobs, **settings)
        models.append(model.fit(form(X), y, sample_weight=weights, **given))
        assert len(shared) > 3
        assert {size for size, _ in shared} == {n_jobs}
        assert {pieces for _, pieces in shared} != {1}
    for model in models[1:]:
        assert_array_equal(model.coef_, models[0].coef_)
        assert model.loss_curve_ == models[0].loss_curve_


# -------------------------------------------------------------------------- losses


class Distance(Loss):
    """|p - y|, in words of its own, that says what it is made of."""

    hinged = True
    dead, width, below, above = 0.0, 0.0, 1.0, 1.0

    def value(self, y, p):
        return np.abs(p - y)

    def gradient(self, y, p):
        return np.sign(p - y)


def test_a_custom_loss_that_is_made_of_hinges_is_solved_as_one(rows):
    known = SGDLinearRegressor(loss=AbsoluteError()).fit(*rows)
    own = SGDLinearRegressor(loss=Distance()).fit(*rows)
    assert own.converged_
    assert repr(own.plan_.optimizer) == repr(known.plan_.optimizer)
    assert_allclose(own.coef_, known.coef_, rtol=1e-6, atol=1e-6)


def test_one_that_is_not_is_not():
    class Other(AbsoluteError):
        def gradient(self, y, p):
            return np.sign(p - y)

    assert AbsoluteError().hinged
    assert not Other().hinged


def test_a_loss_that_lacks_the_numbers_of_its_hinges_is_refused(rows):
    class Lacking(Loss):
        hinged = True
        value, gradient = Distance.value, Distance.gradient

    with pytest.raises(TypeError, match=r"hinged, but has no dead and width"):
        SGDLinearRegressor(loss=Lacking()).fit(*rows)

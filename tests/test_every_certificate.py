"""Certificates of random problems of every loss, penalty and container hold.

See `every_problem`, which draws the problems and judges the fits. Hundreds more, and
larger ones: `pytest -m heavy tests/test_every_certificate.py`, or other seeds, shrunk where
they fail: `cd tests`, then `python -m every_problem 1000 2000`.
"""

from dataclasses import replace

import every_problem
import numpy as np
import pytest
from every_problem import FORMS, LOSSES, PATHS, Problem, draw, fitted, forced, judge
from every_problem.references import trials
from scipy import linalg

from sgdreg import SGDLinearRegressor
from sgdreg._curvature import single
from sgdreg._solvers.newton.band import Band

SEEDS, SMALL = 42, 200
BLOCKS, PROBLEMS = 20, 30


@pytest.mark.parametrize("first", range(0, SEEDS, 7))
def test_claims_of_small_problems(first):
    for seed in range(first, first + 7):
        problem = draw(seed, SMALL)
        verdict = judge(problem)
        assert not verdict.failures, f"{problem}: {verdict}"


@pytest.mark.heavy
@pytest.mark.parametrize("block", range(1, BLOCKS + 1))
def test_claims_of_many_problems(block):
    failed = []
    for seed in range(block * PROBLEMS, (block + 1) * PROBLEMS):
        problem = draw(seed)
        verdict = judge(problem)
        if verdict.failures:
            failed.append(f"{problem}: {verdict}")
    assert not failed, "\n".join(failed)


def test_small_problems_are_of_every_kind():
    problems = [draw(seed, SMALL) for seed in range(SEEDS)]
    assert {p.loss for p in problems} == set(LOSSES)
    assert {p.form for p in problems} == set(FORMS)
    assert {p.path for p in problems} == set(PATHS)
    assert {p.penalty for p in problems} == {None, "l2", "l1", "elasticnet"}


def test_paths_are_taken_and_left_again():
    problem, plans = Problem(0, 3000, 4), []
    for path in ("sampled", "plain"):
        with forced(path):
            model = SGDLinearRegressor(random_state=0)
            plans.append(str(model.fit(problem.X, problem.Y[:, 0]).plan_))
    assert "all rows" not in plans[0]
    assert "all rows" in plans[1]


@pytest.mark.parametrize("loss", LOSSES)
def test_a_false_claim_is_found(loss, monkeypatch):
    """A model whose coefficients are 1 % off, with the gap of the optimum."""

    def wrong(problem, X):
        model, caught = fitted(problem, X)
        model.coef_ = model.coef_ * 1.01 + 0.01
        return model, caught

    monkeypatch.setattr(every_problem.verdict, "fitted", wrong)
    verdict = judge(Problem(1, 50, 2, loss=loss, target="t(2)"))
    assert verdict.known
    assert verdict.failures == ("gap", "tol")
    assert np.isfinite(verdict.true)


def test_no_bound_of_a_band_is_above_the_optimum(monkeypatch):
    """Few rows have the length of a direction: the optimum is further than usual."""
    told, tell = [], Band.tell

    def noted(band, *seen):
        tell(band, *seen)
        if band.level == 0:
            told.append(band.bound)

    monkeypatch.setattr(Band, "tell", noted)
    settings = {"loss": "epsilon_insensitive", "epsilon": 0.19221441812270432}
    settings |= {"penalty": "l1", "alpha": 1.7669922157111492e-06, "form": "CSR"}
    settings |= {"columns": ("leverage",), "target": "integers", "path": "sampled"}
    model, _ = fitted(problem := Problem(773, 3000, 3, **settings), problem.X)
    assert model.converged_
    assert max(told) <= model.history_[-1]["objective"] * (1 + 1e-7)
    assert not judge(problem).failures


@pytest.mark.parametrize("penalty", [None, "l1"])
def test_bends_of_a_narrow_band_along_few_directions_only(penalty):
    """No noise: the width is a rounding error, and rare columns do not bend beside it."""
    settings = {"loss": "quantile", "quantile": 0.9, "target": "exact", "path": "sampled"}
    settings |= {"columns": ("near", "rare", "leverage"), "weights": "exponential"}
    settings |= {"penalty": penalty, "alpha": 1e-4}
    verdict = judge(Problem(1325, 3000, 1, **settings))
    assert not verdict.failures, verdict


def test_steps_by_a_sample_in_single_precision_may_be_long(monkeypatch):
    """The sample shows 1,000 times too much curvature along some rows."""
    monkeypatch.setattr(single, "UNLIKE", np.inf)
    settings = {"columns": ("leverage",), "target": "zeros", "path": "wide"}
    problem = Problem(632, 2200, 11, form="CSR", **settings)
    model, _ = fitted(problem, problem.X.toarray())
    assert model.converged_
    assert "from 366 rows" in model.plan_.slots["metric"]
    found, _ = problem.cost(0, model.coef_, model.intercept_)
    least = min(problem.cost(0, *point)[0] for point in trials(problem, 0))
    assert found - least <= 1e-8 * problem.units[0]


@pytest.mark.parametrize(
    "problem",
    [
        Problem(51, 2800, 14, columns=("leverage", "near"), target="zeros", path="wide"),
        Problem(27, 1000, 5, columns=("leverage", "near"), target="t(2)", path="wide"),
        Problem(1311, 3000, 29, columns=("leverage", "near"), path="wide"),
    ],
)
def test_single_precision_does_not_know_all_directions(problem):
    """Few rows are far larger than the others, and columns nearly equal."""
    verdict = judge(problem)
    assert not verdict.failures, verdict


@pytest.mark.parametrize("loss", LOSSES)
def test_singular_values_are_found_in_another_way(loss, monkeypatch):
    """Divide and conquer fails on some matrices of one-hot columns."""
    svd = linalg.svd

    def failing(Z, *given, lapack_driver="gesdd", **options):
        if lapack_driver == "gesdd":
            raise linalg.LinAlgError("SVD did not converge")
        return svd(Z, *given, lapack_driver=lapack_driver, **options)

    monkeypatch.setattr(linalg, "svd", failing)
    problem = Problem(3, 90, 30, loss=loss, form="one-hot", penalty="l2", alpha=0.01)
    model, _ = fitted(problem, problem.X)
    assert model.converged_


def test_an_optimum_of_zero_is_held_by_float32():
    """The steps of the first output end at 1e-60 where the optimum is zero."""
    settings = {"loss": "quantile", "penalty": "elasticnet", "alpha": 0.0004565415454163238}
    settings |= {"l1_ratio": 0.67, "positive": True, "form": "float32", "outputs": 2}
    settings |= {"columns": ("scales", "heavy"), "target": "integers", "path": "sampled"}
    problem = Problem(149, 3000, 23, **settings)
    model, _ = fitted(problem, problem.X)
    assert model.converged_
    assert not model.coef_[0].any()


@pytest.mark.parametrize(
    "problem",
    [
        Problem(1050, 19, 19, alpha=1e-10, epsilon=0.111, target="integers"),
        Problem(151, 1080, 18, alpha=7.6e-7, epsilon=0.42, path="sampled"),
        Problem(45, 1380, 23, alpha=1.69e-5, epsilon=0.669, path="sampled"),
    ],
)
def test_rows_at_the_edge_of_a_dead_zone(problem):
    """The objective falls further than its curvature promises once they are within it."""
    traits = {151: ("leverage", "scales"), 45: ("near", "offsets")}
    problem = replace(problem, columns=traits.get(problem.seed, ()), penalty="l2")
    target = "exact" if problem.seed == 151 else "integers"
    problem = replace(problem, loss="squared_epsilon_insensitive", target=target)
    verdict = judge(problem)
    assert verdict.converged
    assert not verdict.failures, verdict

"""The judges kill every plausible mistake in the kernel's twin, and not the twin."""

import numpy as np
import pytest
from judges import (
    LOSS_NAMES,
    RULES,
    batches_compose,
    closed_form,
    constant_gradient,
    draws_follow_the_weights,
    equal_to_sgd_regressor,
    momentum_recurrence,
    optimum_stays,
    run_twin,
    shuffles_every_epoch,
    slope_of_the_objective,
    sparse_optimum,
    zero_weight_is_removed,
)
from problems import Drawn
from twin import MUTATIONS

# Penalties strong enough to hold some coefficients of `fixed_problems` at zero.
PENALTIES = (
    {"l1": 0.4},
    {"l1": 0.3, "l2": 0.1},
    {"l1": 0.0, "positive": True},
    {"l1": 0.2, "l2": 0.1, "positive": True},
)


def fixed_problems():
    """A few problems that between them have every feature a judge can look at."""
    rng = np.random.default_rng(3)
    for n, d, k, weighted, alpha, intercept in (
        (11, 3, None, True, 0.3, True),
        (10, 2, 3, False, 0.0, True),
        (7, 3, None, True, 0.1, False),
    ):
        X = rng.standard_normal((n, d))
        y = rng.standard_normal((n, k)) if k else rng.standard_normal(n)
        weights = rng.integers(1, 5, n).astype(float) if weighted else None
        yield Drawn(X, y + 2.0, weights, alpha, intercept)


def judge_all(run):
    for problem in fixed_problems():
        closed_form(run, problem)
        for average in (None, 1, 4):
            equal_to_sgd_regressor(run, problem, average)
        for batch_size in (3, 4):
            batches_compose(run, problem, batch_size)
            zero_weight_is_removed(run, problem, batch_size)
        for nesterov in (False, True):
            momentum_recurrence(run, problem, nesterov)
        for loss in LOSS_NAMES:
            slope_of_the_objective(run, problem, loss)
        for rule in RULES:
            constant_gradient(run, problem, rule)
            for penalty in PENALTIES:
                optimum_stays(run, problem, rule, **penalty)
    shuffles_every_epoch(run, seed=0)
    draws_follow_the_weights(run, seed=0)


def test_the_twin_is_right():
    judge_all(run_twin)


@pytest.mark.parametrize("penalty", PENALTIES)
def test_the_penalties_show(penalty):
    """Some coefficients are zero at the optima that the judges look at, and some not."""
    optima = [
        sparse_optimum(problem, **{"l2": 0.0, **penalty}) for problem in fixed_problems()
    ]
    w = np.concatenate([best[:, :-1].ravel() for best in optima])
    assert (w == 0).any()
    assert (w != 0).any()


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_every_mutant_dies(mutation):
    def mutant(X, y, **settings):
        return run_twin(X, y, mutation=mutation, **settings)

    with pytest.raises(AssertionError):
        judge_all(mutant)

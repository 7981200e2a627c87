"""The judges kill every plausible mistake in the kernel's twin, and not the twin."""

import numpy as np
import pytest
from judges import (
    batches_compose,
    closed_form,
    equal_to_sgd_regressor,
    momentum_recurrence,
    run_twin,
    shuffles_every_epoch,
    zero_weight_is_removed,
)
from problems import Drawn
from twin import MUTATIONS


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
    shuffles_every_epoch(run, seed=0)


def test_the_twin_is_right():
    judge_all(run_twin)


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_every_mutant_dies(mutation):
    def mutant(X, y, **settings):
        return run_twin(X, y, mutation=mutation, **settings)

    with pytest.raises(AssertionError):
        judge_all(mutant)

"""scikit-learn's own checks, strict: one expected failure, named, for textbook steps."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from sgdreg import SGDLinearRegressor
from sgdreg.optimizers import SGD, Momentum

# A few steps of mini-batches end where their order leads them: repeating a row and
# doubling its weight have the same optimum, not the same path.
PATH_DEPENDS_ON_ROWS = dict.fromkeys(
    (
        "check_sample_weight_equivalence_on_dense_data",
        "check_sample_weight_equivalence_on_sparse_data",
    ),
    "a row repeated takes other steps than a row of weight two; the optimum is the same",
)

EXACT = [
    SGDLinearRegressor(),
    SGDLinearRegressor(penalty="l2", alpha=0.1, fit_intercept=False),
    SGDLinearRegressor(optimizer="nesterov", batch_size="full", shuffle=False),
    SGDLinearRegressor(optimizer=SGD(metric="diagonal"), batch_size="full"),
    SGDLinearRegressor(loss="huber", epsilon=1.0),
    SGDLinearRegressor(loss="quantile", quantile=0.7, penalty="l2"),
    SGDLinearRegressor(penalty="l1", alpha=0.1),
    SGDLinearRegressor(penalty="elasticnet", alpha=0.1, positive=True),
]
TEXTBOOK = [
    SGDLinearRegressor(optimizer="sgd"),
    SGDLinearRegressor(optimizer="sgd", batch_size=8, shuffle="blocks", penalty="l2"),
    SGDLinearRegressor(optimizer=Momentum(0.5), batch_size=3, shuffle=False, average=True),
    SGDLinearRegressor(optimizer="nesterov", batch_size=4, tol=None, average="tail"),
    SGDLinearRegressor(optimizer="adam", batch_size=8, loss="huber", epsilon=1.0),
    SGDLinearRegressor(optimizer="adagrad", penalty="l1", shuffle="replacement"),
]


def expected_failures(estimator):
    exact = estimator.batch_size == "full" or estimator.optimizer == "auto"
    return {} if exact else PATH_DEPENDS_ON_ROWS


@pytest.mark.filterwarnings("ignore:alpha=0.01 has no effect")  # the checks set it
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks(
    EXACT + TEXTBOOK, expected_failed_checks=expected_failures, xfail_strict=True
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)

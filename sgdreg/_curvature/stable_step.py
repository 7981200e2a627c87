"""The largest constant step that does not diverge, computed from the rows."""

import numpy as np

from sgdreg._curvature.metric import Metric

# Rows from which an error message computes its hint, which may not cost a pass over all.
HINT_ROWS = 2000
# Power iteration ends when the eigenvalue changes by less than POWER_TOL of itself, or
# after POWER_ROUNDS. It underestimates, by a few per cent if eigenvalues are close to each
# other: POWER_MARGIN makes up for this.
POWER_ROUNDS = 30
POWER_TOL = 1e-3
POWER_MARGIN = 1.05


def curvature_operator(data, metric, alpha, fit_intercept, row_weights):
    """The function u -> Tᵀ (1/n Σ row_weights_i x_i x_iᵀ + alpha) T u, by a pass over X."""
    blank = np.zeros((data.n_rows, 1))
    zero = data.unweighted.weighed(row_weights, blank)
    share = zero.n_rows / data.n_rows

    def apply(u):
        w = metric.to_raw(u)
        _, gradient = zero.evaluate(w, metric.centre)
        gradient *= share
        gradient[:, :-1] += alpha * w[:, :-1]
        out = metric.to_coordinates(gradient)
        if not fit_intercept:
            out[:, -1] = 0.0
        return out

    return apply


def largest_eigenpair(operator, size):
    """The largest eigenvalue, its vector and the passes taken, by power iteration."""
    u = np.cos(np.arange(float(size)))[None]  # a start that has all features
    u /= np.linalg.norm(u)
    value, rounds = 0.0, 0
    for rounds in range(1, POWER_ROUNDS + 1):
        image = operator(u)
        before, value = value, float(np.linalg.norm(image))
        if not 0 < value < np.inf:
            return value, u, rounds
        u = image / value
        if abs(value - before) <= POWER_TOL * value:
            break
    return value, u, rounds


def stable_step(data, metric, batch_size, alpha=0.0, fit_intercept=True, momentum=0.0):
    """About the largest constant step that does not diverge, and the passes taken.

        2 b / (R² + (b - 1) λ),   λ = λ_max(H),   H = E[zzᵀ],   z = Tᵀx,
        R² the least number with E[‖z‖² zzᵀ] ⪯ R² H

    (Jain et al. [1]_, theorem 1); 2/λ if the batch is all rows. R² is approximated by the
    larger of E‖z‖² and the quotient of the two matrices along the largest eigenvector of
    the first, which is exact for normal rows. Momentum multiplies the noise of small
    batches by 1/(1 - momentum).

    Returns
    -------
    step : float
    passes : int
        Passes over the rows.

    References
    ----------
    .. [1] P. Jain, S. Kakade, R. Kidambi, P. Netrapalli, A. Sidford, "Parallelizing
       stochastic gradient descent for least squares regression", JMLR 18 (2018).
    """
    # With a metric of low rank there are as many coordinates as features.
    by_feature = metric.root is None or metric.low_rank
    size = 1 + (data.n_features if by_feature else len(metric.root))
    weights = np.ones(data.n_rows) if data.weights is None else data.row_weights
    curvature = curvature_operator(data, metric, alpha, fit_intercept, weights)
    largest, _, passes = largest_eigenpair(curvature, size)
    if largest <= 0:
        return 1.0, passes  # X is zero: every step stays where it is
    if batch_size >= data.n_rows:
        return 2.0 / (POWER_MARGIN * largest), passes
    # The last, short batch has more noise: b is the harmonic mean of the batches' sizes.
    whole, rest = divmod(data.n_rows, batch_size)
    b = (whole + (rest > 0)) / (whole / batch_size + (1 / rest if rest else 0.0))
    norms = metric.row_norms(data, fit_intercept)
    noise = curvature_operator(data, metric, 0.0, fit_intercept, weights**2 * norms)
    top, u, more = largest_eigenpair(noise, size)
    along = float(np.vdot(u, curvature(u)))
    R2 = max(float((weights * norms).mean()), top / along if along > 0 else 0.0)
    R2, largest = POWER_MARGIN * R2, POWER_MARGIN * largest
    step = (1.0 - momentum) * 2.0 * b / (R2 + alpha + (b - 1) * largest)
    return step, passes + more + 2  # two more for `norms` and `along`


def stable_step_hint(data, batch_size, alpha, fit_intercept, optimizer):
    """`stable_step` on raw features, from some rows only, for an error message."""
    thin = data.some_rows(HINT_ROWS)
    full = batch_size >= data.n_rows
    b, momentum = thin.n_rows if full else batch_size, optimizer.momentum
    step, _ = stable_step(thin, Metric(), b, alpha, fit_intercept, momentum)
    if not full:
        return step
    # Steps are stable if both roots of z² - (1 + m - h) z + m, or for Nesterov's momentum
    # of z² - (1 + m) (1 - h) z + m (1 - h), are in the unit circle, where m is the momentum
    # and h = eta λ (Polyak 1964; Lessard et al. 2016).
    ahead = 1.0 + 2.0 * momentum if optimizer.nesterov else 1.0
    return step * (1.0 + momentum) / ahead

"""The scale of the residuals, estimated together with the model: Huber's epsilon="auto".

    mean min(|r_i| / σ, 1.35)² = 1,    r the residuals of the fit with epsilon = 1.35 σ

With no penalty this is the minimum of the mean of ½ σ + σ^-1 L(r_i) over model and σ, which
is jointly convex: A. B. Owen, A robust hybrid of lasso and ridge regression, Contemporary
Mathematics 443 (2007), after P. J. Huber, Robust statistics (1981), section 7.7. With a
penalty it is scikit-learn's HuberRegressor(alpha=alpha n / σ).
"""

from types import SimpleNamespace

import numpy as np

from sgdreg._records import changed
from sgdreg._training.state import State
from sgdreg.losses import Huber

# Epsilon is this many times the scale: 95 % as efficient as the mean for normal noise.
TIMES = 1.35
# The median of |r| of normal noise is this share of its standard deviation.
NORMAL_MEDIAN = 0.6745
# Each fit is to a gap that moves the scale by less than the search can tell.
TOL, EPOCHS, STALE = 1e-9, 100, 5
# The last step of the search for log σ: of few rows, of all by a sample's curvature, of the
# sample that this begins with. Secants end much nearer than their last step.
END, END_OF_SAMPLE, ROUGH = 1e-11, 1e-5, 1e-2
# Its steps at most, and the slopes that its secants may have.
SEARCH, STEEPEST, FLATTEST = 40, -3.0, -0.05
# A scale of this share of the targets' spread is made of rounding errors.
NO_SCALE = 1e-10
# What the search leaves to be chosen, whatever steps the fit itself is to take.
AUTOMATIC = dict.fromkeys(("optimizer", "learning_rate", "batch_size", "average"), "auto")


def is_by_scale(settings):
    """Whether the epsilon of Huber's loss is to be found from the rows."""
    return isinstance(settings.epsilon, str)


def with_epsilon(estimator, epsilon):
    """The estimator's parameters, with a number for epsilon."""
    names = estimator._get_param_names()
    given = {name: getattr(estimator, name) for name in names}
    return SimpleNamespace(**given | {"epsilon": epsilon})


def automatic(settings):
    """The same parameters, for the fits that the search is made of."""
    fixed = AUTOMATIC | {"tol": TOL, "shuffle": True}
    return SimpleNamespace(**vars(settings) | fixed)


def joint_scale(data, begin, solver_of):
    """The scale, and the model (1, d + 1) that has it, with its intercept for raw features.

    Parameters
    ----------
    data : Data
        Of one output.
    begin : callable
        Data -> Start, of an automatic fit of such rows.
    solver_of : callable
        (data, start) -> Solver
    """
    if data.n_outputs > 1:
        raise ValueError(
            f"epsilon='auto' estimates one scale, but y has {data.n_outputs} outputs: fit "
            "them one by one (sklearn.multioutput.MultiOutputRegressor), or pass a number."
        )
    search = _Search(data, begin, solver_of)
    first, slope = search.first(), -1.0
    sampled = search.start.sampled
    if sampled:  # few fits of all rows are needed then
        rows = _Search(search.start.sketch.sample, begin, solver_of)
        first, slope = _root(rows, first, slope, ROUGH)
    scale, _ = _root(search, first, slope, END_OF_SAMPLE if sampled else END)
    return scale, search.raw_weights()


def _root(search, scale, slope, end):
    """The scale by secants of log scale, and their last slope."""
    log, before = float(np.log(scale)), None
    for _ in range(SEARCH):
        found = search.excess(float(np.exp(log)))
        if before is not None and log != before[0]:
            slope = (found - before[1]) / (log - before[0])
            slope = min(max(slope, STEEPEST), FLATTEST)
        before, log = (log, found), log - found / slope
        if abs(log - before[0]) <= end:
            break
    return float(np.exp(log)), slope


def near_to(start, weights):
    """The start at such weights (k, d + 1) of raw features, where it may choose its own."""
    if start.weights is None or not start.plan.by_line_search:
        return start
    weights, centre = weights.copy(), start.metric.centre
    if centre is not None:
        weights[:, -1] += weights[:, :-1] @ centre
    return changed(start, weights=weights, solved=False)


class _Search:
    """Fits by one epsilon after the other, each from the last one's model."""

    def __init__(self, data, begin, solver_of):
        self.data, self.solver_of = data.in_unit(0, Huber(1.0)), solver_of
        self.start = begin(self.data)
        if not self.start.plan.by_line_search:
            raise ValueError(
                "epsilon='auto' needs a fit with a certificate: with l2 or no penalty, or "
                "with l1 or positive=True up to 2,000 features. Pass a number for epsilon."
            )
        self.weights = self.start.weights

    @property
    def spread(self):
        """The standard deviation of the targets."""
        return float(np.sqrt(2 * self.data.variances[0]))

    def first(self):
        """The scale to begin from: by the median residual of the start."""
        size = float(np.median(self._sizes(self.data)) / NORMAL_MEDIAN)
        if size > NO_SCALE * self.spread:
            return size
        return self.spread or np.finfo(np.float64).tiny

    def excess(self, scale):
        """½ log mean min(|r| / scale, 1.35)², of the fit by a scale: zero at the root."""
        found = scale > NO_SCALE * self.spread
        if found:
            weights = self.data.row_weights
            squares = np.minimum(self._residuals(scale) / scale, TIMES) ** 2
            mean = float(np.average(squares, weights=weights))
            found = mean > NO_SCALE
        if not found:
            raise ValueError(
                "epsilon='auto' has found no scale: the model explains nearly half of the "
                "rows, or all of them, to the last digit. Pass a number for epsilon, in "
                "the units of y."
            )
        return 0.5 * float(np.log(mean))

    def _residuals(self, scale):
        """The sizes of the residuals of the fit by a scale."""
        loss = Huber(TIMES * scale)
        data = self.data.in_unit(0, loss)
        plan = changed(self.start.plan, loss=loss)
        start = changed(self.start, plan=plan, weights=self.weights)
        state = State.start(start, data, np.random.default_rng(0), flat=False)
        solver, lowest, stale = self.solver_of(data, start), np.inf, 0
        for _ in range(EPOCHS):
            gap = solver.run(state, 1)[0].gap
            lowest, stale = (gap, 0) if gap < 0.5 * lowest else (lowest, stale + 1)
            if gap <= TOL or stale == STALE:
                break
        self.weights = solver.model(state).copy()
        return self._sizes(data)

    def raw_weights(self):
        """The last model, with its intercept for raw features."""
        weights, centre = self.weights.copy(), self.start.metric.centre
        if centre is not None:
            weights[:, -1] -= weights[:, :-1] @ centre
        return weights

    def _sizes(self, data):
        found = data.predictions(self.weights[0], self.start.metric.centre)
        return np.abs(found - data.targets[:, 0])

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
from sgdreg._solvers.full_gradient import USUAL_TOL
from sgdreg._solvers.newton.few_rows import FewRows
from sgdreg._solvers.newton.kinds import kind_of
from sgdreg._solvers.newton.sampled import OneOutput
from sgdreg._solvers.newton.zones import Zones
from sgdreg._training.state import State
from sgdreg.losses import Huber

# Epsilon is this many times the scale: 95 % as efficient as the mean for normal noise.
TIMES = 1.35
# Rows of which the first scale is taken, at most.
LOOKED_AT = 4096
# The median of |r| of normal noise is this share of its standard deviation.
NORMAL_MEDIAN = 0.6745
# Each fit is to a gap that moves the scale by less than the search can tell.
TOL, EPOCHS, STALE = 1e-9, 100, 5
# The last step of the search for log σ: of few rows, of all, of all by a sample's
# curvature, of that sample. Secants end much nearer than their last step.
END, END_OF_STEPS, END_OF_SAMPLE, ROUGH = 1e-11, 1e-7, 1e-5, 1e-2
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
    fixed = AUTOMATIC | {"tol": USUAL_TOL, "shuffle": True}
    return SimpleNamespace(**vars(settings) | fixed)


def joint_scale(data, begin, solver_of):
    """The scale, and the model (1, d + 1) that has it, with its intercept for raw features.

    Parameters
    ----------
    data : Data
        Of one output.
    begin : callable
        Data -> (Start, Statistics), of an automatic fit of such rows.
    solver_of : callable
        (data, start) -> Solver
    """
    if data.n_outputs > 1:
        raise ValueError(
            f"epsilon='auto' estimates one scale, but y has {data.n_outputs} outputs: fit "
            "them one by one (sklearn.multioutput.MultiOutputRegressor), or pass a number."
        )
    search = _Search(data, begin, solver_of)
    scale, rows = search.first(), search.in_memory()
    if rows is not None:
        scale = _root(rows, scale, ROUGH if search.sampled else END)
        search.begin_at(rows)
    if rows is None or search.sampled:
        scale = _root(search, scale, END_OF_SAMPLE if search.sampled else END_OF_STEPS)
    return scale, search.raw_weights()


def _root(search, scale, end):
    """The scale by secants; by the slope of fixed residuals while the model moves."""
    log, before = float(np.log(scale)), None
    for _ in range(SEARCH):
        found, slope = search.excess(float(np.exp(log)))
        if before is not None and log != before[0]:
            slope = (found - before[1]) / (log - before[0])
        before = (log, found) if search.settled else None
        step = -found / min(max(slope, STEEPEST), FLATTEST)
        log += step
        if abs(step) <= end and search.settled:
            break
    return float(np.exp(log))


def near_to(start, weights):
    """The start at such weights (k, d + 1) of raw features, where it may choose its own."""
    if start.weights is None or not start.plan.by_line_search:
        return start
    weights, centre = weights.copy(), start.metric.centre
    if centre is not None:
        weights[:, -1] += weights[:, :-1] @ centre
    return changed(start, weights=weights, solved=False)


class _Residuals:
    """What is sought: the scale at which the cut squares of residuals have a mean of one.

    Attributes
    ----------
    data : Data
    spread : float
        The standard deviation of the targets.
    """

    # Whether the residuals are those of an optimum, and not of a step towards it.
    settled = True

    def excess(self, scale):
        """½ log mean min(|r| / scale, 1.35)² of the fit by a scale: zero at the root.

        And its derivative by the logarithm of the scale, for these residuals.
        """
        found = scale > NO_SCALE * self.spread
        if found:
            weights = self.data.row_weights
            squares = np.minimum(self.sizes(scale) / scale, TIMES) ** 2
            inside = np.average(squares * (squares < TIMES**2), weights=weights)
            mean = float(np.average(squares, weights=weights))
            found = mean > NO_SCALE
        if not found:
            raise ValueError(
                "epsilon='auto' has found no scale: the model explains nearly half of the "
                "rows, or all of them, to the last digit. Pass a number for epsilon, in "
                "the units of y."
            )
        return 0.5 * float(np.log(mean)), -float(inside) / mean

    def sizes(self, scale):
        """|r| of each row, by the fit with this scale, or a step nearer to it."""
        raise NotImplementedError


class _Fixed(_Residuals):
    """Residuals of a model that stays as it is."""

    def __init__(self, data, sizes, spread):
        self.data, self.spread, self._known = data, spread, sizes

    def sizes(self, scale):
        return self._known


class _InMemory(_Residuals):
    """Fits of a sample of the rows, or of few, as an array in memory."""

    def __init__(self, rows, weights, spread):
        self.rows, self.data, self.spread, self.weights = rows, rows.data, spread, weights
        self.predictions = self.data.predictions(weights, rows.start.metric.centre)

    def sizes(self, scale):
        loss = Huber(TIMES * scale)
        optimum = self.rows.optimum(0, self.weights, loss, self.predictions)
        self.weights = optimum.weights
        return np.abs(self.predictions - self.data.targets[:, 0])


class _Search(_Residuals):
    """Steps of all rows, each by the last one's curvature and by the scale found so far.

    A step of the model for each step of the scale is enough: both end together. Where one
    does not lead nearer to the optimum, fits follow instead, each from the last one's
    model.
    """

    def __init__(self, data, begin, solver_of):
        self.data, self.solver_of = data.in_unit(0, Huber(1.0)), solver_of
        self.start, learned = begin(self.data)
        if not self.start.plan.by_line_search:
            raise ValueError(
                "epsilon='auto' needs a fit with a certificate: with l2 or no penalty, or "
                "with l1 or positive=True up to 2,000 features. Pass a number for epsilon."
            )
        self.known, self.sampled = learned.curvature, self.start.sampled
        self.weights, self.model, self.rows = self.start.weights[0], None, None
        self.spread = float(np.sqrt(2 * self.data.variances[0]))
        self.by_steps = kind_of(self.start.plan) is Zones
        self.lowest, self.stale = np.inf, 0

    def first(self):
        """The scale to begin from: that of some residuals of the start."""
        some = self.data.some_rows(LOOKED_AT)
        sizes = self._sizes(some)
        size = float(np.median(sizes) / NORMAL_MEDIAN)
        if not size > NO_SCALE * self.spread:
            return self.spread or np.finfo(np.float64).tiny
        return _root(_Fixed(some, sizes, self.spread), size, ROUGH)

    def in_memory(self):
        """Rows that are solved in memory; None where they are neither few nor sampled."""
        rows = self.by_steps and FewRows.of(self._problem(1.0))
        return _InMemory(rows, self.weights, self.spread) if rows else None

    def begin_at(self, found):
        """Go on from the model that rows in memory have."""
        self.weights, self.rows = found.weights, found.rows

    @property
    def settled(self):
        model = self.model
        return model is None or model.promise <= TOL * model.unit

    def sizes(self, scale):
        penalty = self.start.plan.penalty
        while self.by_steps:
            sizes = self._step(scale)
            # With a penalty the mean square changes in the first order of a step.
            if self.by_steps and (self.settled or not (penalty.l1 or penalty.l2)):
                return sizes
        return self._of_a_fit(scale)

    def _step(self, scale):
        """|r| of each row after a step, which the last model asks for, to this scale."""
        before, problem = self.model, self._problem(scale)
        problem.go_to(self.weights if before is None else before.ask())
        problem.beginning = self.rows if before is None else None
        self.model = Zones(problem, 0)
        if before is not None:
            self.model.follow(before)
        nearer = self.settled or self.model.promise <= 0.5 * self.lowest
        self.stale = 0 if nearer else self.stale + 1
        if nearer:
            self.lowest, self.weights = self.model.promise, self.model.weights
        self.by_steps = self.stale < STALE
        if not self.by_steps:
            self.model = None
        return np.abs(problem.predictions[0] - self.data.targets[:, 0])

    def _problem(self, scale):
        """The problem with this scale, in the place of a solver."""
        loss = Huber(TIMES * scale)
        start = changed(self.start, plan=changed(self.start.plan, loss=loss))
        return OneOutput(self.data.in_unit(0, loss), start, self.known)

    def _of_a_fit(self, scale):
        """|r| of each row, by a whole fit."""
        problem = self._problem(scale)
        data, start = problem.data, changed(problem.start, weights=self.weights[None])
        state = State.start(start, data, np.random.default_rng(0), flat=False)
        solver, lowest, stale = self.solver_of(data, start), np.inf, 0
        if self.known is not None:
            state.statistics = changed(state.statistics, curvature=self.known)
        for _ in range(EPOCHS):
            gap = solver.run(state, 1)[0].gap
            lowest, stale = (gap, 0) if gap < 0.5 * lowest else (lowest, stale + 1)
            if gap <= TOL or stale == STALE:
                break
        self.weights = solver.model(state)[0].copy()
        return self._sizes(self.data)

    def raw_weights(self):
        """The last model (1, d + 1), with its intercept for raw features."""
        weights, centre = self.weights[None].copy(), self.start.metric.centre
        if centre is not None:
            weights[:, -1] -= weights[:, :-1] @ centre
        return weights

    def _sizes(self, data):
        found = data.predictions(self.weights, self.start.metric.centre)
        return np.abs(found - data.targets[:, 0])

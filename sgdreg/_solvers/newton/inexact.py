"""Smooth losses of many features: Newton steps by conjugate gradients, without a matrix.

R. S. Dembo, S. C. Eisenstat, T. Steihaug, "Inexact Newton methods", SIAM Journal on
Numerical Analysis 19 (1982).
"""

import numpy as np

from sgdreg._solvers.newton.krylov import solved
from sgdreg._solvers.newton.loss_curvature import Formula, lowest_along
from sgdreg._solvers.newton.model import Model
from sgdreg._training.evaluation import EPS, ROUNDINGS
from sgdreg._training.stopping import ROUNDING

# The equations of a step are solved until the residual is at most this share of the
# gradient, or the root of the promised decrease (as a share of the loss of a constant):
# steps far from the optimum need no more, and convergence near it is superlinear.
ROUGH, FINEST = 0.1, 1e-5
# Far from the optimum few rows may be in the zone of the loss, and Newton's steps are many
# times too long. A share MIXED of the curvature of reweighted least squares, which is never
# too small, is added. It falls by the factor LESS where the line search has ended beyond
# LONG, and grows by it where it has ended before SHORT.
LONG, SHORT, LESS = 0.7, 0.3, 10.0
# Below this it is zero.
LEAST_MIXED = 2e-3
# The steps may not have explored directions of small curvature: the margin of
# `conjugate_gradient.UNEXPLORED`.
UNEXPLORED = 100.0
# Such a gap ends a fit after this number of steps from a random vector, or once they have
# shortened it to this share; the margin is then that of `conjugate_gradient.PROBED`.
PROBES, PROBE, PROBED = 100, 1e-8, 10.0
# Where the promise is this share of tol and the duality gap is not at tol, rounding errors
# keep it there: the gap is then computed from the steps.
SURE = 1e-2
# Rows whose loss is not curved are left out of products where the others are less than this
# share: taking these out of X costs as much as a product or two. Dense rows are taken out
# in each product.
MOST_CURVED, MOST_CURVED_DENSE = 0.7, 0.3
# Bytes of dense rows that a product reads twice, from a cache.
CACHED = 2**19
# At a promise of this many times tol the curvature is that of the loss alone.
NEAR = 100.0
# This share of the largest curvature of the loss is added to all directions, as in
# `dense_newton`: the intercept has none where no row is in the zone.
RIDGE = 1e-12
# A higher objective is rounding up to this share of it, if the gradient is shorter.
NOISE = 1e3 * EPS
# The numbers that a model continues from, beside arrays.
KEPT = ("loss", "gap", "mixed", "least", "same")


class Inexact(Model):
    """The exact gradient, and products with the curvature of all rows.

    Each product reads the rows whose loss is curved. The gap is the length of the gradient
    over the least curvature: that of the l2 penalty, or the least one along the steps, with
    a margin.

    Attributes
    ----------
    x : ndarray of shape (n,)
        Predictions at `weights`.
    mixed : float
        The share of the curvature of reweighted least squares.
    least : float
        The least curvature along the last steps with the curvature of the loss alone.
    same : float
        Whether the last step has not changed the second derivative of any row.
    """

    def __init__(self, solver, output):
        super().__init__(solver, output)
        self.metric = self.start.metric
        self.x = solver.predictions[output].copy()
        self.rows = None
        if self.plan.loss.smoothness is not None:
            self.rows = Formula.of(self.plan.loss).resolved(self.y)
        self.mixed, self.least, self.same = 1.0, np.inf, 0.0

    # ---------------------------------------------------------------------- steps

    def ask(self):
        found = self._solved()
        move, fall = -self._raw(found.v), -2.0 * found.promise
        self.promise, self.length = found.promise, 0.0
        if fall < 0:
            change = self.data.predictions(move, self.metric.centre)
            self.evaluation.passes += 0.5
            self.length = lowest_along(self._along(self.weights, move, change), fall)
        self.there = self.weights + self.length * move
        return self.there

    def _solved(self):
        """The step to the minimum of the model, nearly."""
        curvatures, pure = self.rows.curvature(self.y, self.x), True
        if self.mixed:
            more = self.rows.secant(self.y, self.x) - curvatures
            curvatures, pure = curvatures + self.mixed * more, not more.any()
        slope = self._slope(self.gradient)
        found = solved(self._product(self.shares * curvatures), slope, self._share)
        if pure and found.promise:
            self.least = min(self.least, found.least) if self.same else found.least
        return found

    def _slope(self, gradient):
        """A gradient (d + 1,) in the metric's coordinates."""
        return self.metric.to_coordinates(gradient[None])[0]

    def _square(self, gradient):
        slope = self._slope(gradient)
        return float(slope @ slope)

    def _raw(self, v):
        """The move (d + 1,) of the weights for coordinates v."""
        return self.metric.to_raw(v[None])[0]

    def _share(self, promise):
        """The largest residual of the equations, as a share of the gradient."""
        return min(ROUGH, max(FINEST, np.sqrt(promise / self.unit)))

    def _product(self, curvatures):
        """The function v -> H v for curvatures (n,) of the rows."""
        data, centre = self.data, self.metric.centre
        curved = np.flatnonzero(curvatures)
        most = MOST_CURVED if data.is_sparse else MOST_CURVED_DENSE
        if 0 < len(curved) < most * len(curvatures):
            data, curvatures = data.only(curved), curvatures[curved]
        share, ridge = data.n_rows / self.data.n_rows, RIDGE * self.rows.smoothness

        def product(v):
            raw = self._raw(v)
            image = _weighed_sums(data, curvatures, raw, centre)
            image[:-1] += self.plan.penalty.l2 * raw[:-1]
            image[-1] *= self.plan.fit_intercept
            self.evaluation.passes += share
            return self._slope(image) + ridge * v

        return product

    def _along(self, weights, move, change):
        """The slope of the objective along a move, which changes predictions by this."""
        l2, coef = self.plan.penalty.l2, move[:-1]
        ridge, pull = l2 * float(coef @ coef), l2 * float(weights[:-1] @ coef)
        along = self.shares * change

        def slope(t):
            slopes = self.rows.gradient(self.y, self.x + t * change)
            return float(along @ slopes + pull + t * ridge)

        return slope

    def tell(self, loss, gradient, predictions):
        before = self._objective(self.weights, self.loss)
        rise = self._objective(self.there, loss) - before
        shorter = self._square(gradient) < self._square(self.gradient)
        if rise <= (NOISE if shorter else ROUNDING) * before:
            here, there = (self.rows.curvature(self.y, x) for x in (self.x, predictions))
            self.same = float((here == there).all())
            self.weights, self.loss, self.gradient = self.there, loss, gradient.copy()
            self.x[:] = predictions
        self._mix()
        self.gap = self._bound()

    def _mix(self):
        """Less of the curvature of reweighted least squares where steps are long enough."""
        if self.length > LONG:
            self.mixed /= LESS
        elif self.length < SHORT:
            self.mixed = min(1.0, max(self.mixed, LEAST_MIXED) * LESS)
        else:
            return
        near = self.promise <= NEAR * (self.plan.tol or 0.0) * self.unit
        if self.length > LONG and (near or self.mixed < LEAST_MIXED):
            self.mixed = 0.0

    def _objective(self, weights, loss):
        return loss + float(self.plan.penalty.values(weights[None, :-1])[0])

    # ------------------------------------------------------------------------ gap

    def _bound(self):
        """How far the objective may be above its optimum, with rounding errors."""
        weights = self.weights[None]
        blur = float(self.evaluation.blur(weights, self.metric)[0])
        blur *= self.plan.loss.smoothness
        if not self.gradient.any():
            return blur
        gap, goal = np.inf, (self.plan.tol or 0.0) * self.unit
        if self.plan.penalty.l2 and not self.mixed:
            gap = self._duality_gap()
        if gap > goal and (not self.plan.penalty.l2 or self.promise <= SURE * goal):
            gap = min(gap, self._gap_by_steps(goal))
        return gap + blur

    def _duality_gap(self):
        """‖∇F‖² / (2 l2) with respect to the coefficients, at the best intercept.

        It is the duality gap for the slopes of the rows as dual variables.
        """
        g, b = self.gradient[:-1], float(self.gradient[-1])
        g = g if self.metric.centre is None else g - b * self.metric.centre
        sizes, l2 = self.metric.sizes, self.plan.penalty.l2
        rounding = self._rounding * float(sizes @ sizes)
        # The best intercept is nearer than the largest difference of two targets.
        gap = 0.5 * (float(g @ g) + rounding) / l2 + abs(b) * float(np.ptp(self.y))
        sums = np.zeros(1)
        if b:
            sums = self.data.sums(self.shares * self.rows.curvature(self.y, self.x))
            self.evaluation.passes += 0.5
        if sums[-1] > 0:
            along = sums[:-1]
            if self.metric.centre is not None:
                along = along - sums[-1] * self.metric.centre
            g = g - along * (b / sums[-1])
            near = 0.5 * (float(g @ g) + rounding) / l2 + 0.5 * b * b / sums[-1]
            gap = min(gap, near)
        return gap

    def _gap_by_steps(self, goal):
        """½ ‖slope‖² over the least curvature along the steps, with a margin.

        Before such a gap may end a fit, steps from a random vector look for smaller
        curvature.
        """
        half = 0.5 * self._square(self.gradient)
        half += 0.5 * self._rounding * self.metric.rounding_reach
        margin = UNEXPLORED
        if np.isfinite(self.least) and half * PROBED <= goal * self.least:
            self.least, margin = min(self.least, self._probed()), PROBED
        return half * margin / self.least if 0 < self.least < np.inf else np.inf

    def _probed(self):
        """The least curvature along conjugate gradients from a random vector."""
        curvatures = self.shares * self.rows.curvature(self.y, self.x)
        rng = np.random.default_rng(0)  # no model depends on these numbers
        noise = np.sqrt(curvatures) * rng.standard_normal(len(curvatures))
        self.evaluation.passes += 0.5
        slope = self.data.sums(noise)  # in the span of the curved rows
        slope[-1] *= self.plan.fit_intercept
        product = self._product(curvatures)
        return solved(product, self._slope(slope), lambda promise: PROBE, PROBES).least

    @property
    def _rounding(self):
        """Squared rounding errors of the gradient, for features of length one."""
        return (ROUNDINGS * EPS) ** 2 * 2.0 * self.loss / len(self.y)

    # ----------------------------------------------------------------- checkpoints

    def memory(self):
        kept = {name: float(getattr(self, name)) for name in KEPT}
        arrays = ("weights", "gradient", "x")
        return kept | {name: getattr(self, name).copy() for name in arrays}

    def recall(self, memory):
        for name, kept in memory.items():
            setattr(self, name, kept.copy() if isinstance(kept, np.ndarray) else kept)


def _weighed_sums(data, factors, weights, centre):
    """Σ factor_i p_i [x_i, 1] for the predictions p of weights (d + 1,) about a centre."""
    if data.is_sparse:
        return data.sums(factors * data.predictions(weights, centre))
    intercept = weights[-1] - (0.0 if centre is None else weights[:-1] @ centre)
    sums, start = np.zeros(len(weights)), 0
    for X, _ in data.rows.chunks(size=CACHED):
        some = factors[start : start + len(X)] * (X @ weights[:-1] + intercept)
        sums[:-1] += some @ X
        sums[-1] += some.sum()
        start += len(X)
    return sums

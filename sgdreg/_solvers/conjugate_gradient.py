"""Epochs of conjugate gradients: one pass each, to the lowest point along a direction."""

import numpy as np
from scipy.linalg import eigvalsh, eigvalsh_tridiagonal

from sgdreg._curvature.costs import QR_WORK, SAMPLED
from sgdreg._curvature.metric import diagonal_metric
from sgdreg._persistence.soundness import check, like, number, or_none, table, truth, vector
from sgdreg._solvers.full_gradient import USUAL_TOL, FullGradient
from sgdreg._training.stopping import ROUNDING

# Interpolation multiplies the rounding errors of a gradient by |1 - step| in each epoch.
# Where the product exceeds this, the gradient is computed by a pass.
FARTHEST = 100.0
# The steps may not have explored directions of small curvature: with near copies of columns
# the gap was at first 10,000 times the one by the steps' least curvature; with this margin
# it is 0.3 to 2 times the gap told (docs/design-notes.md).
UNEXPLORED = 100.0
# Before such a gap may end a fit, this many Lanczos steps from a random vector look for
# smaller curvature; then this margin is enough.
PROBES, PROBED = 25, 10.0
# The Lanczos steps end where orthogonalisation leaves this share of a vector: rounding
# errors.
NO_NEW_DIRECTION = 1e-8
# In the coordinates of the curvature of all rows every step is near one: longer steps
# consist of rounding errors.
LONGEST = 10.0
# A trial step at which the loss overflows is shortened to this share, at most this many
# times.
RETREAT, RETREATS = 1e-60, 5
# What an epoch leaves to the next, beside the steps and the least curvature explored.
KEPT = ("direction", "before", "length", "drift", "probed")


class ConjugateGradients(FullGradient):
    """p <- beta p - g, then to the lowest point along p, in the metric's coordinates.

    The gradient is linear and the objective quadratic along p, so two points give both
    everywhere on the line: a step costs one pass, and no step goes uphill.
    """

    told_by = "betas"

    def __init__(self, data, start):
        super().__init__(data, start)
        self._forget()
        self.least, self.probed = np.full(data.n_outputs, np.inf), False

    def _forget(self):
        self.direction, self.before, self.steps, self.betas = None, None, [], []
        self.length, self.drift = np.ones(self.data.n_outputs), 1.0

    def memory(self):
        kept = {name: getattr(self, name) for name in KEPT}
        steps, betas = np.array(self.steps), np.array(self.betas)
        kept |= {"least": self.least.copy(), "steps": steps, "betas": betas}
        return super().memory() | kept

    def recall(self, memory):
        super().recall(memory)
        one, slope = like(self.least), or_none(like(self.point.slope))
        kinds = {"direction": slope, "before": slope, "length": one, "least": one}
        kinds |= {"drift": number, "probed": truth}
        check(memory, kinds | dict.fromkeys(("steps", "betas"), self._listed))
        for name in KEPT:
            setattr(self, name, memory[name])
        self.least = memory["least"].copy()
        self.steps, self.betas = list(memory["steps"]), list(memory["betas"])
        if len(self.betas) != max(0, len(self.steps) - 1):
            raise ValueError("The numbers of steps and of directions do not fit.")

    def _listed(self, value):
        """Whether it is an array of one row for each step, one column for each output."""
        none = vector(value) and not len(value)
        return none or (table(value) and value.shape[1] == self.data.n_outputs)

    def _sharpen(self, state):
        self._forget()
        self.least[:] = np.inf
        super()._sharpen(state)

    def _gap(self):
        """½ ‖Tᵀ∇F‖² over the least curvature in these coordinates.

        In the coordinates of a full curvature it is near one, or less where a sample shows
        too much curvature. In other coordinates the curvature of all rows gives the gap: at
        once where it costs next to nothing, else before a fit may end. Where it is too
        large, the least curvature is the one along the steps, divided by a margin for
        directions that they have not explored, and not below the penalty's.
        """
        metric, sampled = self.start.metric, self.start.sampled
        if metric.full:
            if sampled and self.evaluation.unseen(self.point.gradient):
                return np.inf
            least = np.minimum(self.least, 1.0)
            if sampled:
                least /= SAMPLED
            least *= metric.certain
            return self.evaluation.gap(self.point, least)
        least = np.where(np.isinf(self.least), 1.0, self.least)
        tol = self.plan.tol or USUAL_TOL
        if self.plan.provable:
            cheap = self.data.n_rows * self.data.n_features**2 <= QR_WORK
            if self.witness is not None or cheap or self._gap_by_steps(PROBED) <= tol:
                return self._gap_by_all_rows()
        elif self.probed:
            return self._gap_by_steps(PROBED)
        elif (
            self.steps
            and self._gap_by_steps(PROBED) <= tol
            and (metric.least_curvature(self.plan.penalty.l2) < least / PROBED).any()
        ):
            self.probed = True
            if metric.scale is None:  # steps have explored offsets and scales only
                self.witness = self._find_witness()
                self.least[:] = np.inf
            self._probe()
            return self._gap_by_steps(PROBED)
        return self._gap_by_steps(UNEXPLORED)

    def _gap_by_steps(self, margin):
        """The gap by the least curvature along the steps (over a margin), or the l2."""
        least = np.where(np.isinf(self.least), 1.0, self.least) / margin
        metric = self.witness or self.start.metric
        least = np.maximum(least, metric.least_curvature(self.plan.penalty.l2))
        return self.evaluation.gap(self.point, least, self.witness)

    def _find_witness(self):
        if self.plan.provable:
            return super()._find_witness()
        alpha = self.plan.penalty.l2
        return diagonal_metric(self.data, self.plan.fit_intercept, alpha)

    def _probe(self):
        """Look for smaller curvature than along the steps, from a random vector.

        By Lanczos steps with orthogonalisation, each of which takes one pass.
        """
        here, data = self.point, self.data
        metric = self.witness or self.start.metric
        start, moved = metric.to_coordinates(here.gradient)[0], self.witness is not None
        rng = np.random.default_rng(0)  # no model depends on these numbers
        rows = data.with_targets(rng.standard_normal((data.n_rows, 1)))
        far = np.sqrt(2 * self.evaluation.variance.max())
        vectors, images = [], []
        v = self._slope_of(rows, metric)  # in the span of the rows
        for _ in range(PROBES):
            before = np.linalg.norm(v)
            for u in vectors * 2:
                v = v - (u @ v) * u
            length = np.linalg.norm(v)
            if not length > NO_NEW_DIRECTION * before:
                break
            vectors.append(v / length)
            step = np.tile(far * vectors[-1], (len(here.weights), 1))
            step = metric.to_raw(step)
            if moved and metric.centre is not None:  # here the intercept is that at zero
                step[:, -1] -= step[:, :-1] @ metric.centre
            there = self.evaluation.at(here.weights + step)
            images.append((metric.to_coordinates(there.gradient)[0] - start) / far)
            v = images[-1]
        if not vectors:
            return
        V, HV = np.array(vectors), np.array(images)
        values = eigvalsh(V @ HV.T)
        low = max(values[0], np.finfo(np.float64).eps * values[-1])
        self.least = np.minimum(self.least, low)

    def _slope_of(self, rows, metric):
        """The gradient of other targets at zero weights, in a metric's coordinates."""
        zero = np.zeros((1, rows.n_features + 1))
        _, gradient = rows.evaluate(zero, self.start.metric.centre)
        self.evaluation.passes += 1.0
        gradient[:, -1] *= self.plan.fit_intercept
        return metric.to_coordinates(gradient)[0]

    def _move(self, state):
        here, tried = self.point, self.length
        p = self._next_direction(here.slope)
        for _ in range(RETREATS):
            q = tried[:, None] * p
            change = self.start.metric.to_raw(q)
            there = self.evaluation.at(here.weights + change)
            if there.finite:
                break
            self.data.check_finite()
            tried = RETREAT * tried
        if self.start.metric.rough:  # whose rounding errors may be larger than these
            along = self.start.metric.along
            curvature = along(change, there.gradient - here.gradient)
            descent = -along(change, here.gradient)
        else:
            curvature = dot(q, there.slope - here.slope)
            descent = -dot(q, here.slope)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            convex = (curvature > 0) & np.isfinite(curvature)
            share = np.where(convex, descent / curvature, 0.0)
        share[~np.isfinite(share)] = 0.0
        if self.start.by_all_rows:
            share[np.abs(tried * share) > LONGEST] = 0.0
        line = here, there, share, curvature, descent
        self.point = self.evaluation.between(*line)
        before = self.evaluation.objectives(here)
        uphill = self.evaluation.objectives(self.point) > before * (1.0 + ROUNDING)
        if uphill.any():
            share[uphill] = 0.0
            self.point = self.evaluation.between(*line)
        self.drift *= max(1.0, np.abs(1.0 - share).max(initial=0.0, where=share != 0))
        if self.drift > FARTHEST or uphill.any():
            self.point, self.drift = self.evaluation.at(self.point.weights), 1.0
        self.direction, self.before = p, here.slope
        step = tried * share
        # The next trial step has the length of this one, so that no point is far from it.
        self.length = np.where(step > 0, step, tried)
        self._note(step)
        state.steps += 1
        return float(step[np.argmax(np.abs(step - 1.0))])

    def _next_direction(self, slope):
        if self.before is None:
            return -slope
        square = dot(self.before, self.before)
        beta = dot(slope, slope - self.before) / np.where(square > 0, square, 1.0)
        beta = np.maximum(beta, 0.0)
        p = beta[:, None] * self.direction - slope
        uphill = dot(p, slope) >= 0
        p[uphill], beta[uphill] = -slope[uphill], 0.0
        self.betas.append(beta)
        return p

    def _note(self, step):
        """Note the least curvature along the steps: an eigenvalue of their Lanczos matrix.

        Golub, Van Loan, Matrix Computations, 4th edition, section 11.3. After a step of
        length zero the directions begin anew, and the matrix does too.
        """
        self.steps.append(step)
        if self.witness is not None:  # the gap is computed in other coordinates
            return
        steps, betas = np.array(self.steps), np.array(self.betas)
        for o in range(steps.shape[1]):
            stopped = np.flatnonzero(~(steps[:, o] > 0))
            first = stopped[-1] + 1 if len(stopped) else 0
            if first == len(steps):
                continue
            inverse = 1.0 / steps[first:, o]
            low = inverse[0]
            if len(inverse) > 1:  # SciPy 1.10 refuses a matrix of one number
                beta = betas[first:, o]
                middle, side = inverse.copy(), np.sqrt(beta) * inverse[:-1]
                middle[1:] += beta * inverse[:-1]
                chosen = {"select": "i", "select_range": (0, 0)}
                low = eigvalsh_tridiagonal(middle, side, **chosen)[0]
            if low > 0:
                self.least[o] = min(self.least[o], low)


def dot(a, b):
    return np.einsum("ij,ij->i", a, b)

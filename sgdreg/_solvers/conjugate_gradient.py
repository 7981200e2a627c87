"""Epochs of conjugate gradients: one pass each, to the lowest point along a direction."""

import numpy as np
from scipy.linalg import eigvalsh, eigvalsh_tridiagonal

from sgdreg._curvature.costs import QR_WORK
from sgdreg._curvature.metric import diagonal_metric
from sgdreg._persistence.soundness import check, like, number, or_none, table, truth, vector
from sgdreg._solvers.full_gradient import FullGradient
from sgdreg._training.stopping import ROUNDING

# Interpolation multiplies the rounding errors of a gradient by |1 - step|, epoch after
# epoch: beyond this in all it is taken anew.
FARTHEST = 100.0
# Steps may not have met the weakest directions, of which little is left to go: with near
# copies of columns the gap was 10,000 times what they showed at first, and is 0.3 to 2
# times what this margin makes of it (docs/design-notes.md).
UNMET = 100.0
# Before they are believed, so many steps from a random vector look for weaker ones; then
# this margin will do.
PROBES, PROBED = 25, 10.0
# A sample may hold a row that is rare among all, and show its direction as stronger than it
# is: of 60 problems with outliers, rare levels and clusters one had a gap 5 times what the
# sample's curvature made of it, the others less than 3.3 times.
SAMPLED = 3.0
# By a curvature of all rows every step is near one: beyond this it is of rounding errors.
LONGEST = 10.0
# A first step so long that the loss overflows is tried again at this share.
RETREAT = 1e-60
# What a round leaves to the next, beside the steps and the least curvature met.
KEPT = ("direction", "before", "length", "drift", "probed")


class ConjugateGradients(FullGradient):
    """p <- beta p - g, then to the lowest point along p, in the metric's coordinates.

    The gradient is linear and the objective quadratic along p: both are known all along
    it from the points at its two ends, so a step costs one pass, and none goes uphill.
    """

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
            raise ValueError("Steps and directions are not as many.")

    def _listed(self, value):
        """Whether it is an array of a number an output, for each of some steps."""
        none = vector(value) and not len(value)
        return none or (table(value) and value.shape[1] == self.data.n_outputs)

    def _sharpen(self, state):
        self._forget()
        self.least[:] = np.inf
        super()._sharpen(state)

    def _gap(self):
        """½ ‖Tᵀ∇F‖² over the least curvature in these coordinates.

        In those of a full curvature it is near one; less, where a sample has shown too
        much of it. In others the curvature of all rows tells, at once where it costs next
        to nothing, else before a fit may end. Where it is too large, it is what the steps
        have met, less a margin for what they have not; no less than the penalty's.
        """
        metric = self.start.metric
        least = np.where(np.isinf(self.least), 1.0, self.least)
        if metric.full:
            if self.start.sampled and self.evaluation.unseen(self.point.gradient):
                return np.inf
            least = np.minimum(least, 1.0) / (SAMPLED if self.start.sampled else 1.0)
            return self.evaluation.gap(self.point, least)
        tol = self.plan.tol or 1e-8
        if self.plan.provable:
            cheap = self.data.n_rows * self.data.n_features**2 <= QR_WORK
            if self.witness is not None or cheap or self._gap_met(PROBED) <= tol:
                return self._gap_by_all_rows()
        elif self.probed:
            return self._gap_met(PROBED)
        elif (
            self.steps
            and self._gap_met(PROBED) <= tol
            and (metric.least_curvature(self.plan.penalty.l2) < least / PROBED).any()
        ):
            self.probed = True
            if metric.scale is None:  # offsets and scales are all that steps have met
                self.witness = self._find_witness()
                self.least[:] = np.inf
            self._probe()
            return self._gap_met(PROBED)
        return self._gap_met(UNMET)

    def _gap_met(self, margin):
        """The gap by the least curvature met so far, less a margin, or the penalty's."""
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
        """Look for weaker curvature than the steps have met, from a random vector.

        Lanczos steps, orthogonalised; each is a pass: the gradient is linear.
        """
        here, data = self.point, self.data
        metric = self.witness or self.start.metric
        start, moved = metric.to_coordinates(here.gradient)[0], self.witness is not None
        rng = np.random.default_rng(0)  # the same for everyone: it decides no model
        rows = data.with_targets(rng.standard_normal((data.n_rows, 1)))
        far = np.sqrt(2 * self.evaluation.variance.max())
        vectors, images = [], []
        v = self._slope_of(rows, metric)  # what they leave undetermined is harmless
        for _ in range(PROBES):
            before = np.linalg.norm(v)
            for u in vectors * 2:
                v = v - (u @ v) * u
            length = np.linalg.norm(v)
            if not length > 1e-8 * before:
                break
            vectors.append(v / length)
            step = np.tile(far * vectors[-1], (len(here.weights), 1))
            step = metric.to_raw(step)
            if moved and metric.centre is not None:  # the plan's intercept is that at zero
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
        """The gradient, in a metric's coordinates, of other targets at zero."""
        zero = np.zeros((1, rows.n_features + 1))
        _, gradient = rows.evaluate(zero, self.start.metric.centre)
        self.evaluation.passes += 1.0
        gradient[:, -1] *= self.plan.fit_intercept
        return metric.to_coordinates(gradient)[0]

    def _move(self, state):
        here, tried = self.point, self.length
        p = self._next_direction(here.slope)
        for _ in range(5):
            q = tried[:, None] * p
            there = self.evaluation.at(here.weights + self.start.metric.to_raw(q))
            if there.finite:
                break
            self.data.check_finite()
            tried = RETREAT * tried
        bend = dot(q, there.slope - here.slope)
        down = -dot(q, here.slope)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            share = np.where((bend > 0) & np.isfinite(bend), down / bend, 0.0)
        share[~np.isfinite(share)] = 0.0
        if self.start.metric.full and not self.start.sampled:
            share[np.abs(tried * share) > LONGEST] = 0.0
        self.point = self.evaluation.between(here, there, share, bend, down)
        before = self.evaluation.objectives(here)
        uphill = self.evaluation.objectives(self.point) > before * (1.0 + ROUNDING)
        if uphill.any():
            share[uphill] = 0.0
            self.point = self.evaluation.between(here, there, share, bend, down)
        self.drift *= max(1.0, np.abs(1.0 - share).max(initial=0.0, where=share != 0))
        if self.drift > FARTHEST or uphill.any():
            self.point, self.drift = self.evaluation.at(self.point.weights), 1.0
        self.direction, self.before = p, here.slope
        step = tried * share
        # The next trial is at this one's length: what is near needs no extrapolation.
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
        """The least curvature that the steps have met: of the Lanczos matrix in them.

        Golub, Van Loan, Matrix Computations, 4th edition, section 11.3.
        """
        self.steps.append(step)
        if self.witness is not None:  # the gap is told in other coordinates
            return
        steps, betas = np.array(self.steps), np.array(self.betas)
        for o in range(steps.shape[1]):
            if not (steps[:, o] > 0).all():
                continue
            inverse = 1.0 / steps[:, o]
            low = inverse[0]
            if len(steps) > 1:  # SciPy 1.10 knows no matrix of one number
                middle, side = inverse.copy(), np.sqrt(betas[:, o]) * inverse[:-1]
                middle[1:] += betas[:, o] * inverse[:-1]
                chosen = {"select": "i", "select_range": (0, 0)}
                low = eigvalsh_tridiagonal(middle, side, **chosen)[0]
            if low > 0:
                self.least[o] = min(self.least[o], low)


def dot(a, b):
    return np.einsum("ij,ij->i", a, b)

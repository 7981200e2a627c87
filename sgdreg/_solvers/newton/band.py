"""Losses with kinks: Newton steps narrow the band of rows that are near a kink.

A row far from its kinks is a linear term, of which only the slope is needed
(R. Portnoy, R. Koenker, The Gaussian hare and the Laplacian tortoise, Statistical Science
12, 1997). Each Newton step, by the exact slopes of all rows and the curvature of those near
a kink, reduces the distance to the optimum by a factor of three to six. After a few passes
a band of some thousand rows is left, however many rows there are. An interior point solves
it, and one more pass shows which rows have changed sides.
"""

import numpy as np
from scipy import linalg

from sgdreg._data.rows import CHUNK_BYTES, FLOAT_BYTES
from sgdreg._solvers.newton.crossover import Finish
from sgdreg._solvers.newton.frame import Frame
from sgdreg._solvers.newton.kinks import TIE, Kinks, leverage
from sgdreg._solvers.newton.model import Model
from sgdreg._solvers.newton.piecewise_linear import Coordinates, Dense, Problem, Terms
from sgdreg._solvers.newton.predictor_corrector import EPS, minimum
from sgdreg._solvers.newton.restricted import restricted
from sgdreg._solvers.newton.sampled import Sampled
from sgdreg._solvers.newton.sparse_terms import are_near, are_stored
from sgdreg._solvers.newton.ties import multipliers_of_ties

# All rows are solved at once up to twice this number, or this number for each direction.
FEW, FEW_A_DIRECTION = 1500, 12
# Sparse rows are all solved at once, at most this number, where products of their non-zeros
# and WORK_OF_A_ROW more take at most this share of k³ products for k directions.
MOST_AT_ONCE, WORK_OF_A_ROW, WORK_OF_EQUATIONS = 100_000, 50.0, 0.1
# Steps start from the optimum of a sample: one row of this number.
ONE_OF = 8
# The number of rows near a kink that give the curvature: at least, and for each direction.
NEAR, NEAR_A_DIRECTION = 4000, 20
# The largest number of Newton steps. They end where one is not shorter than this share of
# the last one. A step that raises the objective is halved up to this number of times.
NEWTON_STEPS, SHORTER, HALVINGS = 8, 0.8, 3
# The number of rows in the band after these steps, for each direction.
BAND_A_DIRECTION = 4
# Rows nearer to a kink than this share of the loss of a constant are ties: always
# in the band.
TIED = 1e-5
# The radius of the box: this many widths of the band, and lengths of the last step.
BOX, BOX_STEPS = 8.0, 4.0
# A step was too long if rows outside the band have changed sides, and their number is more
# than this share of the band.
MANY = 0.3
# The interior point is solved to this share of tol.
SHARE = 1e-3
# A point with this share of all rows exactly at a kink may be proven by them.
MANY_TIES = 1 / 20
# A band of more than this share of all rows is followed by one of all rows.
NEARLY_ALL = 1 / 3
# The penalty of a coefficient counts as at most this many slopes of the steepest row: with
# a higher one its optimum is zero as well (features have a length of one).
BEYOND = 1e3
# This share of the largest curvature is added to all, where it is above 1e-10.
ROUNDING = 1e2 * EPS
TINY = np.finfo(np.float64).tiny
CONSTANT, START, NEWTON, NARROW, DONE = range(5)
# The numbers that the next round continues from.
KEPT = ("stage", "moved", "steps", "share", "count", "width", "box", "failed", "dual")


class Band(Model):
    """The model of one output, for a loss with kinks.

    Attributes
    ----------
    e : ndarray of shape (n,)
        Residuals at `weights`.
    stage : float
    moved : float
        Length of the last Newton step; infinity before the first.
    count, width : float
        The number of rows wanted in the band, and its width per unit of leverage.
    box : float
        The radius of the box for a step.
    kept : ndarray of bool, shape (n,)
        Rows that stay in the band, because they have changed sides outside it.
    dual : float
        The largest lower bound of the objective so far.
    """

    def __init__(self, solver, output):
        super().__init__(solver, output)
        self.level = getattr(solver, "level", 0)
        self.evaluation, self.kinks = solver.evaluation, Kinks(self.plan.loss)
        self.y = np.ascontiguousarray(self.data.targets[:, output])
        self.unit = float(self.evaluation.unit[output])
        self.tol = max(self.plan.tol or 0.0, 1e-13)
        self.frame = getattr(solver, "frame", None) or self._frame()
        k = self.frame.size
        self.small = max(FEW, FEW_A_DIRECTION * k)
        self.near = min(self.data.n_rows, max(NEAR, NEAR_A_DIRECTION * k))
        self._use_frame(self.frame)
        self.e, self.lever = solver.predictions[output] - self.y, None
        self.objective = self._objective(self.weights, self.loss)
        self.dual, self.moved, self.steps = -np.inf, np.inf, 0.0
        self.count, self.width, self.box, self.failed = 0.0, np.inf, 0.0, 0.0
        self.direction, self.share = np.zeros(k), 1.0
        self.kept, self.stage, self.rounds = np.zeros(self.data.n_rows, bool), START, 0.0
        self.whole = self.data.n_rows <= max(2 * self.small, self._few_beside_solving())
        self.dual = self._bound_by_ties()
        if self.whole:
            self.stage = NARROW
            self._from_constant()
        if self.dual >= self.objective - self._goal():
            self.stage = DONE
        if not k:  # columns of zeros and no intercept: all weights are an optimum
            self.stage, self.dual = DONE, self.objective

    def _frame(self):
        plan, metric = self.plan, self.start.metric
        if plan.penalty.proximal and are_near(self.data, metric):
            # Prices of coefficients leave no direction without a curvature.
            return Frame.of_scaled(metric, plan.fit_intercept)
        return Frame(metric, plan.fit_intercept, whole=plan.penalty.proximal)

    def _use_frame(self, frame):
        self.frame = frame
        self.Q = frame.penalty_curvature(self.plan.penalty.l2)
        self.on_coef = self._terms_of_coef() if self.plan.penalty.proximal else None

    def _few_beside_solving(self):
        """The number of sparse rows that take less time than the equations of a step."""
        if not are_stored(self.data, self.frame):
            return 0
        work = self.data.row_size**2 + WORK_OF_A_ROW
        return min(MOST_AT_ONCE, WORK_OF_EQUATIONS * self.frame.size**3 / work)

    @classmethod
    def lacks(cls, metric):
        """Whether the curvature of a sample lacks directions that other rows may have."""
        return len(metric.root) < np.count_nonzero(~metric.constant)

    def _objective(self, weights, loss):
        if self.plan.penalty.positive and weights[:-1].min(initial=0.0) < 0:
            return np.inf
        return float(loss + self.plan.penalty.values(weights[None, :-1])[0])

    def _rng(self):
        return np.random.default_rng([self.output, self.level, int(self.rounds)])

    # --------------------------------------------------------------------- rounds

    def ask(self):
        self.rounds += 1.0
        self.bound, self.ended = -np.inf, False
        if self.stage == CONSTANT:
            self.asked = self.plan.constant_model(self.data)[self.output]
        elif self.stage == START:
            self.asked = self._within(self._answer_of_a_sample())
        elif self.stage == NEWTON:
            self.asked = self._newton_step()
        if self.stage == NARROW:
            self.asked = self._minimum_of_band()
        elif self.stage == DONE:
            self.asked = self.weights
        return self.asked

    def tell(self, loss, gradient, predictions):
        objective = self._objective(self.asked, loss)
        lower = objective < self.objective or (
            self.ended and objective <= self.objective * (1 + 8 * EPS)
        )
        e = predictions - self.y
        if lower:
            before, self.e = self.e, e
            self.weights, self.loss = self.asked.copy(), float(loss)
            self.gradient, self.objective = gradient.copy(), objective
        else:
            before = self.e
        if lower and self.stage != NARROW:
            self.bound = self._bound_by_ties()
        self.dual = max(self.dual, self.bound)
        blur = self._blur()
        if self.dual > self.objective + blur + SHARE * self.tol * self.unit:
            self.dual = -np.inf  # the optimum is further than the bound had room for
        self.gap = max(self.objective - self.dual, 0.0) + blur
        if self.stage == CONSTANT:
            self.stage = NARROW if self.whole else NEWTON
        elif self.stage == START:
            self.stage = NEWTON
            self._from_constant()
        elif self.stage == NEWTON:
            self._after_newton(lower)
        elif self.stage == NARROW:
            self._after_band(before, e, lower)

    def _from_constant(self):
        """Begin at the best constant where the start is worse."""
        if self.objective > float(self.evaluation.constant[self.output]):
            self.stage = CONSTANT

    def _blur(self):
        """What rounding errors of predictions, and left-out directions, add to the gap."""
        metric = self.start.metric
        blur = float(self.evaluation.blur_at_kinks(self.weights[None], metric)[0])
        hidden = float(np.broadcast_to(metric.hidden, self.data.n_outputs)[self.output])
        if hidden:  # known for squared errors; here the same share is assumed
            variance = max(float(self.data.variances[self.output]), TINY)
            blur += min(hidden / variance, 1.0) * self.unit
        return blur

    # ---------------------------------------------------------------------- start

    def _answer_of_a_sample(self):
        n, k = self.data.n_rows, self.frame.size
        size, level = max(self.small, n // ONE_OF), self.kinks.level
        sample = Sampled(self, size, self._rng())
        if size * min(level, 1 - level) > 4 * k:
            return sample.answer(max(self.tol, 0.02 * k / size))
        return sample.moved_to_quantile(level)

    # --------------------------------------------------------------- Newton steps

    def _newton_step(self):
        """The minimum by the curvature of rows near a kink; None after the last step."""
        if self.share < 1.0:  # the last step went up
            return self._along(self.direction)
        rng, k = self._rng(), self.frame.size
        if self.lever is None:
            self._look_at_leverage()
        width = self.kinks.half_width(self.near, self.e, self.lever, self.unit, rng)
        M = self.Q + 1e-10 * np.eye(k)
        near = self.kinks.near(self.e, self.lever, width)
        for rows, (_, below, above) in zip(near, self.kinks.each, strict=True):
            some, most = rows, 4 * self.near
            if len(rows) > most:
                some = np.sort(rng.choice(rows, most, replace=False))
            height = (above - below) * len(rows) / max(1, len(some)) / self.data.n_rows
            at_once = max(1, CHUNK_BYTES // (FLOAT_BYTES * self.data.n_features))
            for first in range(0, len(some), at_once):
                part = some[first : first + at_once]
                X, _, weights = self.data.take(part)
                curvatures = weights * height / (2 * width * self.lever[part])
                A = self.frame.rows(X)
                M += (A * curvatures[:, None]).T @ A
        # The curvature of a narrow width is large, perhaps along few directions only.
        M += max(0.0, ROUNDING * np.abs(M).max() - 1e-10) * np.eye(k)
        self.direction = self._model_minimum(M)
        length = float(np.linalg.norm(self.direction))
        if self.steps >= NEWTON_STEPS or not length <= SHORTER * self.moved:
            self._begin_band()
            return None
        return self._along(self.direction)

    def _along(self, p):
        return self._within(self.weights + self.frame.raw(self.share * p))

    def _model_minimum(self, M):
        q = self.frame.slope(self.gradient)
        if self.on_coef is None:
            return -linalg.solve(M, q, assume_a="pos", check_finite=False)
        offsets, low, high = self.prices()
        size = np.sqrt(q @ linalg.solve(M, q, assume_a="pos", check_finite=False))
        goal = self.tol * self.unit
        terms = Terms([self.on_coef])
        return minimum(Problem(terms, offsets, low, high, q, M, size, self.unit), goal).p

    def _after_newton(self, lower):
        if not lower:
            self.share *= 0.5
            if self.share < 0.5**HALVINGS:
                self._begin_band()
            return
        self.moved = self.share * float(np.linalg.norm(self.direction))
        self.steps, self.share = self.steps + 1.0, 1.0
        if self._is_narrow():
            self._begin_band()

    def _is_narrow(self):
        """Whether few rows are nearer to a kink than four steps like the last one."""
        return 2 * self.kinks.count(self.e, self.lever, 4 * self.moved) <= self.near

    def _look_at_leverage(self):
        looks = self.frame.looks(np.random.default_rng([self.output, self.level]), 4)
        self.lever = leverage(self.data, looks / np.sqrt(self.frame.size))
        self.evaluation.passes += 1.5

    # -------------------------------------------------------------------- the band

    def _begin_band(self):
        few = max(BAND_A_DIRECTION * self.frame.size, self.near / 4)
        self.count = float(few if self._is_narrow() else self.near)
        self.width = self._width()
        moved = 0.0 if np.isinf(self.moved) else self.moved
        self.box = max(BOX * self.width, BOX_STEPS * moved)
        self.stage = NARROW

    def _width(self):
        return self.kinks.half_width(self.count, self.e, self.lever, self.unit, self._rng())

    def _minimum_of_band(self):
        """The minimum where all rows outside of the band stay linear."""
        rows = self.kinks.near(self.e, self.lever, self.width, TIED * self.unit, self.kept)
        band = restricted(self, rows, self.box)
        self.rows, self.inside, problem = rows, band.inside, band.problem
        goal = self._goal()
        found = minimum(problem, goal)
        self.sure, p = found.sure, found.p
        self.within = band.whole or np.abs(p).max() < 0.99 * self.box
        problem.reach = self.unit
        finish, zeros = Finish(problem, found), None
        reached = finish.value(p)
        self.bound = band.rest + finish.lower_bound(reached - 2 * goal)
        if self.within:
            there = finish.on_vertex()
            if there is not None and finish.value(there) <= reached + goal:
                self.ended, p, at = True, there, finish.at_kink
                zeros = at[at >= self.inside] - self.inside
        asked = self.weights + self.frame.raw(p)
        if zeros is not None:
            asked[:-1][zeros] = 0.0
        return self._within(asked)

    def _goal(self):
        return (SHARE if self.level == 0 else 1.0) * self.tol * self.unit

    def _bound_by_ties(self):
        """A lower bound of the optimum, if many rows are exactly at a kink; else -∞."""
        n, least = self.data.n_rows, TIE * self.unit
        rows = self.kinks.near(self.e, np.broadcast_to(1.0, n), 0.0, least)
        if sum(map(len, rows)) < max(BAND_A_DIRECTION * self.frame.size, MANY_TIES * n):
            return -np.inf
        ties = restricted(self, rows)
        problem, goal = ties.problem, self._goal()
        a = multipliers_of_ties(problem, ties.inside, least, goal / problem.far)
        if a is None:
            return -np.inf
        return ties.rest + problem.bound(np.zeros(self.frame.size), a)

    def _after_band(self, before, e, lower):
        whole = self.inside == len(e) * len(self.kinks)
        if self.gap <= self.tol * self.unit:
            return
        if whole and self.frame.is_diagonal:
            self._use_frame(Frame(self.start.metric, self.plan.fit_intercept, whole=True))
            return  # a tiny price leaves directions too short for the features' scale
        if whole:
            self.stage = DONE
            return
        wrong = self.kinks.crossed(before, e, self.rows)
        many = wrong.sum() > MANY * self.inside
        if lower:
            self.kept = self.kept & False if many else self.kept | wrong
            self.count *= 2 if many or not self.sure else 1
            self.box *= 1 if self.within else 5
        else:
            self.failed += 1
            self.kept = self.kept if many else self.kept | wrong
            self.box /= 8 if many else 2
            self.count *= 1.5 if self.failed < 3 else 4
        all_of_them = NEARLY_ALL * len(e) * len(self.kinks)
        self.width = np.inf if self.inside > all_of_them else self._width()

    # ---------------------------------------------------------------- the penalty

    def _terms_of_coef(self):
        frame = self.frame
        if frame.is_diagonal:
            return Coordinates(~frame.metric.constant, frame.size)
        return Dense(frame.on_coef())

    def prices(self):
        """Offsets and slopes of the kinks of coefficients, in the features' scale."""
        penalty, scale = self.plan.penalty, self.frame.metric.scale
        most = BEYOND * self.kinks.steepest
        high = np.minimum(penalty.l1 / scale, most)
        low = np.full_like(high, -most) if penalty.positive else -high
        return self.weights[:-1] * scale, low, high

    def price_of(self, weights):
        """The part of the objective by the kinks of coefficients: l1."""
        return self.plan.penalty.l1 * float(np.abs(weights[:-1]).sum())

    def gradient_of_penalty(self):
        return np.append(self.plan.penalty.l2 * self.weights[:-1], 0.0)

    def _within(self, weights):
        if self.plan.penalty.positive:
            weights[:-1] = np.maximum(weights[:-1], 0.0)
        # What is below the square of a rounding error is zero: float32 may not hold it.
        sizes = np.abs(weights) * np.append(self.frame.metric.scale, 1.0)
        weights[sizes < EPS**2 * self.unit] = 0.0
        return weights

    # ---------------------------------------------------------------- checkpoints

    def memory(self):
        kept = {name: float(getattr(self, name)) for name in KEPT}
        return kept | {
            "rounds": self.rounds,
            "looked": self.lever is not None,
            "direction": self.direction.copy(),
            "weights": self.weights.copy(),
            "loss": self.loss,
            "gradient": self.gradient.copy(),
            "gap": self.gap,
            "e": self.e.copy(),
            "kept": self.kept.copy(),
        }

    def recall(self, memory):
        for name in memory.keys() - {"looked"}:
            setattr(self, name, memory[name])
        self.objective = self._objective(self.weights, self.loss)
        if memory["looked"]:
            passes = self.evaluation.passes
            self._look_at_leverage()
            self.evaluation.passes = passes

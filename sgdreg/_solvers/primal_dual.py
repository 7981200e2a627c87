"""The primal-dual problem of one output, and its Newton steps."""

import numpy as np
from scipy import linalg

from sgdreg._curvature.costs import cost_of_all
from sgdreg._curvature.of_rows import curvature_of
from sgdreg._solvers.hinges import Hinges
from sgdreg.losses import ask, is_squared, made_of_hinges

# The share of the way to the nearest bound that a step may go.
NEARLY = 0.99
# A step shorter than this is computed again without Mehrotra's second-order part, and with
# this share of the mean product as its aim: otherwise steps may repeat without progress.
SHORT, CENTRED = 0.1, 0.5
# The steps end where the gap is at this share of the objective, its rounding error.
EPS = np.finfo(np.float64).eps
# Where a diagonal element of the Cholesky factor of the scaled features is below this, too
# few digits are left in the products, and the factor is computed by QR.
NEARLY_SINGULAR = 1e-4
# Second derivatives of a custom loss are raised to this share of the largest one.
LEAST_CURVATURE = 1e-3
# A step by such second derivatives must lower the objective by this share of its prediction
# (Armijo's rule); otherwise it is halved, at most this many times.
ENOUGH, HALVINGS = 1e-4, 40
# An l1 above the largest possible slope makes a coefficient zero. Larger values are cut to
# this multiple of that slope, so that their products do not overflow.
L1_LIMIT = 1e3
# A step counts as this many passes over the rows, besides its curvature (by the time that
# it takes): hinges of the rows are linearised and sent in a direction twice.
PASSES_WITH_HINGES, PASSES_WITHOUT = 5.0, 2.0
# What a part needs to continue, by the names in checkpoints and here. `least`, `size` and
# `force` are those of the first point.
KEPT = {
    "weights": "weights",
    "gap": "gap",
    "decrement": "decrement",
    "finished": "finished",
    "least": "least",
    "size": "size",
    "force": "dual_scale",
    "singular": "singular",
}
# The same of each block of hinges.
KEPT_OF_HINGES = {"a": "a", "room": "cap_slack", "u": "u", "v": "v"}


class Part:
    """The problem of one output: its hinges, and the steps towards its optimum."""

    def __init__(self, solver, output):
        plan, data = solver.plan, solver.data
        self.plan, self.start, self.data, self.loss = plan, solver.start, data, plan.loss
        self.y = np.ascontiguousarray(data.targets[:, output])
        self.row_weights, self.unweighted = solver.row_weights, solver.curvature
        self.weights = solver.point.weights[output].copy()
        self.unit = solver.unit[output]
        self.x = self._predictions(self.weights)
        self.passes, self.gap, self.cached = 0.0, np.inf, None
        self.decrement, self.finished = np.inf, False
        self.singular = False  # whether a step has left out directions
        # Whether the loss is neither made of hinges nor quadratic: Newton steps of its own.
        self.smooth = not made_of_hinges(self.loss)
        self.least = EPS * float(solver.evaluation.objectives(solver.point)[output])
        e = self.x - self.y
        largest = np.abs(e).max() or 1.0
        self.size = largest * np.sqrt(self.row_weights @ (e / largest) ** 2) or 1.0
        self.dual_scale = len(e) * self.unit / self.size
        self.largest_slope = self._largest_slope(solver.evaluation.constant[output])
        self.on_rows = self._hinges_of_rows(e)
        self.on_coef = self._hinges_of_coef(self.weights[:-1])
        if not self.least:  # the objective is zero already
            self.gap, self.finished = 0.0, True

    def _hinges_of_rows(self, e):
        loss = self.loss
        if self.smooth or is_squared(loss):
            return []
        size = self.row_weights @ np.abs(e) or 1.0
        numbers, weights = (loss.dead, loss.width), self.row_weights
        return [
            Hinges(sign, *numbers, np.full(len(e), float(cap)), weights, e, size)
            for sign, cap in ((1, loss.above), (-1, loss.below))
        ]

    def _hinges_of_coef(self, coef):
        penalty, scale = self.plan.penalty, self.start.metric.scale
        if not penalty.proximal:
            return []
        weights, n = np.full(len(coef), 1.0 / len(self.y)), len(self.y)
        sizes, l1 = (self.size, self.dual_scale), penalty.l1
        if n * l1 < EPS**2 * self.dual_scale * scale.min():
            l1 = 0.0  # far below rounding errors, and its products underflow
        caps = n * np.minimum(l1 / scale, self._largest_l1)
        none = np.full(len(coef), np.inf)  # a constraint, whose multipliers have no cap
        return [
            Hinges(sign, 0.0, 0.0, cap, weights, coef * scale, *sizes)
            for sign, cap in ((1, caps), (-1, none if penalty.positive else caps))
            if cap.any()
        ]

    @property
    def _largest_l1(self):
        """The largest l1 of a scaled feature; a larger one is cut to it."""
        return L1_LIMIT * self.largest_slope or np.inf

    def l1_excess(self, weights):
        """The cost of some weights (d + 1,) by the part of l1 that is cut off."""
        coef, l1 = np.abs(weights[:-1]), self.plan.penalty.l1
        if not l1:
            return 0.0
        scale = self.start.metric.scale
        return float(np.maximum(l1 - self._largest_l1 * scale, 0.0) @ coef)

    def _largest_slope(self, at_best):
        """An upper bound of the slopes along scaled features, at the best constant.

        Smooth losses have L'² ≤ 2 smoothness L, and the scaled features have length one.
        """
        smooth, bound = self.loss.smoothness, np.inf
        if smooth is not None:
            bound = np.sqrt(2 * smooth * at_best)
        if made_of_hinges(self.loss):
            bound = min(bound, max(self.loss.above, self.loss.below))
        return float(bound)

    def memory(self):
        """See `FullGradient.memory`."""
        kept = {name: getattr(self, attribute) for name, attribute in KEPT.items()}
        hinges = [
            {name: getattr(block, attribute) for name, attribute in KEPT_OF_HINGES.items()}
            for block in self.hinges
        ]
        return kept | {"x": self.x.copy(), "hinges": hinges}

    def recall(self, memory):
        """See `FullGradient.recall`."""
        for name, attribute in KEPT.items():
            setattr(self, attribute, memory[name])
        self.x = memory["x"].copy()
        for block, kept in zip(self.hinges, memory["hinges"], strict=True):
            for name, attribute in KEPT_OF_HINGES.items():
                setattr(block, attribute, kept[name])

    @property
    def hinges(self):
        return self.on_rows + self.on_coef

    # -------------------------------------------------------------------- a step

    def step(self):
        """A step by Newton's equations (Mehrotra's pair); nothing where it has ended."""
        self.passes = 0.0
        if self.finished:
            return
        before = self.decrement
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            try:
                move, share = self._direction()
            except FloatingPointError:
                self.finished = True
                return
        if self.smooth and not self.on_coef:
            share = self._line_search(move, share)
        for block in self.hinges:
            block.move(share)
        self.weights = self.weights + share * move
        self.x = self._predictions(self.weights)
        passes = PASSES_WITH_HINGES if self.on_rows else PASSES_WITHOUT
        self.passes = passes + cost_of_all(len(move) - 1)
        left = sum(
            block.products + block.infeasibility_after(share) for block in self.hinges
        )
        # The conditions are linear: a step reduces their residuals by its share.
        self.gap = left + (1.0 - share) ** 2 * self.decrement
        if self.smooth:
            # Not those of a smooth loss: the rate at which the decrement falls shows how
            # much the curvature changes.
            still = before == self.decrement == 0
            rate = self.decrement / before if 0 < before < np.inf else float(not still)
            lost = 1.0 - np.sqrt(min(rate, 1.0))
            self.gap += self.decrement / lost if lost else np.inf
        # Least squares are solved once more, to correct the rounding errors of the first.
        self.finished = self.gap <= self.least and not self.plan.quadratic

    def _direction(self):
        """The Newton direction (d + 1,), and the share of it that the bounds allow."""
        if not self.hinges:
            return self._newton(0.0, False), 1.0
        products = sum(block.products for block in self.hinges)
        count = sum(block.count for block in self.hinges)
        move = self._newton(0.0, False)
        share = self._allowed(move)
        left = sum(block.products_after(share) for block in self.hinges)
        # Products that underflow count as zero: they cannot become smaller.
        aim = (left / products) ** 3 * products / count if products else 0.0
        if self.smooth:  # products must not fall faster than the decrement of the loss
            aim = max(aim, self.decrement / count)
        move = self._newton(aim, True)
        share = self._allowed(move)
        if share < SHORT:
            move = self._newton(CENTRED * products / count, False)
            share = self._allowed(move)
        return move, share

    def _allowed(self, move):
        """Set the direction of all hinges; the share of the move within their bounds."""
        longest = [
            block.set_direction(move[:-1] * self.start.metric.scale)
            for block in self.on_coef
        ]
        if self.on_rows:
            dx = self._predictions(move)
            longest += [block.set_direction(dx) for block in self.on_rows]
        return min(1.0, NEARLY * min(longest))

    def _newton(self, aim, second_order):
        """The direction (d + 1,) by Newton's equations for products that become `aim`."""
        plan, scale = self.plan, self.start.metric.scale
        if self.on_rows or not second_order:  # without hinges they are the same in both
            row_curvature, slopes = self._row_terms(aim, second_order)
            self.row_terms = row_curvature, self.data.sums(slopes)
        row_curvature, gradient = self.row_terms[0], self.row_terms[1].copy()
        l2, proximal = plan.penalty.l2, self.start.proximal_term
        l2 = l2 + (0.0 if proximal is None else proximal[0][:-1])
        gradient[:-1] += l2 * self.weights[:-1]
        diagonal = np.zeros(len(scale)) + l2
        for block in self.on_coef:
            x = self.weights[:-1] * scale
            curvature, rhs = block.linearise(x, aim, second_order)
            gradient[:-1] += scale * (block.slope + rhs)
            diagonal += scale**2 * curvature
        if not plan.fit_intercept:
            gradient[-1] = 0.0
        if not (np.isfinite(row_curvature).all() and np.isfinite(diagonal).all()):
            raise FloatingPointError("The curvature overflows.")
        if not second_order:  # both of Mehrotra's steps use the same matrix
            self.solve = self._factorised(row_curvature, diagonal)
        move = self.solve(gradient)
        if not np.isfinite(move).all():
            raise FloatingPointError("The Newton step overflows.")
        self.decrement = max(0.0, -0.5 * float(gradient @ self._raw(move)))
        return move

    def slope(self):
        """The gradient (d + 1,) computed from the multipliers: zero at the optimum."""
        if self.on_rows:
            slopes = sum(block.slope for block in self.on_rows)
        else:
            slopes = self.row_weights * ask(self.loss, self.y, self.x, "gradient")
        gradient = self.data.sums(slopes)
        gradient[:-1] += self.plan.penalty.l2 * self.weights[:-1]
        for block in self.on_coef:
            gradient[:-1] += self.start.metric.scale * block.slope
        gradient[-1] *= self.plan.fit_intercept
        return gradient

    def _predictions(self, weights):
        return self.data.predictions(weights, self.start.metric.centre)

    def _curvature(self, row_curvature):
        """Σ row_curvature_i [x_i, 1][x_i, 1]ᵀ, and the row curvature that counts as one."""
        if self.unweighted is not None:  # least squares: it is that of the row weights
            return self.unweighted, 1.0 / self.data.n_rows
        largest = row_curvature.max()
        blank = np.zeros((self.data.n_rows, 1))
        data = self.data.unweighted.weighed(row_curvature, blank, largest)
        return curvature_of(data, self.plan.fit_intercept), largest

    def _row_terms(self, aim, second_order):
        """Second derivatives and slopes of the loss of each row."""
        if not self.on_rows:
            row_curvature = ask(self.loss, self.y, self.x, "curvature")
            slopes = ask(self.loss, self.y, self.x, "gradient")
            if self.smooth:
                most = self.loss.smoothness
                # With hinges of coefficients there is no line search, and the largest
                # second derivative is the only safe one.
                least = most if self.on_coef else LEAST_CURVATURE * most
                row_curvature = np.clip(row_curvature, least, most)
            return self.row_weights * row_curvature, self.row_weights * slopes
        row_curvature = slopes = 0.0
        for block in self.on_rows:
            curvature, rhs = block.linearise(self.x - self.y, aim, second_order)
            row_curvature = row_curvature + curvature
            slopes = slopes + block.slope + rhs
        return row_curvature, slopes

    def _line_search(self, move, share):
        """The step, at most `share`, that lowers a custom loss and the penalty enough."""
        start, weights = self._objective(self.weights), self.weights
        for _ in range(HALVINGS):
            fall = start - self._objective(weights + share * move)
            if fall >= ENOUGH * share * self.decrement:
                break
            share *= 0.5
        return share

    def _objective(self, weights):
        p = self._predictions(weights)
        loss = self.row_weights @ ask(self.loss, self.y, p, "value")
        return loss + float(self.plan.penalty.values(weights[None, :-1])[0])

    def _factorised(self, row_curvature, diagonal):
        """gradient (d + 1,) -> Newton direction (d + 1,) at the plan's centre."""
        plan = self.plan
        if self.cached is None or not np.array_equal(self.cached[0], row_curvature):
            curvature, unit = self._curvature(row_curvature)
            total = curvature.total * unit
            triangle = curvature.features * np.sqrt(unit)
            self.cached = row_curvature, curvature, total, triangle.T @ triangle
        _, curvature, total, H = self.cached
        middle = curvature.mean if plan.fit_intercept else None
        scale = np.sqrt(np.diagonal(H) + diagonal)
        if (scale > 0).all() and not curvature.constant().any():
            C = (H + np.diag(diagonal)) / scale[:, None] / scale
            L, failed = linalg.lapack.dpotrf(C, lower=1)
            if not failed and np.diagonal(L).min() > NEARLY_SINGULAR:

                def by_products(g):
                    g = g / scale
                    return linalg.cho_solve((L, True), g, check_finite=False) / scale

                return self._around(middle, total, by_products)
        metric, _ = curvature.solve(diagonal / total)
        left_out = len(metric.root) < len(diagonal) - curvature.constant().sum()
        self.singular = self.singular or bool(left_out)

        def by_factor(g):
            u = metric.root @ (g / metric.scale)
            return (u @ metric.root) / metric.scale / total

        return self._around(middle, total, by_factor)

    def _around(self, middle, total, solve):
        """`solve`, of features about the mean of the weighed rows, at the plan's centre."""

        def direction(gradient):
            g, b = gradient[:-1], gradient[-1]
            if middle is None:
                return -np.append(solve(g), 0.0)
            coef = solve(g - b * middle)
            shift = coef @ (self.start.metric.centre - middle)
            return -np.append(coef, b / total + shift)

        return direction

    def _raw(self, move):
        """A direction whose intercept is that of the features before centring."""
        if self.start.metric.centre is None:
            return move
        return np.append(move[:-1], move[-1] - move[:-1] @ self.start.metric.centre)

    # ------------------------------------------------------------------- the model

    def within_bounds(self):
        """The weights, with `positive` none of them below zero."""
        weights = self.weights.copy()
        if self.plan.penalty.positive:
            weights[:-1] = np.maximum(weights[:-1], 0.0)
        return weights

    def rounded(self, most=np.inf):
        """The weights with exact zeros, where the hinges end at zero.

        Setting a scaled coefficient u to zero costs ½u² where the slope is zero, as it is
        at the optimum: where that is more than `most`, it is kept.
        """
        weights = self.within_bounds()
        if self.on_coef:
            kinks = [block.at_kink(self.size, self.dual_scale) for block in self.on_coef]
            kinks.append(0.5 * (weights[:-1] * self.start.metric.scale) ** 2 <= most)
            weights[:-1][np.logical_and.reduce(kinks)] = 0.0
        return weights

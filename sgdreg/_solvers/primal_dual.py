"""One output's problem, as the interior-point method sees it."""

import numpy as np
from scipy import linalg

from sgdreg._curvature.costs import cost_of_all
from sgdreg._curvature.of_rows import curvature_of
from sgdreg._solvers.hinges import Hinges
from sgdreg.losses import ask, is_squared, made_of_hinges

# How near to a bound a step goes, of the way there.
NEARLY = 0.99
# A step shorter than this is tried again without Mehrotra's second order, and with this
# share of the products as its aim: it may otherwise go around in circles.
SHORT, CENTRED = 0.1, 0.5
# Done: what is left is the rounding error of the losses.
EPS = np.finfo(np.float64).eps
# Cholesky's diagonal, in the scaled features: below this products have lost the digits.
NEARLY_SINGULAR = 1e-4
# Second derivatives of a user's loss are reckoned as no less than this share of the most.
LEAST_BEND = 1e-3
# A step by these must lower the objective by this share of what they promise (Armijo).
ENOUGH, HALVINGS = 1e-4, 40
# Zero is the optimum of every l1 beyond the steepest slope that data may have: it need be
# no more than this many times that.
BEYOND = 1e3
# What a part goes on from. `least`, `size` and `force` are those of the very first point.
KEPT = ("weights", "gap", "decrement", "finished", "least", "size", "force", "singular")


class Part:
    """One output's problem: its hinges, and steps towards its optimum."""

    def __init__(self, rounds, output):
        plan, data = rounds.plan, rounds.data
        self.plan, self.start, self.data, self.loss = plan, rounds.start, data, plan.loss
        self.y = np.ascontiguousarray(data.targets[:, output])
        self.row_weights, self.of_all = rounds.row_weights, rounds.curvature
        self.weights = rounds.point.weights[output].copy()
        self.unit = rounds.unit[output]
        self.x = self._predictions(self.weights)
        self.passes, self.gap, self.known = 0.0, np.inf, None
        self.decrement, self.finished = np.inf, False
        self.singular = False  # whether a step has left directions out
        # Losses that are no hinges, and not quadratic either.
        self.smooth = not made_of_hinges(self.loss)
        self.least = EPS * float(rounds.evaluation.objectives(rounds.point)[output])
        e = self.x - self.y
        largest = np.abs(e).max() or 1.0
        self.size = largest * np.sqrt(self.row_weights @ (e / largest) ** 2) or 1.0
        self.force = len(e) * self.unit / self.size
        self.steepest = self._steepest(rounds.evaluation.constant[output])
        self.on_rows = self._hinges_of_rows(e)
        self.on_coef = self._hinges_of_coef(self.weights[:-1])
        if not self.least:  # nothing to gain
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
        sizes, l1 = (self.size, self.force), penalty.l1
        if n * l1 < EPS**2 * self.force * scale.min():
            l1 = 0.0  # far below rounding, and its products underflow
        caps = n * np.minimum(l1 / scale, self._most)
        none = np.full(len(coef), np.inf)  # a bound that nothing pays for
        return [
            Hinges(sign, 0.0, 0.0, cap, weights, coef * scale, *sizes)
            for sign, cap in ((1, caps), (-1, none if penalty.positive else caps))
            if cap.any()
        ]

    @property
    def _most(self):
        """The most that l1 counts as, along a scaled feature."""
        return BEYOND * self.steepest or np.inf

    def beyond(self, weights):
        """What l1 costs of some weights (d + 1,) beyond what it counts as."""
        coef, l1 = np.abs(weights[:-1]), self.plan.penalty.l1
        if not l1:
            return 0.0
        scale = self.start.metric.scale
        return float(np.maximum(l1 - self._most * scale, 0.0) @ coef)

    def _steepest(self, at_best):
        """What no slope along a scaled feature exceeds at the best constant.

        Of smooth losses L'² ≤ 2 smoothness L; and features are of length one.
        """
        smooth, steep = self.loss.smoothness, np.inf
        if smooth is not None:
            steep = np.sqrt(2 * smooth * at_best)
        if made_of_hinges(self.loss):
            steep = min(steep, max(self.loss.above, self.loss.below))
        return float(steep)

    def memory(self):
        """See `FullGradient.memory`."""
        kept = {name: getattr(self, name) for name in KEPT}
        hinges = [
            {"a": block.a, "room": block.room, "u": block.u, "v": block.v}
            for block in self.hinges
        ]
        return kept | {"x": self.x.copy(), "hinges": hinges}

    def recall(self, memory):
        """See `FullGradient.recall`."""
        for name in KEPT:
            setattr(self, name, memory[name])
        self.x = memory["x"].copy()
        for block, kept in zip(self.hinges, memory["hinges"], strict=True):
            vars(block).update(kept)

    @property
    def hinges(self):
        return self.on_rows + self.on_coef

    # -------------------------------------------------------------------- a step

    def step(self):
        """A step by Newton's equations, Mehrotra's two; nothing where it is done."""
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
            share = self._downhill(move, share)
        for block in self.hinges:
            block.move(share)
        self.weights = self.weights + share * move
        self.x = self._predictions(self.weights)
        self.passes = (5.0 if self.on_rows else 2.0) + cost_of_all(len(move) - 1)
        left = sum(block.products + block.unmet(share) for block in self.hinges)
        # The conditions are linear: what is left of them shrinks with the step.
        self.gap = left + (1.0 - share) ** 2 * self.decrement
        if self.smooth:
            # ... but not of these, of which the rate of the fall tells the curvature.
            still = before == self.decrement == 0
            rate = self.decrement / before if 0 < before < np.inf else float(not still)
            bent = 1.0 - np.sqrt(min(rate, 1.0))
            self.gap += self.decrement / bent if bent else np.inf
        # Least squares are solved once more, for what rounding has left of them.
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
        # Products that underflow are as near to zero as they can be.
        aim = (left / products) ** 3 * products / count if products else 0.0
        if self.smooth:  # bounds may not be met sooner than the loss
            aim = max(aim, self.decrement / count)
        move = self._newton(aim, True)
        share = self._allowed(move)
        if share < SHORT:
            move = self._newton(CENTRED * products / count, False)
            share = self._allowed(move)
        return move, share

    def _allowed(self, move):
        """Turn every hinge with the move; the share of it within their bounds."""
        longest = [
            block.turn(move[:-1] * self.start.metric.scale) for block in self.on_coef
        ]
        if self.on_rows:
            dx = self._predictions(move)
            longest += [block.turn(dx) for block in self.on_rows]
        return min(1.0, NEARLY * min(longest))

    def _newton(self, aim, second_order):
        """The direction by Newton's equations, of products that are to become `aim`."""
        plan, scale = self.plan, self.start.metric.scale
        if self.on_rows or not second_order:  # without hinges they stay what they are
            bends, slopes = self._of_rows(aim, second_order)
            self.of_rows = bends, self.data.sums(slopes)
        bends, gradient = self.of_rows[0], self.of_rows[1].copy()
        l2 = plan.penalty.l2 + (0.0 if self.start.pull is None else self.start.pull[0][:-1])
        gradient[:-1] += l2 * self.weights[:-1]
        diagonal = np.zeros(len(scale)) + l2
        for block in self.on_coef:
            bend, pull = block.linearise(self.weights[:-1] * scale, aim, second_order)
            gradient[:-1] += scale * (block.slope + pull)
            diagonal += scale**2 * bend
        if not plan.fit_intercept:
            gradient[-1] = 0.0
        if not (np.isfinite(bends).all() and np.isfinite(diagonal).all()):
            raise FloatingPointError("beyond what floats can tell")
        if not second_order:  # Mehrotra's two steps are by the same matrix
            self.solver = self._solver(bends, diagonal)
        move = self.solver(gradient)
        if not np.isfinite(move).all():
            raise FloatingPointError("beyond what floats can tell")
        self.decrement = max(0.0, -0.5 * float(gradient @ self._raw(move)))
        return move

    def slope(self):
        """The gradient (d + 1,) by the multipliers: zero at the optimum."""
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

    def _curvature(self, bends):
        """Of Σ bend_i [x_i, 1][x_i, 1]ᵀ, and the bend that counts as one in it."""
        if self.of_all is not None:  # of squares: bends are the rows' weights
            return self.of_all, 1.0 / self.data.n_rows
        largest = bends.max()  # their size is in `total`
        blank = np.zeros((self.data.n_rows, 1))
        data = self.data.unweighted.weighed(bends, blank, largest)
        return curvature_of(data, self.plan.fit_intercept), largest

    def _of_rows(self, aim, second_order):
        """Second derivatives and slopes of the rows' terms."""
        if not self.on_rows:
            bends = ask(self.loss, self.y, self.x, "curvature")
            slopes = ask(self.loss, self.y, self.x, "gradient")
            if self.smooth:
                most = self.loss.smoothness
                # Within bounds no search tells whether they were too small.
                least = most if self.on_coef else LEAST_BEND * most
                bends = np.clip(bends, least, most)
            return self.row_weights * bends, self.row_weights * slopes
        bends = slopes = 0.0
        for block in self.on_rows:
            bend, pull = block.linearise(self.x - self.y, aim, second_order)
            bends, slopes = bends + bend, slopes + block.slope + pull
        return bends, slopes

    def _downhill(self, move, share):
        """A share by which a user's loss, and the penalty, fall as they should."""
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

    def _solver(self, bends, diagonal):
        """gradient (d + 1,) -> Newton direction (d + 1,) at the plan's centre."""
        plan = self.plan
        if self.known is None or not np.array_equal(self.known[0], bends):
            curvature, unit = self._curvature(bends)
            total = curvature.total * unit
            triangle = curvature.features * np.sqrt(unit)
            self.known = bends, curvature, total, triangle.T @ triangle
        _, curvature, total, H = self.known
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
        """A solver for the features about the rows' own middle, as one for the plan's."""

        def direction(gradient):
            g, b = gradient[:-1], gradient[-1]
            if middle is None:
                return -np.append(solve(g), 0.0)
            coef = solve(g - b * middle)
            shift = coef @ (self.start.metric.centre - middle)
            return -np.append(coef, b / total + shift)

        return direction

    def _raw(self, move):
        """A direction with the intercept of the features as they are."""
        if self.start.metric.centre is None:
            return move
        return np.append(move[:-1], move[-1] - move[:-1] @ self.start.metric.centre)

    # ------------------------------------------------------------------- the model

    def within_bounds(self):
        """The weights, none below zero where they must not be."""
        weights = self.weights.copy()
        if self.plan.penalty.positive:
            weights[:-1] = np.maximum(weights[:-1], 0.0)
        return weights

    def rounded(self, most=np.inf):
        """The weights with exact zeros, where bounds say so and it costs no more each.

        At the optimum the slope is zero: of squares half of the square is left.
        """
        weights = self.within_bounds()
        if self.on_coef:
            kinks = [block.at_kink(self.size, self.force) for block in self.on_coef]
            kinks.append(0.5 * (weights[:-1] * self.start.metric.scale) ** 2 <= most)
            weights[:-1][np.logical_and.reduce(kinks)] = 0.0
        return weights

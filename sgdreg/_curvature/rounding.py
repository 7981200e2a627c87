"""What rounding a model to float32 costs, and models that it costs less.

Coefficients of columns that depend on each other nearly cancel. Each is off by up to half
a unit in its last place, and these errors do not cancel: at 1e7 they are as large as one.
"""

import numpy as np
from scipy import linalg

# Weights tried instead, on the way to those that leave out what is weakly determined:
# ridge solutions, of penalties from what float64 to what float32 cannot tell from zero.
PENALTIES = np.logspace(-18, -2, 65)
# Units in the last place that a coefficient is then moved by, up to 2¹⁵ and all that are
# small, so many moves in all to choose from; and how often one is made.
POWERS, CHOICES, MOVES = 2.0 ** np.arange(16), 4096, 200
# A move that gains less than this share of what rounding costs ends them.
ENOUGH = 1e-3


class Rounding:
    """What rounding weights (k, d + 1) costs, and weights that it costs less.

    The objective is known near its optimum w*: ½ ‖lengths (w - w*)‖², and half the square
    of what the prediction at the middle is off by.

    Parameters
    ----------
    dtype : dtype
        That of the model.
    centre : ndarray of shape (d,) or None
        Of the features that weights are about.
    lengths : ndarray of shape (r, d) or (d,)
        The curvature's factor; of one dimension: its diagonal.
    middle : ndarray of shape (d,) or None
        The features' mean; None: there is no intercept to learn.
    positive : bool
        Whether no coefficient may be negative.
    """

    def __init__(self, dtype, centre, lengths, middle, positive=False):
        self.dtype, self.lengths, self.middle = np.dtype(dtype), lengths, middle
        self.centre = np.zeros(lengths.shape[-1]) if centre is None else centre
        self.positive = positive

    @classmethod
    def of(cls, start, dtype, curvature=None):
        """That of a start, by a curvature of the rows, or else by its metric's scale."""
        plan, metric = start.plan, start.metric
        if curvature is not None:
            lengths, middle = curvature.features / np.sqrt(curvature.total), curvature.mean
            l2 = plan.penalty.l2 * (1.0 if plan.quadratic else curvature.rows_a_weight)
            if l2:
                lengths = np.vstack([lengths, np.sqrt(l2) * np.eye(len(middle))])
        elif metric.scale is not None:
            lengths, middle = metric.scale, metric.centre
        else:
            return None
        middle = middle if plan.fit_intercept else None
        return cls(dtype, metric.centre, lengths, middle, plan.penalty.positive)

    def nearest(self, weights):
        """Each coefficient rounded, and the intercept of the rounded ones."""
        return rounded(weights, self.centre, self.dtype)

    def cost(self, weights, near):
        """What `near` costs more than `weights`, of each output."""
        with np.errstate(over="ignore", invalid="ignore"):
            change = near - weights
            errors = self._errors(change[:, :-1])
            costs = 0.5 * np.einsum("ij,ij->i", errors, errors)
            if self.middle is not None:
                middle = change[:, -1] + change[:, :-1] @ (self.middle - self.centre)
                costs += 0.5 * middle**2
        return np.where(np.isfinite(costs), costs, np.inf)

    def _errors(self, change):
        return change * self.lengths if self.lengths.ndim == 1 else change @ self.lengths.T

    def best(self, weights, enough):
        """Rounded weights that cost no more than `enough` (k,), or little.

        Parameters
        ----------
        weights : ndarray of shape (k, d + 1)
        enough : ndarray of shape (k,)
        """
        chosen = self.nearest(weights)
        costs = self.cost(weights, chosen)
        for o in np.flatnonzero(~(costs <= enough)):
            row = weights[o]
            if np.isfinite(costs[o]):
                chosen[o] = self._moved(row, chosen[o])
            if not self.cost(row, chosen[o][None])[0] <= enough[o]:
                near = self.nearest(np.vstack([chosen[o], self._weaker(row)]))
                chosen[o] = near[np.argmin(self.cost(row, near))]
                if np.isfinite(chosen[o]).all():
                    chosen[o] = self._moved(row, chosen[o])
        return chosen

    def _weaker(self, row):
        """The ridge solutions of weights (d + 1,), in features of unit scale."""
        if self.lengths.ndim == 1 or not len(self.lengths):
            return np.empty((0, len(row)))
        scale = np.sqrt(np.einsum("ij,ij->j", self.lengths, self.lengths))
        scale = np.where(scale > 0, scale, 1.0)
        _, s, Vt = linalg.svd(self.lengths / scale, full_matrices=False, check_finite=False)
        along = Vt @ (scale * row[:-1])
        squares, penalties = s**2, PENALTIES[:, None] * s[0] ** 2
        with np.errstate(invalid="ignore"):
            less = np.nan_to_num(penalties / (squares + penalties))
        less = np.vstack([less, np.tri(len(s), len(s), -1).T])  # or without the weakest
        tried = np.tile(row, (len(less), 1))
        tried[:, :-1] -= (less * along) @ Vt / scale
        tried[:, :-1][:, row[:-1] == 0] = 0.0
        if self.positive:
            np.maximum(tried[:, :-1], 0.0, out=tried[:, :-1])
        if self.middle is not None:  # the prediction at the middle is known
            tried[:, -1] -= (tried[:, :-1] - row[:-1]) @ (self.middle - self.centre)
        return tried

    def _moved(self, row, near):
        """`near`, its coefficients moved by a few units in their last places.

        Errors of several coefficients, and that of the intercept, then cancel.
        """
        T = self.lengths
        bends = T**2 if T.ndim == 1 else np.einsum("ij,ij->j", T, T)
        coef = near[:-1].astype(self.dtype)
        units = np.union1d(POWERS, np.arange(1.0, CHOICES // len(coef) + 1))
        units = np.concatenate([units, -units])
        units = np.where(coef != 0, np.spacing(np.abs(coef)), 0.0)[:, None] * units
        cost = self.cost(row[None], near[None])[0]
        for _ in range(MOVES):
            wide = near[:-1, None]
            with np.errstate(over="ignore"):
                moves = (wide + units).astype(self.dtype).astype(np.float64) - wide
            if self.positive:
                moves[wide + moves < 0] = 0.0
            errors = self._errors((near - row)[:-1])
            slopes = T * errors if T.ndim == 1 else errors @ T
            costs = 0.5 * (errors @ errors) + moves * (
                slopes[:, None] + 0.5 * moves * bends[:, None]
            )
            raw = self._intercept(row, near, moves)
            if raw is not None:
                costs += 0.5 * raw[1] ** 2
            j, unit = np.unravel_index(np.nanargmin(costs), costs.shape)
            moved = near.copy()
            moved[j] += moves[j, unit]
            if raw is not None:
                moved[-1] = raw[0][j, unit] + moved[:-1] @ self.centre
            now = self.cost(row[None], moved[None])[0]
            if not now < (1.0 - ENOUGH) * cost:
                break
            near, cost = moved, now
        return near

    def _intercept(self, row, near, moves):
        """The rounded intercept after each move, and what it is off by at the middle."""
        if self.middle is None:
            return None
        aim = row[-1] + row[:-1] @ (self.middle - self.centre)
        aim = aim - near[:-1] @ self.middle - moves * self.middle[:, None]
        got = aim.astype(self.dtype).astype(np.float64)
        return got, got - aim


def rounded(weights, centre, dtype):
    """Weights (k, d + 1) at the centre that are those of a model in dtype.

    Outputs whose numbers are too small for dtype stay as they are: such a model is
    refused, where attributes are made.
    """
    near = np.empty_like(weights)
    with np.errstate(over="ignore", invalid="ignore"):
        near[:, :-1] = weights[:, :-1].astype(dtype)
        shift = 0.0 if centre is None else near[:, :-1] @ centre
        raw = (weights[:, -1] - shift).astype(dtype)
        near[:, -1] = raw + shift
    lost = is_lost(weights, sizes(near[:, :-1], raw), dtype)
    near[lost] = weights[lost]
    return near


def sizes(coef, intercept):
    """The largest number of each output, as it is held; not finite where any is not."""
    return np.maximum(np.abs(coef).max(axis=1, initial=0.0), np.abs(intercept))


def is_lost(weights, held, dtype):
    """Which outputs' numbers are so small that a floating-point type loses digits."""
    lost = held < np.finfo(dtype).tiny
    return lost & weights.any(axis=1) if lost.any() else lost

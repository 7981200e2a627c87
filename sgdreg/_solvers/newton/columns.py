"""The model of squared errors with l1 and many columns, by a working set of columns."""

import numpy as np

from sgdreg._curvature.chosen import products
from sgdreg._persistence.soundness import like, number, parts_of, table, truth
from sgdreg._solvers.newton.minimum import Known, least_slope, minimum
from sgdreg._solvers.newton.model import Model

# The size of a working set: TIMES the number of non-zero coefficients, plus MORE.
# (Doubled from round to round regardless, a fit took three times as long with 2,929 columns
# for 453.)
TIMES, MORE = 2, 100
# Its columns have a slope of at least this share of l1.
NEAR = 0.9
# If after the first round the working set would have this share of all columns, and there
# are no fewer rows than columns, all columns are taken: it takes the time of a few rounds.
MOST = 0.8
# Known products are used again where they are those of at least 1/SHARE of the columns;
# below it they save a ninth of the work at most, and are not worth their copies.
SHARE = 3
# The largest working set: its products take 128 MiB.
LARGEST = 4096
# Products of k new columns are taken in single precision if k² is this many times the
# number of all columns: what that saves is worth the pass or two by which exact gradients
# correct it.
SINGLE_WORTH = 200
# Where slopes in the working set do not fall by this factor in a pass, they are taken anew,
# in double precision.
CORRECTED = 10.0
# What a checkpoint from a version without these lacks.
EXACT = {"rough": False, "misled": False, "support": np.empty(0)}


class Columns(Model):
    """The columns near their bound, with all rows; the other coefficients are zero.

    The objective restricted to these is solved exactly; the gradient of the next pass says
    which columns are to be added (M. Massias, A. Gramfort, J. Salmon, Celer: a fast solver
    for the lasso with dual extrapolation, ICML 2018), and those that have stayed zero make
    room. The gap is the duality gap, by the residuals in proportion.
    """

    by_rows = False

    def __init__(self, solver, output):
        super().__init__(solver, output)
        self.evaluation, self.penalty = solver.evaluation, self.plan.penalty
        self.chosen, self.H = np.empty(0, dtype=np.intp), np.empty((0, 0))
        self.dual = -np.inf
        # Whether H is rounded to single precision, and whether that has been too little.
        self.rough = self.misled = False
        self.known = Known()
        self._look()

    @property
    def metric(self):
        return self.start.metric

    def _about(self, gradient):
        """The gradient (d,) for centred features; zero for constant columns."""
        g = gradient[:-1]
        g = g if self.metric.centre is None else g - gradient[-1] * self.metric.centre
        return np.where(self.metric.constant, 0.0, g)

    def _pull(self, slope):
        """The size of the gradient of loss and l2 that acts against l1, by coefficient."""
        return -slope if self.penalty.positive else np.abs(slope)

    def _look(self):
        """The duality gap at the point.

        The residuals r, scaled until they are feasible, are a point of the dual problem

            max_θ  θ·y - ½ ‖θ‖²,   |xⱼ·θ| <= l1  (rows counted by s/n)

        in which l2 is expressed as additional rows.
        """
        l1, l2, coef = self.penalty.l1, self.penalty.l2, self.weights[:-1]
        slope, b = self._about(self.gradient), self.gradient[-1]
        pull = float(self._pull(slope).max(initial=0.0))
        square = 2.0 * self.loss - b * b + l2 * (coef @ coef)
        along = square - slope @ coef  # r·y
        share = min(1.0, l1 / pull) if pull > 0 else 1.0
        if square > 0:
            share = min(max(along / square, 0.0), share)
        self.dual = max(self.dual, share * along - 0.5 * share * share * square)
        self.value = self.loss + l1 * np.abs(coef).sum() + 0.5 * l2 * (coef @ coef)
        blur = self.evaluation.blur(self.weights[None], self.metric)[0]
        self.gap = max(0.0, self.value - self.dual) + float(blur)

    def ask(self):
        """The minimum over the columns of the next working set."""
        slope = self._about(self.gradient)
        self._choose(slope)
        self.unsolved = self._unsolved()
        W, aim = self.chosen, self.weights.copy()
        scale, l1, l2 = self.metric.scale[W], self.penalty.l1, self._l2
        at, g = aim[W] * scale, (slope[W] - self.penalty.l2 * aim[W]) / scale
        bounds = l1 / scale, l2, self.penalty.positive
        aim[W] = minimum(self.H, g, at, *bounds, self.known)[0] / scale
        aim[-1] -= self.gradient[-1]
        self.aim = aim
        return aim

    @property
    def _l2(self):
        """The l2 penalty of the scaled columns of the working set."""
        return self.penalty.l2 / self.metric.scale[self.chosen] ** 2

    def _choose(self, slope):
        """The next working set, and the products of its columns."""
        penalty, constant = self.penalty, self.metric.constant
        pull = self._pull(slope)
        used = self.weights[:-1] != 0
        near = np.flatnonzero((used | (pull >= NEAR * penalty.l1)) & ~constant)
        size = min(TIMES * int(used.sum()) + MORE, LARGEST)
        many = len(self.chosen) and len(near) >= MOST * len(slope)
        if many and len(slope) <= min(self.data.n_rows, LARGEST):
            near = np.flatnonzero(~constant)
        elif len(near) > size:
            at = self.weights[:-1][near]
            left = np.abs(least_slope(slope[near], at, penalty.l1, penalty.positive))
            with np.errstate(over="ignore"):
                far = (penalty.l1 - pull[near]) / self.metric.scale[near]
                # Columns that are not zero stay, as long as there is room.
                kept = -left / self.metric.scale[near] if used.sum() >= size else -np.inf
            far = np.where(used[near], kept, far)
            near = np.sort(near[np.argpartition(far, size - 1)[:size]])
        self._take(near)

    def _take(self, chosen):
        """Make these columns (sorted indices) the working set; known products are kept."""
        at = np.searchsorted(self.chosen, chosen)
        at[at == len(self.chosen)] = 0
        known = np.zeros(len(chosen), dtype=bool)
        if len(self.chosen):
            known = self.chosen[at] == chosen
        if SHARE * known.sum() < len(chosen) or (self.rough and self.misled):
            known[:] = False
        if known.all() and SHARE * len(chosen) >= len(self.chosen):
            return  # some columns more cost less than copies
        self.known = Known()
        if known.all():
            self.H = self.H[np.ix_(at, at)]
        elif not known.any():
            self.H = self._products(chosen[:0], chosen)[0]
        else:
            old, new = np.flatnonzero(known), np.flatnonzero(~known)
            own, cross = self._products(chosen[old], chosen[new])
            H = np.empty((len(chosen), len(chosen)))
            H[np.ix_(old, old)] = self.H[np.ix_(at[old], at[old])]
            H[np.ix_(old, new)], H[np.ix_(new, old)] = cross, cross.T
            H[np.ix_(new, new)] = own
            self.H = H
        self.chosen = chosen

    def _products(self, old, new):
        """Those of `new` columns, and with `old` ones, in the precision that pays."""
        pays = len(new) ** 2 >= SINGLE_WORTH * self.data.n_features
        single = pays and not self.misled and not self.data.is_sparse
        self.rough = single or (self.rough and len(old) > 0)
        dtype = np.float32 if single else np.float64
        return products(self.data, self.metric, old, new, dtype)

    def _unsolved(self):
        """The largest subgradient in the working set, in the scale of its columns."""
        W, penalty = self.chosen, self.penalty
        slope, at = self._about(self.gradient)[W], self.weights[W]
        left = np.abs(least_slope(slope, at, penalty.l1, penalty.positive))
        return float((left / self.metric.scale[W]).max(initial=0.0))

    def tell(self, loss, gradient, predictions):
        before = self.weights, self.loss, self.gradient, self.value
        self.weights, self.loss, self.gradient = self.aim, float(loss), gradient
        self._look()
        if not self.value <= before[-1]:  # rounding errors
            self.weights, self.loss, self.gradient, self.value = before
            self._look()
        if self.rough:
            self.misled |= not CORRECTED * self._unsolved() <= self.unsolved

    def memory(self):
        kept = {name: getattr(self, name) for name in ("loss", "dual", "H")}
        kept |= {"weights": self.weights.copy(), "gradient": self.gradient.copy()}
        kept |= {"rough": self.rough, "misled": self.misled}
        kept |= {"support": self.known.support.astype(float)}
        return kept | {"chosen": self.chosen.astype(float)}

    def sound(self, memory):
        one = like(self.weights)
        kinds = {"loss": number, "dual": number, "H": table, "weights": one}
        kinds |= {"gradient": one, "chosen": self._columns}
        kinds |= {"rough": truth, "misled": truth, "support": self._columns}
        memory = EXACT | memory if isinstance(memory, dict) else None
        if not parts_of(kinds)(memory):
            return False
        size = len(memory["chosen"])
        return memory["H"].shape == (size, size) and (memory["support"] < size).all()

    def recall(self, memory):
        self.weights, self.gradient = memory["weights"].copy(), memory["gradient"].copy()
        self.loss, self.dual, self.H = (memory[name] for name in ("loss", "dual", "H"))
        self.chosen = memory["chosen"].astype(np.intp)
        self.rough, self.misled, support = ((EXACT | memory)[name] for name in EXACT)
        self.known = Known()
        if len(support):
            self.known.of(self.H, self._l2, support.astype(np.intp))
        self._look()

    def _columns(self, value):
        """Whether it is an array of columns, in their order."""
        if not (isinstance(value, np.ndarray) and value.dtype == float and value.ndim == 1):
            return False
        whole = (value == np.round(value)) & (value >= 0) & (value < self.data.n_features)
        return bool(whole.all() and (np.diff(value) > 0).all())

"""What a fit is compared with: constants, and the optimum by other means."""

import warnings
from functools import cached_property

import numpy as np
from convex import LOSS_VALUES, Objective
from scipy import optimize

EPS = np.finfo(float).eps
# Larger problems are compared with constants only.
LARGEST = 20_000
# R² -0.001: what the estimator itself takes for "not worse than a constant".
NOT_WORSE = 1.001
# ... and where the constant is exact, of the loss of zero.
NEGLIGIBLE = 1e-12
# What the documentation promises of a stream, against the optimum.
OF_STREAMS = 1.03
# float32 holds no better model: R² as LinearRegression's to this.
OF_FLOAT32 = 1e-3


class Training:
    """The objective of a fitted model, on the rows that it was fitted to.

    Parameters
    ----------
    model : SGDLinearRegressor
    X, y, w
        As they were made, whatever container `fit` was given them in.
    """

    def __init__(self, model, X, y, w):
        self.model = model
        kept = np.ones(len(y), bool) if w is None else np.asarray(w) > 0
        self.X = np.asarray(X, float)[kept]
        self.Y = np.asarray(y, float).reshape(len(y), -1)[kept]
        s = np.ones(len(self.Y)) if w is None else np.asarray(w, float)[kept]
        s = s / s.max()
        self.s = s / s.sum()
        self.single = model.coef_.dtype == np.float32
        self.tiny = np.finfo(model.coef_.dtype).eps
        parameters = model.get_params(deep=False)
        names = ("loss", "penalty", "alpha", "l1_ratio", "epsilon", "quantile", "positive")
        self.settings = {name: parameters[name] for name in names}
        self.settings["fit_intercept"] = model.fit_intercept
        coef = model.coef_.reshape(self.Y.shape[1], -1).astype(float)
        intercept = np.broadcast_to(np.asarray(model.intercept_, float), len(coef))
        self.unit = 1.0
        if self.scales():  # squares of 1e-170 are no longer numbers
            unit = 2.0 ** np.floor(np.log2(np.abs(self.Y).max() or 1.0))
            self.unit = unit ** (2 if self.settings["loss"] == "squared_error" else 1)
            self.Y, coef, intercept = self.Y / unit, coef / unit, intercept / unit
        if not model.fit_intercept:  # what it was initialised to is no choice of the fit
            self.Y, intercept = self.Y - intercept, 0.0 * intercept
        self.models = list(zip(coef, intercept, strict=True))
        self.problems = [
            Objective(self.X, column, self.s, **self.settings) for column in self.Y.T
        ]
        self.known = self.settings["loss"] in LOSS_VALUES

    def scales(self):
        """Whether the optimum is proportional to y."""
        loss, penalty = self.settings["loss"], self.settings["penalty"]
        if loss == "squared_error":
            return penalty in (None, "l2")
        return loss in ("absolute_error", "quantile") and penalty is None

    def slack(self, problem, coef, intercept, eps=EPS):
        """How far rounding of the predictions may move the objective."""
        size = np.abs(self.X) @ np.abs(coef) + np.abs(intercept) + np.abs(problem.y)
        off = 16 * eps * size
        r = np.abs(self.X @ coef + intercept - problem.y)
        if "insensitive" in problem.loss:  # steepest outside of the dead zone
            r = np.maximum(r, problem.epsilon)
        more = problem.s @ (problem.losses(r + off) - problem.losses(r))
        if problem.loss == "quantile":
            more = problem.s @ off
        return more + 1e-12 * abs(problem(coef, intercept)) + 1e-320

    @cached_property
    def constants(self):
        """The objective of the best constant, and its slack, of each output."""
        out = []
        for f in self.problems:
            c = best_constant(f) if f.fit_intercept else 0.0
            coef = np.zeros(self.X.shape[1])
            off = self.slack(f, coef, c, self.tiny) + NEGLIGIBLE * f(coef, 0.0)
            out.append((f(coef, c), off))
        return out

    @cached_property
    def values(self):
        """The objective of the model, and the rounding of that, of each output."""
        pairs = zip(self.problems, self.models, strict=True)
        return [(f(*model), self.slack(f, *model)) for f, model in pairs]

    def worse_than_constant(self, factor):
        """A sentence where the model is, else None."""
        if not self.known:
            return None
        with np.errstate(all="ignore"):
            value, _ = np.sum(self.values, axis=0)
            constant, slack = np.sum(self.constants, axis=0)
            if not np.isfinite(constant + slack) or value <= factor * constant + slack:
                return None
        return f"objective {value:.6g}, of the best constant {constant:.6g}"

    def certificate(self):
        """(kind, sentence) for each way in which the fit says too much."""
        m = self.model
        gap = m.history_[-1].get("optimality_gap") if m.history_ else None
        if not (m.converged_ and gap is not None and self.known):
            return
        if self.X.size > LARGEST or not np.isfinite(self.X).all():
            return
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = sum(value for value, _ in self.values)
            constant = sum(constant for constant, _ in self.constants)
            if not (np.isfinite(constant) and constant > 0):
                return
            best, slack = 0.0, sum(slack for _, slack in self.constants)
            for f in self.problems:
                found = reference(f, self.single)
                if found is None:
                    return
                best += f(*found)
                slack += self.slack(f, *found)
        told = m.history_[-1]["objective"] / self.unit if self.unit else np.inf
        grain = np.spacing(0.0) / self.unit if self.unit else 0.0  # squares of 1e-160
        if not self.single and told < value - slack - 1e-6 * constant - grain:
            yield "objective", f"{told:.9g} reported, {value:.9g} true"
        tol = 10 * max(m.tol or 0.0, gap) + (OF_FLOAT32 if self.single else 1e-12)
        if value > best + tol * constant + slack:
            yield (
                "certificate",
                f"gap {gap:.3g} reported, {(value - best) / constant:.3g} true "
                f"(objective {value:.9g}, {best:.9g} is possible; {m.stop_reason_})",
            )


def best_constant(f):
    """The constant of least loss: closed forms, and else a search between y's ends."""
    y, s = f.y, f.s
    if (y == y[0]).all():
        return y[0]
    if f.loss == "squared_error":
        first = s @ y
        return first + s @ (y - first)
    if f.loss in ("absolute_error", "quantile"):
        order = np.argsort(y)
        q = f.quantile if f.loss == "quantile" else 0.5
        at = np.searchsorted(np.cumsum(s[order]), q)
        return y[order[min(at, len(y) - 1)]]
    low, high = y.min(), y.max()
    for _ in range(200):
        a, b = low + (high - low) / 3, high - (high - low) / 3
        if s @ f.losses(a - y) <= s @ f.losses(b - y):
            high = b
        else:
            low = a
    return (low + high) / 2


def reference(f, single):
    """(coef, intercept) as good as another method finds, or None where none applies."""
    f._scale()
    plain = (f.penalty is None or f.alpha == 0) and not f.positive
    if f.loss == "squared_error" and not f.positive and f.l1 == 0:
        return least_squares(f, single)
    if plain and f.loss in ("absolute_error", "quantile", "epsilon_insensitive"):
        return linear_program(f)
    if f.A.size > 2000 or single:
        return None
    try:
        lower, upper = f.bounds
    except np.linalg.LinAlgError:
        return None
    return f.best if lower <= upper else None


def least_squares(f, single):
    """Of centred, scaled columns by SVD; ridge by rows of √alpha below."""
    root = np.sqrt(f.s)[:, None]
    d = f.A.shape[1]
    Z = f.Z[:, :d]
    middle = f.s @ f.y if f.fit_intercept else 0.0
    A, b = root * Z, root[:, 0] * (f.y - middle)
    if f.l2:
        A = np.vstack([A, np.diag(np.sqrt(f.l2) / f.scale)])
        b = np.append(b, np.zeros(d))
    eps = np.finfo(np.float32 if single else float).eps
    v = np.linalg.lstsq(A, b, rcond=eps * max(A.shape))[0]
    return f.raw(np.append(v, [middle] * f.fit_intercept))


def linear_program(f):
    """By HiGHS: residuals are differences of two non-negative parts, with their prices."""
    n, d = f.Z.shape
    if n > 300:
        return None
    up, down = (f.quantile, 1 - f.quantile) if f.loss == "quantile" else (1.0, 1.0)
    dead = f.epsilon if "insensitive" in f.loss else 0.0
    middle = np.median(f.y)
    size = np.abs(f.y - middle).max() or 1.0
    y = (f.y - middle) / size if f.fit_intercept else f.y / size
    cost = np.concatenate([np.zeros(d), up * f.s, down * f.s])
    eye = np.eye(n)
    rows = [np.hstack([-f.Z, -eye, 0 * eye]), np.hstack([f.Z, 0 * eye, -eye])]
    least = np.concatenate([-y + dead / size, y + dead / size])
    bounds = [(None, None)] * d + [(0, None)] * (2 * n)
    solved = optimize.linprog(cost, np.vstack(rows), least, bounds=bounds, method="highs")
    if solved.x is None:
        return None
    v = solved.x[:d] * size
    if f.fit_intercept:
        v[-1] += middle
    return f.raw(v)

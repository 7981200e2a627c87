"""Random problems of every loss, penalty and kind of columns, and the judge of their fits.

A problem is drawn from a seed: sizes, container, columns, targets, weights, loss, penalty
and, for some, constants that send so small a problem down a path of large ones. The fit is
compared with the lowest objective that any other method has found, all of them evaluated in
long double: each of these is a point, so a model that is proven to be too high is too high,
however good the methods are. `python every_problem.py FIRST LAST` judges the problems of
these seeds and shrinks those that fail (`main` says how to choose among them).
"""

import importlib
import signal
import sys
import time
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import cached_property
from zlib import crc32

import numpy as np
from convex import LOSS_VALUES, Objective
from scipy import linalg, sparse
from scipy.optimize import linprog
from sklearn.exceptions import ConvergenceWarning

from sgdreg import SGDLinearRegressor

LONG, EPS = np.longdouble, np.finfo(float).eps
# What is below this share of the unit of gaps counts as nothing, as in test_certificates.
NOTHING = 1e-13
# The documented factor between the true gap and the one that is told.
FACTOR = 0.3
# How far the objectives of a fit of CSR and of the same dense rows may be apart.
ALIKE = 1e-8
# Seconds of one fit, and of all methods that look for a lower objective.
SECONDS, SECONDS_OF_REFERENCE = 60, 120
# Constants for which small problems take the paths of large ones. A module or name that
# does not exist is passed over.
PATHS = {
    "plain": {},
    "sampled": {
        "_curvature.costs.QR_WORK": 0.0,
        "_curvature.costs.SMALLEST_SAMPLE": 100,
        "_curvature.costs.PRODUCT_COST": 100.0,
        "_curvature.costs.COMPILED_COST": 100.0,
        "_curvature.costs.BLAS_COST": 100.0,
        "_solvers.newton.band.FEW": 100,
        "_solvers.newton.band.FEW_A_DIRECTION": 4,
        "_solvers.newton.band.NEAR": 100,
        "_solvers.newton.band.NEAR_A_DIRECTION": 10,
        "_solvers.newton.few_rows.SINGLE_WORK": 0.0,
        "_solvers.newton.zones.FEW_NUMBERS": 2**8,
    },
    "products": {"_curvature.costs.QR_WORK": 0.0, "_curvature.costs.LARGEST_SAMPLE": 0.0},
    "single": {"_plan.choose.SINGLE_FEATURES": 2},
    "wide": {"_plan.choose.FULL_CURVATURE_RANK": 4},
    "strongest": {
        "_plan.choose.FULL_CURVATURE_RANK": 4,
        "_plan.choose.SINGLE_CURVATURE_BYTES": 0,
    },
    "columns": {"_plan.choose.ROWS_A_COLUMN": 10**6, "_plan.choose.ALL_COLUMNS_WORK": 0.0},
}
FORMS = ("dense", "float32", "CSR", "one-hot")
LOSSES = tuple(LOSS_VALUES)
KINKED = ("absolute_error", "quantile", "epsilon_insensitive")
TRAITS = ("scales", "offsets", "near", "copies", "constants", "rare", "heavy", "leverage")
TARGETS = ("normal", "t(2)", "Cauchy", "integers", "zeros", "binary", "exact")
WEIGHTS = (None, "exponential", "zeros", "decades")


@dataclass(frozen=True)
class Problem:
    """A problem; every part of it has random numbers of its own, from the seed.

    Attributes
    ----------
    form : {'dense', 'float32', 'CSR', 'one-hot'}
    columns : tuple of str
        Of TRAITS, and "sorted".
    alpha, epsilon : float
        In units of the data: of the alpha that makes everything zero, and of the spread of
        the targets.
    path : str
        A key of PATHS.
    """

    seed: int
    n: int
    d: int
    loss: str = "squared_error"
    penalty: str | None = None
    alpha: float = 0.1
    l1_ratio: float = 0.5
    epsilon: float = 0.5
    quantile: float = 0.5
    positive: bool = False
    intercept: bool = True
    form: str = "dense"
    columns: tuple = ()
    target: str = "normal"
    weights: str | None = None
    outputs: int = 1
    path: str = "plain"

    def __str__(self):
        given = ((f.name, getattr(self, f.name), f.default) for f in fields(self))
        return f"Problem({', '.join(f'{n}={v!r}' for n, v, was in given if v != was)})"

    def rng(self, part):
        return np.random.default_rng([self.seed, crc32(part.encode())])

    @cached_property
    def X(self):
        n, d, rng = self.n, self.d, self.rng("X")
        if self.form == "one-hot":
            share = rng.dirichlet(np.full(d, 0.5 if self.seed % 2 else 50.0))
            level = rng.choice(d, size=n, p=share)
            return sparse.csr_array((np.ones(n), level, np.arange(n + 1)), shape=(n, d))
        X = rng.standard_t(1.5, (n, d)) if "heavy" in self.columns else None
        X = rng.standard_normal((n, d)) if X is None else X
        if self.form == "CSR":
            X = X * (rng.random((n, d)) < rng.uniform(0.05, 0.5))
        third = -(-d // 3)
        base = np.arange(d - third, d) % max(1, d - third)
        for trait in self.columns:
            rng = self.rng(trait)
            if trait in ("near", "copies") and d > 1:
                X[:, d - third :] = X[:, base]
            if trait == "near":
                noise = X[:, d - third :] * rng.standard_normal((n, third))
                # in float32 what is nearer may be a rounding error, and is left out of fits
                least = -3 if self.form == "float32" else -7
                X[:, d - third :] += 10.0 ** rng.uniform(least, -2) * noise
            if trait == "rare":
                for j in rng.choice(d, -(-d // 4), replace=False):
                    X[:, j] *= np.isin(np.arange(n), rng.choice(n, min(n, 3)))
            if trait == "leverage":
                X[rng.choice(n, -(-n // 200), replace=False)] *= 1e3
            if trait == "constants":
                X[:, rng.choice(d, -(-d // 5), replace=False)] = rng.choice([0.0, 1.0, 3.7])
            if trait == "sorted":
                X = X[np.argsort(X[:, 0])]
        if "scales" in self.columns:
            X *= 10.0 ** self.rng("scales").uniform(-3, 3, d)
        blurred = self.form == "float32" and {"near", "copies"} & set(self.columns)
        if "offsets" in self.columns and self.form != "CSR" and not blurred:
            rng = self.rng("offsets")
            X += X.std(axis=0) * 10.0 ** rng.uniform(-1, 3) * rng.choice([0, 1, -1], d)
        if self.form == "CSR":
            return sparse.csr_array(X)
        return X.astype(np.float32) if self.form == "float32" else X

    @cached_property
    def dense(self):
        """X in long double."""
        X = self.X.toarray() if sparse.issparse(self.X) else self.X
        return X.astype(LONG)

    @cached_property
    def Y(self):
        """Targets (n, outputs)."""
        n, d, k, rng = self.n, self.d, self.outputs, self.rng("y")
        Z = self.dense.astype(float)
        Z = Z - Z.mean(axis=0)
        size = np.sqrt(np.mean(Z**2, axis=0))
        Z /= np.where(size > 1e-9 * np.abs(self.dense).max(initial=1e-300), size, np.inf)
        Y = Z @ (rng.standard_normal((d, k)) * (rng.random((d, k)) < 0.6)) + rng.choice(
            [0, 3]
        )
        noise = {
            "t(2)": lambda: rng.standard_t(2, (n, k)),
            "Cauchy": lambda: rng.standard_cauchy((n, k)),
            "exact": lambda: np.zeros((n, k)),
        }
        Y += noise.get(self.target, lambda: rng.standard_normal((n, k)))()
        if self.target == "integers":
            Y = np.round(3 * Y)
        elif self.target == "binary":
            Y = 1.0 * (np.median(Y) < Y)
        elif self.target == "zeros":
            Y = np.abs(Y) * (rng.random((n, k)) < 0.3)
        else:
            Y *= 10.0 ** rng.uniform(-3, 3)
        return Y.astype(np.float32).astype(float) if self.form == "float32" else Y

    @cached_property
    def sample_weight(self):
        n, rng = self.n, self.rng("weights")
        if self.weights == "decades":
            return 10.0 ** rng.uniform(-3, 3, n)
        s = rng.exponential(size=n)
        if self.weights == "zeros":
            s[rng.permutation(n)[: n // 3]] = 0.0
        return s if self.weights else None

    @cached_property
    def s(self):
        """Weights of sum one, in long double."""
        s = np.ones(self.n) if self.sample_weight is None else self.sample_weight
        return s.astype(LONG) / s.astype(LONG).sum()

    @cached_property
    def settings(self):
        """Parameters of the estimator."""
        y, s = self.Y.astype(LONG), self.s
        spread = float(np.sqrt(s @ (y - s @ y) ** 2).max()) or 1.0
        given = {
            "loss": self.loss,
            "penalty": self.penalty,
            "l1_ratio": self.l1_ratio,
            "epsilon": self.epsilon * spread,
            "quantile": self.quantile,
            "positive": self.positive,
            "fit_intercept": self.intercept,
        }
        slope = np.abs(y - s @ y)
        if self.loss == "huber":
            slope = np.minimum(slope, given["epsilon"])
        elif self.loss in KINKED:
            slope = np.ones_like(slope)
        X = self.dense - s @ self.dense if self.intercept else self.dense
        top = float(((s @ slope) * np.sqrt(s @ X**2).max()).max())
        if self.penalty == "l2":  # of which the curvature is a better measure
            top = float((s @ X**2).max()) * (1.0 if self.loss not in KINKED else 1 / spread)
        return given | {"alpha": self.alpha * (top or 1.0)}

    # ------------------------------------------------------------------- objectives

    def objective(self, output):
        """The twin in convex.py of one output."""
        return Objective(
            self.dense.astype(float), self.Y[:, output], self.sample_weight, **self.settings
        )

    def cost(self, output, coef, intercept):
        """F in long double, and what rounding can be of it.

        A sum of d products is off by d + 2 roundings of the sum of their sizes, and the
        loss of a row by its slope times that. The coefficients and the targets are numbers
        in double precision themselves, so one rounding of that precision is added.
        """
        coef, intercept = np.asarray(coef, LONG), LONG(intercept)
        if self.positive and np.min(coef, initial=0.0) < 0:
            return np.inf, 0.0
        f, y, s = self.objective_of(output), self.Y[:, output].astype(LONG), self.s
        r = self.dense @ coef + intercept - y
        sizes = np.abs(self.dense) @ np.abs(coef) + np.abs(intercept) + np.abs(y)
        slack = ((self.d + 2) * np.finfo(LONG).eps + EPS) * sizes
        values = f.losses(r)
        F = s @ values + f.l1 * np.abs(coef).sum() + 0.5 * f.l2 * (coef @ coef)
        rounding = s @ np.abs(f.losses(np.abs(r) + slack) - f.losses(np.abs(r)))
        rounding += (self.n + self.d) * np.finfo(LONG).eps * F
        return F, rounding

    def objective_of(self, output):
        if output not in self.objectives:
            self.objectives[output] = self.objective(output)
        return self.objectives[output]

    @cached_property
    def objectives(self):
        return {}

    @cached_property
    def units(self):
        """What gaps are divided by, one an output: F of the best constant.

        Where the problem is not least squares and has no intercept, F of zero if larger.
        """
        return [self.unit(o) for o in range(self.outputs)]

    def unit(self, output):
        f, y = self.objective_of(output), self.Y[:, output].astype(LONG)
        if self.loss == "squared_error":
            constant = f.losses(y - self.s @ y)
        else:
            constant = f.losses(best_constant(f, y, self.s) - y)
        constant, zero = self.s @ constant, self.s @ f.losses(-y)
        # A constant that only rounding keeps from zero is no unit: `Evaluation.variance`.
        squares = "squared" in self.loss
        eps = EPS if squares else np.finfo(self.X.dtype).eps
        if constant <= ((8 * EPS) ** 2 if squares else eps) * zero:
            constant = max(constant, 8 * eps * zero) if self.intercept else zero
        quadratic = self.loss == "squared_error" and not (
            self.positive or self.penalty in ("l1", "elasticnet")
        )
        if not quadratic and not self.intercept:
            constant = max(constant, zero)
        return float(constant)

    # ------------------------------------------------------------------- references

    def points(self, output):
        """(coef, intercept) by other methods; the lower bound of the first, or None."""
        f = self.objective_of(output)
        y, weights = self.Y[:, output], self.sample_weight
        yield [np.zeros(self.d), self.s @ y if self.intercept else 0.0]
        if self.n * self.d**2 < 3e7:
            with np.errstate(all="ignore"):
                f.bounds  # noqa: B018
            yield f.best
        if self.loss == "squared_error" and not (f.l1 or self.positive):
            yield refined(f)
        if self.loss in KINKED and not f.l2 and self.n * self.d < 1e5:
            yield linear_program(f)
        if self.n * self.d**2 < 1e9:
            model = SGDLinearRegressor(optimizer="interior_point", tol=1e-13, max_iter=300)
            X = self.dense.astype(float)
            model.set_params(**self.settings).fit(X, y, weights)
            yield model.coef_, model.intercept_


def best_constant(f, y, s):
    """The constant of the least loss, by bisection of the slope."""
    low, high = y.min(), y.max()

    def value(c):
        return s @ f.losses(c - y)

    for _ in range(200):  # golden section would meet rounding near a smooth minimum
        a, b = low + (high - low) / 3, high - (high - low) / 3
        low, high = (low, b) if value(a) <= value(b) else (a, high)
    return min((low, high, s @ y, *np.quantile(y, [0.0, 0.5, 1.0])), key=value)


def refined(f):
    """Least squares by a decomposition, corrected by residuals in long double."""
    f._scale()
    root = np.sqrt(f.s)[:, None]
    d = len(f.scale)
    A = np.vstack([f.Z * root, np.eye(d, f.Z.shape[1]) * np.sqrt(f.l2) / f.scale[:, None]])
    u, sv, v = linalg.svd(A, full_matrices=False)
    keep = sv > 1e-13 * sv[0] if len(sv) else sv > 0
    coef, intercept = np.zeros(d, LONG), LONG(0)
    X, y = f.A.astype(LONG), f.y.astype(LONG)
    for _ in range(6):
        r = np.sqrt(f.s) * (y - X @ coef - intercept)
        r = np.append(r, -np.sqrt(f.l2) * coef).astype(float)
        step = v[keep].T @ ((u[:, keep].T @ r) / sv[keep])
        move = step[:d] / f.scale
        coef = coef + move
        if f.fit_intercept:
            intercept = intercept + step[-1] - f.centre @ move
    return coef, intercept


def linear_program(f):
    """A loss with kinks, and l1, by HiGHS, of features of size one."""
    f._scale()
    (n, d), dead = f.A.shape, f.epsilon if f.loss == "epsilon_insensitive" else 0.0
    up, down = (1 - f.quantile, f.quantile) if f.loss == "quantile" else (1.0, 1.0)
    unit = float(np.abs(f.y).max()) or 1.0
    free = f.Z[:, d:]
    Z = np.hstack([f.Z[:, :d], np.zeros((n, 0)) if f.positive else -f.Z[:, :d], free])
    eye = sparse.eye_array(n)
    A = sparse.vstack(
        [sparse.hstack([Z, -eye, 0 * eye]), sparse.hstack([-Z, 0 * eye, -eye])]
    )
    b = np.concatenate([f.y + dead, dead - f.y]) / unit
    price = np.tile(f.l1 / f.scale, 1 if f.positive else 2)
    cost = np.concatenate([price, np.zeros(free.shape[1]), up * f.s, down * f.s])
    bounds = (
        [(0, None)] * len(price) + [(None, None)] * free.shape[1] + [(0, None)] * (2 * n)
    )
    options = {"time_limit": 20.0}
    found = linprog(cost, A_ub=A.tocsr(), b_ub=b, bounds=bounds, options=options)
    if found.x is None:
        return f.best
    v = found.x[: Z.shape[1]] * unit
    w = v[:d] if f.positive else v[:d] - v[d : 2 * d]
    return f.raw(np.append(w, v[len(price) :]))


# -------------------------------------------------------------------------- the judge


@dataclass
class Verdict:
    """What was seen of a fit."""

    failures: tuple = ()
    told: float = np.nan
    true: float = np.nan
    converged: bool = False
    seconds: float = 0.0
    known: bool = False

    def __str__(self):
        said = f"told {self.told:.2g}, true {self.true:.2g}, converged {self.converged}"
        return f"{' '.join(self.failures) or 'right'}: {said}, {self.seconds:.2f} s"


@contextmanager
def forced(path):
    """Constants replaced in every module that has them by name."""
    undo = []
    try:
        for full, value in PATHS[path].items():
            module, name = f"sgdreg.{full}".rsplit(".", 1)
            try:
                was = getattr(importlib.import_module(module), name)
            except (ImportError, AttributeError):
                continue
            for key, one in list(sys.modules.items()):
                if key.startswith("sgdreg.") and getattr(one, name, None) is was:
                    undo.append((one, name, was))
                    setattr(one, name, value)
        yield
    finally:
        for one, name, was in undo:
            setattr(one, name, was)


@contextmanager
def at_most(seconds):
    """TimeoutError after so many seconds, where the system has such a clock."""

    def end(*_):
        raise TimeoutError(f"more than {seconds} s")

    if not hasattr(signal, "SIGALRM"):
        yield
        return
    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def fitted(problem, X):
    """The model and its warnings."""
    y = problem.Y if problem.outputs > 1 else problem.Y[:, 0]
    with forced(problem.path), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = SGDLinearRegressor(random_state=0, **problem.settings)
        with at_most(SECONDS):
            model.fit(X, y, problem.sample_weight)
    return model, caught


def judge(problem, thorough=True):
    """The verdict of the default fit of a problem."""
    begun = time.process_time()
    try:
        model, caught = fitted(problem, problem.X)
    except Exception as error:  # whatever it is, it is a failure
        return Verdict((f"raised {type(error).__name__}: {str(error)[:200]}",))
    verdict = Verdict(seconds=time.process_time() - begun)
    verdict.converged = model.converged_
    verdict.told = model.history_[-1].get("optimality_gap", np.inf)
    failures = []
    kinds = {w.category for w in caught}
    if kinds - {UserWarning, ConvergenceWarning}:
        failures.append(f"warned {[k.__name__ for k in kinds]}")
    if not model.converged_ and not kinds & {UserWarning, ConvergenceWarning}:
        failures.append("silent")
    found = [both(model, o) for o in range(problem.outputs)]
    others = [[] for _ in found]
    comparable = model.converged_ or problem.path not in ("wide", "strongest")
    if sparse.issparse(problem.X) and comparable:
        twin, _ = fitted(problem, problem.X.toarray())
        others = [[both(twin, o)] for o in range(problem.outputs)]
    true, tol = 0.0, model.tol
    for o, point in enumerate(found):
        unit = max(problem.units[o], np.finfo(float).tiny)
        F, rounding = problem.cost(o, *point)
        least = [problem.cost(o, *other)[0] for other in others[o]]
        if least and abs(F - least[0]) > ALIKE * unit + rounding:
            failures.append(f"CSR - dense {float((F - least[0]) / unit):.1e}")
        least = min([F, *least, *(problem.cost(o, *p)[0] for p in trials(problem, o))])
        true = max(true, float((F - least - rounding) / unit) - NOTHING)
        lower = problem.objective_of(o).__dict__.get("bounds", (-np.inf,))[0]
        verdict.known = least - lower <= ALIKE * unit
    verdict.true = true
    if problem.form == "float32" and problem.loss in KINKED:
        tol += float(np.finfo(np.float32).eps)
    if verdict.told < FACTOR * true:
        failures.append("gap")
    if model.converged_ and true > tol:
        failures.append("tol")
    verdict.failures = tuple(failures)
    return verdict


def both(model, output):
    """(coef, intercept) of one output."""
    return np.atleast_2d(model.coef_)[output], np.ravel(model.intercept_)[output]


def trials(problem, output):
    """The points of those methods that end, in their time."""
    methods = problem.points(output)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            with at_most(SECONDS_OF_REFERENCE):
                yield from methods
        except (TimeoutError, np.linalg.LinAlgError, ValueError):
            return


# ---------------------------------------------------------------------- draw, shrink


def draw(seed, largest=20_000, path=None):
    """The problem of a seed, with at most so many rows."""
    rng = np.random.default_rng([seed, 13])

    def one(choices, p=None):
        return choices[rng.choice(len(choices), p=p)]

    form = one(FORMS, [0.5, 0.15, 0.2, 0.15])
    path = path or one(("plain", *list(PATHS)[1:]), [0.4, 0.2, *[0.08] * 5])
    d = int(np.exp(rng.uniform(np.log(1), np.log(31))))
    kind = one(("fewer", "near", "many", "more"), [0.15, 0.2, 0.35, 0.3])
    n = {"fewer": d // 2, "near": d + rng.integers(3), "many": 20 * d, "more": 200 * d}[
        kind
    ]
    if form == "one-hot":
        d = int(one((20, 30, 60) if largest < 1000 else (20, 60, 150, 300, 600)))
        n = int(one((d, 4 * d, 10 * d)))
    if path == "sampled" or (largest >= 20_000 and kind == "more" and form != "one-hot"):
        n = max(n, int(one((1000, 3000, 20_000), [0.4, 0.5, 0.1])))
    n = int(np.clip(n, 3, largest))
    columns = tuple(t for t in TRAITS if rng.random() < 0.18)
    columns += ("sorted",) * (rng.random() < 0.15)
    return Problem(
        seed,
        n,
        d,
        loss=one(LOSSES, [0.25, 0.15, 0.15, 0.15, 0.15, 0.15]),
        penalty=one((None, "l2", "l1", "elasticnet"), [0.35, 0.2, 0.25, 0.2]),
        alpha=float(10.0 ** rng.uniform(-6, 0.3)),
        l1_ratio=float(round(rng.uniform(0.05, 1.0), 2)),
        epsilon=float(10.0 ** rng.uniform(-2, 0.5)),
        quantile=float(one((0.5, 0.9, 0.05, 0.99, rng.uniform(0.01, 0.99)))),
        positive=bool(rng.random() < 0.25),
        intercept=bool(rng.random() < 0.8),
        form=form,
        columns=() if form == "one-hot" else columns,
        target=one(TARGETS),
        weights=one(WEIGHTS, [0.5, 0.2, 0.15, 0.15]),
        outputs=int(one((1, 2), [0.85, 0.15])),
        path=path,
    )


def simpler(problem):
    """Problems with one part simpler, the most telling first."""
    p = problem
    for n in (p.n // 8, p.n // 2, p.n * 3 // 4):
        yield replace(p, n=max(n, 3))
    for d in (p.d // 4, p.d // 2, p.d - 1):
        yield replace(p, d=max(d, 1))
    for trait in p.columns:
        yield replace(p, columns=tuple(t for t in p.columns if t != trait))
    plain = {"outputs": 1, "weights": None, "form": "dense", "positive": False}
    plain |= {"penalty": None, "intercept": True, "target": "normal", "path": "plain"}
    plain |= {"alpha": 0.1, "epsilon": 0.5, "quantile": 0.5, "l1_ratio": 0.5}
    for name, value in plain.items():
        yield replace(p, **{name: value})


def shortest(problem, verdict, seconds=60):
    """A simpler problem that fails in the same way, and its verdict."""
    kinds, end = {f.split()[0] for f in verdict.failures}, time.monotonic() + seconds
    again = True
    while again:
        again = False
        for other in simpler(problem):
            if other == problem or time.monotonic() > end:
                continue
            seen = judge(other)
            if kinds & {f.split()[0] for f in seen.failures}:
                problem, verdict, again = other, seen, True
                break
    return problem, verdict


def main(first, last, *given):
    """Judge the problems of these seeds; a line for each that fails.

    Parameters
    ----------
    given : "name=values", ...
        `largest` and `path` of `draw`; else only problems are judged in which this part is
        one of the values, which commas separate.
    """
    given = dict(one.split("=") for one in given)
    largest, path = int(given.pop("largest", 20_000)), given.pop("path", None)
    counts = {"judged": 0, "failed": 0, "known": 0, "converged": 0}
    for seed in range(int(first), int(last) + 1):
        problem = draw(seed, largest, path)
        if any(
            str(getattr(problem, name)) not in v.split(",") for name, v in given.items()
        ):
            continue
        verdict = judge(problem)
        counts["judged"] += 1
        counts["known"] += verdict.known
        counts["converged"] += verdict.converged
        if verdict.failures:
            counts["failed"] += 1
            say(f"{problem}\n    {verdict}")
            say("    shrunk: {}\n    {}".format(*shortest(problem, verdict)))
        elif verdict.seconds > SECONDS / 6:
            say(f"{problem}\n    slow: {verdict}")
    say(", ".join(f"{name} {count}" for name, count in counts.items()))


def say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])

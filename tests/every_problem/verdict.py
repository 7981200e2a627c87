"""The verdict of a fit: whether what it claims of itself is true."""

import time
import warnings
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from every_problem.paths import forced
from every_problem.problem import KINKED
from every_problem.references import at_most, trials
from sgdreg import SGDLinearRegressor

# What is below this share of the unit of gaps counts as nothing, as in test_certificates.
NOTHING = 1e-13
# The documented factor between the true gap and the one that is told.
FACTOR = 0.3
# A gap that rounding to float32 may leave without a warning, as documented, beside the
# rounding of predictions.
LITTLE = 1e-4
# How far the objectives of a fit of CSR and of the same dense rows may be apart.
ALIKE = 1e-8
# Seconds of the processor that a fit may take.
SECONDS = 20


@dataclass
class Verdict:
    """What was seen of a fit.

    Attributes
    ----------
    failures : tuple of str
        "gap" (what is told is below FACTOR of the true one), "tol" (`converged_`, and the
        true gap is above it), "silent" (neither `converged_` nor a warning nor a reason
        that says that it is unknown), "CSR - dense" (their objectives differ), or an
        exception.
    told, true : float
        The optimality gap of the history; what is proven, of the output that lacks most.
    converged : bool
    seconds : float
        Of the processor.
    known : bool
        Whether a lower bound shows that the best point is an optimum within ALIKE.
    """

    failures: tuple = ()
    told: float = np.nan
    true: float = np.nan
    converged: bool = False
    seconds: float = 0.0
    known: bool = False

    def __str__(self):
        said = f"told {self.told:.2g}, true {self.true:.2g}, converged {self.converged}"
        return f"{' '.join(self.failures) or 'right'}: {said}, {self.seconds:.2f} s"


def fitted(problem, X):
    """The model and its warnings."""
    y = problem.Y if problem.outputs > 1 else problem.Y[:, 0]
    with forced(problem.path), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = SGDLinearRegressor(random_state=0, **problem.settings)
        with at_most(SECONDS):
            model.fit(X, y, problem.sample_weight)
    return model, caught


def judge(problem):
    """The verdict of the default fit of a problem."""
    begun = time.process_time()
    try:
        model, caught = fitted(problem, problem.X)
        seconds = time.process_time() - begun
        comparable = model.converged_ or problem.path not in ("wide", "strongest")
        twin = None
        if sparse.issparse(problem.X) and comparable:
            twin, _ = fitted(problem, problem.X.toarray())
            if problem.path in ("wide", "strongest") and not twin.converged_:
                twin = None
    except Exception as error:  # whatever it is, it is a failure
        return Verdict((f"raised {type(error).__name__}: {str(error)[:200]}",))
    verdict = Verdict(seconds=seconds)
    verdict.converged = model.converged_
    verdict.told = model.history_[-1].get("optimality_gap", np.inf)
    failures = []
    kinds = {w.category for w in caught}
    if kinds - {UserWarning, ConvergenceWarning}:
        failures.append(f"warned {[k.__name__ for k in kinds]}")
    told = ConvergenceWarning in kinds or "cannot tell" in model.stop_reason_
    if not (model.converged_ or told or only_rounded(problem, model, verdict.told)):
        failures.append("silent")
    found = [both(model, o) for o in range(problem.outputs)]
    others = [[both(twin, o)] if twin else [] for o in range(problem.outputs)]
    true, tol, verdict.known = 0.0, model.tol, True
    for o, point in enumerate(found):
        unit = max(problem.units[o], np.finfo(float).tiny)
        F, rounding = problem.cost(o, *point)
        least = [problem.cost(o, *other)[0] for other in others[o]]
        if least and abs(F - least[0]) > ALIKE * unit + rounding:
            failures.append(f"CSR - dense {float((F - least[0]) / unit):.1e}")
        least = min([F, *least, *(problem.cost(o, *p)[0] for p in trials(problem, o))])
        true = max(true, float((F - least - rounding) / unit) - NOTHING)
        lower = problem.objective_of(o).__dict__.get("bounds", (-np.inf,))[0]
        verdict.known &= bool(least - lower <= ALIKE * unit)
    verdict.true = true
    if problem.single and problem.loss in KINKED:
        tol += float(np.finfo(np.float32).eps)
    if verdict.told < FACTOR * true:
        failures.append("gap")
    if model.converged_ and true > tol:
        failures.append("tol")
    verdict.failures = tuple(failures)
    return verdict


def only_rounded(problem, model, gap):
    """Whether only rounding to float32 is left, and as little as needs no warning."""
    if "at the limit of float32" not in model.stop_reason_:
        return False
    unit = max(min(problem.units), np.finfo(float).tiny)
    size = float(np.finfo(np.float32).eps) * np.sqrt(np.mean(problem.Y**2, axis=0).max())
    return gap <= model.tol + LITTLE + (size if problem.loss in KINKED else size**2) / unit


def both(model, output):
    """(coef, intercept) of one output."""
    return np.atleast_2d(model.coef_)[output], np.ravel(model.intercept_)[output]

"""The parameters: what each may be, and which contradict or do without each other."""

import inspect
import warnings
from functools import cache
from numbers import Integral, Real

from sklearn.base import BaseEstimator

from sgdreg import losses, optimizers
from sgdreg._sklearn import Interval, StrOptions

# What scikit-learn checks of each parameter by itself.
CONSTRAINTS = {
    "loss": [
        StrOptions({"squared_error", *losses.NOT_BUILT_YET}),
        BaseEstimator,
    ],
    "penalty": [StrOptions({"l2", "l1", "elasticnet"}), None],
    "alpha": [Interval(Real, 0, None, closed="left")],
    "l1_ratio": [Interval(Real, 0, 1, closed="both"), None],
    "fit_intercept": ["boolean"],
    "epsilon": [Interval(Real, 0, None, closed="left")],
    "quantile": [Interval(Real, 0, 1, closed="neither")],
    "optimizer": [
        StrOptions({"auto", *optimizers.OPTIMIZERS, *optimizers.NOT_BUILT_YET}),
        BaseEstimator,
    ],
    "learning_rate": [
        Interval(Real, 0, None, closed="neither"),
        StrOptions({"auto", "constant", "invscaling", "optimal", "adaptive"}),
        callable,
    ],
    "eta0": [Interval(Real, 0, None, closed="neither")],
    "power_t": [Interval(Real, 0, None, closed="left")],
    "batch_size": [
        Interval(Integral, 1, None, closed="left"),
        StrOptions({"full", "auto"}),
    ],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "tol": [Interval(Real, 0, None, closed="left"), None],
    "shuffle": ["boolean", StrOptions({"rows", "blocks"})],
    "average": [
        "boolean",
        Interval(Integral, 0, None, closed="left"),
        StrOptions({"tail", "auto"}),
    ],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
    "warm_start": ["boolean"],
    "positive": ["boolean"],
    "n_jobs": [Integral, None],
    "verbose": ["verbose"],
    "random_state": ["random_state"],
}

NAMED_STEPS = ("constant", "invscaling", "adaptive")


def check_parameters(estimator, *, online=False, **validation):
    """Raise for parameters that contradict each other, warn about those without effect.

    Parameters
    ----------
    online : bool
        For `partial_fit`.
    **validation
        X_val, y_val and sample_weight_val as given to `fit`.
    """
    p = estimator
    X_val, y_val = validation.get("X_val"), validation.get("y_val")
    if (X_val is None) != (y_val is None):
        given, missing = ("X_val", "y_val") if y_val is None else ("y_val", "X_val")
        raise ValueError(f"{given} was given without {missing}: pass both or neither.")
    if X_val is None and validation.get("sample_weight_val") is not None:
        raise ValueError("sample_weight_val was given without X_val and y_val.")
    if p.early_stopping and X_val is not None:
        raise ValueError(
            "early_stopping=True holds out a validation set of its own, but X_val and "
            "y_val were given too. Use early_stopping=False to validate on X_val."
        )
    if p.early_stopping and online:
        raise ValueError(
            "early_stopping=True does not work with partial_fit, which never stops by "
            "itself. Set early_stopping=False and score after each call."
        )
    if isinstance(p.learning_rate, bool):
        raise ValueError(
            f"learning_rate={p.learning_rate} is neither a step size nor the name of a "
            "schedule; use a positive number, a name or a function."
        )
    if p.learning_rate == "optimal" and p.alpha == 0:
        raise ValueError(
            "learning_rate='optimal' divides by alpha, which is 0. Set alpha > 0 or use "
            "another learning rate."
        )
    if p.learning_rate == "adaptive" and p.tol is None and not online:
        warnings.warn(
            "learning_rate='adaptive' never shortens its steps with tol=None, which "
            "leaves no measure of stalling; set tol.",
            stacklevel=3,
        )
    if p.n_jobs == 0:
        raise ValueError("n_jobs=0 leaves no thread to work: use None, -1 or a number.")
    for name, why in _without_effect(p):
        if getattr(p, name) != _default(type(p), name):
            warnings.warn(
                f"{name}={getattr(p, name)!r} has no effect with {why}.", stacklevel=3
            )


def _without_effect(p):
    """(parameter, the setting that makes it one without effect)."""
    if p.penalty != "elasticnet":
        yield "l1_ratio", f"penalty={p.penalty!r}"
    if p.penalty is None and p.learning_rate != "optimal":
        yield "alpha", "penalty=None"
    if p.loss == "squared_error":
        yield "epsilon", "loss='squared_error'"
        yield "quantile", "loss='squared_error'"
    if not (isinstance(p.learning_rate, str) and p.learning_rate in NAMED_STEPS):
        yield "eta0", f"learning_rate={p.learning_rate!r}"
    if not (isinstance(p.learning_rate, str) and p.learning_rate == "invscaling"):
        yield "power_t", f"learning_rate={p.learning_rate!r}"
    if not p.early_stopping:
        yield "validation_fraction", "early_stopping=False"


@cache
def _default(cls, name):
    for base in cls.__mro__:  # a subclass may take fewer parameters
        parameters = inspect.signature(base.__init__).parameters
        if name in parameters:
            return parameters[name].default
    return None


def snapshot(estimator):
    """The parameters, nested ones too, for comparison (get_params takes 50 µs)."""
    return {
        name: (value, dict(vars(value))) if isinstance(value, BaseEstimator) else value
        for name, value in vars(estimator).items()
        if not name.startswith("_") and not name.endswith("_")
    }

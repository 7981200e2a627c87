"""The parameters: their allowed values, and which contradict or disable each other."""

import inspect
import warnings
from fractions import Fraction
from functools import cache
from numbers import Integral, Real

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator

from sgdreg._persistence.snapshot import is_plain
from sgdreg._sklearn import Interval, StrOptions
from sgdreg.losses import LOSSES
from sgdreg.optimizers import OPTIMIZERS
from sgdreg.penalties import PENALTIES


class Range(Interval):
    """An interval of numbers; fractions and time spans are never in it."""

    def is_satisfied_by(self, val):
        if isinstance(val, Fraction | np.timedelta64):
            return False
        return super().is_satisfied_by(val)


# The constraints that scikit-learn checks, each parameter by itself.
CONSTRAINTS = {
    "loss": [StrOptions(set(LOSSES)), BaseEstimator],
    "penalty": [StrOptions(set(PENALTIES)), BaseEstimator, None],
    "alpha": [Range(Real, 0, None, closed="left")],
    "l1_ratio": [Range(Real, 0, 1, closed="both"), None],
    "fit_intercept": ["boolean"],
    "epsilon": [Range(Real, 0, None, closed="left"), StrOptions({"auto"})],
    "quantile": [Range(Real, 0, 1, closed="neither")],
    "optimizer": [StrOptions({"auto", *OPTIMIZERS}), BaseEstimator],
    "learning_rate": [
        Range(Real, 0, None, closed="neither"),
        StrOptions({"auto", "constant", "invscaling", "optimal", "adaptive", "pa1", "pa2"}),
        callable,
    ],
    "eta0": [Range(Real, 0, None, closed="neither")],
    "power_t": [Range(Real, 0, None, closed="left")],
    "batch_size": [
        Range(Integral, 1, None, closed="left"),
        StrOptions({"full", "auto"}),
    ],
    "max_iter": [Range(Integral, 1, None, closed="left")],
    "tol": [Range(Real, 0, None, closed="left"), None],
    "shuffle": ["boolean", StrOptions({"rows", "blocks", "replacement"})],
    "average": [
        "boolean",
        Range(Integral, 0, None, closed="left"),
        Range(Real, 0, 1, closed="neither"),
        StrOptions({"tail", "auto"}),
    ],
    "early_stopping": ["boolean"],
    "validation_fraction": [Range(Real, 0, 1, closed="neither")],
    "n_iter_no_change": [Range(Integral, 1, None, closed="left")],
    "warm_start": ["boolean"],
    "positive": ["boolean"],
    "n_jobs": [Range(Integral, None, None, closed="neither"), None],
    "verbose": ["verbose"],
    "random_state": ["random_state"],
}

# This many sets of parameters that have passed these checks are remembered.
MOST_KNOWN = 1000
# Integers with more bits than this may be beyond the largest float64, nearly 2^1024.
MOST_BITS = 1023
# The named schedules that read `eta0`.
NAMED_STEPS = ("constant", "invscaling", "adaptive")
# The parameters which others may leave without effect: see `_disabled`.
IDLE = (
    "l1_ratio",
    "alpha",
    "epsilon",
    "quantile",
    "eta0",
    "power_t",
    "validation_fraction",
)


# {set of parameters that has passed the checks: the messages about those without effect}
_passed = {}


def check_parameters(
    estimator, parameters, depth, *, online=False, known=False, **validation
):
    """Raise for parameters that are wrong or contradict each other; warn about idle ones.

    What the values alone tell is found once: it takes 0.2 ms, as long as the fit of a few
    rows. Only values that never change are remembered, by their types too: True is no 1.

    Parameters
    ----------
    parameters : dict
        The snapshot of the estimator's parameters.
    depth : int
        Stack level of the user's call, which warnings point to.
    online : bool
        Whether the call is `partial_fit`.
    known : bool
        Whether the call continues one with equal parameters, objects among them included.
    **validation
        X_val, y_val and sample_weight_val as given to `fit`.
    """
    key = _key(type(estimator), parameters)
    messages = _passed.get(key)
    if messages is None:
        skipped = get_config()["skip_parameter_validation"]
        if key is not None or not known:
            if not skipped:
                estimator._validate_params()
            _refuse_contradictions(estimator)
        messages = _without_effect(estimator)
        if key is not None and not skipped:
            if len(_passed) >= MOST_KNOWN:
                _passed.clear()
            _passed[key] = messages
    _refuse_call(estimator, online, known, validation)
    if estimator.learning_rate == "adaptive" and estimator.tol is None and not online:
        warnings.warn(
            "learning_rate='adaptive' never shortens its steps with tol=None, which "
            "leaves no measure of stalling; set tol.",
            stacklevel=depth,
        )
    for message in messages:
        warnings.warn(message, stacklevel=depth)


def _key(kind, parameters):
    """What tells these parameters from all others; None: their values may change."""
    if not is_plain(parameters):
        return None
    values = tuple(parameters.values())
    return kind, tuple(parameters), values, tuple(map(type, values))


def _without_effect(p):
    """The messages about parameters that others leave without effect."""
    given, defaults = vars(p), _defaults(type(p))
    messages = []
    for name in [n for n in defaults if n in given and given[n] != defaults[n]]:
        disabled = _disabled(p, name)
        if disabled:
            other, value = disabled
            messages.append(f"{name}={given[name]!r} has no effect with {other}={value!r}.")
    return messages


def _refuse_call(p, online, known, validation):
    """Raise for parameters that contradict the call."""
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
    if p.early_stopping and online and not known:
        raise ValueError(
            "early_stopping=True does not work with partial_fit, which never stops by "
            "itself. Set early_stopping=False and score after each call."
        )
    if online and p.epsilon == "auto":
        raise ValueError(
            "epsilon='auto' needs all rows at once, and partial_fit has those of a call: "
            "pass a number, for example 1.35 times the scale_ of a fit of some rows."
        )


def _refuse_contradictions(p):
    """Raise for parameters that contradict each other."""
    _refuse_beyond_floats(p)
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
    if p.penalty == "elasticnet" and p.l1_ratio is None:
        raise ValueError("penalty='elasticnet' needs an l1_ratio in [0, 1], got None.")
    if p.n_jobs == 0:
        raise ValueError("n_jobs=0 leaves no thread to work: use None, -1 or a number.")
    if p.epsilon == "auto" and p.loss != "huber":
        raise ValueError(
            f"epsilon='auto' is for loss='huber', got loss={p.loss!r}: pass a number, in "
            "the units of y."
        )


def _refuse_beyond_floats(p, place=""):
    """Raise for integers too large for float64, also in objects among the parameters."""
    for name, value in vars(p).items():
        if not isinstance(value, (int, BaseEstimator)) or name[0] == "_" or name[-1] == "_":
            continue
        if isinstance(value, BaseEstimator):
            _refuse_beyond_floats(value, f"In {name}: ")
        elif value.bit_length() > MOST_BITS:
            raise ValueError(
                f"{place}{name} of {type(p).__name__} is an integer of "
                f"{value.bit_length()} bits, beyond the largest number that float64 holds "
                "(1.8e308). Use a smaller one."
            )


def _disabled(p, name):
    """(parameter, value) by which another parameter has no effect; None: it has one."""
    if name in ("l1_ratio", "alpha"):
        takes = PENALTIES[p.penalty][1] if isinstance(p.penalty, str) else ()
        idle = name not in takes and (name != "alpha" or p.learning_rate != "optimal")
        other, value = "penalty", p.penalty
        idle = idle and (name != "l1_ratio" or p.l1_ratio is not None)
    elif name in ("epsilon", "quantile"):
        value = p.loss if isinstance(p.loss, str) else type(p.loss).__name__
        other, idle = "loss", value not in LOSSES or LOSSES[value][1] != name
    elif name in ("eta0", "power_t"):
        other, value = "learning_rate", p.learning_rate
        readers = NAMED_STEPS if name == "eta0" else ("invscaling",)
        idle = not (isinstance(value, str) and value in readers)
    else:
        other, value, idle = "early_stopping", False, not p.early_stopping
    return (other, value) if idle else None


@cache
def _defaults(cls):
    """The defaults of the parameters which may be without effect: {name: value}."""
    found = {}
    for base in reversed(cls.__mro__):  # a subclass may take fewer parameters
        parameters = inspect.signature(base.__init__).parameters
        found |= {n: parameters[n].default for n in IDLE if n in parameters}
    return found

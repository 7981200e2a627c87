"""Learning-rate schedules: the step size eta(t) as a pure function of the step counter.

t counts steps (mini-batches): the first step has t = 1. A schedule takes an array of
step numbers and returns one step size for each.

===============  ======================================================
name             eta(t)
===============  ======================================================
``constant``     eta0
``invscaling``   eta0 / t^power_t
``optimal``      1 / (alpha (t0 + t - 1))
``adaptive``     eta0, divided by 5 whenever progress stalls
===============  ======================================================

These are the classes `Constant`, `InvScaling`, `Optimal` and `Adaptive`. The following
classes need a number of steps, so they have no name.

===============  ======================================================
class            eta(t)
===============  ======================================================
`StepDecay`      eta0 · factor^floor((t - 1) / every)
`Exponential`    eta0 · decay^((t - 1) / every)
`Piecewise`      the next of `values` after each of `boundaries`
`Polynomial`     eta0 (1 - (t - 1) / steps)^power, down to `last`
`Cosine`         half a cosine from eta0 to `last`, once or repeated
`OneCycle`       half a cosine up to `largest`, then one down
`WarmUp`         a straight line up to the first step of a schedule,
                 then that schedule
===============  ======================================================

An epoch has ceil(n / batch_size) steps, n the number of rows (1 where batch_size="full"):
``Cosine(0.1, steps=20 * math.ceil(len(X) / 32))`` ends with the 20th epoch of
``batch_size=32``.

A custom schedule is any callable ``t -> eta``. If it accepts an array, it is called once
for many steps, otherwise once a step.
"""

from numbers import Real

from sgdreg.schedules._annealing import (
    Cosine,
    Exponential,
    OneCycle,
    Piecewise,
    Polynomial,
    StepDecay,
)
from sgdreg.schedules._basic import Adaptive, Constant, InvScaling, Optimal, WarmUp
from sgdreg.schedules._steps import step_sizes as step_sizes

__all__ = [
    "Adaptive",
    "Constant",
    "Cosine",
    "Exponential",
    "InvScaling",
    "OneCycle",
    "Optimal",
    "Piecewise",
    "Polynomial",
    "StepDecay",
    "WarmUp",
]

# {name: (its class, the estimator's parameters that it takes)}
SCHEDULES = {
    "constant": (Constant, ["eta0"]),
    "invscaling": (InvScaling, ["eta0", "power_t"]),
    "optimal": (Optimal, ["alpha"]),
    "adaptive": (Adaptive, ["eta0"]),
}


def get_schedule(learning_rate, **parameters):
    """The schedule of a `learning_rate` other than "auto".

    Parameters
    ----------
    learning_rate : float, str or callable
    **parameters
        The estimator's eta0, power_t and alpha, for a schedule given by name.

    Raises
    ------
    ValueError
        For SGDRegressor's 'pa1' and 'pa2'.
    """
    if isinstance(learning_rate, Real):
        return Constant(learning_rate)
    if isinstance(learning_rate, str) and learning_rate in SCHEDULES:
        kind, names = SCHEDULES[learning_rate]
        return kind(*(parameters[name] for name in names))
    if isinstance(learning_rate, str) and learning_rate in ("pa1", "pa2"):
        raise ValueError(
            f"learning_rate={learning_rate!r} is no schedule: a passive-aggressive step "
            "depends on the loss of its own row, not on the step number; use a step size "
            "or a schedule such as 'invscaling' here, or scikit-learn's "
            f"SGDRegressor(learning_rate={learning_rate!r})."
        )
    return learning_rate

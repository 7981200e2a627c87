"""Copies of parameters, for comparison later and for files."""

import inspect
from dataclasses import dataclass
from functools import cache

import numpy as np
from sklearn.base import BaseEstimator

# The types of immutable values.
PLAIN = {bool, int, float, str, type(None)}


@dataclass(frozen=True)
class Frozen:
    """A copy of an object among the parameters: its class and its parameters."""

    kind: type
    parameters: dict


def snapshot(estimator):
    """The parameters of an estimator, or of a dict of them, with nested ones."""
    parameters = estimator
    if type(estimator) is not dict:
        own = vars(estimator)
        parameters = {name: own[name] for name in _names(type(estimator)) if name in own}
    if is_plain(parameters):
        return parameters
    return {name: _frozen(value) for name, value in parameters.items()}


@cache
def _names(kind):
    """The parameters of a class and of its bases: a subclass may take fewer."""
    names = {}
    for base in kind.__mro__:
        names |= dict.fromkeys(inspect.signature(base.__init__).parameters)
    return tuple(names)


def is_plain(parameters):
    """Whether all values are immutable ones, which can be compared and never change."""
    return PLAIN.issuperset(map(type, parameters.values()))


def alike(one, other):
    """Whether two snapshots are equal; False if values cannot be compared."""
    try:
        return bool(one == other)
    except (TypeError, ValueError):  # arrays, and missing values
        return False


def _frozen(value):
    """A parameter's value in a form that can be compared and is not changed later."""
    if isinstance(value, BaseEstimator):
        return Frozen(
            type(value), {name: _frozen(part) for name, part in vars(value).items()}
        )
    return value.tolist() if isinstance(value, np.ndarray) else value

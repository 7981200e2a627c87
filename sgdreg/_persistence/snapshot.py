"""Copies of parameters, for comparison later and for files."""

from dataclasses import dataclass

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
    """The parameters of an estimator, or of a dict of its attributes, with nested ones.

    (get_params would take 50 µs.)
    """
    attributes = estimator if type(estimator) is dict else vars(estimator)
    return {
        name: value if type(value) in PLAIN else _frozen(value)
        for name, value in attributes.items()
        if name[:1] != "_" and name[-1:] != "_"
    }


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

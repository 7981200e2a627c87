"""Whether what a checkpoint holds can have been written by a fit.

A dict of plain values may hold anything; what is of another kind than a fit writes would
make the fit that goes on with it fail anywhere, or run for ever.
"""

from contextlib import contextmanager

import numpy as np

# No sample is made larger more often: each time it is at least doubled.
MOST_TIMES = 64


def whole(value):
    return type(value) is int and 0 <= value < 2**63


def few(value):
    return whole(value) and value <= MOST_TIMES * 2


def number(value):
    return type(value) is float or (type(value) is int and abs(value) < 2**63)


def truth(value):
    return type(value) is bool


def table(value):
    return isinstance(value, np.ndarray) and value.dtype == np.float64 and value.ndim == 2


def vector(value):
    return isinstance(value, np.ndarray) and value.dtype == np.float64 and value.ndim == 1


def power(value):
    return type(value) is int and abs(value) < 2**11


def seed(value):
    numbers = value if isinstance(value, list) else [value]
    return all(type(part) is int and 0 <= part < 2**256 for part in numbers)


def word(value):
    return type(value) is str


def names(value):
    return isinstance(value, list) and all(map(word, value))


def or_none(kind):
    return lambda value: value is None or kind(value)


def several(*kinds):
    return lambda value: (
        isinstance(value, list)
        and len(value) == len(kinds)
        and all(kind(part) for kind, part in zip(kinds, value, strict=True))
    )


def parts_of(kinds):
    return lambda value: (
        isinstance(value, dict)
        and value.keys() == kinds.keys()
        and all(kind(value[name]) for name, kind in kinds.items())
    )


def sizes(value):
    return isinstance(value, list) and all(map(whole, value))


def like(pattern):
    """Of the names, lengths, shapes and types of a pattern."""
    if isinstance(pattern, dict):
        return parts_of({name: like(part) for name, part in pattern.items()})
    if isinstance(pattern, list):
        return several(*map(like, pattern))
    if isinstance(pattern, np.ndarray):
        return lambda value: (
            isinstance(value, np.ndarray)
            and (value.dtype, value.shape) == (pattern.dtype, pattern.shape)
        )
    if isinstance(pattern, bool):
        return truth
    return number if isinstance(pattern, float) else lambda value: value is None


STATE = {
    "weights": table,
    "flat": truth,
    "total": or_none(table),
    "averaged": whole,
    "window": or_none(several(table, whole)),
    "keep": number,
    "memory_since": whole,
    "steps": whole,
    "epochs": whole,
    "passes": number,
    "factor": number,
    "best": number,
    "stale": whole,
    "reference": number,
    "weight_unit": or_none(number),
    "exponent": power,
    "rng": lambda value: isinstance(value, dict),
}
DATA = {"X": sizes, "y": sizes, "dtype": word, "kind": word, "digest": word}
ENTRY = {"epoch", "passes", "seconds", "objective", "learning_rate"}
MEMORY = {
    "own": names,
    "entropy": seed,
    "data": parts_of(DATA),
    "validation": or_none(parts_of(DATA)),
    "solver": or_none(lambda value: isinstance(value, dict)),
    "began": whole,
    "verdict": word,
    "best": or_none(several(number, table, whole, or_none(vector))),
    "loss": or_none(vector),
    "sharpened": few,
}


def check(values, kinds):
    """Raise TypeError where a value is of another kind than it has in `kinds`."""
    for name, kind in kinds.items():
        if not kind(values[name]):
            raise TypeError(f"its {name} is none that fits: {str(values[name])[:50]!r}")


@contextmanager
def damage_noticed(where, expected=()):
    """Say in a sentence that what a checkpoint holds does not hold together.

    Parameters
    ----------
    where : str
        " " and the file; empty for a dict.
    expected : exception or tuple of those
        To be left as they are.
    """
    try:
        yield
    except expected:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ValueError(
            f"The checkpoint{where} is damaged, or of another version of sgdreg "
            f"({type(error).__name__}: {error}). Start the fit anew."
        ) from error

"""Checks that the values of a checkpoint are such as a fit writes.

A dict of plain values may hold anything. With a value of another kind, the resumed fit
could fail anywhere, or never end.
"""

from contextlib import contextmanager

import numpy as np

# The largest count of halvings of the step and of larger samples: a step that is halved
# more often changes no weight, and a sample at least doubles each time.
MOST_TIMES = 128
# Whole numbers fit into int64.
BITS = 63
# Exponents of float64 are between -1074 and 1024.
EXPONENT_BITS = 11
# The bits of a seed's parts; `SeedSequence().entropy` has 128.
SEED_BITS = 256
# Characters of a value that a message shows.
SHOWN = 50


def whole(value):
    return type(value) is int and 0 <= value < 2**BITS


def few(value):
    return whole(value) and value <= MOST_TIMES


def number(value):
    return type(value) is float or (type(value) is int and abs(value) < 2**BITS)


def truth(value):
    return type(value) is bool


def table(value):
    return isinstance(value, np.ndarray) and value.dtype == np.float64 and value.ndim == 2


def vector(value):
    return isinstance(value, np.ndarray) and value.dtype == np.float64 and value.ndim == 1


def power(value):
    return type(value) is int and abs(value) < 2**EXPONENT_BITS


def seed(value):
    numbers = value if isinstance(value, list) else [value]
    return all(type(part) is int and 0 <= part < 2**SEED_BITS for part in numbers)


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
    """A check that a value has the names, lengths, shapes and types of a pattern."""
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
    """Raise TypeError if a value fails the check of its name in `kinds`."""
    for name, kind in kinds.items():
        if not kind(values[name]):
            raise TypeError(f"its {name} is of a wrong kind: {str(values[name])[:SHOWN]!r}")


@contextmanager
def damage_noticed(where, expected=()):
    """Turn errors from damaged values of a checkpoint into a sentence.

    Parameters
    ----------
    where : str
        " " and the file; empty for a dict.
    expected : exception or tuple of those
        Errors that are raised as they are.
    """
    try:
        yield
    except expected:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ValueError(
            f"The checkpoint{where} is damaged, or of another version of sgdreg "
            f"({type(error).__name__}: {error}). Start the fit again."
        ) from error

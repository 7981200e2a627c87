"""Which argument is no array of numbers, and where, in a sentence of our own."""

import re
from contextlib import contextmanager

import numpy as np
from scipy import sparse

# How the types of columns begin that hold points or spans of time, in pandas and polars.
OF_TIME = ("date", "time", "period", "duration", "interval")
ON_TIME = "Turn times into numbers first, such as days since the first one."
# What an error says, and what the argument that it is about is like.
SIGNS = {
    "Found array with 0": lambda value: 0 in np.shape(value),
    "Expected 2D array": lambda value: np.ndim(value) != 2,
    "np.matrix": lambda value: isinstance(value, np.matrix),
}


@contextmanager
def naming(arguments):
    """Errors of conversions within say which of the arguments, {name: value}, is at fault.

    And where, if a cell is no number. What NumPy, pandas and scikit-learn say of it tells
    neither, and speaks of their own insides.
    """
    try:
        yield
    except Exception as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        for name, value in arguments.items():
            if text := _fault(name, value):
                raise kind(text) from error
        if not isinstance(error, ValueError | TypeError | OverflowError):
            raise  # of an object that makes arrays by itself
        named = any(re.search(rf"\b{name}\b", str(error)) for name in arguments)
        if named and isinstance(error, kind):
            raise
        text = str(error) if named else f"In {_named(arguments, error)}: {error}"
        raise kind(text) from error


def _named(arguments, error):
    """The first argument that an error can be about, or all of them."""
    for sign, is_like in SIGNS.items():
        if sign in str(error):
            arguments = [name for name in arguments if is_like(arguments[name])][:1]
    return " and ".join(arguments)


def _fault(name, value):
    """What is wrong with a value that has to be an array of numbers; None if unknown."""
    if getattr(getattr(value, "dtype", None), "kind", "") == "c":
        return _complex(name)
    if sparse.issparse(value):
        return None
    if text := _of_time(name, value):
        return text
    try:
        cells = np.asarray(value)
    except ValueError:
        return _ragged(name, value)
    except Exception:  # whatever an object's own method raises
        return None
    if cells.dtype.kind == "c":
        return _complex(name)
    if cells.dtype.kind == "V":
        return (
            f"In {name}: a structured array of fields {cells.dtype.names} is no array of "
            "numbers. Pass numpy.lib.recfunctions.structured_to_unstructured of it."
        )
    if cells.ndim == 0 and cells.dtype.kind == "O" and not np.isscalar(value):
        return _no_cell(name, value, ())
    if cells.dtype.kind in "OUS":
        for place, cell in np.ndenumerate(cells):
            if text := _no_cell(name, cell, place):
                return text
    if cells.ndim > 2:
        return (
            f"In {name}: Found array with dim {cells.ndim}, of shape {cells.shape}. "
            "Reshape it to rows and columns."
        )
    return None


def _complex(name):
    return (
        f"In {name}: Complex data not supported. Pass real and imaginary parts as columns "
        "of their own."
    )


def _of_time(name, value):
    """Of the first column of a table that holds times; None where no one does."""
    try:
        len(value)  # a table that is not there yet has none
        types = list(zip(value.columns, value.dtypes, strict=True))
    except Exception:  # no table
        return None
    for column, kind in types:
        if str(kind).lower().startswith(OF_TIME):
            return f"In {name}: column {column!r} holds no numbers but {kind}. {ON_TIME}"
    return None


def _no_cell(name, cell, place):
    """Of a cell, or of the whole argument, that is no number; None if it is one."""
    try:
        float(cell)
        return None
    except OverflowError:
        what, remedy = "a number beyond float64, which ends at 1.8e308", "Rescale it."
    except Exception:  # whatever the method of a strange object raises
        if cell is None:  # a missing value, which conversions take as NaN
            return None
        kind = type(cell).__name__
        if isinstance(cell, str | bytes):
            what = "could not convert string to float"
            remedy = "Encode categories, for example with OneHotEncoder."
        elif kind in ("NAType", "NaTType"):
            what, remedy = "a missing value", "Drop such rows, or fill them in."
        elif kind.lower().startswith(OF_TIME):
            what, remedy = f"{kind} is no number", ON_TIME
        elif isinstance(cell, list | tuple | np.ndarray):
            what, remedy = (
                "a cell holds several numbers",
                "Pass an array, numpy.stack(...).",
            )
        elif not place:
            what, remedy = "no array of numbers", "Pass an array, or a list of rows."
        else:
            what = "each cell of an argument must be a number, or a string that is a number"
            remedy = f"This is of type {kind}."
    where = [f"{what} {at}" for what, at in zip(("row", "column"), place, strict=False)]
    at = f" at {', '.join(where)}" if where else ""
    return f"In {name}: {what} ({_shown(cell)}{at}). {remedy}"


def _shown(cell):
    try:
        return repr(str(cell)[:50])
    except Exception:  # integers of too many digits, and methods of strange objects
        return f"a value of type {type(cell).__name__}"


def _ragged(name, rows):
    """Of the first row that is not as long as the first one."""
    try:
        sizes = [np.size(row) for row in rows]
    except Exception:  # rows within rows
        return f"In {name}: rows of one length are needed, and these differ within."
    for row, size in enumerate(sizes):
        if size != sizes[0]:
            return (
                f"In {name}: row {row} has {size} columns, and row 0 has {sizes[0]}. All "
                "rows must have as many."
            )
    return None

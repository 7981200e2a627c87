"""Checks of sparse matrices: compiled code does not check any of their indices.

SciPy checks a matrix when it is made, but not arrays that are assigned to it later, and its
conversions and products read and write wherever the indices point.
"""

from itertools import chain

import numpy as np
from scipy import sparse

REMEDY = "Make it again from its parts, which checks them: see the classes of scipy.sparse."
INDEX_TYPES = (np.int32, np.int64)


def trusted(X, name="X"):
    """Dense X unchanged; sparse X as CSR with all of its indices checked.

    This comes before all conversions of SciPy and checks of scikit-learn. It takes one pass
    over the indices at the speed of memory. X is not changed, and its arrays are copied
    only if the kernels do not take their types.

    Raises
    ------
    ValueError
        If the parts of X do not form a matrix of its shape.
    """
    if not sparse.issparse(X):
        return X
    if X.ndim != 2:
        raise ValueError(
            f"Expected 2D array, got a sparse {name} of shape {X.shape}. Reshape it: "
            "X.reshape(-1, 1) is a single feature, X.reshape(1, -1) a single row."
        )
    try:
        CHECKS[X.format](X)
    except _Malformed as fault:
        raise ValueError(
            f"The sparse {name} ({X.format.upper()}) is not a matrix of shape {X.shape}: "
            f"{fault}. {REMEDY}"
        ) from None
    return _as_kernels_take_it(X.asformat("csr"))


class _Malformed(Exception):
    """The fault of a matrix, as a clause of a sentence."""


def _compressed(X):
    """CSR, CSC and BSR: data and indices, in which each row begins at its indptr."""
    rows, columns = X.shape if X.format != "csc" else X.shape[::-1]
    if X.format == "bsr":
        _check_array(X.data, "data", 3)
        block = X.data.shape[1:]
        if 0 in block or rows % block[0] or columns % block[1]:
            raise _Malformed(f"blocks of shape {block} do not fill it")
        rows, columns = rows // block[0], columns // block[1]
    else:
        _check_array(X.data, "data")
    for part in ("indices", "indptr"):
        _check_integers(getattr(X, part), part)
    indptr = X.indptr
    if len(indptr) != rows + 1:
        raise _Malformed(f"indptr has {len(indptr)} entries for {rows + 1}")
    if indptr[0] != 0:
        raise _Malformed(f"indptr begins with {indptr[0]}, not with 0")
    if (falls := indptr[1:] < indptr[:-1]).any():
        raise _Malformed(f"indptr decreases, first at entry {int(np.argmax(falls)) + 1}")
    count = int(indptr[-1])
    for part in ("indices", "data"):
        if len(getattr(X, part)) < count:
            raise _Malformed(
                f"{part} has {len(getattr(X, part))} entries, and indptr ends with {count}"
            )
    _check_within(X.indices[:count], columns, "indices")


def _coordinates(X):
    """COO: data, and the row and column of each number."""
    _check_array(X.data, "data")
    coords = X.coords if hasattr(X, "coords") else (X.row, X.col)  # SciPy before 1.13
    if len(coords) != 2:
        raise _Malformed(f"it has {len(coords)} arrays of coordinates, not 2")
    for at, size, part in zip(coords, X.shape, ("row", "col"), strict=True):
        _check_integers(at, part)
        if len(at) != len(X.data):
            raise _Malformed(f"{part} has {len(at)} entries, and data {len(X.data)}")
        _check_within(at, size, part)


def _lists(X):
    """LIL: a list of columns and a list of numbers for each row."""
    for part in ("rows", "data"):
        _check_array(getattr(X, part), part)
        if len(getattr(X, part)) != X.shape[0]:
            raise _Malformed(f"{part} has {len(getattr(X, part))} entries")
    for row, (columns, numbers) in enumerate(zip(X.rows, X.data, strict=True)):
        if not isinstance(columns, list) or not isinstance(numbers, list):
            raise _Malformed(f"row {row} is no pair of lists")
        if len(columns) != len(numbers):
            raise _Malformed(
                f"row {row} has {len(columns)} columns for {len(numbers)} numbers"
            )
    _check_within(_integers_of(chain.from_iterable(X.rows)), X.shape[1], "rows")


def _keys(X):
    """DOK: a dict from (row, column) to number."""
    for axis, part in ((0, "row"), (1, "column")):
        keys = _integers_of(key[axis] for key in X.keys())  # noqa: SIM118 (it is no dict)
        _check_within(keys, X.shape[axis], part)


def _diagonals(X):
    """DIA: a row of data for each offset from the main diagonal."""
    _check_array(X.data, "data", 2)
    _check_integers(X.offsets, "offsets")
    if len(X.offsets) != len(X.data):
        raise _Malformed(f"it has {len(X.offsets)} offsets for {len(X.data)} diagonals")
    if len(np.unique(X.offsets)) < len(X.offsets):
        raise _Malformed("an offset occurs twice")
    rows, columns = X.shape
    if len(X.offsets) and not -rows < X.offsets.min() <= X.offsets.max() < columns:
        raise _Malformed("a diagonal is outside it")


CHECKS = {
    "csr": _compressed,
    "csc": _compressed,
    "bsr": _compressed,
    "coo": _coordinates,
    "lil": _lists,
    "dok": _keys,
    "dia": _diagonals,
}


def _check_array(values, part, ndim=1):
    if not isinstance(values, np.ndarray) or values.ndim != ndim:
        shape = f"{np.ndim(values)}-dimensional " if isinstance(values, np.ndarray) else ""
        raise _Malformed(f"{part} is a {shape}{type(values).__name__}")


def _check_integers(values, part):
    _check_array(values, part)
    if values.dtype.kind not in "iu":
        raise _Malformed(f"{part} is of type {values.dtype}")


def _check_within(at, size, part):
    if not len(at):
        return
    if not at.dtype.isnative:
        at = at.astype(at.dtype.newbyteorder("="))
    # Negative numbers, read as unsigned, are huge: one comparison finds both faults.
    unsigned = at.view(f"u{at.itemsize}")
    if unsigned.max() >= size:
        where = int(np.argmax(unsigned >= size))
        raise _Malformed(f"{part}[{where}] is {at[where]}, outside 0 to {size - 1}")


def _integers_of(values):
    try:
        return np.fromiter(values, dtype=np.int64)
    except (TypeError, ValueError, OverflowError, LookupError):
        raise _Malformed("a row or column is no integer, or too large a one") from None


def _as_kernels_take_it(X):
    """The same CSR with indices of one type that kernels take, without unused entries."""
    kind, count = X.indptr.dtype, int(X.indptr[-1])
    known = X.indices.dtype == kind and kind in INDEX_TYPES
    if known and len(X.data) == len(X.indices) == count:
        return X
    indices, indptr = X.indices[:count], X.indptr
    if not known:
        indices, indptr = indices.astype(np.int64), indptr.astype(np.int64)
    return type(X)((X.data[:count], indices, indptr), shape=X.shape)

"""Types of the signatures, for type checkers: never imported when code runs."""

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

Array: TypeAlias = NDArray[np.float64]
MatrixLike: TypeAlias = ArrayLike | sparse.sparray | sparse.spmatrix
Path: TypeAlias = str | bytes | PathLike[str] | PathLike[bytes]
Schedule: TypeAlias = Callable[[Array], ArrayLike]
# Keyword arguments that are passed on to matplotlib.
Keywords: TypeAlias = Mapping[str, Any] | None
# One object, several, or several with the names that a picture shows.
T = TypeVar("T")
OneOrMore: TypeAlias = T | Sequence[T] | Mapping[str, T]

__all__ = ["Array", "ArrayLike", "Keywords", "MatrixLike", "OneOrMore", "Path", "Schedule"]

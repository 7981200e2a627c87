"""Rows that are read in pieces, because memory does not hold all of them."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass


@dataclass(frozen=True)
class Chunks:
    """A data set that is read from its beginning for every epoch.

    Attributes
    ----------
    read : callable
        () -> generator of (X, y, weights or None).
    again : bool
        Whether `read` may be called again.

    Examples
    --------
    A file of numbers in pairs (x, y), of which 1,000 (16 bytes each) are read at a time:

    >>> from tempfile import TemporaryFile
    >>> import numpy as np
    >>> from sgdreg import SGDLinearRegressor
    >>> from sgdreg._data.chunks import Chunks
    >>> from sgdreg._estimator.from_chunks import FromChunks
    >>> file = TemporaryFile()
    >>> x = np.random.default_rng(0).normal(size=2500)
    >>> _ = file.write(np.column_stack([x, 3 * x + 1]).tobytes())
    >>> def read():
    ...     _ = file.seek(0)
    ...     while len(rows := np.frombuffer(file.read(16_000)).reshape(-1, 2)):
    ...         yield rows[:, :1], rows[:, 1], None
    >>> fit = FromChunks(SGDLinearRegressor(), Chunks(read))
    >>> converged, reason = fit.fit()
    >>> converged, fit.estimator.coef_.round(6)
    (True, array([3.]))
    >>> file.close()
    """

    read: Callable
    again: bool = True

    def reading(self):
        """A context that yields the chunks once, and closes open files at its end."""
        return closing(self.read())

"""A source of rows in chunks, which can be read again and again."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass


class Part(tuple):
    """A chunk (X, y, weights or None) that knows where it comes from."""

    where: str

    @classmethod
    def of(cls, X, y, weights, where):
        part = cls((X, y, weights))
        part.where = where
        return part


@dataclass(frozen=True, repr=False)
class Chunks:
    """Rows that are read from their beginning, each time they are needed.

    Made by :func:`sgdreg.chunks`.

    Attributes
    ----------
    read : callable
        () -> generator of (X, y, weights or None).
    again : bool
        Whether `read` may be called again.
    title : str
        What is read.
    pieces : callable or None
        () -> list of functions that each return one of the chunks: where the source can be
        read in any order.
    names : list of str or None
        Names of the columns of X, where they are known before any row.
    targets : callable or None
        () -> generator of the parts of every chunk without features, (None, y, weights or
        None), where they can be read so.
    dtype : dtype or None
        float32 or float64; known with `targets`.
    width : int or None
        The number of columns of dense X; known with `targets`.

    Examples
    --------
    A file of numbers in pairs (x, y), of which 1,000 (16 bytes each) are read at a time:

    >>> from tempfile import TemporaryFile
    >>> import numpy as np
    >>> from sgdreg import SGDLinearRegressor, chunks
    >>> file = TemporaryFile()
    >>> x = np.random.default_rng(0).normal(size=2500)
    >>> _ = file.write(np.column_stack([x, 3 * x + 1]).tobytes())
    >>> def read():
    ...     _ = file.seek(0)
    ...     while len(rows := np.frombuffer(file.read(16_000)).reshape(-1, 2)):
    ...         yield rows[:, :1], rows[:, 1]
    >>> model = SGDLinearRegressor().fit(chunks(read))
    >>> model.converged_, model.coef_.round(6)
    (True, array([3.]))
    >>> file.close()
    """

    read: Callable
    again: bool = True
    title: str = "chunks of rows"
    pieces: Callable | None = None
    names: list | None = None
    targets: Callable | None = None
    dtype: type | None = None
    width: int | None = None

    def __repr__(self):
        return f"<{self.title}>"

    def __array__(self, *args, **kwargs):
        """Refuse to become an array, in words that users of GridSearchCV read."""
        raise TypeError(
            f"{self!r} cannot be held as an array or indexed by rows, as GridSearchCV and "
            "cross_val_score need it: search on a sample of the rows in memory, and fit "
            "the best settings to the chunks."
        )

    def parts(self, numbers=None):
        """A generator of the chunks; or of those with these numbers, in this order."""
        if numbers is None:
            return self.read()
        pieces = self.pieces()
        return (pieces[number]() for number in numbers)

    @classmethod
    def of_pieces(cls, pieces, title, **known):
        """Chunks that can be read in any order."""

        def read():
            return (piece() for piece in pieces())

        return cls(read, title=title, pieces=pieces, **known)

    def reading(self):
        """A context that yields the chunks once, and closes open files at its end."""
        return closing(self.read())

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
    """

    read: Callable
    again: bool = True

    def reading(self):
        """A context that yields the chunks once, and closes open files at its end."""
        return closing(self.read())

"""Rows that are read some at a time, as memory does not hold them all."""

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
        Whether it may be called again.
    """

    read: Callable
    again: bool = True

    def reading(self):
        """A context in which the chunks are met once; what is open is closed at its end."""
        return closing(self.read())

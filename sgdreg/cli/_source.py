"""A file as the source of a fit: pieces of rows, a survey of its columns, numbers."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import chain

from sgdreg.cli._cells import PLAIN
from sgdreg.cli._input import Place
from sgdreg.cli._numerals import Numerals
from sgdreg.cli._progress import watching

# Rows of a source that are surveyed before the fit, if it can be read only once.
HEAD_ROWS = 100_000
# Tables of at most this many bytes are kept after the survey, so that they are not read
# again: reading text of many columns takes most of the time of a small fit.
KEPT = 2**23


@dataclass(frozen=True)
class Source:
    """A table of rows, read in pieces.

    Attributes
    ----------
    title : str
    names : list of str or None
        Names of the columns; None: any index is a column (svmlight).
    pieces : callable
        (columns or None) -> iterator of pieces with at least these columns.
    survey : callable
        (pieces) -> Survey.
    rows : callable
        (pieces, wanted) -> iterator of FileRows.
    again : bool
        Whether `pieces` may be called again.
    target : str or None
        The column to predict, where the format says it.
    features : list of str or None
        The columns that may be features; None: all.
    targets : list of str
        Columns of which one has to be chosen as the target, where the format has several.
    numerals : Numerals
        The format of numbers in its text.
    notes : list of str
        Sentences on what is unusual about the file as a whole.
    place : Place or None
        How far its bytes have been read; None: it is in memory.
    count : int or None
        The number of its rows, where a survey has found it.
    """

    title: str
    names: list | None
    pieces: Callable
    survey: Callable
    rows: Callable
    again: bool = True
    target: str | None = None
    features: list | None = None
    targets: list = field(default_factory=list)
    numerals: Numerals = PLAIN
    notes: list = field(default_factory=list)
    place: Place | None = None
    count: int | None = None

    def numbers(self, wanted):
        """The FileRows of the wanted columns, piece by piece."""
        return self.rows(self.pieces(wanted.columns), wanted)

    def surveyed(self):
        """(the survey, a source to fit from); it covers only the first rows of a stream."""
        if self.again:
            kept = _Kept()
            with watching(f"Reading {self.title}", self) as watched:
                survey = self.survey(kept.passing(watched(self.pieces(None))))
            if kept.pieces is None:
                return survey, replace(self, count=survey.rows)
            return survey, replace(self, pieces=lambda _: iter(kept.pieces), place=None)
        rest, head, rows = self.pieces(None), [], 0
        for piece in rest:
            head.append(piece)
            rows += len(piece)
            if rows >= HEAD_ROWS:
                break
        return self.survey(head), replace(self, pieces=lambda _: chain(head, rest))


class _Kept:
    """Keeps the pieces that pass through it, as long as they are at most KEPT bytes."""

    def __init__(self):
        self.pieces, self.size = [], 0

    def passing(self, pieces):
        """Yield the same pieces."""
        for piece in pieces:
            self.size += piece.nbytes
            if self.size > KEPT:
                self.pieces = None
            elif self.pieces is not None:
                self.pieces.append(piece)
            yield piece

"""Counts of the rows of a file that are used and dropped, and the notes on them."""

from shlex import quote

from sgdreg.cli._messages import Unusable, counted, listed
from sgdreg.cli._rows import add_odd, complete, ignored, remarks


class Tally:
    """Passes on the rows of a file that have no empty cell, and counts the others.

    It serves files in memory and streamed files, so that both get the same notes.

    Parameters
    ----------
    title : str
        Name of the file.
    wanted : Wanted
    fitted : bool
        Whether it is the file of the fit; then notes need not name it.

    Attributes
    ----------
    seen, kept : int
        The number of rows so far, and of those without an empty cell.
    weighted : bool
        Whether a kept row has a weight above 0.
    empty : dict of int
        Empty cells of dropped rows, by column.
    unknown : dict of Odd
        Categories that are not in the model, by column.
    extra : set of int
        Indices of svmlight that are not in the model.
    """

    def __init__(self, title, wanted, fitted=True):
        self.title, self.wanted, self.fitted = title, wanted, fitted
        self.seen, self.kept, self.weighted = 0, 0, False
        self.empty, self.unknown, self.extra = {}, {}, set()

    def complete(self, part):
        """The rows of the next part without an empty cell."""
        rows, empty = complete(part, self.wanted, self.title)
        self.seen += len(part)
        self.kept += len(rows)
        self.weighted |= bool(len(rows) if rows.weights is None else rows.weights.any())
        for name, count in empty.items():
            self.empty[name] = self.empty.get(name, 0) + count
        add_odd(self.unknown, part.unknown)
        self.extra |= part.extra
        return rows

    def check(self):
        """Raise Unusable where too few rows are left."""
        title = self.title
        if self.seen == 0:
            raise Unusable(f"{title} has a header but no rows.")
        if self.kept == 0:
            raise Unusable(
                f"No rows are left: each of the {self.seen:,} rows of {title} has an empty "
                f"cell in a used column{self._emptiest(': ')}{self._remedy('; ')}."
            )
        if self.kept == 1:
            raise Unusable(f"{title} has only one row to fit; a line takes two at least.")
        if not self.weighted:
            raise Unusable(f"All weights in column {self.wanted.weights} of {title} are 0.")

    def notes(self):
        """Sentences on the rows that are dropped, and on unknown categories."""
        notes = remarks(self.unknown, self.title)
        if self.kept < self.seen:
            where = "" if self.fitted else f" of {self.title}"
            notes.append(
                f"Dropped {self.seen - self.kept:,} of {self.seen:,} rows{where} for empty "
                f"cells{self._emptiest(', in: ')}."
            )
        if self.extra:
            notes.append(f"{self.title}: {ignored(sorted(self.extra))}")
        return notes + self._warnings()

    def _warnings(self):
        """A sentence where few rows are left."""
        dropped, features = self.seen - self.kept, len(self.wanted.features)
        few = self.fitted and self.kept <= features
        if not dropped or not (few or self.kept < dropped):
            return []
        left = f"Only {counted(self.kept, 'row')} of {self.seen:,} of {self.title} are left"
        if few:
            left += f", no more than there are features ({features:,})"
        return [f"{left}{self._remedy(': ')}."]

    def _remedy(self, before):
        """The advice to leave out the emptiest column; nothing where it is needed."""
        name = max(self.empty, key=self.empty.get)
        if not self.fitted or name not in self.wanted.places or len(self.wanted.places) < 2:
            return ""
        advice = f"{before}--ignore {quote(name)} leaves the emptiest column out"
        if self.wanted.categories[name] is not None:
            advice += ", --keep-missing-category makes its empty cells a category"
        return advice

    def _emptiest(self, before):
        """The number of empty cells of each column, the emptiest column first."""
        counts = sorted(self.empty.items(), key=lambda pair: -pair[1])
        names = [f"{name} ({count:,})" for name, count in counts]
        return f"{before}{listed(names)}" if names else ""

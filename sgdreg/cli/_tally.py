"""How many rows of a file are used, and why the others are not."""

from shlex import quote

from sgdreg.cli._messages import Unusable, counted, listed
from sgdreg.cli._rows import add_odd, complete, ignored, remarks


class Tally:
    """Passes on the rows of a file that have no empty cell, and counts the others.

    A file that is held in memory and one that is streamed are counted by the same tally, so
    that both are told the same.

    Parameters
    ----------
    title : str
        Of the file.
    wanted : Wanted
    fitted : bool
        Whether it is the file that is fitted to, whose name needs no mention.

    Attributes
    ----------
    met, kept : int
        Rows so far, and those of them without an empty cell.
    weighted : bool
        Whether one of these has a weight above 0.
    empty : dict of int
        Empty cells of rows that are dropped, by column.
    unknown : dict of Odd
        Categories that the model does not know, by column.
    extra : set of int
        Indices of svmlight that are none of the model's.
    """

    def __init__(self, title, wanted, fitted=True):
        self.title, self.wanted, self.fitted = title, wanted, fitted
        self.met, self.kept, self.weighted = 0, 0, False
        self.empty, self.unknown, self.extra = {}, {}, set()

    def complete(self, part):
        """The rows of the next part without an empty cell."""
        rows, empty = complete(part, self.wanted, self.title)
        self.met += len(part)
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
        if self.met == 0:
            raise Unusable(f"{title} has a header but no rows.")
        if self.kept == 0:
            raise Unusable(
                f"No rows are left: each of the {self.met:,} rows of {title} has an empty "
                f"cell in a used column{self._emptiest(': ')}{self._remedy('; ')}."
            )
        if self.kept == 1:
            raise Unusable(f"{title} has only one row to fit; a line takes two at least.")
        if not self.weighted:
            raise Unusable(f"All weights in column {self.wanted.weights} of {title} are 0.")

    def notes(self):
        """Sentences on the rows that are dropped, and on unknown categories."""
        notes = remarks(self.unknown, self.title)
        if self.kept < self.met:
            where = "" if self.fitted else f" of {self.title}"
            notes.append(
                f"Dropped {self.met - self.kept:,} of {self.met:,} rows{where} for empty "
                f"cells{self._emptiest(', in: ')}."
            )
        if self.extra:
            notes.append(f"{self.title}: {ignored(sorted(self.extra))}")
        return notes + self._warnings()

    def _warnings(self):
        """A sentence where too little is left of a file to say much of it."""
        dropped, features = self.met - self.kept, len(self.wanted.features)
        few = self.fitted and self.kept <= features
        if not dropped or not (few or self.kept < dropped):
            return []
        left = f"Only {counted(self.kept, 'row')} of {self.met:,} of {self.title} are left"
        if few:
            left += f", no more than there are features ({features:,})"
        return [f"{left}{self._remedy(': ')}."]

    def _remedy(self, before):
        """How to go on without the emptiest column; nothing where it has to stay."""
        name = max(self.empty, key=self.empty.get)
        if not self.fitted or name not in self.wanted.places or len(self.wanted.places) < 2:
            return ""
        advice = f"{before}--ignore {quote(name)} leaves the emptiest column out"
        if self.wanted.categories[name] is not None:
            advice += ", --keep-missing-category makes its empty cells a category"
        return advice

    def _emptiest(self, before):
        """How many empty cells there are in each column, the emptiest first."""
        counts = sorted(self.empty.items(), key=lambda pair: -pair[1])
        names = [f"{name} ({count:,})" for name, count in counts]
        return f"{before}{listed(names)}" if names else ""

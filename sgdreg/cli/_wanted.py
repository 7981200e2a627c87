"""The columns of a file that a model uses: features, target and weights, by name."""

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from sgdreg.cli._messages import MOST_NAMES, Unusable, listed, nearest

# The name under which the category of empty cells is shown.
EMPTY = "(empty)"


@dataclass(frozen=True)
class Wanted:
    """The columns that a model uses.

    Attributes
    ----------
    features : tuple of (str, str or None)
        Pairs (column, category). The category None means a numeric column; otherwise the
        feature is 1 where the column has this category, else 0. The category "" stands
        for empty cells.
    target, weights : str or None
    ignored : tuple of str
        Columns that the user has left out; files may have them without a note.
    """

    features: tuple
    target: str | None
    weights: str | None = None
    ignored: tuple = ()

    @cached_property
    def names(self):
        """The names of the features."""
        return [c if k is None else f"{c}={k or EMPTY}" for c, k in self.features]

    @cached_property
    def places(self):
        """{column: slice of its features}; the features of a column are neighbours."""
        found = {}
        for j, (column, _) in enumerate(self.features):
            start = found[column].start if column in found else j
            found[column] = slice(start, j + 1)
        return found

    @cached_property
    def categories(self):
        """{column: list of its categories, or None for a numeric column}."""
        found = {}
        for column, place in self.places.items():
            names = [k for _, k in self.features[place]]
            found[column] = None if names[0] is None else names
        return found

    @cached_property
    def columns(self):
        """All columns, each once."""
        single = [name for name in (self.target, self.weights) if name is not None]
        return list(dict.fromkeys([*self.places, *single]))

    def with_names(self, warning):
        """A warning of the estimator, with the names of features instead of numbers."""
        return re.sub(
            r"^(Columns? )(\d+(?:, \d+)*)(.*?) of X:",
            lambda found: f"{found[1]}{self._named(found[2].split(', '))}{found[3]}:",
            warning,
        )

    def _named(self, numbers):
        return ", ".join(self.names[int(j)] for j in numbers)

    def check_columns_of(self, source, whose):
        """Raise Unusable where a source lacks a column, or has it twice.

        Parameters
        ----------
        whose : str
            The owner of the columns, for the message.
        """
        if source.names is None:  # any index is a column
            missing = [c for c in self.columns if not c.isdigit() and c != source.target]
            names = []
        else:
            names = source.names
            known = Counter(names)
            missing = [c for c in self.columns if c not in known]
            for name in self.columns:
                if known[name] > 1:
                    raise Unusable(
                        f"{source.title} has {known[name]} columns called {name}; give "
                        "each a name of its own."
                    )
        if not missing:
            return
        near = {name: nearest(name, names) for name in missing[:MOST_NAMES]}
        hints = [f"{n} (is it {near[n]}?)" if near.get(n) else n for n in missing]
        word = "column" if len(missing) == 1 else "columns"
        raise Unusable(f"{source.title} lacks the {word} {listed(hints)} of {whose}.")

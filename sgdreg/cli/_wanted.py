"""What a model takes of a file: its features, its target, its weights, by name."""

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from sgdreg.cli._messages import MOST_NAMES, Unusable, listed, nearest

# What the category of empty cells is shown as.
EMPTY = "(empty)"


@dataclass(frozen=True)
class Wanted:
    """The columns that a model takes.

    Attributes
    ----------
    features : tuple of (str, str or None)
        (column, category) each: a column of numbers where the category is None, else
        whether the column has it: 1 or 0. The category "" is that of empty cells.
    target, weights : str or None
    ignored : tuple of str
        Columns that the user has left out, which are no surprise in a file.
    """

    features: tuple
    target: str | None
    weights: str | None = None
    ignored: tuple = ()

    @cached_property
    def names(self):
        """Of the features."""
        return [c if k is None else f"{c}={k or EMPTY}" for c, k in self.features]

    @cached_property
    def places(self):
        """{column: slice of its features}; those of a column stand together."""
        found = {}
        for j, (column, _) in enumerate(self.features):
            start = found[column].start if column in found else j
            found[column] = slice(start, j + 1)
        return found

    @cached_property
    def categories(self):
        """{column: its categories, a list; None: it is one of numbers}."""
        found = {}
        for column, place in self.places.items():
            names = [k for _, k in self.features[place]]
            found[column] = None if names[0] is None else names
        return found

    @cached_property
    def columns(self):
        """All of them, each once."""
        single = [name for name in (self.target, self.weights) if name is not None]
        return list(dict.fromkeys([*self.places, *single]))

    def with_names(self, warning):
        """A warning of the estimator, which knows features by their numbers, with names."""
        return re.sub(
            r"^(Columns? )(\d+(?:, \d+)*)(.*?) of X:",
            lambda found: f"{found[1]}{self._named(found[2].split(', '))}{found[3]}:",
            warning,
        )

    def _named(self, numbers):
        return ", ".join(self.names[int(j)] for j in numbers)

    def check_columns_of(self, source, whose):
        """Raise Unusable where a source lacks one, or has it twice.

        Parameters
        ----------
        whose : str
            Of what they are the columns, for the message.
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

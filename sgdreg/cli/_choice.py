"""Which columns of a file are used, and what is said about the others."""

import re
from collections import Counter
from dataclasses import dataclass

from sgdreg.cli import _cells
from sgdreg.cli._messages import Unusable, counted, listed, nearest
from sgdreg.cli._survey import MOST_COUNTED
from sgdreg.cli._wanted import Wanted


@dataclass(frozen=True)
class Choice:
    """What a user says about the columns.

    Attributes
    ----------
    target, weights : str or None
    one_hot : bool
        Whether text becomes a column of 0 and 1 for each category.
    max_categories : int
        Columns of text that have more are dropped.
    """

    target: str | None = None
    weights: str | None = None
    one_hot: bool = False
    max_categories: int = 100

    def __post_init__(self):
        if not 2 <= self.max_categories <= MOST_COUNTED:
            raise Unusable(
                f"--max-categories must be from 2 to {MOST_COUNTED:,}, got "
                f"{self.max_categories}."
            )
        if self.target is not None and self.target == self.weights:
            raise Unusable(f"{self.target} cannot be both the target and the weights.")

    def wanted(self, survey, source):
        """(what is wanted of the source's columns, notes in sentences)."""
        columns, title = survey.columns, source.title
        _refuse_same([c.name for c in columns], f"{title} has")
        if survey.rows == 0:
            raise Unusable(f"{title} has a header but no rows.")
        notes = _notes_on_header(columns)
        target = self._target(survey, source, notes)
        weights = None
        if self.weights is not None:
            weights = _find(self.weights, survey, "weights").name
        usable = [c for c in columns if c.name not in (target, weights)]
        if source.features is not None:
            among = set(source.features)
            usable = [c for c in usable if c.name in among]
        features, dropped = [], []
        for column in usable:
            if column.kind == "numbers":
                features.append((column.name, None))
            elif why := self.why_dropped(column):
                dropped.append((column.name, why))
            else:
                features += [(column.name, name) for name in sorted(column.categories)]
        notes += _notes_on_dropped(dropped)
        if not features:
            text = not self.one_hot and any(
                c.kind == "text" and not c.spoilt for c in usable
            )
            if text:
                notes.append("--one-hot makes features of text columns.")
            raise Unusable(
                f"{title} has no numeric column besides the target {target}, so there is "
                f"nothing to predict it from. {' '.join(notes)}".rstrip()
            )
        wanted = Wanted(tuple(features), target, weights)
        _refuse_same(wanted.names, f"--one-hot of {title} makes")
        return wanted, notes

    def why_dropped(self, column):
        """Why a column that is not of numbers is no feature; None where it is one."""
        if column.kind != "text" or column.spoilt or not self.one_hot:
            return column.why_not_numbers()
        names = column.categories
        if names is not None and len(names) == 1:
            return f"all its cells are {next(iter(names))!r}"
        if names is None or len(names) > self.max_categories:
            number = f"more than {MOST_COUNTED:,}" if names is None else f"{len(names):,}"
            return (
                f"it has {number} categories, and --max-categories is {self.max_categories}"
            )
        if max(names.values()) == 1:
            return "its cells are all different"
        return None

    def _target(self, survey, source, notes):
        if self.target is not None:
            if source.target is not None and source.names is None:
                raise Unusable(
                    f"The target of {source.title} is the first number of each line; "
                    "--target is for other formats."
                )
            return _find(self.target, survey, "target").name
        if source.target is not None:
            return _find(source.target, survey, "target").name
        numeric = [
            c.name for c in survey.columns if c.kind == "numbers" and c.name != self.weights
        ]
        if not numeric:
            names = [c.name for c in survey.columns]
            if len(names) == 1 and " " in names[0]:
                raise Unusable(
                    f"{source.title} has one column, {names[0]!r}; --delimiter space reads "
                    "columns that spaces separate."
                )
            why = [(c.name, c.why_not_numbers()) for c in survey.columns if c.spoilt]
            reasons = " ".join(_notes_on_dropped(why))
            raise Unusable(
                f"{source.title} has no numeric columns: {listed(names)}. {reasons}".strip()
            )
        notes.insert(
            0,
            f"The target is {numeric[-1]}, the last numeric column; --target NAME chooses "
            "another.",
        )
        return numeric[-1]


def _refuse_same(names, where):
    """Raise Unusable where a name occurs twice."""
    for name, count in Counter(names).items():
        if count > 1:
            raise Unusable(
                f"{where} {count} columns called {name}; give each a name of its own."
            )


def _find(name, survey, role):
    """The column of that name, which must be one of numbers."""
    title, columns = survey.title, survey.columns
    found = next((c for c in columns if c.name == name), None)
    if found is None:
        names = [c.name for c in columns]
        near = nearest(name, names)
        hint = f" Did you mean {near}?" if near else ""
        raise Unusable(
            f"{title} has no column {name}.{hint} Its columns are: {listed(names)}."
        )
    if found.kind != "numbers":
        raise Unusable(
            f"The {role} {name} of {title} is not numeric: {found.why_not_numbers()}."
        )
    return found


def _notes_on_header(columns):
    if all(re.match(_cells.NUMBER, c.name) for c in columns):
        return [
            "The first line is taken as the header but consists of numbers; add a "
            "line of names if it is a row of data."
        ]
    return []


def _notes_on_dropped(dropped):
    """Sentences on (name, why) of the columns that are not used."""
    text = [name for name, why in dropped if why == "it is text"]
    notes = []
    if text:
        notes.append(f"Dropped {counted(len(text), 'text column')}: {listed(text)}.")
    return notes + [
        f"Dropped column {name}: {why}." for name, why in dropped if why != "it is text"
    ]

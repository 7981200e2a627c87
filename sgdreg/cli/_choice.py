"""The choice of the columns of a file, and the notes on columns that are not used."""

import re
from collections import Counter
from dataclasses import dataclass

from sgdreg.cli import _table
from sgdreg.cli._messages import Unusable, counted, listed, nearest
from sgdreg.cli._survey import MOST_COUNTED
from sgdreg.cli._wanted import Wanted

# The default of --max-categories.
MOST_CATEGORIES = 100
# Separators that some files have, and that are not looked for.
OTHER_MARKS = ":^~#"


@dataclass(frozen=True)
class Choice:
    """The options of a user that choose columns.

    Attributes
    ----------
    target, weights : str or None
    one_hot : bool
        Whether text becomes a column of 0 and 1 for each category.
    max_categories : int or None
        Text columns with more categories are dropped; None: `MOST_CATEGORIES`.
    ignore : tuple of str
        Columns that are left out.
    keep_missing : bool
        Whether the empty cells of a text column are a separate category.
    """

    target: str | None = None
    weights: str | None = None
    one_hot: bool = False
    max_categories: int | None = None
    ignore: tuple = ()
    keep_missing: bool = False

    def __post_init__(self):
        given = self.max_categories is not None
        if not given:
            object.__setattr__(self, "max_categories", MOST_CATEGORIES)
        if not 2 <= self.max_categories <= MOST_COUNTED:
            raise Unusable(
                f"--max-categories must be from 2 to {MOST_COUNTED:,}, got "
                f"{self.max_categories}."
            )
        if given and not self.one_hot:
            raise Unusable("--max-categories is for --one-hot; give both, or none.")
        if self.target is not None and self.target == self.weights:
            raise Unusable(f"{self.target} cannot be both the target and the weights.")
        if self.keep_missing and not self.one_hot:
            raise Unusable("--keep-missing-category is for --one-hot; give both, or none.")
        for role, name in (("target", self.target), ("weights", self.weights)):
            if name is not None and name in self.ignore:
                raise Unusable(f"{name} cannot be both the {role} and ignored.")

    def wanted(self, survey, source):
        """(the Wanted columns of a source, notes in sentences)."""
        columns, title = survey.columns, source.title
        more = " ".join(source.notes)
        _refuse_same([c.name for c in columns], f"{title} has", more)
        if survey.rows == 0:
            raise Unusable(f"{title} has a header but no rows. {more}".rstrip())
        for name in self.ignore:
            _column(name, survey)
        notes = list(source.notes)
        target = self._target(survey, source, notes)
        weights = None
        if self.weights is not None:
            weights = _find(self.weights, survey, "weights").name
        out = (target, weights, *self.ignore)
        usable = [c for c in columns if c.name not in out]
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
                names = self._categories(column)
                features += [(column.name, name) for name in sorted(names)]
        notes += _notes_on_dropped(dropped)
        notes += _notes_on_unnamed([name for name, text in features if text is None])
        notes += _notes_on_totals(columns)
        notes += _notes_on_indistinct([c for c in columns if c.name not in self.ignore])
        if not features:
            text = not self.one_hot and any(
                c.kind == "text" and not c.nearly_numeric for c in usable
            )
            if text:
                notes.append("--one-hot makes features of text columns.")
            raise Unusable(
                f"{title} has no numeric column besides the target {target}, so there is "
                f"nothing to predict it from. {' '.join(notes)}".rstrip()
            )
        wanted = Wanted(tuple(features), target, weights, self.ignore)
        _refuse_same(wanted.names, f"--one-hot of {title} makes")
        return wanted, notes

    def why_dropped(self, column):
        """Why a column that is not numeric is not used; None where it is used."""
        if column.kind != "text" or column.nearly_numeric or not self.one_hot:
            return column.why_not_numbers()
        names = self._categories(column)
        if names is not None and len(names) == 1:
            return f"all its cells are {next(iter(names))!r}"
        if names is None or len(names) > self.max_categories:
            number = f"more than {MOST_COUNTED:,}" if names is None else f"{len(names):,}"
            return (
                f"it has {number} categories, and --max-categories is {self.max_categories}"
            )
        if max(names[name] for name in names if name) == 1:
            return "its cells are all different"
        return None

    def _categories(self, column):
        """{category: how often it occurs}; None where there are too many."""
        if column.categories is None or not (self.keep_missing and column.empty):
            return column.categories
        return {"": column.empty, **column.categories}

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
        if source.targets:
            raise Unusable(
                f"{source.title} has several targets: --target {source.targets[0]} chooses "
                f"one of {listed(source.targets)}."
            )
        out = (self.weights, *self.ignore)
        numeric = [
            c.name for c in survey.columns if c.kind == "numbers" and c.name not in out
        ]
        if not numeric:
            names = [c.name for c in survey.columns]
            if len(names) == 1 and " " in names[0] and not source.notes:
                raise Unusable(
                    f"{source.title} has one column, {names[0]!r}; --delimiter space reads "
                    "columns that spaces separate."
                )
            mark = next((mark for mark in OTHER_MARKS if mark in names[0]), None)
            if len(names) == 1 and mark and not source.notes:
                raise Unusable(
                    f"{source.title} has one column, {names[0]!r}; --delimiter '{mark}' "
                    f"reads columns that {mark} separates."
                )
            why = [
                (c.name, c.why_not_numbers()) for c in survey.columns if c.nearly_numeric
            ]
            reasons = " ".join([*_notes_on_dropped(why), *source.notes])
            raise Unusable(
                f"{source.title} has no numeric columns: {listed(names)}. {reasons}".strip()
            )
        notes.insert(
            0,
            f"The target is {numeric[-1]}, the last numeric column; --target NAME chooses "
            "another.",
        )
        return numeric[-1]


def _refuse_same(names, where, more=""):
    """Raise Unusable where a name occurs twice."""
    for name, count in Counter(names).items():
        if count > 1:
            raise Unusable(
                f"{where} {count} columns called {name}; give each a name of its own. "
                f"{more}".rstrip()
            )


def _column(name, survey):
    """The column with this name."""
    title, columns = survey.title, survey.columns
    found = next((c for c in columns if c.name == name), None)
    if found is None:
        names = [c.name for c in columns]
        near = nearest(name, names)
        hint = f" Did you mean {near}?" if near else ""
        raise Unusable(
            f"{title} has no column {name}.{hint} Its columns are: {listed(names)}."
        )
    return found


def _find(name, survey, role):
    """The column with this name, which must be numeric."""
    found = _column(name, survey)
    if found.kind != "numbers":
        raise Unusable(
            f"The {role} {name} of {survey.title} is not numeric: "
            f"{found.why_not_numbers()}."
        )
    return found


def _notes_on_unnamed(names):
    """A sentence on each feature without a name in the header, such as row numbers."""
    return [
        f"{name} has no name in the header and is used as a feature: --ignore '{name}' "
        "leaves it out."
        for name in names
        if re.fullmatch(_table.UNNAMED.format(r"\d+"), name)
    ]


def _notes_on_totals(columns):
    """A sentence on each column with a row that seems to be the sum of other rows."""
    return [
        f"{counted(column.totals.count, 'cell')} of column {column.name} "
        f"{'says' if column.totals.count == 1 else 'say'} {column.totals.cell!r}, first in "
        f"row {column.totals.row:,}: if that row sums up others, delete it from the file."
        for column in columns
        if column.totals is not None
    ]


def _notes_on_indistinct(columns):
    """A sentence on each column of different integers that are equal in float64."""
    return [
        f"Column {column.name} holds numbers that differ by less than float64 can tell at "
        f"{column.maximum:.3g}, and are taken as equal: subtract the least of them in the "
        "file, or leave the column out."
        for column in columns
        if column.indistinct
    ]


def _notes_on_dropped(dropped):
    """Sentences on (name, why) of the columns that are not used."""
    text = [name for name, why in dropped if why == "it is text"]
    notes = []
    if text:
        notes.append(f"Dropped {counted(len(text), 'text column')}: {listed(text)}.")
    return notes + [
        f"Dropped column {name}: {why}." for name, why in dropped if why != "it is text"
    ]

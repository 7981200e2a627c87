"""Which columns of a source are features, targets and weights."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Columns:
    """Columns by name or index.

    Attributes
    ----------
    features : list
    target : name, index or list of them
    weights : name, index or None
    """

    features: list
    target: object
    weights: object = None

    @classmethod
    def among(cls, known, target, weights, columns, title):
        """The columns of a table with these `known` ones.

        Raises
        ------
        ValueError
            Where a column is not there, or none is left for X.
        """
        if target is None:
            raise ValueError(
                f"{title} needs target=...: the column to predict, one of {_some(known)}."
            )
        targets = list(target) if isinstance(target, list | tuple) else [target]
        used = {*targets} | ({weights} if weights is not None else set())
        features = [c for c in known if c not in used] if columns is None else list(columns)
        for column in [*targets, *features, *([] if weights is None else [weights])]:
            _refuse_unknown(column, known, title)
        if both := [column for column in features if column in used]:
            raise ValueError(f"Column {both[0]!r} is among columns and target or weights.")
        if not features:
            raise ValueError(f"{title} has no column for X beside target and weights.")
        return cls(features, target, weights)

    @classmethod
    def some(cls, known, columns, title):
        """These of the columns of a table without targets; None: all.

        Raises
        ------
        ValueError
            Where a column is not there.
        """
        features = list(known) if columns is None else list(columns)
        for column in features:
            _refuse_unknown(column, known, title)
        return cls(features, None)

    @property
    def targets(self):
        """The target columns as a list."""
        return list(self.target) if isinstance(self.target, list | tuple) else [self.target]

    @property
    def all(self):
        """Every column that is read."""
        more = [] if self.weights is None else [self.weights]
        return [*self.features, *self.targets, *more]


def _refuse_unknown(column, known, title):
    if column not in known:
        raise ValueError(f"{title} has no column {column!r}; there are {_some(known)}.")


def _some(known, count=8):
    shown = ", ".join(repr(name) for name in list(known)[:count])
    return shown + (", …" if len(known) > count else "")

"""Where a loss has kinks, and which rows are near one."""

from functools import partial

import numpy as np

# The number of rows in a piece, and of rows sampled for the width of a band.
PIECE, LOOKED_AT = 2**15, 20000
# The least number of sampled rows within a width, for an estimate of it.
ENOUGH = 100
# Residuals nearer to a kink than this share of the loss of a constant are ties.
TIE = 1e-12


class Kinks:
    """Kinks of residuals e: each at an offset, with the slope below it and above it."""

    def __init__(self, loss):
        dead, below, above = loss.dead, loss.below, loss.above
        self.each = [(0.0, -below, above)]
        if dead:
            self.each = [(dead, 0.0, above), (-dead, -below, 0.0)]
        self.steepest = max(below, above)
        self.level = below / (below + above)  # the share of targets below the fit

    def __len__(self):
        return len(self.each)

    def half_width(self, count, e, lever, unit, rng):
        """Half the width, per unit of leverage, of a band of `count` kinks beside ties."""
        n = len(e)
        looks = max(LOOKED_AT, int(ENOUGH * n * len(self) / max(count, 1.0)))
        some = slice(None) if n <= 2 * looks else rng.integers(0, n, looks)
        e, lever = e[some], lever[some]
        away = np.concatenate([np.abs(e - offset) / lever for offset, *_ in self.each])
        apart = away[away > TIE * unit]
        if not len(apart):
            return TIE * unit
        place = int(min(1.0, count / (n * len(self))) * len(away))
        place = min(len(apart) - 1, place)
        return float(np.partition(apart, place)[place])

    def near(self, e, lever, width, least=0.0, kept=None):
        """For each kink the rows that are nearer than a width, sorted.

        Parameters
        ----------
        e, lever : ndarray of shape (n,)
        width : float
            Per unit of leverage.
        least : float
            The smallest width.
        kept : ndarray of bool, shape (n,), or None
            Rows that are included at any distance.
        """
        n = len(e)
        if np.isinf(width):
            return [np.arange(n) for _ in self.each]
        found = [[] for _ in self.each]
        for start in range(0, n, PIECE):
            part = slice(start, start + PIECE)
            reach = np.maximum(width * lever[part], least)
            for rows, (offset, *_) in zip(found, self.each, strict=True):
                inside = np.abs(e[part] - offset) <= reach
                if kept is not None:
                    inside |= kept[part]
                rows.append(start + np.flatnonzero(inside))
        return [np.concatenate(rows) for rows in found]

    def count(self, e, lever, width):
        """The number of kinks that are nearer than a width."""
        count = 0
        for start in range(0, len(e), PIECE):
            part = slice(start, start + PIECE)
            reach = width * lever[part]
            for offset, *_ in self.each:
                count += int(np.count_nonzero(np.abs(e[part] - offset) <= reach))
        return count

    def crossed(self, before, after, rows):
        """Which residuals have changed sides at a kink, without the `rows` of that kink."""
        wrong = np.zeros(len(before), bool)
        for known, (offset, *_) in zip(rows, self.each, strict=True):
            changed = (before > offset) & (after < offset)
            changed |= (before < offset) & (after > offset)
            changed[known] = False
            wrong |= changed
        return wrong


def leverage(data, looks):
    """The size of the change of each row's residual, for random moves of length one.

    It is the root of the mean square of the products with `looks` (d + 1, count), at least
    one. (Without it, half of all rows would be near a kink if features have heavy tails.)
    """
    count, lever = looks.shape[1], np.empty(data.n_rows)
    for start, squares in data.over_pieces(partial(_squares, looks=looks)):
        lever[start : start + len(squares)] = squares
    np.divide(lever, count, out=lever)
    return np.sqrt(np.maximum(lever, 1.0, out=lever), out=lever)


def _squares(block, piece, looks):
    """The first row of a piece, and Σ of the squared products of each of its rows."""
    parts = [
        np.square(X @ looks[:-1] + looks[-1]).sum(axis=1)
        for X, _ in block.rows.chunks(within=piece, dense=not block.is_sparse)
    ]
    return block.first + piece[0], np.concatenate(parts)

"""The objective of the terms near a kink, where all other rows stay linear."""

from dataclasses import dataclass

import numpy as np

from sgdreg._solvers.newton.piecewise_linear import Box, Dense, Problem, Terms
from sgdreg._solvers.newton.sparse_terms import Sparse, are_stored
from sgdreg._solvers.newton.streamed import Streamed

# The largest number of entries of rows that are copied, or this many times those of Q.
COPIED, COPIED_A_SQUARE = 3e6, 2.1
# The size of residuals in a band, as a share of its width.
SIZE_IN_BAND = 0.1


@dataclass
class Restricted:
    """The problem of the rows near a kink: all other rows are in its linear term.

    Attributes
    ----------
    problem : Problem
        Of moves p from the model's weights.
    rest : float
        The objective there is the problem's value plus this.
    inside : int
        The number of terms that are rows at a kink; terms of coefficients follow them.
    whole : bool
        Whether all rows are inside.
    """

    problem: Problem
    rest: float
    inside: int
    whole: bool


def restricted(model, rows, box=0.0):
    """The objective of a model, where only some rows keep their kinks.

    Parameters
    ----------
    model : Band
    rows : list of ndarray
        For each kink the positions of the rows that keep it.
    box : float
        The largest size of each entry of p, unless all rows are inside. 0: any.

    Returns
    -------
    Restricted
    """
    n, k, kinks = model.data.n_rows, model.frame.size, model.kinks.each
    union, which = rows[0], None
    if len(rows) > 1:
        union, which = np.unique(np.concatenate(rows), return_inverse=True)
    block, weights = _block(model, union, which)
    shares = (weights / n) if which is None else (weights / n)[which]
    count = [len(part) for part in rows]
    low = shares * np.repeat([below for _, below, _ in kinks], count)
    high = shares * np.repeat([above for _, _, above in kinks], count)
    offsets = np.concatenate(
        [model.e[r] - o for r, (o, *_) in zip(rows, kinks, strict=True)]
    )
    inside = len(offsets)
    whole = inside == n * len(kinks)
    blocks = [block]
    q = model.frame.slope(model.gradient)
    rest = model.objective - model.price_of(model.weights)
    if whole:
        q = model.frame.slope(model.gradient_of_penalty())
        rest = model.objective - model.loss - model.price_of(model.weights)
    else:
        slopes = np.where(offsets > 0, high, np.where(offsets < 0, low, 0.0))
        q = q - block.sums(slopes)
        rest -= slopes @ offsets
    if model.on_coef is not None:
        blocks.append(model.on_coef)
        pairs = zip((offsets, low, high), model.prices(), strict=True)
        offsets, low, high = map(np.concatenate, pairs)
    walls = 0
    if box and not whole:
        walls = 2 * k
        blocks.append(Box(k))
        wall, none = np.full(k, model.kinks.steepest), np.zeros(k)
        radius = np.full(k, box)
        offsets = np.concatenate([offsets, -radius, radius])
        low = np.concatenate([low, none, -wall])
        high = np.concatenate([high, wall, none])
    size = float(np.abs(model.e).mean()) if whole else SIZE_IN_BAND * model.width
    reach = min(model.unit, box) if walls else model.unit
    # A mean of |x| is at least the root mean square over √n: where few rows have all of
    # a direction's length the optimum may be as much further.
    far = model.unit * np.sqrt(n)
    terms = Terms(blocks)
    problem = Problem(terms, offsets, low, high, q, model.Q, size, reach, walls, far)
    return Restricted(problem, rest, inside, whole)


def _block(model, rows, which):
    """Some rows in the frame, and their weights; too many are not copied."""
    data, k = model.data, model.frame.size
    weights = data.row_weights
    weights = np.ones(len(rows)) if weights is None else weights[rows]
    if are_stored(data, model.frame):
        return Sparse(data, model.frame, rows, which), weights
    if len(rows) * k > max(COPIED, COPIED_A_SQUARE * k * k):
        return Streamed(data, model.frame, rows, which), weights
    A = model.frame.rows(data.rows.take(rows))
    return Dense(A, which, data.team), weights
